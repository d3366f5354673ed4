import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../../src/core/compile.ts'
import type { Json, SopDefinition } from '../../src/core/definition.ts'
import type { Occurrence, OccurrenceSource } from '../../src/core/trigger/occurrence.ts'
import { startTestEngine, type TestEngine } from '../support/engine.ts'

// Triggers as the seeds spell them, from the text to the run.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine()
})
afterAll(() => engine.stop())

let count = 0
const definitionOf = (trigger: string, rest = ''): SopDefinition => {
  const name = `seed-${++count}`
  const files = [
    {
      path: `${name}/SOP.toml`,
      text: `${rest.replaceAll('NAME', name) || `name = "${name}"\n`}\n${trigger.replaceAll('NAME', name)}\n`,
    },
    { path: `${name}/SOP.md`, text: '# X\n\n## Steps\n\n1. **Look** — Look at it.\n' },
  ]
  const { definition, diagnostics } = compile({ files, fallbackName: name })
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics))
  return definition
}
/** ZeroClaw's table, as it stands in its files. */
const zeroclaw = (trigger: string): SopDefinition =>
  definitionOf(
    '',
    `triggers = [ ${trigger} ]\n[sop]\nname = "NAME"\ndescription = "x"\nexecution_mode = "priority_based"\ncooldown_secs = 0\nmax_concurrent = 2\n`,
  )

interface What {
  readonly action?: string
  readonly payload?: Json
}

const deliver = async (
  sop: SopDefinition,
  source: OccurrenceSource,
  subject: string,
  { action, payload = {} }: What = {},
) => {
  engine.add(sop)
  const occurrence: Occurrence = {
    source,
    subject,
    at: new Date().toISOString(),
    payload,
    ...(action !== undefined && { action }),
    principal: { id: 'seed', kind: 'service' },
  }
  const deliveries = await engine.triggers.deliver(occurrence, { concerns: (name) => name === sop.name })
  return deliveries.map(({ verdict }) => verdict)
}

test('file_watch of seed 000 starts its run', async () => {
  const sop = definitionOf('[[triggers]]\ntype = "file_watch"\npath = "/job/releases/*.tar.gz"\nevent = "create"')
  expect(await deliver(sop, 'file_watch', '/job/releases/app-1.2.tar.gz', { action: 'create' })).toEqual(['started'])
  expect(await deliver(sop, 'file_watch', '/job/releases/app-1.2.tar.gz', { action: 'delete' })).toEqual(['unmatched'])
})

test('filesystem of dialect Z starts its run, and its condition reads what it calls the event', async () => {
  const sop = zeroclaw(
    `{ type = "filesystem", path = "/srv/drop/**/*.tgz", events = ["created", "renamed"], condition = '$.event == "created"' }`,
  )
  expect(sop.dialect).toBe('Z')
  const what = { action: 'create', payload: { event: 'create' } }
  expect(await deliver(sop, 'file_watch', '/srv/drop/a/b.tgz', what)).toEqual(['started'])
  expect(await deliver(sop, 'file_watch', '/srv/drop/a/b.txt', what)).toEqual(['unmatched'])
})

test('mqtt of dialect Z starts its run where its condition holds', async () => {
  const sop = zeroclaw(`{ type = "mqtt", topic = "ci/+/done", condition = '$.build.passed == "true"' }`)
  expect(await deliver(sop, 'mqtt', 'ci/app/done', { payload: { build: { passed: 'true' } } })).toEqual(['started'])
  expect(await deliver(sop, 'mqtt', 'ci/app/done', { payload: { build: { passed: 'false' } } })).toEqual(['unmatched'])
})

test('amqp of dialect Z starts its run where its condition holds', async () => {
  const sop = zeroclaw(`{ type = "amqp", routing_key = "release.*.ready.#", condition = "$.size < 500" }`)
  expect(await deliver(sop, 'amqp', 'release.app.ready.now', { payload: { size: 499 } })).toEqual(['started'])
  expect(await deliver(sop, 'amqp', 'release.app.ready', { payload: { size: 500 } })).toEqual(['unmatched'])
})
