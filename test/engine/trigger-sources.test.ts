import { expect, test } from 'vitest'
import type { CatalogEntry } from '../../src/client/catalog.ts'
import { OWNER } from '../../src/engine/leader.ts'
import type { SourceTrigger } from '../../src/triggers/source.ts'
import { createUnconfigured } from '../../src/triggers/unconfigured.ts'
import { createTriggerSources } from '../../src/engine/trigger-sources.ts'
import { createLog } from '../../src/log.ts'
import { sopOf } from '../support/definitions.ts'

const entryOf = (name: string, topics: readonly string[], isBroken = false): CatalogEntry => {
  const definition = sopOf({ name, triggers: topics.map((topic) => ({ type: 'mqtt', topic })), steps: [{}] })
  const compiled = isBroken ? { name, diagnostics: [] } : { name, definition, diagnostics: [] }
  return { name, path: `${name}.md`, files: [], compiled }
}
const topicsOf = (triggers: readonly SourceTrigger[]): readonly string[] =>
  triggers.map(({ sop, trigger }) => `${sop} ${trigger.type === 'mqtt' ? trigger.topic : trigger.type}`)
const log = createLog({ level: 'error' })

test('createTriggerSources() follows the catalog, keeps the triggers of an SOP that broke, and ends with its leader', async () => {
  const followed: (readonly string[])[] = []
  const listeners = new Set<(entries: readonly CatalogEntry[]) => void>()
  let isClosed = false
  const sources = createTriggerSources({
    onChange: (listener) => {
      listeners.add(listener)
      listener([entryOf('a', ['t/1']), entryOf('b', ['t/2'])])
      return () => void listeners.delete(listener)
    },
    lock: OWNER,
    open: async () => ({
      mqtt: {
        follow: async (triggers) => void followed.push(topicsOf(triggers)),
        health: () => ({ ok: false, detail: 'not connected' }),
        close: async () => {
          isClosed = true
        },
      },
      idle: { follow: async () => {}, health: () => undefined, close: async () => {} },
    }),
    log,
  })
  expect(sources.health()).toEqual({})
  sources.start()
  await expect.poll(() => followed.length, { timeout: 20_000 }).toBe(1)
  for (const listener of listeners) listener([entryOf('a', [], true), entryOf('b', ['t/3'])])
  for (const listener of listeners) listener([entryOf('b', [])])
  expect(followed).toEqual([['a t/1', 'b t/2'], ['a t/1', 'b t/3'], []])
  expect(sources.health()).toEqual({ mqtt: { ok: false, detail: 'not connected' } })
  await sources.close()
  expect([isClosed, listeners.size, sources.health()]).toEqual([true, 0, {}])
})

test('createUnconfigured() says which SOPs wait for a broker that nobody named, and how to name one', async () => {
  const source = createUnconfigured('mqtt', 'SOP_MQTT_URL', createLog({ level: 'error' }))
  expect(source.health()).toBeUndefined()
  const definition = sopOf({ name: 'a', steps: [{}] })
  await source.follow([{ sop: 'a', definition, trigger: { type: 'mqtt', topic: 't' } }])
  expect(source.health()).toEqual({
    ok: false,
    detail: 'no broker is named, so the mqtt triggers of "a" begin nothing: set SOP_MQTT_URL',
  })
  await source.follow([])
  expect(source.health()).toBeUndefined()
})
