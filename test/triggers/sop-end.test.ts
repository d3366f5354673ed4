import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RunIndex } from '../../src/activities/deps.ts'
import { createFileState } from '../../src/adapters/file-state.ts'
import type { SourceMemory } from '../../src/core/trigger/source-memory.ts'
import { readRun } from '../../src/client/find-run.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import type { Delivery } from '../../src/core/trigger/delivery.ts'
import { createSopEnd } from '../../src/triggers/sop-end.ts'
import type { SourceTrigger, TriggerOf, TriggerSource } from '../../src/triggers/source.ts'
import { createLog } from '../../src/log.ts'
import { bash, sopOf, type SopSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// The end of one run begins another, over a real engine.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { defaultMode: 'auto' } })
})
afterAll(() => engine.stop())

const open: TriggerSource[] = []
afterEach(async () => {
  for (const source of open.splice(0)) await source.close()
})

let count = 0
/** An SOP, and one that waits for its ends. */
const pair = (
  first: Partial<SopSketch> = {},
  waits: Partial<TriggerOf<'sop'>> = {},
): { name: string; next: SopDefinition } => {
  const name = `ends-${++count}`
  engine.add(sopOf({ name, steps: [{}], ...first }))
  const trigger: TriggerOf<'sop'> = { type: 'sop', sop: name, on: ['completed'], ...waits }
  const next = sopOf({ name: `${name}-next`, triggers: [trigger], steps: [{}] })
  engine.add(next)
  return { name, next }
}
const triggersOf = (...sops: readonly SopDefinition[]): readonly SourceTrigger[] =>
  sops.flatMap((definition) => definition.triggers.map((trigger) => ({ sop: definition.name, trigger, definition })))

const states = (): SourceMemory => createFileState({ dataDir: engine.dataDir })
const start = async (
  triggers: readonly SourceTrigger[],
  state = states(),
  index: RunIndex = engine.stores.index,
): Promise<TriggerSource> => {
  const source = createSopEnd({
    door: engine.triggers,
    log: createLog({ level: 'error' }),
    index,
    readRun: (runId) => readRun({ temporal: engine.temporal, records: engine.stores }, runId),
    state,
    lookMs: 20,
  })
  open.push(source)
  await source.follow(triggers)
  return source
}
const stop = async (source: TriggerSource): Promise<void> => {
  open.splice(open.indexOf(source), 1)
  await source.close()
}
/** A source that has looked: from here on ends count. */
const started = async (...sops: readonly SopDefinition[]): Promise<TriggerSource> => {
  const state = states()
  const source = await start(triggersOf(...sops), state)
  await until(
    () => state.get('sop-ends'),
    (kept) => sops.every(({ name }) => JSON.stringify(kept ?? '').includes(name)),
  )
  return source
}
const deliveriesTo = (sop: string): Promise<readonly Delivery[]> => engine.stores.deliveries.list({ sop, limit: 50 })
const delivered = (sop: string, times: number): Promise<readonly Delivery[]> =>
  until(
    () => deliveriesTo(sop),
    (found) => found.length >= times,
  )
const run = async (name: string): Promise<string> => {
  const { runId } = await engine.client.createRun(name)
  await until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => ['completed', 'failed'].includes(status),
  )
  return runId
}

