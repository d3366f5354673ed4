import { describe, expect, test } from 'vitest'
import { EVENT_TYPES, type EventDetails, type EventType, type RunEvent } from '../../../src/core/run/event.ts'
import { ENGINE, type Principal, type Surface, TIMER } from '../../../src/core/run/principal.ts'
import { sentence } from '../../../src/core/run/sentence.ts'
import { fixtureNames, isOfRun, readFixture } from '../../workflows/corpus/fixture.ts'

const BOB: Principal = { id: 'bob', kind: 'user' }

interface Row<T extends EventType> {
  readonly details: EventDetails[T]
  readonly by?: Principal
  readonly via?: Surface
  readonly step?: number
  readonly says: string
}

/** One row and more for each type; the type of the table refuses a new event without one. */
const ROWS: { readonly [K in EventType]: readonly Row<K>[] } = {
  run_created: [
    {
      by: BOB,
      via: 'cli',
      details: {
        sop: 'deploy',
        version: '1.0.0',
        digest: 'd',
        mode: 'supervised',
        effectiveMode: 'supervised',
        priority: 'normal',
        params: {},
        trigger: { type: 'manual' },
        totalSteps: 2,
      },
      says: 'bob from the command line started "deploy" version 1.0.0 (supervised, 2 steps).',
    },
  ],
  run_started: [{ details: { totalSteps: 1 }, says: 'The run began; it has 1 step.' }],
  run_queued: [
    {
      details: { reason: 'another run of deploy is under way', notBefore: '2026-03-01T08:00:00.000Z' },
      says: 'The run waits in the queue: another run of deploy is under way, not before 2026-03-01 08:00:00 UTC.',
    },
  ],
  run_admitted: [
    { details: { phase: 'slot' }, says: 'The run got a slot.' },
    {
      by: BOB,
      via: 'web',
      details: { phase: 'slot', overLimit: true, comment: 'urgent' },
      says: 'bob on the page let the run in before its turn: "urgent".',
    },
  ],
  run_refused: [{ details: { reason: 'it cools down' }, says: 'The run was not let in: it cools down.' }],
  slot_released: [{ details: { gates: ['2-ship'] }, says: 'The run gave its slot away while it waits at "2-ship".' }],
  run_held: [
    {
      details: {
        reason: 'the record cannot be written',
        since: '2026-03-01T08:00:00.000Z',
        unrecorded: 7,
        limit: 'age',
      },
      says: 'The run waits: the record cannot be written.',
    },
  ],
  run_released: [
    {
      details: { duration: '3m', duration_ms: 180_000 },
      says: 'Everything is on record again, and the run goes on after it had waited 3m.',
    },
  ],
  facts_resolved: [
    {
      details: { question: 'start', values: { weekday: true }, errors: { on_call: 'timed out' } },
      says: 'The engine found out: weekday is true; on_call is not known (timed out).',
    },
  ],
  approval_requested: [
    {
      details: {
        gate: '2-ship',
        attempt: 1,
        title: 'Ship it',
        because: 'requires_approval',
        deadlineAt: '2026-03-01T08:05:00.000Z',
        onTimeout: 'approve',
        approvers: ['group:ops'],
      },
      says: 'Approval is asked for from group:ops at gate "2-ship" (Ship it), because the step requires approval. At 2026-03-01 08:05:00 UTC it is approved.',
    },
  ],
  approval_granted: [
    {
      by: BOB,
      via: 'web',
      details: { gate: '2-ship', attempt: 2, comment: 'looks good' },
      says: 'bob on the page approved gate "2-ship", attempt 2: "looks good".',
    },
    {
      by: { id: 'mallory', kind: 'user', verified: false },
      via: 'signal',
      details: { gate: 'start', attempt: 1 },
      says: 'mallory by a signal, which proves nobody\'s identity, approved gate "start".',
    },
  ],
  approval_rejected: [
    {
      by: BOB,
      via: 'http',
      details: { gate: 'start', attempt: 1, action: 'pause', comment: 'not today' },
      says: 'bob over the API rejected gate "start", so the run pauses for a person: "not today".',
    },
  ],
  approval_timeout: [
    {
      by: TIMER,
      via: 'timer',
      details: { gate: 'start', attempt: 1, action: 'approve' },
      says: 'Nobody decided gate "start" in time: the timer approved it.',
    },
    {
      by: TIMER,
      via: 'timer',
      details: { gate: 'start', attempt: 1, action: 'reject', then: 'fail' },
      says: 'Nobody decided gate "start" in time: the timer rejected it, so the run fails.',
    },
  ],
  approval_escalated: [
    {
      details: { gate: 'start', attempt: 1, to: ['group:leads'] },
      says: 'Gate "start" was escalated to group:leads.',
    },
  ],
  approval_reminded: [
    {
      details: { gate: 'start', attempt: 1, reminder: 2 },
      says: 'Reminder 2: gate "start" still waits for a decision.',
    },
  ],
  gate_skipped: [
    {
      details: { gate: 'pre_patch', condition: 'prod' },
      says: 'Gate "pre_patch" was passed over: its condition "prod" is false.',
    },
  ],
  step_started: [
    {
      step: 3,
      details: { title: 'Ship it', attempt: 2, kind: 'shell' },
      says: 'Step 3 "Ship it" began, attempt 2.',
    },
    {
      step: 3,
      details: { title: 'Ship it', attempt: 1, kind: 'shell', item: 4, value: 'web4' },
      says: 'Item 4 of step 3 "Ship it" (web4) began.',
    },
  ],
  step_waiting: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, pool: 'dba', workId: 'step:3#1', since: '2026-03-01T08:00:00.000Z' },
      says: 'Step 3 "Ship" waits for a worker of pool "dba".',
    },
  ],
  step_taken: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, pool: 'dba', workId: 'step:3#1', duration: '2m', duration_ms: 120_000 },
      says: 'A worker of pool "dba" took step 3 "Ship" after 2m.',
    },
  ],
  step_timeout: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, reason: 'it ran for 5m' },
      says: 'Step 3 "Ship" took too long: it ran for 5m.',
    },
  ],
  step_completed: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, duration: '5s', duration_ms: 5000, exitCode: 0 },
      says: 'Step 3 "Ship" succeeded after 5s.',
    },
    {
      step: 3,
      by: BOB,
      via: 'web',
      details: { title: 'Ship', attempt: 1, duration: '5s', duration_ms: 5000, comment: 'done' },
      says: 'bob on the page completed step 3 "Ship" after 5s: "done".',
    },
  ],
  step_failed: [
    {
      step: 3,
      details: {
        title: 'Ship',
        attempt: 1,
        duration: '5s',
        duration_ms: 5000,
        error: 'exit code 2',
        exitCode: 2,
        outcome: 'failed',
        then: 'goto',
        goto: 1,
      },
      says: 'Step 3 "Ship" failed after 5s: exit code 2. The run jumps to step 1.',
    },
  ],
  step_skipped: [
    {
      step: 3,
      details: { title: 'Ship', reason: 'condition', condition: 'prod' },
      says: 'Step 3 "Ship" was skipped: its condition "prod" is false.',
    },
    {
      step: 3,
      by: BOB,
      via: 'cli',
      details: { title: 'Ship', reason: 'not needed' },
      says: 'bob from the command line skipped step 3 "Ship": not needed.',
    },
  ],
  step_unknown: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, error: 'its worker was lost' },
      says: 'Nobody knows whether step 3 "Ship" ran: its worker was lost. A person has to say.',
    },
  ],
  step_rolled_back: [
    {
      step: 3,
      details: { title: 'Ship', attempt: 1, duration: '5s', duration_ms: 5000, items: 4 },
      says: 'Step 3 "Ship" was undone for 4 items after 5s.',
    },
  ],
  rollback_started: [
    {
      details: { because: 'cancel', reason: 'wrong version', then: 'cancelled', steps: [2, 1] },
      says: 'The run walks back (wrong version); to undo: steps 2, 1. Then it is cancelled.',
    },
  ],
  rollback_failed: [
    {
      step: 2,
      details: { title: 'Ship', attempt: 1, duration: '5s', duration_ms: 5000, error: 'no backup', outcome: 'failed' },
      says: 'The undo of step 2 "Ship" failed: no backup.',
    },
  ],
  input_requested: [
    {
      step: 2,
      details: { title: 'Look', attempt: 1, assignee: 'group:ops', dueAt: '2026-03-01T08:00:00.000Z' },
      says: 'Step 2 "Look" waits for group:ops, due 2026-03-01 08:00:00 UTC.',
    },
    { step: 2, details: { title: 'Look', attempt: 1, overdue: true }, says: 'Step 2 "Look" is overdue.' },
  ],
  input_received: [
    {
      step: 2,
      by: BOB,
      via: 'web',
      details: { item: 1, ticked: false, text: 'Door is shut' },
      says: 'bob on the page unticked item 1 of step 2: "Door is shut".',
    },
  ],
  verification_started: [
    { step: 2, details: { title: 'Ship', attempt: 1 }, says: 'The check of step 2 "Ship" began.' },
    {
      step: 2,
      by: { id: 'timer', kind: 'timer' },
      via: 'timer',
      details: { title: 'Settle', attempt: 1 },
      says: 'The check of step 2 "Settle" began.',
    },
    {
      step: 2,
      by: BOB,
      via: 'web',
      details: { title: 'Swap the disk', attempt: 1, comment: 'slot 4' },
      says: 'bob on the page said that step 2 "Swap the disk" was done: "slot 4"; its check began.',
    },
  ],
  verification_passed: [
    {
      details: { gate: 'post_patch', attempt: 1, duration_ms: 2000 },
      says: 'The check of gate "post_patch" passed after 2s.',
    },
  ],
  verification_failed: [
    {
      details: { gate: 'post_patch', attempt: 1, duration_ms: 2000, error: 'exit code 1', then: 'pause' },
      says: 'The check of gate "post_patch" failed: exit code 1. The run pauses for a person.',
    },
  ],
  pause_requested: [
    {
      by: BOB,
      via: 'web',
      details: { reason: 'lunch' },
      says: 'bob on the page asked to pause the run at the next boundary between steps: "lunch".',
    },
  ],
  run_paused: [
    {
      by: BOB,
      via: 'web',
      details: { kind: 'requested', reason: 'lunch' },
      says: 'bob on the page paused the run: lunch.',
    },
    { details: { kind: 'failed', reason: 'step 2 failed' }, says: 'The run paused: step 2 failed.' },
  ],
  run_resumed: [
    { by: BOB, via: 'web', details: { comment: 'back' }, says: 'bob on the page let the run go on: "back".' },
    {
      by: BOB,
      via: 'web',
      details: { leaves: 2 },
      says: 'bob on the page let the run go on, leaving step 2 as it is.',
    },
  ],
  run_retried: [
    {
      step: 2,
      by: BOB,
      via: 'web',
      details: { fromStep: 2, also: [4], again: [2, 3], params: { region: 'eu' }, comment: 'fixed' },
      says: 'bob on the page retried the run from step 2, with steps 4; steps 2, 3 are done again, with other params: region: "fixed".',
    },
    {
      by: BOB,
      via: 'web',
      details: { reopens: true, fromStep: 2 },
      says: 'bob on the page opened the closed run again from step 2.',
    },
    {
      by: BOB,
      via: 'web',
      details: { undo: true, fromStep: 2 },
      says: 'bob on the page asked for the undo of step 2 after all.',
    },
  ],
  cancel_requested: [
    {
      by: BOB,
      via: 'web',
      details: { reason: 'wrong one', rollback: true },
      says: 'bob on the page cancelled the run and asked to roll it back first: wrong one.',
    },
  ],
  run_timeout: [
    {
      details: { reason: 'the run took longer than 1h' },
      says: 'The run ran out of time: the run took longer than 1h.',
    },
  ],
  run_completed: [
    {
      details: { duration: '1m', duration_ms: 60_000, stepsCompleted: 1, stepsSkipped: 2 },
      says: 'The run completed after 1m: 1 step done, 2 skipped.',
    },
  ],
  run_failed: [{ details: { reason: 'exit code 1', stepNumber: 2 }, says: 'The run failed at step 2: exit code 1.' }],
  run_cancelled: [{ details: { reason: 'wrong one' }, says: 'The run was cancelled: wrong one.' }],
  decision_refused: [
    {
      by: BOB,
      via: 'web',
      details: { decision: 'approve', reason: 'no gate is open', gate: 'start', decidedBy: 'alice' },
      says: 'The "approve" of gate "start" that bob on the page sent was refused: no gate is open (alice had decided).',
    },
  ],
  notification_sent: [{ details: { channel: 'slack', what: 'run_failed' }, says: 'Slack was told of "run_failed".' }],
  notification_failed: [
    {
      details: { channel: 'slack', what: 'run_failed', error: 'HTTP 500' },
      says: 'Slack could not be told of "run_failed": HTTP 500.',
    },
  ],
  definition_amended: [
    {
      by: BOB,
      via: 'cli',
      details: { digest: 'ab'.repeat(32) },
      says: 'bob from the command line amended the definition; its digest is now abababababab.',
    },
  ],
  run_forked: [
    {
      details: { fromSequence: 3, runSequence: 3, reason: 'reset' },
      says: 'The run was reset in Temporal: events 3 to 6 count no more.',
    },
  ],
}

