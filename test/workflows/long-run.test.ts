import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { executionsOf } from '../support/executions.ts'
import { wholeRecord } from '../support/whole-record.ts'

const ASKED = process.env['SOP_LONG_RUN']

let engine: TestEngine
beforeAll(async () => {
  // A run of the suite hands over three times; one that was asked for, as often as a real one.
  engine = await startTestEngine({
    policy: { maxStepVisits: 10_000, ...(ASKED === undefined && { longHistory: 500 }) },
  })
})
afterAll(() => engine.stop())

/**
 * Comes back until the file has that many lines; each round is one step execution, and some seven events of history.
 * `SOP_LONG_RUN=10000` makes a run of as many and prints what it took.
 */
const ROUNDS = Number(ASKED ?? 250)

/** Decisions about a gate that is not there, at both doors, for as long as the run goes on. */
const pester = async (handle: WorkflowHandle, isOver: () => boolean): Promise<readonly string[]> => {
  const sent: string[] = []
  while (!isOver()) {
    const [asked, told] = [`asked-${sent.length}`, `told-${sent.length}`]
    sent.push(asked, told)
    const [reply] = await Promise.all([
      handle.executeUpdate('approve', { args: [{ gate: 'nowhere', decisionId: asked }], updateId: asked }),
      handle.signal('approve', { gate: 'nowhere', decisionId: told }),
    ])
    expect(reply).toMatchObject({ accepted: false })
    // A load, not a wait for anything: more would only slow the rounds down.
    await new Promise((resolve) => setTimeout(resolve, ROUNDS / 3))
  }
  return sent
}

test('runSop() hands a long run over to a next execution without a seam', {
  timeout: 240_000 + ROUNDS * 200,
}, async () => {
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
  const began = { at: Date.now(), rss: process.memoryUsage().rss }
  let isParked = false
  const pestered = pester(handle, () => isParked)
  // What went wrong there is seen where it is awaited.
  pestered.catch(() => {})
  const parked = await until(
    () => engine.client.getRunStatus(runId),
    (run) => run.status === 'awaiting_approval' && run.currentStep === 3,
    200_000 + ROUNDS * 200,
  )
  const tookMs = Date.now() - began.at
  isParked = true
  const sent = await pestered
  if (ASKED !== undefined) {
    const executions = await executionsOf(engine.temporal, runId, first)
    console.log(
      JSON.stringify({
        rounds: ROUNDS,
        seconds: Math.round(tookMs / 1000),
        events: parked.sequence,
        decisions: sent.length,
        executions: executions.length,
        longestHistory: Math.max(...executions.map((each) => each.events)),
        largestHistoryBytes: Math.max(...executions.map((each) => each.bytes)),
        rssMiB: [began.rss, process.memoryUsage().rss].map((bytes) => Math.round(bytes / 2 ** 20)),
      }),
    )
  }
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
  const events = await wholeRecord(engine, runId)
  expect(verifyChain(events, sha256Hex)).toEqual([])
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
  expect(events.filter((event) => event.eventType === 'step_started')).toHaveLength(ROUNDS + 2)
  // Whichever execution it reached, and also while one handed over to the next: each is on record once.
  const refused = events.flatMap((event) => (event.eventType === 'decision_refused' ? [event.details.decisionId] : []))
  expect([...refused].sort()).toEqual([...sent].sort())
  expect(sent.length).toBeGreaterThan(20)
  const logs = await engine.stores.logs.list(runId)
  const attempts = logs.filter(({ executableId }) => executableId === 'step:2').map(({ attempt }) => attempt)
  expect(attempts).toEqual(Array.from({ length: ROUNDS }, (_, index) => index + 1))
})
