import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { maxStepVisits: 10_000 } })
})
afterAll(() => engine.stop())

/** Comes back until the file has that many lines; each round is one step execution, and some seven events of history. */
const ROUNDS = 700

test('runSop() hands a long run over to a next execution without a seam', { timeout: 240_000 }, async () => {
  engine.add(
    sopOf({
      name: 'long',
      steps: [
        { requiresApproval: true, title: 'Begin' },
        {
          title: 'Count',
          action: bash(`echo x >> "$SOP_RUN_DIR/rounds"; test "$(wc -l < "$SOP_RUN_DIR/rounds")" -ge ${ROUNDS}`),
          onFailure: { kind: 'goto', step: 2 },
        },
        { requiresApproval: true, approvalTimeoutMs: 3_600_000, title: 'End' },
      ],
    }),
  )
  const { runId } = await engine.client.createRun('long')
  const handle = engine.temporal.workflow.getHandle(runId)
  const first = (await handle.describe()).runId
  expect(await engine.client.approveStep(runId, 1, { decisionId: 'begin' })).toMatchObject({ accepted: true })
  const parked = await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'awaiting_approval' && run.currentStep === 3,
    200_000,
  )
  expect((await handle.describe()).runId).not.toBe(first)
  expect(parked).toMatchObject({ stepResults: [{ attempt: 1 }, { attempt: ROUNDS, status: 'success' }, {}] })

  // The first decision is remembered: sent again, it gets its first answer and changes nothing.
  expect(await engine.client.approveStep(runId, 1, { decisionId: 'begin' })).toMatchObject({
    accepted: true,
    duplicate: true,
  })
  expect(await engine.client.approveStep(runId, 3)).toMatchObject({ accepted: true })
  await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'completed',
  )
  const { events } = await engine.client.getAuditLog(runId)
  expect(verifyChain(events, sha256Hex)).toEqual([])
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
  expect(events.filter((event) => event.eventType === 'step_started')).toHaveLength(ROUNDS + 2)
})