const eventOf = (eventType: EventType, { details, by, via, step }: Row<EventType>): RunEvent =>
  ({
    sequence: 7,
    timestamp: '2026-03-01T08:00:00.000Z',
    eventType,
    runId: 'sop_run_test',
    ...(step !== undefined && { stepNumber: step }),
    principal: by ?? ENGINE,
    via: via ?? 'engine',
    details,
  }) as RunEvent

describe.each(EVENT_TYPES)('%s as a sentence', (type) => {
  const rows = ROWS[type] as readonly Row<EventType>[]
  test('has a row in this table', () => expect(rows.length).toBeGreaterThan(0))
  test.each(rows.map((row) => [row.says, row] as const))('%s', (says, row) => {
    expect(sentence(eventOf(type, row))).toBe(says)
  })
})

test('no event of the corpus of histories is told badly', () => {
  const events = fixtureNames()
    .map(readFixture)
    .filter(isOfRun)
    .flatMap((fixture) => fixture.events)
  expect(events.length).toBeGreaterThan(500)
  const bad = events
    .map((event) => [event.eventType, sentence(event)] as const)
    .filter(([, said]) => !/^[A-Z"a-z0-9].*[.!?…]$/u.test(said) || /undefined|null|\[object|\.\.$|\s{2}|\n/.test(said))
  expect(bad).toEqual([])
})

test('text of others stays one short line that drives no terminal', () => {
  const hostile = `a\nb\u001b[2J\u202e${'x'.repeat(5000)}`
  const said = sentence(eventOf('run_cancelled', { details: { reason: hostile }, says: '' }))
  expect(said).toMatch(/^The run was cancelled: a b\ufffd\[2J\ufffdx+…$/u)
  expect(said.length).toBeLessThan(400)
})
