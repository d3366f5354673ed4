import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { sopOf, type StepSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { startTimeSkipping, type TimeSkipping } from '../support/time-skipping.ts'

// month.test.ts: what takes weeks, on a clock that skips them.
//
// The run stays within one execution here. After floods of 4,200 signals, each of which made a run hand over, the clock of
// this server was seen to stand still now and then: its `sleep` did not come back within a minute and no timer of the run
// fired, so that it seemed to stop where it was. The real server never did. Hand-overs under a load of decisions are tested on the real server: long-run.test.ts,
// long-wide.test.ts.

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const DAYS = 30

let clock: TimeSkipping
let engine: TestEngine | undefined
beforeAll(async () => {
  clock = await startTimeSkipping()
  if (!clock.ok) return
  engine = await startTestEngine({ address: clock.environment.address })
}, 300_000)
afterAll(async () => {
  await engine?.stop()
  if (clock?.ok) await clock.environment.teardown()
})

/** One day, then a gate that a person opens, or the timer after twelve hours. */
const day = (): readonly StepSketch[] => [
  { action: { kind: 'wait', durationMs: DAY_MS } },
  { requiresApproval: true, approvalTimeoutMs: 12 * HOUR_MS, remindMs: 5 * HOUR_MS },
]

test('a run of thirty days with a gate each day and reminders, by people and by timers', {
  timeout: 240_000,
}, async ({ skip }) => {
  if (!clock.ok || engine === undefined) return skip(clock.ok ? 'no engine' : clock.reason)
  const { client } = engine
  const { environment } = clock
  engine.add(sopOf({ name: 'month', steps: Array.from({ length: DAYS }, day).flat() }))
  const { runId } = await client.createRun('month')
  const seen = (is: (run: RunView) => boolean): Promise<RunView> => until(() => client.getRunStatus(runId), is, 60_000)

  for (let each = 1; each <= DAYS; each += 1) {
    const gate = 2 * each
    await environment.sleep(DAY_MS)
    const open = await seen((run) => run.openGates[0]?.stepNumber === gate)
    expect(spanMs(open.openGates[0]?.openedAt, open.openGates[0]?.deadlineAt)).toBe(12 * HOUR_MS)
    if (each % 2 === 1) expect(await client.approveStep(runId, gate)).toMatchObject({ accepted: true })
    else await environment.sleep(12 * HOUR_MS)
    await seen((run) => run.stepResults[gate - 1]?.status === 'success')
  }

  const closed = await seen((run) => run.status === 'completed')
  expect(spanMs(closed.createdAt, closed.completedAt)).toBeGreaterThanOrEqual(DAYS * DAY_MS + 15 * 12 * HOUR_MS)
  const { events } = await client.getAuditLog(runId)
  expect(verifyChain(events, sha256Hex)).toEqual([])
  const count = (type: string): number => events.filter(({ eventType }) => eventType === type).length
  // Two for each gate that nobody answered: after five hours and after ten.
  expect(count('approval_reminded')).toBe(2 * 15)
  expect([count('approval_requested'), count('approval_granted'), count('approval_timeout')]).toEqual([30, 15, 15])
})

const spanMs = (from: string | undefined, to: string | undefined): number =>
  Date.parse(to ?? '') - Date.parse(from ?? '')
