import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DecisionReply } from '../../src/core/run/decision.ts'
import type { RecordedEvent, RunEvent } from '../../src/core/run/event.ts'
import { isClosed } from '../../src/core/run/state.ts'
import { bash, sopOf } from '../support/definitions.ts'
import { withEnoughTime } from '../support/enough-time.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { wholeRecord } from '../support/whole-record.ts'

// Two things that want to happen at once. Whichever comes first counts, the other is told, and the record says the same
// as the answers did.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({
    sops: [
      sopOf({ name: 'gated', steps: [{ title: 'Deploy', requiresApproval: true }] }),
      sopOf({
        name: 'signed',
        gates: [{ key: 'sign_off', type: 'approval', position: { at: 'end' }, required: true, onReject: 'fail' }],
        steps: [{}],
      }),
      sopOf({ name: 'hurried', steps: [{ title: 'Deploy', requiresApproval: true, approvalTimeoutMs: 400 }] }),
      sopOf({
        name: 'failing',
        mode: 'supervised',
        steps: [{ title: 'Deploy', requiresApproval: false, action: bash('test "$SOP_ATTEMPT" = 2') }],
      }),
    ],
  })
})
afterAll(() => engine.stop())

const start = async (name: string) => (await engine.client.createRun(name)).runId
const status = (runId: string) => engine.client.getRunStatus(runId)
const atGate = async (name: string): Promise<string> => {
  const runId = await start(name)
  await until(
    () => status(runId),
    (run) => run.openGates.length === 1,
  )
  return runId
}
const closed = (runId: string) =>
  until(
    () => status(runId),
    (run) => isClosed(run.status),
    50_000,
  )
/** Of a run that is over. */
const eventsOf = (runId: string): Promise<readonly RecordedEvent[]> => wholeRecord(engine, runId)
const count = (events: readonly RunEvent[], ...types: readonly string[]): number =>
  events.filter(({ eventType }) => types.includes(eventType)).length
const DECISIVE = ['approval_granted', 'approval_rejected', 'approval_timeout'] as const

describe('a hundred decisions at once', () => {
  test('that are the same one count once, and all are answered alike', async () => {
    const runId = await atGate('gated')
    const request = { gate: '1-deploy', attempt: 1, decisionId: 'the-same' }
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => engine.client.approveStep(runId, undefined, request)),
    )
    const told = replies.map(({ accepted, gate, stepNumber }) => ({ accepted, gate, stepNumber }))
    expect(new Set(told.map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify({ accepted: true, gate: '1-deploy', stepNumber: 1 })]),
    )
    await closed(runId)
    const events = await eventsOf(runId)
    expect(count(events, ...DECISIVE)).toBe(1)
    expect(count(events, 'decision_refused')).toBe(0)
  })

  test('that contradict each other have one winner, and 99 are told who it is', async () => {
    const runId = await atGate('signed')
    const replies = await Promise.all(
      Array.from({ length: 100 }, async (_, index): Promise<readonly [string, DecisionReply]> => {
        const client = engine.as({ id: `person-${index}` })
        const request = { gate: 'sign_off', attempt: 1 }
        return [
          `person-${index}`,
          index % 2 === 0
            ? await client.approveStep(runId, undefined, request)
            : await client.rejectStep(runId, undefined, request),
        ]
      }),
    )
    const winners = replies.filter(([, reply]) => reply.accepted)
    expect(winners).toHaveLength(1)
    const [winner] = winners[0] as readonly [string, DecisionReply]
    const losers = replies.filter(([, reply]) => !reply.accepted)
    expect(losers).toHaveLength(99)
    expect(new Set(losers.map(([, { code, decidedBy }]) => `${code} ${decidedBy}`))).toEqual(
      new Set([`conflict ${winner}`]),
    )
    const run = await closed(runId)
    expect(run.status).toBe(Number(winner.slice('person-'.length)) % 2 === 0 ? 'completed' : 'failed')
    const decided = (await eventsOf(runId)).filter(({ eventType }) => DECISIVE.some((type) => type === eventType))
    expect(decided).toMatchObject([{ principal: { id: winner } }])
  })
})

test('a decision after the gate is refused, and told who opened it', async () => {
  const runId = await atGate('gated')
  await engine.as({ id: 'ann' }).approveStep(runId, 1)
  expect(await engine.as({ id: 'ben' }).rejectStep(runId, 1)).toMatchObject({
    accepted: false,
    code: 'conflict',
    decidedBy: 'ann',
  })
  await closed(runId)
})

test('a decision at the instant of the timer: one of the two counts, and the answer says which', async () => {
  const one = async (offsetMs: number): Promise<void> => {
    const runId = await start('hurried')
    // Where the gate is over before it was seen, the decision comes after the timer: that is one of the two ways.
    const seen = await until(
      () => status(runId),
      (run) => run.openGates.length === 1 || isClosed(run.status),
    )
    const decideAt = Date.parse(seen.openGates[0]?.deadlineAt ?? '') + offsetMs
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, (decideAt || 0) - Date.now())))
    const reply = await engine.as({ id: 'ann' }).rejectStep(runId, undefined, { gate: '1-deploy', attempt: 1 })
    const { events } = await until(
      () => engine.client.getAuditLog(runId),
      () => true,
    )
    const decided = events.filter(({ eventType }) => DECISIVE.some((type) => type === eventType))
    if (reply.accepted) {
      await engine.client.cancelRun(runId)
      await closed(runId)
    } else expect(reply).toMatchObject({ code: 'conflict', decidedBy: 'timer' })
    const all = reply.accepted ? await eventsOf(runId) : (await closed(runId), await eventsOf(runId))
    expect(all.filter(({ eventType }) => DECISIVE.some((type) => type === eventType))).toMatchObject([
      reply.accepted ? { eventType: 'approval_rejected' } : { eventType: 'approval_timeout' },
    ])
    expect(decided.length).toBeLessThanOrEqual(1)
  }
  await Promise.all([-60, -40, -30, -20, -10, 0, 5, 10, 20, 40].map(one))
})

