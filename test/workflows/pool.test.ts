import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { CommandTask } from '../../src/core/run/task.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { bash, command, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { ok } from '../support/play.ts'
import { servePool } from '../support/pool-worker.ts'
import { wholeRecord } from '../support/whole-record.ts'

// What the workflow does with a step that names a pool; the worker of the pool is a stub that keeps what it was given.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { poolNoticeMs: 200, poolWaitMs: 60_000 } })
})
afterAll(async () => {
  await engine.stop()
})

let stops: readonly (() => Promise<void>)[] = []
afterEach(async () => {
  const now = stops
  stops = []
  await Promise.all(now.map((stop) => stop()))
})

const serve: typeof servePool = async (...args) => {
  const stop = await servePool(...args)
  stops = [...stops, stop]
  return stop
}
const look = (runId: string, is: (run: RunView) => boolean) => until(() => engine.client.getRunStatus(runId), is)
/** At each command for the pool: up to which event the record had been confirmed when it was called for. */
const confirmedAtCalls = async (runId: string): Promise<readonly number[]> => {
  const { events } = await engine.temporal.workflow.getHandle(runId).fetchHistory()
  let confirmed = 0
  const found: number[] = []
  for (const event of events ?? []) {
    const [result] = event.activityTaskCompletedEventAttributes?.result?.payloads ?? []
    const { ackedSeq = 0 } = JSON.parse(Buffer.from(result?.data ?? '{}').toString()) as { ackedSeq?: number }
    confirmed = Math.max(confirmed, ackedSeq)
    if (event.activityTaskScheduledEventAttributes?.taskQueue?.name?.includes('-pool-') === true) found.push(confirmed)
  }
  return found
}
const typesOf = async (runId: string) =>
  (await engine.client.getAuditLog(runId)).events.map(({ eventType }) => eventType)

test('a command of a pool gets no events, and what came before it is on record when it starts', async () => {
  const seen: { task: CommandTask; recorded: readonly string[] }[] = []
  await serve(engine, 'dba', async (task) => {
    // That it waited stands there as well, where this worker was not quick enough.
    const recorded = (await typesOf(task.runId)).filter((type) => !['step_waiting', 'step_taken'].includes(type))
    seen.push({ task, recorded })
    return ok()
  })
  const steps = [
    { title: 'Here' },
    { title: 'There', runsOn: 'dba', requiresApproval: true, action: bash('pg_dump'), verify: [command('check')] },
  ]
  engine.add(sopOf({ name: 'there', steps }))
  const { runId } = await engine.client.createRun('there')
  await look(runId, ({ openGates }) => openGates.length === 1)
  await engine.client.approveStep(runId)
  await look(runId, ({ status }) => status === 'completed')
  expect(seen.map(({ task }) => [task.executableId, task.executable.runsOn, task.events])).toEqual([
    ['step:2', 'dba', []],
    ['verify:2', 'dba', []],
  ])
  expect(seen[0]?.recorded.slice(-2)).toEqual(['approval_granted', 'step_started'])
  expect(seen[1]?.recorded.slice(-1)).toEqual(['verification_started'])
  const events = await wholeRecord(engine, runId)
  const begun = events.filter(
    ({ eventType, stepNumber }) => stepNumber === 2 && ['step_started', 'verification_started'].includes(eventType),
  )
  expect(await confirmedAtCalls(runId)).toEqual(begun.map(({ sequence }) => sequence))
})

test('a step whose pool has no worker is shown to wait, until one comes and takes it', async () => {
  engine.add(sopOf({ name: 'waiting', steps: [{ title: 'There', runsOn: 'late[eu]' }] }))
  const { runId } = await engine.client.createRun('waiting')
  const waiting = await look(runId, ({ poolWaits }) => poolWaits !== undefined)
  expect(waiting).toMatchObject({ status: 'running', poolWaits: [{ stepNumber: 1, title: 'There', pool: 'late[eu]' }] })
  const { since = '', until: end = '' } = waiting.poolWaits?.[0] ?? {}
  expect(Date.parse(end) - Date.parse(since)).toBe(60_000)
  await until(
    async () => (await engine.client.listRuns({ sop: 'waiting' }))[0]?.poolWaits,
    (pools) => pools?.[0] === 'late[eu]',
  )
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  await serve(engine, 'late[eu]', async () => {
    await finished
    return ok()
  })
  const taken = await look(runId, ({ poolWaits }) => poolWaits === undefined)
  expect(taken.status).toBe('running')
  finish()
  await look(runId, ({ status }) => status === 'completed')
  const types = (await wholeRecord(engine, runId)).map(({ eventType }) => eventType)
  expect(types.slice(2)).toEqual(['step_started', 'step_waiting', 'step_taken', 'step_completed', 'run_completed'])
})

test('a step that no worker takes in time fails without having run, and is tried again as often as it says', async () => {
  const hasty = await startTestEngine({ policy: { poolNoticeMs: 60_000, poolWaitMs: 500 } })
  try {
    hasty.add(sopOf({ name: 'hasty', steps: [{ title: 'There', runsOn: 'nowhere', retries: 1 }] }))
    const { runId } = await hasty.client.createRun('hasty')
    const run = await until(
      () => hasty.client.getRunStatus(runId),
      ({ status }) => status === 'failed',
    )
    expect(run.stepResults[0]).toMatchObject({
      status: 'failed',
      attempt: 2,
      error: 'no worker of pool "nowhere" took it within 500ms',
    })
    const events = await wholeRecord(hasty, runId)
    const failures = events.filter((event) => event.eventType === 'step_failed')
    expect(failures).toMatchObject([{ details: { outcome: 'timed_out' } }, { details: { outcome: 'timed_out' } }])
  } finally {
    await hasty.stop()
  }
})

test('a run is cancelled while its step waits for a worker, and the step never runs', async () => {
  engine.add(sopOf({ name: 'cancelled', steps: [{ runsOn: 'never' }] }))
  const { runId } = await engine.client.createRun('cancelled')
  await look(runId, ({ poolWaits }) => poolWaits !== undefined)
  await engine.client.cancelRun(runId, { reason: 'enough' })
  await look(runId, ({ status }) => status === 'cancelled')
  const ran: string[] = []
  await serve(engine, 'never', async (task) => {
    ran.push(task.runId)
    return ok()
  })
  engine.add(sopOf({ name: 'after', steps: [{ runsOn: 'never' }] }))
  const after = await engine.client.createRun('after')
  await look(after.runId, ({ status }) => status === 'completed')
  expect(ran).toEqual([after.runId])
  expect((await wholeRecord(engine, runId)).map(({ eventType }) => eventType)).not.toContain('step_completed')
})
