import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// A run that somebody resets in Temporal goes back, and its record shows both what was and what came of it.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({
        name: 'gated',
        steps: [{}, { title: 'Deploy', requiresApproval: true, action: bash('echo "by attempt $SOP_ATTEMPT"') }],
      }),
    ],
  })
})
afterAll(() => engine.stop())

const REAPPLY_NOTHING = 2

/** Resets the run to where its gate was open, and leaves out the decisions that came after. */
const resetToGate = async (runId: string): Promise<string> => {
  const handle = engine.temporal.workflow.getHandle(runId)
  const { events } = await handle.fetchHistory()
  const decided = (events ?? []).findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes)
  const tasks = (events ?? []).slice(0, decided).filter((event) => event.workflowTaskCompletedEventAttributes)
  const target = tasks.at(-2)?.eventId
  const { raw } = await handle.describe()
  const answer = await engine.temporal.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: runId, runId: raw.workflowExecutionInfo?.execution?.runId ?? '' },
    reason: 'approved by mistake',
    workflowTaskFinishEventId: target ?? null,
    requestId: runId,
    resetReapplyType: REAPPLY_NOTHING,
  })
  return answer.runId
}

test('a run that was reset asks again at its gate, and the record is marked and keeps what was', async () => {
  const { runId } = await engine.client.createRun('gated')
  const ann = engine.as({ id: 'ann' })
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.openGates.length === 1,
  )
  expect(await ann.approveStep(runId, 2)).toMatchObject({ accepted: true })
  await until(
    () => engine.temporal.workflow.getHandle(runId).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  const { events: before } = await engine.client.getAuditLog(runId)
  expect(before.at(-1)).toMatchObject({ eventType: 'run_completed' })

  const executionId = await resetToGate(runId)
  await until(
    async () => (await engine.temporal.workflow.getHandle(runId).describe()).status.name,
    (name) => name === 'RUNNING',
  )
  // The list calls it closed until it says something; its worker knows better.
  await engine.temporal.workflow.getHandle(runId).executeUpdate('approve', {
    args: [{ gate: '2-deploy', attempt: 1, decisionId: 'once-more' }],
  })
  const { events } = await until(
    () => engine.client.getAuditLog(runId),
    (log) => log.events.length > before.length + 1 && log.events.at(-1)?.eventType === 'run_completed',
  )
  expect(events.slice(0, before.length)).toEqual(before)
  expect(events[before.length]).toMatchObject({
    eventType: 'run_forked',
    via: 'temporal',
    details: { executionId, reason: expect.stringContaining('was reset in Temporal') },
  })
  // How much of what came before the gate is told anew depends on how its tasks fell.
  const after = events.slice(before.length + 1).slice(-4)
  expect(events.filter(({ eventType, stepNumber }) => eventType === 'step_started' && stepNumber === 1)).toHaveLength(1)
  expect(after.map(({ eventType }) => eventType)).toEqual([
    'approval_granted',
    'step_started',
    'step_completed',
    'run_completed',
  ])
  expect(after[0]).toMatchObject({ principal: { verified: false }, details: { decisionId: 'once-more' } })
  expect(verifyChain(events, sha256Hex, { runId })).toEqual([])
  expect(await engine.client.getRunStatus(runId)).toMatchObject({ status: 'completed' })
  expect((await engine.client.listRuns({ sop: 'gated' })).map(({ status }) => status)).toEqual(['completed'])
})