describe('createSopEnd()', () => {
  test('starts what waits for the end, with the outputs and params that its trigger names', async () => {
    const { name, next } = pair(
      { steps: [{ action: bash('echo image=app:7 >> "$SOP_OUTPUT"'), outputs: ['image'] }] },
      { params: { image: '$.outputs.image', from: '$.run_id', env: '$.params.env' } },
    )
    await started(next)
    const { runId } = await engine.client.createRun(name, { params: { env: 'prod' } })
    const [delivery] = await delivered(next.name, 1)
    expect(delivery).toMatchObject({ source: 'sop', subject: name, action: 'completed', verdict: 'started' })
    const view = await until(
      () => engine.client.getRunStatus(delivery?.runId ?? ''),
      () => true,
    )
    expect(view).toMatchObject({
      params: { image: 'app:7', from: runId, env: 'prod' },
      startedBy: { id: `sop:${name}`, kind: 'service' },
      trigger: { type: 'sop', event: name, payload: { status: 'completed', chain: [name] } },
    })
  })

  test('hears only of the ends that it waits for', async () => {
    const failing = { steps: [{ action: bash('exit 1') }] }
    const { name, next } = pair(failing, { on: ['failed'] })
    const { next: other } = pair(failing, { sop: name, on: ['completed'] })
    await started(next, other)
    await run(name)
    expect(await delivered(next.name, 1)).toMatchObject([{ action: 'failed', verdict: 'started' }])
    expect(await deliveriesTo(other.name)).toEqual([])
  })

  test('starts what waits for an end that came while nobody looked, once, and not for what ended before it waited', async () => {
    const { name, next } = pair()
    await run(name)
    await stop(await started(next))
    const runId = await run(name)
    await stop(await start(triggersOf(next)).then(async (source) => (await delivered(next.name, 1), source)))
    const source = await start(triggersOf(next))
    const last = await run(name)
    await delivered(next.name, 2)
    await stop(source)
    const found = await deliveriesTo(next.name)
    expect(found.map(({ verdict, key }) => [verdict, key?.split('@')[0]])).toEqual([
      ['started', last],
      ['started', runId],
    ])
  })

  test.each([['with others beside it'], ['alone']])(
    'a trigger that was taken away, %s, and comes again hears nothing of what ended meanwhile',
    async (how) => {
      const { name, next } = pair()
      const { next: other } = pair()
      const rest = how === 'alone' ? [] : [other]
      const source = await started(next, ...rest)
      const state = states()
      const heardOf = (isIt: boolean) =>
        until(
          () => state.get('sop-ends'),
          (kept) => JSON.stringify(kept ?? '').includes(next.name) === isIt,
        )
      await source.follow(triggersOf(...rest))
      await heardOf(false)
      await run(name)
      await source.follow(triggersOf(next, ...rest))
      await heardOf(true)
      const last = await run(name)
      const found = await delivered(next.name, 1)
      expect(found.map(({ key }) => key?.split('@')[0])).toEqual([last])
    },
  )

  test('starts one run where it was killed before it could say how far it came', async () => {
    const { name, next } = pair()
    await stop(await started(next))
    const kept = await states().get('sop-ends')
    // What is put is lost, as it is with a kill right after the delivery.
    const forgetful: SourceMemory = { get: async () => kept, put: async () => {} }
    await run(name)
    await stop(await start(triggersOf(next), forgetful).then(async (source) => (await delivered(next.name, 1), source)))
    await start(triggersOf(next), forgetful)
    const found = await delivered(next.name, 2)
    expect(found.map(({ verdict }) => verdict)).toEqual(['duplicate', 'started'])
    expect(new Set(found.map(({ runId }) => runId)).size).toBe(1)
  })

  test('goes through the list where the cursor that it kept is one of another list', async () => {
    const { name, next } = pair()
    await stop(await started(next))
    await run(name)
    const another: RunIndex = {
      ...engine.stores.index,
      changes: async () => ({ runs: [], cursor: 'another-1', reset: true }),
    }
    await start(triggersOf(next), states(), another)
    expect(await delivered(next.name, 1)).toMatchObject([{ verdict: 'started' }])
  })

  test('takes the end of a run that was retried for another end', async () => {
    const { name, next } = pair({ steps: [{ action: bash('exit 1') }] }, { on: ['failed'] })
    await started(next)
    const runId = await run(name)
    await delivered(next.name, 1)
    await engine.client.retryRun(runId, {})
    const found = await delivered(next.name, 2)
    expect(found.map(({ verdict }) => verdict)).toEqual(['started', 'started'])
  })

  test('refuses to go round in a circle that no catalog could see, and says so', async () => {
    const name = `ends-${++count}`
    const trigger: TriggerOf<'sop'> = { type: 'sop', sop: name, on: ['completed'] }
    const sop = sopOf({ name, triggers: [trigger], steps: [{}] })
    engine.add(sop)
    await started(sop)
    await run(name)
    const [delivery] = await delivered(name, 1)
    expect(delivery).toMatchObject({
      verdict: 'refused',
      code: 'conflict',
      reason: `Cannot start SOP "${name}": SOPs would start each other without end (${name} starts ${name})`,
    })
  })
})
