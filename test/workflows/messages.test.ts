import { randomUUID } from 'node:crypto'
import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { handOverRun } from '../support/handed-over.ts'
import { wholeRecord } from '../support/whole-record.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'gated', steps: [{ title: 'Deploy', requiresApproval: true }] }),
      sopOf({ name: 'named', steps: [{ title: 'Deploy', requiresApproval: true, approvers: ['group:dba'] }] }),
      sopOf({
        name: 'two',
        gates: [{ key: 'sign_off', type: 'approval', position: { at: 'end' }, required: true }],
        steps: [{}],
      }),
    ],
  })
})
afterAll(() => engine.stop())

const encoder = new TextEncoder()
const namespace = 'default'

/** Sends a payload as it is, as no client of ours would. */
const raw = (runId: string, signalName: string, payloads: { encoding: string; data: string }[]) =>
  engine.temporal.workflowService.signalWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: runId },
    signalName,
    ...(payloads.length > 0 && {
      input: {
        payloads: payloads.map(({ encoding, data }) => ({
          metadata: { encoding: encoder.encode(encoding) },
          data: encoder.encode(data),
        })),
      },
    }),
  })

const refusals = async (runId: string) =>
  (await engine.client.getAuditLog(runId)).events.filter((event) => event.eventType === 'decision_refused')

const state = (runId: string) => engine.client.getRunStatus(runId)
/** A run that stands at its gate. */
const start = async (name: string): Promise<string> => {
  const { runId } = await engine.client.createRun(name)
  await until(
    () => state(runId),
    (run) => run.openGates.length === 1,
  )
  return runId
}
const completed = (runId: string) =>
  until(
    () => state(runId),
    (run) => run.status === 'completed',
    50_000,
  )

describe('a message from Temporal', () => {
  test('an empty object approves the one open gate, with an unverified principal on record', async () => {
    const runId = await start('gated')
    await engine.temporal.workflow.getHandle(runId).signal('approve', {})
    await completed(runId)
    const events = await wholeRecord(engine, runId)
    expect(events.find((event) => event.eventType === 'approval_granted')).toMatchObject({
      via: 'signal',
      principal: { id: 'temporal', verified: false },
      details: { gate: '1-deploy', implied: true },
    })
  })

  test.each([
    ['bad JSON', [{ encoding: 'json/plain', data: '{"gate":' }]],
    ['an unknown encoding', [{ encoding: 'binary/mystery', data: 'x' }]],
    ['protobuf JSON', [{ encoding: 'json/protobuf', data: '{}' }]],
    ['no argument', []],
    ['a number', [{ encoding: 'json/plain', data: '7' }]],
    ['a list', [{ encoding: 'json/plain', data: '[]' }]],
    ['null', [{ encoding: 'binary/null', data: '' }]],
    ['a step that is text', [{ encoding: 'json/plain', data: '{"step":"one"}' }]],
    ['an object that says it is unreadable', [{ encoding: 'json/plain', data: '{"__sopUnreadable":"x"}' }]],
  ])('%s never counts as approval, is on record, and the run lives on', async (_what, payloads) => {
    const runId = await start('gated')
    await raw(runId, 'approve', payloads)
    await until(
      () => refusals(runId),
      (found) => found.length === 1,
    )
    expect(await state(runId)).toMatchObject({ status: 'awaiting_approval' })
    expect(await engine.client.approveStep(runId)).toMatchObject({ accepted: true })
    await completed(runId)
  })

  test('an unknown signal and an unknown update are refused on record', async () => {
    const runId = await start('gated')
    const handle = engine.temporal.workflow.getHandle(runId)
    await handle.signal('aprove', {})
    await until(
      () => refusals(runId),
      (found) => found.length === 1,
    )
    expect(await handle.executeUpdate('aprove', { args: [{}] })).toMatchObject({ accepted: false })
    await until(
      () => refusals(runId),
      (found) => found.length === 2,
    )
    await handle.signal('cancel', {})
  })

  test('a gate that names approvers refuses a bare signal, also one that claims to be somebody', async () => {
    const runId = await start('named')
    const handle = engine.temporal.workflow.getHandle(runId)
    await handle.signal('approve', { principal: { id: 'carol', kind: 'user', groups: ['dba'] }, via: 'http' })
    await handle.signal('approve', {
      principal: { id: 'carol', kind: 'user', groups: ['dba'] },
      via: 'http',
      seal: 'AAAA',
    })
    await until(
      () => refusals(runId),
      (found) => found.length === 2,
    )
    expect(await state(runId)).toMatchObject({ status: 'awaiting_approval' })
    expect(await engine.as({ id: 'carol', role: 'approver', groups: ['dba'] }).approveStep(runId)).toMatchObject({
      accepted: true,
    })
    await completed(runId)
  })

  test('a decision that comes before the gate is open is refused and not stored up', async () => {
    const runId = await start('two')
    const handle = engine.temporal.workflow.getHandle(runId)
    expect(await handle.executeUpdate('approve', { args: [{ gate: 'later' }] })).toMatchObject({
      accepted: false,
      code: 'not_found',
    })
    expect(await state(runId)).toMatchObject({ status: 'awaiting_approval' })
    await handle.signal('cancel', {})
  })

  test('the cancel of Temporal itself cancels the run, on record, and closes it as Canceled', async () => {
    const runId = await start('gated')
    const handle = engine.temporal.workflow.getHandle(runId)
    await handle.cancel()
    await until(
      () => state(runId),
      (run) => run.status === 'cancelled',
    )
    await until(
      () => handle.describe(),
      ({ status }) => status.name === 'CANCELLED',
    )
    const events = await wholeRecord(engine, runId)
    expect(events.at(-1)).toMatchObject({ eventType: 'run_cancelled' })
  })
})

