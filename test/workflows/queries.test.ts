import { afterAll, beforeAll, expect, test } from 'vitest'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

// Looking at a run never changes what it says of itself.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [sopOf({ name: 'gated', steps: [{ title: 'Deploy', requiresApproval: true }] })],
  })
})
afterAll(() => engine.stop())

const RUNS = 12

test('a decision that came while questions waited for a worker has its own instant on record, not that of the parking', {
  timeout: 180_000,
}, async () => {
  const runIds = await Promise.all(
    Array.from({ length: RUNS }, async () => (await engine.client.createRun('gated')).runId),
  )
  for (const runId of runIds) {
    await until(
      () => engine.client.getAuditLog(runId),
      ({ events }) => events.some(({ eventType }) => eventType === 'approval_requested'),
    )
  }
  await engine.stopWorker()
  const parkedAt = Date.now()
  await until(
    async () => Date.now(),
    (now) => now > parkedAt + 300,
  )
  const handles = runIds.map((runId) => engine.temporal.workflow.getHandle(runId))
  // Each question waits in Temporal until a worker comes, and so does the decision behind it.
  const questions = handles.flatMap((handle) => [handle.query('status'), handle.query('status')])
  const answers = Promise.allSettled(questions)
  const sentAt = Date.now()
  await Promise.all(handles.map((handle) => handle.signal('approve', { gate: '1-deploy', attempt: 1 })))
  await engine.startWorker()
  await answers
  for (const runId of runIds) {
    const events = await wholeRecord(engine, runId)
    const granted = events.find(({ eventType }) => eventType === 'approval_granted')
    expect(Date.parse(granted?.timestamp ?? '')).toBeGreaterThanOrEqual(sentAt)
  }
})

test('runs that are parked or over answer a worker that has never seen them', async () => {
  const [parked, over] = [await engine.client.createRun('gated'), await engine.client.createRun('gated')].map(
    ({ runId }) => runId,
  ) as [string, string]
  for (const runId of [parked, over]) {
    await until(
      () => engine.client.getRunStatus(runId),
      ({ openGates }) => openGates.length === 1,
    )
  }
  await engine.client.approveStep(over, 1)
  await until(
    () => engine.temporal.workflow.getHandle(over).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  await engine.stopWorker()
  await engine.startWorker()
  expect(await engine.temporal.workflow.getHandle(over).query('status')).toMatchObject({ status: 'completed' })
  expect(await engine.temporal.workflow.getHandle(parked).query('status')).toMatchObject({
    status: 'awaiting_approval',
  })
})

test('a run that was started in Temporal for an SOP that is not there says why it has no record', async () => {
  const { taskQueue } = engine
  const handle = await engine.temporal.workflow.start('runSop', {
    workflowId: `typed-${taskQueue}`,
    taskQueue,
    args: [{ sop: 'no-such-sop' }],
  })
  await until(
    () => handle.describe(),
    ({ status }) => status.name === 'FAILED',
  )
  await expect(engine.client.getRunStatus(handle.workflowId)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('it ended before it began, so it has no record. Cannot find SOP "no-such-sop"'),
  })
})

test('a run that was started in Temporal takes every word for its params, and refuses a word that nobody reads', async () => {
  const { taskQueue } = engine
  const start = async (name: string, input: object) => {
    const workflowId = `${name}-${taskQueue}`
    await engine.temporal.workflow.start('runSop', { workflowId, taskQueue, args: [{ sop: 'gated', ...input }] })
    return until(
      () => engine.client.getRunStatus(workflowId),
      ({ status }) => status === 'awaiting_approval' || status === 'cancelled',
    )
  }
  expect(await start('synonym', { vars: { version: '3' } })).toMatchObject({ params: { version: '3' } })
  expect(await start('misspelt', { parms: { version: '3' } })).toMatchObject({
    status: 'cancelled',
    reason: expect.stringContaining('Did you mean "params"?'),
  })
})