test('a cancel against an approval: both answers hold, and the run ends once', async () => {
  const one = async (): Promise<void> => {
    const runId = await atGate('gated')
    const [cancelled, approved] = await Promise.all([
      engine.as({ id: 'ann' }).cancelRun(runId),
      engine.as({ id: 'ben' }).approveStep(runId, 1),
    ])
    const run = await closed(runId)
    const events = await eventsOf(runId)
    expect(count(events, 'run_completed', 'run_cancelled', 'run_failed')).toBe(1)
    expect(count(events, 'approval_granted')).toBe(approved.accepted ? 1 : 0)
    expect(count(events, 'cancel_requested')).toBe(cancelled.accepted ? 1 : 0)
    expect(run.status).toBe(cancelled.accepted ? 'cancelled' : 'completed')
    // A step that the approval let begin is ended, never left half begun.
    if (run.status === 'cancelled') expect(run.stepResults[0]?.status).not.toBe('running')
  }
  await Promise.all(Array.from({ length: 10 }, one))
})

test('signal and update of one decision together count once', async () => {
  const one = async (index: number): Promise<void> => {
    const runId = await atGate('gated')
    const handle = engine.temporal.workflow.getHandle(runId)
    const decision = { gate: '1-deploy', attempt: 1, decisionId: `both-${index}` }
    const [, reply] = await Promise.all([
      handle.signal('approve', decision),
      handle.executeUpdate<DecisionReply, [typeof decision]>('approve', { args: [decision] }),
    ])
    expect(reply).toMatchObject({ accepted: true, gate: '1-deploy' })
    await closed(runId)
    const events = await eventsOf(runId)
    expect(count(events, 'approval_granted')).toBe(1)
    expect(count(events, 'decision_refused')).toBe(0)
  }
  await Promise.all(Array.from({ length: 10 }, (_, index) => one(index)))
})

test('a gate that was paused past its deadline and resumed has the time that was left, and then its timer decides', {
  timeout: 180_000,
}, async () => {
  const { runId, deadline, later } = await withEnoughTime(1_500, async (approvalTimeoutMs) => {
    const name = `patient-${approvalTimeoutMs}`
    engine.add(sopOf({ name, steps: [{ title: 'Deploy', requiresApproval: true, approvalTimeoutMs }] }))
    const id = await start(name)
    const open = await until(
      () => status(id),
      (run) => run.openGates.length === 1 || isClosed(run.status),
    )
    const was = Date.parse(open.openGates[0]?.deadlineAt ?? '')
    // The timer was quicker.
    if (Number.isNaN(was) || !(await engine.client.pauseRun(id)).accepted) return undefined
    await until(
      async () => Date.now(),
      (now) => now > was + 100,
      60_000,
    )
    const paused = await status(id)
    expect(paused).toMatchObject({ status: 'paused', openGates: [{ gate: '1-deploy' }] })
    expect(await engine.client.approveStep(id, 1)).toMatchObject({ accepted: false, code: 'conflict' })
    expect(await engine.client.resumeRun(id)).toMatchObject({ accepted: true })
    const resumed = await until(
      () => status(id),
      (run) => run.stale !== true && run.status !== 'paused',
    )
    const is = Date.parse(resumed.openGates[0]?.deadlineAt ?? '')
    // It was over again before anybody looked.
    return Number.isNaN(is) ? undefined : { runId: id, deadline: was, later: is }
  })
  expect(later).toBeGreaterThan(deadline + 100)
  await closed(runId)
  const fired = (await eventsOf(runId)).filter(({ eventType }) => eventType === 'approval_timeout')
  expect(fired).toHaveLength(1)
  expect(Date.parse(fired[0]?.timestamp ?? '')).toBeGreaterThanOrEqual(later)
})

test('two retries at once of a paused run: one counts, the other is refused, and the step runs once more', async () => {
  const runId = await atGate('failing')
  await engine.client.approveStep(runId, undefined, { gate: 'start' })
  await until(
    () => status(runId),
    (run) => run.status === 'paused',
  )
  const replies = await Promise.all(['ann', 'ben'].map((id) => engine.as({ id }).retryRun(runId)))
  expect(replies.map(({ accepted }) => accepted).sort()).toEqual([false, true])
  expect(replies.find(({ accepted }) => !accepted)).toMatchObject({ code: 'conflict' })
  expect((await closed(runId)).status).toBe('completed')
  const events = await eventsOf(runId)
  expect(count(events, 'run_retried')).toBe(1)
  expect(count(events, 'step_started')).toBe(2)
})