test('a run that was cancelled over our client closes as Canceled, too', async () => {
  const runId = await start('gated')
  await engine.client.cancelRun(runId)
  await until(
    () => engine.temporal.workflow.getHandle(runId).describe(),
    ({ status }) => status.name === 'CANCELLED',
  )
  expect((await wholeRecord(engine, runId)).at(-1)).toMatchObject({ eventType: 'run_cancelled' })
})

describe('a decision over our client', () => {
  test('sent twice counts once', async () => {
    const runId = await start('gated')
    const first = await engine.client.approveStep(runId, 1, { decisionId: 'd-1' })
    const second = await engine.client.approveStep(runId, 1, { decisionId: 'd-1' })
    expect(first).toMatchObject({ accepted: true })
    expect(second).toMatchObject({ accepted: true })
    await completed(runId)
    // Its sender may have lost the answer, and asks for it when the run is long over.
    expect(await engine.client.approveStep(runId, 1, { decisionId: 'd-1' })).toMatchObject({
      accepted: true,
      gate: '1-deploy',
    })
    expect(await engine.client.approveStep(runId, 1, { decisionId: 'd-2' })).toMatchObject({
      accepted: false,
      decidedBy: 'alice',
    })
    const events = await wholeRecord(engine, runId)
    expect(events.filter((event) => event.eventType === 'approval_granted')).toHaveLength(1)
  })

  test('that came as a signal, and is sent again when the run is over, is answered by the record: it counted', async () => {
    const runId = await start('gated')
    await engine.temporal.workflow.getHandle(runId).signal('approve', { gate: '1-deploy', decisionId: 'd-3' })
    await until(
      () => engine.temporal.workflow.getHandle(runId).describe(),
      ({ status }) => status.name === 'COMPLETED',
    )
    expect(await engine.client.approveStep(runId, 1, { decisionId: 'd-3' })).toMatchObject({
      accepted: true,
      duplicate: true,
      status: 'completed',
      gate: '1-deploy',
    })
  })

  test('is refused with who decided, when somebody was quicker', async () => {
    const runId = await start('two')
    const replies = await Promise.all(
      ['ann', 'ben', 'cat', 'dan'].map((id, index) =>
        index % 2 === 0
          ? engine.as({ id }).approveStep(runId, undefined, { gate: 'sign_off' })
          : engine.as({ id }).rejectStep(runId, undefined, { gate: 'sign_off' }),
      ),
    )
    const winners = replies.filter((reply) => reply.accepted)
    expect(winners).toHaveLength(1)
    for (const loser of replies.filter((reply) => !reply.accepted)) expect(loser.decidedBy).toBeTruthy()
    await engine.client.cancelRun(runId)
  })

  test('is stored durably while no worker is up, and takes effect when one comes', async () => {
    const runId = await start('gated')
    await engine.stopWorker()
    const reply = await engine.client.approveStep(runId, 1)
    expect(reply).toMatchObject({ accepted: true, stored: true })
    await engine.startWorker()
    await completed(runId)
    const events = await wholeRecord(engine, runId)
    expect(events.filter((event) => event.eventType === 'approval_granted')).toMatchObject([
      { principal: { id: 'alice' } },
    ])
  })
})

