import { describe, expect, test } from 'vitest'
import { viewOf } from '../../../src/core/run/view.ts'
import { sopOf } from '../../support/definitions.ts'
import { Play } from '../../support/play.ts'

const HOUR_MS = 3_600_000

const atGate = (more: object = {}): Play =>
  new Play(sopOf({ mode: 'auto', steps: [{ requiresApproval: true, remindMs: HOUR_MS, ...more }] })).start()
const reminders = (play: Play) =>
  play.events.flatMap((event) =>
    event.eventType === 'approval_reminded' ? [[event.timestamp.slice(11, 16), event.details.reminder]] : [],
  )

describe('remind', () => {
  test('is heard of as long as the gate is open, and no longer', () => {
    const play = atGate().wait(2.5 * HOUR_MS)
    expect(reminders(play)).toEqual([
      ['09:00', 1],
      ['10:00', 2],
    ])
    expect(viewOf(play.run).openGates).toMatchObject([{ reminders: 2, remindAt: '2026-03-01T11:00:00.000Z' }])
    play.decide('approve')
    play.wait(5 * HOUR_MS)
    expect(reminders(play)).toHaveLength(2)
    expect(play.timers.size).toBe(0)
  })

  test('says on record what it was about, in the name of the timer', () => {
    const play = atGate({ approvalTimeoutMs: 2 * HOUR_MS }).wait(HOUR_MS)
    expect(play.events.at(-1)).toMatchObject({
      eventType: 'approval_reminded',
      stepNumber: 1,
      principal: { id: 'timer', kind: 'timer' },
      via: 'timer',
      details: { gate: '1-step_1', attempt: 1, reminder: 1, deadlineAt: '2026-03-01T10:00:00.000Z' },
    })
  })

  test.each<[string, object, number]>([
    ['does not come at the deadline itself', { approvalTimeoutMs: HOUR_MS }, 0],
    ['comes before the deadline', { approvalTimeoutMs: 2 * HOUR_MS }, 1],
    [
      'goes on after an escalation, since the gate stays open',
      { approvalTimeoutMs: HOUR_MS / 2, onTimeout: 'escalate' },
      4,
    ],
  ])('%s', (_, more, count) => {
    expect(reminders(atGate(more).wait(4 * HOUR_MS))).toHaveLength(count)
  })

  test('stands still while the run is paused, and counts on from there', () => {
    const play = atGate().wait(HOUR_MS / 2)
    play.decide('pause')
    play.wait(6 * HOUR_MS)
    expect(reminders(play)).toEqual([])
    play.decide('resume')
    play.wait(HOUR_MS / 2)
    expect(reminders(play)).toEqual([['15:00', 1]])
  })

  test('begins anew with the next attempt of the gate', () => {
    const play = atGate().wait(HOUR_MS)
    play.decide('reject')
    play.decide('retry')
    expect(viewOf(play.run).openGates).toMatchObject([{ attempt: 2, remindAt: '2026-03-01T10:00:00.000Z' }])
    expect(reminders(play.wait(HOUR_MS))).toEqual([
      ['09:00', 1],
      ['10:00', 1],
    ])
  })

  test('a reminder that comes late counts once', () => {
    const play = atGate()
    const timer = [...play.timers.keys()][0] ?? ''
    play.wait(HOUR_MS)
    play.tell({ kind: 'timer', timerId: timer })
    expect(reminders(play)).toHaveLength(1)
  })
})
