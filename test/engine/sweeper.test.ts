import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { createTemporalAdmission } from '../../src/client/admission.ts'
import { createEndedRuns } from '../../src/client/ended-runs.ts'
import { createTellParent } from '../../src/client/run-ends.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { SopError } from '../../src/core/errors.ts'
import { createSweeper, type Sweeper } from '../../src/engine/sweeper.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// What Temporal ends, the sweeper tells the record.

let engine: TestEngine
let sweeper: Sweeper
/** So far ahead that no run is too young to be looked at. */
const LATER_MS = 60_000
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'gated', steps: [{}, { title: 'Deploy', requiresApproval: true }] }),
      sopOf({ name: 'long', steps: [{ action: bash('echo "$$"; sleep 600') }] }),
      sopOf({
        name: 'parent',
        steps: [{ action: { kind: 'sop', sop: 'gated' }, onFailure: { kind: 'pause' } }],
      }),
      sopOf({ name: 'single', maxConcurrent: 1, steps: [{ title: 'Deploy', requiresApproval: true }] }),
    ],
  })
  sweeper = createSweeper({
    stores: engine.stores,
    ended: createEndedRuns(engine.temporal),
    admission: createTemporalAdmission(() => engine.temporal, engine.taskQueue),
    tellParent: createTellParent(() => engine.temporal),
    log: { info: () => {}, warn: () => {} },
    now: () => Date.now() + LATER_MS,
  })
})
afterAll(async () => {
  await sweeper.close()
  await engine.stop()
})

const start = async (name: string) => (await engine.client.createRun(name)).runId
const atGate = async (name: string): Promise<string> => {
  const runId = await start(name)
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.openGates.length === 1,
  )
  await onRecord(runId, 'approval_requested')
  return runId
}
const eventsOf = async (runId: string) => (await engine.client.getAuditLog(runId)).events
/** A run that another one names may have yet to be started. */
const eventsSoFar = (runId: string) =>
  eventsOf(runId).catch((error: unknown) => {
    if (error instanceof SopError && error.code === 'not_found') return []
    throw error
  })
const onRecord = (runId: string, type: string) =>
  until(
    () => eventsSoFar(runId),
    (events) => events.some(({ eventType }) => eventType === type),
  )
const terminate = (runId: string, reason: string) => engine.temporal.workflow.getHandle(runId).terminate(reason)
/** Temporal's list is a moment behind. */
const swept = (runId: string) =>
  until(
    () => sweeper.sweep(),
    (runIds) => runIds.includes(runId),
  )
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a run that was terminated at its gate ends on record, truthfully and once', async () => {
  const runId = await atGate('gated')
  const before = await eventsOf(runId)
  await terminate(runId, 'wrong window')
  await swept(runId)
  const events = await eventsOf(runId)
  expect(events.slice(0, before.length)).toEqual(before)
  expect(events.slice(before.length)).toMatchObject([
    {
      eventType: 'run_cancelled',
      via: 'temporal',
      principal: { verified: false },
      details: { reason: expect.stringMatching(/^terminated in Temporal by .+: wrong window$/) },
    },
  ])
  expect(verifyChain(events, sha256Hex, { runId })).toEqual([])
  expect(await engine.client.getRunStatus(runId)).toMatchObject({ status: 'cancelled', openGates: [] })
  expect((await engine.client.listRuns({ sop: 'gated' })).map(({ status }) => status)).toEqual(['cancelled'])
  expect(await engine.client.approveStep(runId, 2)).toMatchObject({ accepted: false, code: 'conflict' })
  expect(await sweeper.sweep()).toEqual([])
  expect(await eventsOf(runId)).toEqual(events)
})

test('a run that is open is left alone', async () => {
  const runId = await atGate('gated')
  const before = await eventsOf(runId)
  expect(await sweeper.sweep()).toEqual([])
  expect(await eventsOf(runId)).toEqual(before)
  await engine.client.cancelRun(runId)
})

test('a step that was under way is unknown, and its processes are ended', async () => {
  const runId = await start('long')
  const { output } = await until(
    () =>
      engine.client.readLog(runId, { step: 1 }).then(
        ({ text }) => ({ output: text }),
        // The step has not begun.
        () => ({ output: '' }),
      ),
    ({ output }) => /^\d+\n/.test(output),
  )
  await terminate(runId, '')
  await swept(runId)
  const events = await eventsOf(runId)
  expect(events.slice(-2)).toMatchObject([
    { eventType: 'step_unknown', stepNumber: 1, details: { error: 'its run was terminated while it ran' } },
    { eventType: 'run_cancelled' },
  ])
  await until(
    async () => isAlive(Number.parseInt(output, 10)),
    (alive) => !alive,
    60_000,
  )
}, 120_000)

test('the slot of a terminated run is free for the next one', async () => {
  const first = await atGate('single')
  const second = await start('single')
  await onRecord(second, 'run_queued')
  await terminate(first, 'stuck')
  await swept(first)
  await onRecord(second, 'run_started')
  await engine.client.cancelRun(second)
})

test('the run whose step a terminated run is hears of it', async () => {
  const parent = await start('parent')
  const { stepResults } = await until(
    () => engine.client.getRunStatus(parent),
    (run) => run.stepResults[0]?.child !== undefined,
  )
  const child = stepResults[0]?.child ?? ''
  await onRecord(child, 'approval_requested')
  await terminate(child, 'wrong window')
  await swept(child)
  const messages = async (): Promise<readonly unknown[]> => {
    const { events } = await engine.temporal.workflow.getHandle(parent).fetchHistory()
    return (events ?? [])
      .map((event) => event.workflowExecutionSignaledEventAttributes)
      .filter((signal) => signal?.signalName === 'child_ended')
      .map((signal) => JSON.parse(Buffer.from(signal?.input?.payloads?.[0]?.data ?? '').toString()) as unknown)
  }
  // One that comes during a workflow task stands in history after it.
  const heard = await until(messages, (all) => all.length > 0)
  expect(heard).toEqual([
    {
      runId: child,
      workId: 'child:1#1',
      result: { outcome: 'cancelled', reason: expect.stringContaining('wrong window') },
    },
  ])
  const paused = await until(
    () => engine.client.getRunStatus(parent),
    ({ status }) => status === 'paused',
  )
  expect(paused).toMatchObject({ paused: { stepNumber: 1 } })
  await engine.client.cancelRun(parent)
})

test('what history holds and the record lacks is recorded before the end', async () => {
  const runId = await atGate('gated')
  const events = await eventsOf(runId)
  await terminate(runId, 'gone')
  const told: string[] = []
  const behind = createSweeper({
    stores: {
      index: engine.stores.index,
      vault: engine.stores.vault,
      audit: {
        ...engine.stores.audit,
        // A store that lost its last event, as after a restore.
        read: async (id) => (id === runId && told.length === 0 ? events.slice(0, -1) : engine.stores.audit.read(id)),
        append: async (run, appended) => {
          // The ends of others, cancelled before, may still be on their way.
          if (run.runId === runId) told.push(...appended.map(({ sequence, eventType }) => `${sequence} ${eventType}`))
          return engine.stores.audit.append(run, appended)
        },
      },
    },
    ended: createEndedRuns(engine.temporal),
    admission: { release: async () => {} },
    tellParent: async () => {},
    log: { info: () => {}, warn: () => {} },
    now: () => Date.now() + LATER_MS,
  })
  await until(
    () => behind.sweep(),
    (runIds) => runIds.includes(runId),
  )
  expect(told).toEqual([`${events.length} approval_requested`, `${events.length + 1} run_cancelled`])
})