describe('a run that is started in Temporal', () => {
  test('needs only a name: it pins its definition and keeps its own id', async () => {
    const workflowId = `my-own-id-${Date.now()}`
    await engine.temporal.workflow.start('runSop', {
      workflowId,
      taskQueue: engine.taskQueue,
      args: [{ sop: 'gated' }],
    })
    const run = await until(
      () => state(workflowId),
      ({ status }) => status === 'awaiting_approval',
    )
    expect(run).toMatchObject({ runId: workflowId, startedBy: { id: 'temporal', verified: false }, via: 'temporal' })
    expect(run.digest).toMatch(/^[0-9a-f]{64}$/)
    await engine.client.approveStep(workflowId)
    await completed(workflowId)
  })

  test.each([
    ['an SOP that is not there', [{ sop: 'nope' }]],
    ['no SOP at all', [{}]],
    ['no argument', []],
  ])('with %s fails at once with the reason', async (_what, args) => {
    const handle = await engine.temporal.workflow.start('runSop', {
      workflowId: `bad-${Math.random()}`,
      taskQueue: engine.taskQueue,
      args,
    })
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'InvalidStart' } })
  })

  test.each([
    ['a trigger that is text', { trigger: 'cron' }],
    ['params that are a list', { params: [1] }],
    ['a mode that is none', { executionMode: 'yolo' }],
    ['a snapshot that is none', { snapshot: {} }],
    ['a pinned definition that is none', { pinned: {} }],
  ])('with %s ends with a reason and never hangs', async (_what, odd) => {
    // An odd start: whatever it holds, the run is refused, failed, or carried out as if nothing had been said.
    const handle = await engine.temporal.workflow.start('runSop', {
      workflowId: `odd-${Math.random()}`,
      taskQueue: engine.taskQueue,
      args: [{ sop: 'gated', ...odd }],
    })
    await until(
      () => handle.describe(),
      ({ status, historyLength }) => status.name !== 'RUNNING' || historyLength > 8,
    )
    const { status } = await handle.describe()
    if (status.name === 'RUNNING') {
      await handle.signal('cancel', {}).catch((error: unknown) => {
        // It may be refused at this moment.
        if (!(error instanceof WorkflowNotFoundError)) throw error
      })
    }
    await expect(handle.result()).rejects.toThrow()
  })

  test('gets no rights by claiming them', async () => {
    const workflowId = `claims-${Date.now()}`
    const handle = await engine.temporal.workflow.start('runSop', {
      workflowId,
      taskQueue: engine.taskQueue,
      args: [{ sop: 'gated', skipApproval: true, startedBy: { id: 'root', kind: 'user', role: 'admin' }, via: 'cli' }],
    })
    await expect(handle.result()).rejects.toThrow()
    const events = await wholeRecord(engine, workflowId)
    expect(events.map((event) => event.eventType)).toEqual(['run_created', 'run_refused', 'run_cancelled'])
    expect(events[0]?.principal).toMatchObject({ id: 'temporal', verified: false })
  })
})

test('the current details tell what waits, with the JSON to paste', async () => {
  const runId = await start('gated')
  const handle = engine.temporal.workflow.getHandle(runId)
  const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')
  expect(metadata.currentDetails).toContain('{"gate":"1-deploy"}')
  await handle.signal('cancel', {})
})

test('a signal that comes while one execution hands over to the next is received like any other', async () => {
  const runId = `handed-over-${randomUUID()}`
  const handle = await handOverRun(engine, 'gated', runId)
  await handle.signal('approve', { gate: 'nowhere', decisionId: 'one' })
  await handle.signal('nonsense', {})
  await handle.signal('approve', { decisionId: 'two' })
  await engine.startWorker()
  await completed(runId)
  await wholeRecord(engine, runId)
  expect(await refusals(runId)).toMatchObject([
    { via: 'signal', details: { decision: 'approve', gate: 'nowhere', decisionId: 'one' } },
    { via: 'signal', details: { decision: 'message', reason: 'Cannot read message "nonsense": no such message' } },
  ])
})
