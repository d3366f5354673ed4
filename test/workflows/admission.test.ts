import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AdmissionAnswer, AdmissionRequest, AdmissionState } from '../../src/core/admission.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { ADMISSION_ASK, ADMISSION_QUEUE, ADMISSION_RELEASE, ADMISSION_WORKFLOW } from '../../src/workflows/messages.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { withEnoughTime } from '../support/enough-time.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

// admission.test.ts: what only a real Temporal shows of admission; its rules are tested in core/admission.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'deploy', locks: ['cluster-x'], priority: 'critical', steps: [{ requiresApproval: true }] }),
      sopOf({ name: 'patch', locks: ['cluster-x', 'cluster-y'], steps: [{}] }),
      sopOf({ name: 'one', maxConcurrent: 1, releaseSlotAtGate: true, steps: [{}, { requiresApproval: true }] }),
      sopOf({ name: 'burst', maxConcurrent: 1, admission: 'coalesce', steps: [{ requiresApproval: true }] }),
      sopOf({ name: 'inner', locks: ['cluster-z'], steps: [{ action: bash('true') }] }),
      sopOf({ name: 'outer', steps: [{ action: { kind: 'sop', sop: 'inner' } }] }),
      sopOf({ name: 'quiet', blackout: ['2000-01-01..2199-12-31'], steps: [{}] }),
      sopOf({ name: 'patient', blackout: ['2000-01-01..2199-12-31'], blackoutPolicy: 'wait', steps: [{}] }),
    ],
  })
})
afterAll(() => engine.stop())

const start = (name: string) => engine.client.createRun(name, { wait: false })
const becomes = (runId: string, is: (run: RunView) => boolean) => until(() => engine.client.getRunStatus(runId), is)
const isOver = (run: RunView): boolean => run.completedAt !== undefined
const eventsOf = async (runId: string) => (await engine.client.getAuditLog(runId)).events
/** A run that stands at its gate, so that it holds what it asked for. */
const atGate = async (name: string): Promise<string> => {
  const { runId } = await engine.client.createRun(name)
  await becomes(runId, (run) => run.openGates.length > 0)
  return runId
}
const onRecord = (runId: string, type: string) =>
  until(
    () => eventsOf(runId),
    (events) => events.some(({ eventType }) => eventType === type),
  )

test('a lock is held until its run is closed, also by a terminate, and no order passes it', async () => {
  const holder = await atGate('deploy')
  const { runId: next } = await start('patch')
  await onRecord(next, 'run_queued')
  const { waiting } = await engine.client.getQueue()
  expect(waiting.find(({ runId }) => runId === next)).toMatchObject({
    position: 1,
    waitsFor: [{ kind: 'lock', lock: 'cluster-x', by: [holder] }],
  })
  await expect(engine.client.admitFromQueue(next)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('holds lock "cluster-x"'),
  })
  await engine.client.cancelRun(holder)
  expect((await becomes(next, isOver)).status).toBe('completed')
})

test('steps carry the priority of their run, and the SOP as the key of fairness', async () => {
  const runId = await atGate('deploy')
  await engine.client.approveStep(runId)
  await becomes(runId, isOver)
  const history = await engine.temporal.workflow.getHandle(runId).fetchHistory()
  const steps = (history.events ?? []).flatMap(({ activityTaskScheduledEventAttributes: asked }) =>
    asked?.activityType?.name === 'runCommand' ? [asked.priority] : [],
  )
  expect(steps).toHaveLength(1)
  expect(steps[0]).toMatchObject({ priorityKey: 1, fairnessKey: 'deploy' })
})

test('a slot that is given away at a gate lets the next run through, and comes back', async () => {
  const { runId: first } = await start('one')
  await onRecord(first, 'slot_released')
  const { runId: second } = await start('one')
  await onRecord(second, 'slot_released')
  await engine.client.approveStep(first)
  expect((await becomes(first, isOver)).status).toBe('completed')
  await engine.client.approveStep(second)
  expect((await becomes(second, isOver)).status).toBe('completed')
  expect((await wholeRecord(engine, first)).filter(({ eventType }) => eventType === 'run_admitted')).toHaveLength(2)
})

test('of waiting runs that coalesce the newest stays, and the others name it', async () => {
  const first = await atGate('burst')
  const { runId: second } = await start('burst')
  await onRecord(second, 'run_queued')
  const { runId: third } = await start('burst')
  const replaced = await becomes(second, isOver)
  expect([replaced.status, replaced.reason]).toEqual(['cancelled', `the newer run "${third}" takes its place`])
  await engine.client.cancelRun(first)
  await becomes(third, (run) => run.openGates.length > 0)
  await engine.client.cancelRun(third)
})

test('an SOP that another runs shares its locks, which nobody else gets meanwhile', async () => {
  const { runId } = await start('outer')
  expect((await becomes(runId, isOver)).status).toBe('completed')
  await until(
    () => engine.client.getQueue(),
    ({ holders }) => holders.every(({ locks }) => !locks.includes('cluster-z')),
  )
})

describe('orders about the queue', () => {
  test('stand in the record of the run with who gave them and why', async () => {
    const holder = await atGate('deploy')
    const { runId: dropped } = await start('deploy')
    await onRecord(dropped, 'run_queued')
    const { runId: moved } = await start('deploy')
    await onRecord(moved, 'run_queued')
    const boss = engine.as({ id: 'grace' }, 'cli')
    expect(await boss.moveInQueue(moved, { to: 'before', before: dropped }, { reason: 'hotfix' })).toMatchObject({
      position: 1,
    })
    await boss.dropFromQueue(dropped, { reason: 'done by hand' })
    expect((await becomes(dropped, isOver)).reason).toBe('dropped from the queue by grace: done by hand')
    const refused = (await wholeRecord(engine, dropped)).find(({ eventType }) => eventType === 'run_refused')
    expect(refused).toMatchObject({ principal: { id: 'grace' }, via: 'cli', details: { comment: 'done by hand' } })
    const told = (
      await until(
        () => eventsOf(moved),
        (events) => events.filter(({ eventType }) => eventType === 'run_queued').length === 2,
      )
    ).findLast(({ eventType }) => eventType === 'run_queued')
    expect(told).toMatchObject({ principal: { id: 'grace' }, details: { comment: 'hotfix' } })
    await engine.client.cancelRun(holder)
    await becomes(moved, (run) => run.openGates.length > 0)
    await engine.client.cancelRun(moved)
  })

  test('over limits are for admins, the others for operators, and all about runs that wait', async () => {
    const operator = engine.as({ role: 'operator' })
    await expect(operator.admitFromQueue('x')).rejects.toMatchObject({ code: 'forbidden' })
    const viewer = engine.as({ role: 'viewer' })
    await expect(viewer.dropFromQueue('x')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(viewer.moveInQueue('x', { to: 'front' })).rejects.toMatchObject({ code: 'forbidden' })
    const { runId } = await engine.client.createRun('inner')
    await until(
      () => engine.client.getQueue(),
      ({ holders }) => holders.every((holder) => holder.runId !== runId),
    )
    await expect(operator.dropFromQueue(runId)).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('a blackout refuses, or waits until somebody admits the run', async () => {
  await expect(engine.client.createRun('quiet')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/blackout "2000-01-01\.\.2199-12-31" lasts until /),
  })
  const { runId } = await start('patient')
  await until(
    () => engine.client.getQueue(),
    ({ waiting }) => waiting.some((each) => each.runId === runId && each.waitsFor[0]?.kind === 'blackout'),
  )
  await engine.client.admitFromQueue(runId, { reason: 'cannot wait' })
  expect((await becomes(runId, isOver)).status).toBe('completed')
  const admitted = (await wholeRecord(engine, runId)).findLast(({ eventType }) => eventType === 'run_admitted')
  expect(admitted).toMatchObject({ principal: { id: 'alice' }, details: { overLimit: true, comment: 'cannot wait' } })
})

/** A run that asks for a slot; nobody carries it out. */
const requestOf = (runId: string, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  runId,
  sop: 'asked',
  phase: 'slot',
  triggeredAt: new Date().toISOString(),
  priority: 3,
  cooldownMs: 0,
  maxConcurrent: 1,
  admission: 'queue',
  form: 2,
  turn: 1,
  ...more,
})

test('what an update asks before admission took its first turn is answered, and what waits for a time is let in then', {
  timeout: 120_000,
}, async () => {
  const { taskQueue, temporal } = engine
  const workflowId = `admission-of-${randomUUID()}`
  await engine.stopWorker()
  const handle = await temporal.workflow.signalWithStart(ADMISSION_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [],
    signal: ADMISSION_RELEASE,
    signalArgs: [{ runId: 'nobody' }],
  })
  const ask = (request: AdmissionRequest) =>
    handle.executeUpdate<AdmissionAnswer, [AdmissionRequest]>(ADMISSION_ASK, { args: [request] })
  const first = ask(requestOf('first'))
  // Its way to the server goes before this one's, on the same connection.
  await handle.describe()
  await engine.startWorker()
  expect(await first).toMatchObject({ runId: 'first', verdict: { kind: 'admitted' }, turn: 1 })
  // Said twice it counts once.
  expect(await ask(requestOf('first'))).toMatchObject({ verdict: { kind: 'admitted' } })
  expect(await ask(requestOf('second'))).toMatchObject({ verdict: { kind: 'queued' } })
  const later = await withEnoughTime(1_500, async (ms) => {
    const notBefore = new Date(Date.now() + ms).toISOString()
    const runId = `later-${ms}`
    const answer = await ask(requestOf(runId, { sop: `other-${ms}`, notBefore }))
    // Where it was asked only after that time, it is let in at once.
    return answer?.verdict.kind === 'queued' ? runId : undefined
  })
  // It wakes by itself, and looks then for runs that are gone, as all of these are.
  const state = () => handle.query<AdmissionState>(ADMISSION_QUEUE)
  await until(state, ({ waiting }) => waiting.every(({ runId }) => runId !== later), 60_000)
  await handle.terminate()
})
