import { describe, expect, test } from 'vitest'
import { createLedger } from '../../../src/core/metrics/ledger.ts'
import { countOn, replay } from '../../../src/core/metrics/replay.ts'
import { metricsReport, type MetricsReport } from '../../../src/core/metrics/report.ts'
import type { EventDetails, EventType, RunEvent } from '../../../src/core/run/event.ts'
import { sopOf } from '../../support/definitions.ts'
import { Play } from '../../support/play.ts'
import type { Principal, Surface } from '../../../src/core/run/principal.ts'

// What each kind of event counts as: a run told in minutes, and the figures that come of it.

const MIN = 60_000
const START = Date.UTC(2026, 2, 1, 8)
const BOB: Principal = { id: 'bob', kind: 'user' }
const TIMER: Principal = { id: 'timer', kind: 'timer' }

type Told = readonly [
  minute: number,
  type: EventType,
  details?: object,
  more?: { readonly step?: number; readonly by?: Principal; readonly via?: Surface },
]

const tell = (told: readonly Told[], runId = 'r'): readonly RunEvent[] =>
  told.map(
    ([minute, eventType, details = {}, { step, by = { id: 'engine', kind: 'service' }, via = 'engine' } = {}], at) =>
      ({
        sequence: at + 1,
        timestamp: new Date(START + minute * MIN).toISOString(),
        eventType,
        runId,
        ...(step !== undefined && { stepNumber: step }),
        principal: by,
        via,
        details,
      }) as RunEvent,
  )

const created = (sop = 'deploy'): Told => [
  0,
  'run_created',
  { sop, trigger: { type: 'cron' } } satisfies Partial<EventDetails['run_created']>,
]
const started = (minute = 0): Told => [minute, 'run_started', { totalSteps: 2 }]
const asked = (minute: number, gate = '1-a', step = 1, more: object = {}): Told => [
  minute,
  'approval_requested',
  { gate, attempt: 1, title: 'A', ...more },
  { step },
]
const granted = (minute: number, gate = '1-a', step = 1, by: Principal = BOB, via: Surface = 'cli'): Told => [
  minute,
  'approval_granted',
  { gate, attempt: 1 },
  { step, by, via },
]
const begun = (minute: number, step = 1, more: object = {}): Told => [
  minute,
  'step_started',
  { title: `Step ${step}`, attempt: 1, kind: 'shell', ...more },
  { step },
]
const done = (minute: number, durationMin: number, step = 1, more: object = {}, by?: Principal): Told => [
  minute,
  'step_completed',
  { title: `Step ${step}`, attempt: 1, duration_ms: durationMin * MIN, ...more },
  { step, ...(by && { by }) },
]
const failed = (minute: number, then: string, step = 1, more: object = {}): Told => [
  minute,
  'step_failed',
  { title: `Step ${step}`, attempt: 1, duration_ms: MIN, error: 'x', outcome: 'failed', then, ...more },
  { step },
]
const ended = (minute: number, how: 'completed' | 'failed' | 'cancelled' = 'completed'): Told => [
  minute,
  `run_${how}`,
  { reason: 'x' },
]

const reportOf = (events: readonly RunEvent[], sop = 'deploy'): MetricsReport => {
  const ledger = createLedger()
  for (const delta of replay(events, sop).deltas) ledger.add(delta)
  return metricsReport(ledger.cells({ from: '2026-01-01' }), { days: 7, sop, nowMs: START + 20 * 60 * MIN })
}
const figures = (...told: readonly Told[]): MetricsReport['total'] => reportOf(tell(told)).total

/** Whole minutes in all: the sums are exact. */
const minutes = ({ totalMs }: { readonly totalMs: number }): number => totalMs / MIN

describe('how a run ends', () => {
  test.each<[string, readonly Told[], Partial<MetricsReport['total']>]>([
    ['completed', [created(), started(), ended(1)], { created: 1, started: 1, completed: 1, successRate: 1 }],
    ['failed', [created(), started(), ended(1, 'failed')], { completed: 0, failed: 1, successRate: 0 }],
    ['cancelled', [created(), started(), ended(1, 'cancelled')], { cancelled: 1, refused: 0, successRate: null }],
    [
      'refused',
      [created(), [0, 'run_refused', { reason: 'x' }], ended(0, 'cancelled')],
      { started: 0, cancelled: 1, refused: 1 },
    ],
    ['still open', [created(), started()], { created: 1, completed: 0, successRate: null }],
  ])('%s', (_, told, wanted) => expect(figures(...told)).toMatchObject(wanted))

  test('a run that is opened again counts once, by its last end, on the day of that end', () => {
    const nextDay = 20 * 60
    const report = reportOf(
      tell([
        created(),
        started(),
        failed(1, 'fail'),
        ended(1, 'failed'),
        [nextDay, 'run_retried', { fromStep: 1, reopens: true }, { by: BOB }],
        begun(nextDay),
        done(nextDay + 5, 5),
        ended(nextDay + 5),
      ]),
    )
    expect(report.total).toMatchObject({ completed: 1, failed: 0, reopened: 1, successRate: 1 })
    expect(report.total.retries).toEqual({ byEngine: 0, byPerson: 1 })
    expect(report.daily.map(({ failed: no, completed: yes }) => [no, yes]).slice(-2)).toEqual([
      [0, 0],
      [0, 1],
    ])
    // What lay between was nobody's work.
    expect([minutes(report.total.elapsed), minutes(report.total.working)]).toEqual([nextDay + 5, 1 + 5])
  })
})

describe('how long a run took', () => {
  test.each<[string, readonly Told[], readonly [elapsed: number, working: number]]>([
    ['a gate is no work', [created(), started(), asked(1), granted(11), begun(11), done(15, 4), ended(15)], [15, 5]],
    [
      'a gate beside a step that runs takes nothing from the work',
      [created(), started(), begun(0, 2), asked(1), done(8, 8, 2), granted(11), begun(11), done(15, 4), ended(15)],
      [15, 12],
    ],
    [
      'two open gates are waited for once',
      [created(), started(), asked(0), asked(2, '2-b', 2), granted(6), granted(10, '2-b', 2), ended(11)],
      [11, 1],
    ],
    [
      'a manual step is no work',
      [
        created(),
        started(),
        begun(0, 1, { kind: 'manual' }),
        [0, 'input_requested', { title: 'x' }, { step: 1 }],
        [5, 'input_requested', { title: 'x', overdue: true }, { step: 1, by: TIMER }],
        done(30, 30, 1, {}, BOB),
        ended(31),
      ],
      [31, 1],
    ],
    [
      'a manual step is no work, its check is',
      [
        created(),
        started(),
        begun(0, 1, { kind: 'manual' }),
        [0, 'input_requested', { title: 'x' }, { step: 1 }],
        [30, 'verification_started', { title: 'x', attempt: 1, duration_ms: 30 * MIN }, { step: 1, by: BOB }],
        [34, 'verification_passed', { attempt: 1, duration_ms: 4 * MIN }, { step: 1 }],
        done(34, 30),
        ended(35),
      ],
      [35, 5],
    ],
    [
      'a pause is no work, the step that still runs in it is',
      [
        created(),
        started(),
        begun(0),
        [1, 'pause_requested', {}, { by: BOB }],
        done(3, 3),
        [3, 'run_paused', { kind: 'requested', reason: 'x' }],
        [13, 'run_resumed', {}, { by: BOB }],
        ended(14),
      ],
      [14, 4],
    ],
    [
      'the queue is no work',
      [created(), [0, 'run_queued', { reason: 'full' }], [9, 'run_admitted', { phase: 'slot' }], started(9), ended(10)],
      [10, 1],
    ],
    [
      'a delay before the engine tries again is work',
      [created(), started(), begun(0), failed(1, 'retry'), begun(6), done(8, 2), ended(8)],
      [8, 8],
    ],
    [
      'a command of a gate is work',
      [
        created(),
        started(),
        [0, 'verification_started', { gate: 'pre', title: 'x', attempt: 1 }],
        [4, 'verification_passed', { gate: 'pre', attempt: 1, duration_ms: 1 }],
        ended(4),
      ],
      [4, 4],
    ],
    [
      'a clock that was set back makes no negative time',
      [[10, 'run_created', { sop: 'deploy', trigger: { type: 'x' } }], started(10), ended(1)],
      [0, 0],
    ],
  ])('%s', (_, told, wanted) => {
    const { elapsed, working } = figures(...told)
    expect([minutes(elapsed), minutes(working)]).toEqual(wanted)
  })

  test('the queue and pauses have figures of their own', () => {
    const total = figures(
      created(),
      [1, 'run_queued', { reason: 'full' }],
      [9, 'run_admitted', { phase: 'slot' }],
      started(9),
      [10, 'run_paused', { kind: 'requested', reason: 'x' }],
      [13, 'run_resumed', {}, { by: BOB }],
      ended(14),
    )
    expect([minutes(total.queued), minutes(total.paused)]).toEqual([8, 3])
  })
})

describe('approvals', () => {
  test('tell how long was waited, for whom, and until who decided', () => {
    const report = reportOf(
      tell([
        created(),
        started(),
        asked(0, '1-a', 1, { approvers: ['group:dba', 'carol'] }),
        granted(20),
        asked(20, '2-b', 2, { approvers: ['group:dba'] }),
        [
          25,
          'approval_rejected',
          { gate: '2-b', attempt: 1, action: 'pause' },
          { step: 2, by: { id: 'carol', kind: 'user' } },
        ],
        ended(26, 'failed'),
      ]),
    )
    const wait = (totalMin: number, count: number) =>
      expect.objectContaining({ totalMs: totalMin * MIN, count }) as unknown
    expect(report.total.approvals).toMatchObject({ approved: 1, rejected: 1, wait: wait(25, 2) })
    expect(report.decidedBy).toEqual([
      { who: 'user:bob', approved: 1, rejected: 0, wait: wait(20, 1) },
      { who: 'user:carol', approved: 0, rejected: 1, wait: wait(5, 1) },
    ])
    expect(report.waitedFor).toEqual([
      { who: 'group:dba', wait: wait(25, 2) },
      { who: 'carol', wait: wait(20, 1) },
    ])
    expect(report.steps.map(({ step, approvals: { approved, rejected } }) => [step, approved, rejected])).toEqual([
      [1, 1, 0],
      [2, 0, 1],
    ])
  })

  test.each<[string, Told, object]>([
    [
      'the timer approves',
      [5, 'approval_timeout', { gate: '1-a', attempt: 1, action: 'approve' }, { step: 1, by: TIMER }],
      { approvedByTimer: 1, approved: 0 },
    ],
    [
      'the timer rejects',
      [5, 'approval_timeout', { gate: '1-a', attempt: 1, action: 'reject' }, { step: 1, by: TIMER }],
      { rejectedByTimer: 1 },
    ],
    [
      'the timer fails the run',
      [5, 'approval_timeout', { gate: '1-a', attempt: 1, action: 'fail' }, { step: 1, by: TIMER }],
      { rejectedByTimer: 1 },
    ],
    ['the step is skipped', [5, 'step_skipped', { title: 'x', reason: 'x' }, { step: 1, by: BOB }], { withdrawn: 1 }],
    ['it is asked again', asked(5), { withdrawn: 1 }],
  ])('%s', (_, told, wanted) => {
    const { approvals } = figures(created(), started(), asked(0), told)
    expect(approvals).toMatchObject(wanted)
    expect(minutes(approvals.wait)).toBe(5)
  })

  test('an escalation leaves the gate open', () => {
    const escalated: Told = [
      5,
      'approval_timeout',
      { gate: '1-a', attempt: 1, action: 'escalate' },
      { step: 1, by: TIMER },
    ]
    const { approvals } = figures(created(), started(), asked(0), escalated, granted(8))
    expect(approvals).toMatchObject({ escalated: 1, approved: 1, wait: { count: 1, totalMs: 8 * MIN } })
  })

  test('approvals that the start gave are told apart, and are in no wait', () => {
    const total = figures(created(), started(), asked(0), granted(0, '1-a', 1, BOB, 'skip_approval'), ended(1))
    expect(total).toMatchObject({ approvalsSkipped: 1, approvals: { approved: 0, skipped: 1, wait: { count: 0 } } })
    expect(total.people).toMatchObject({ attended: 0, attendedRate: 0 })
  })

  test('a run that was started by force is told apart', () => {
    const ended = (force: boolean, rulesVersion: number): MetricsReport['total'] => {
      const play = new Play(sopOf({ mode: 'auto', steps: [] }), { force, rulesVersion })
      play.nowMs = START
      play.start()
      return reportOf(play.events, 'test-sop').total
    }
    expect([ended(true, 5).forced, ended(false, 5).forced]).toEqual([1, 0])
    // A run of older rules says the same as it always did.
    expect(ended(true, 4)).toMatchObject({ completed: 1, forced: 0 })
  })

  test('ids that nobody vouches for are one', () => {
    const stranger: Principal = { id: 'x1', kind: 'user', verified: false }
    const report = reportOf(tell([created(), asked(0), granted(1, '1-a', 1, stranger, 'signal')]))
    expect(report.decidedBy.map(({ who }) => who)).toEqual(['user:unverified'])
  })

  test('a run that ends leaves no gate open', () => {
    const { approvals } = figures(created(), started(), asked(0), asked(1, '2-b', 2), ended(4, 'cancelled'))
    expect(approvals).toMatchObject({ withdrawn: 2, wait: { count: 2, totalMs: 7 * MIN } })
  })
})

describe('what people did', () => {
  test.each<[string, readonly Told[], readonly [attended: number, unplanned: number]]>([
    ['nothing', [], [0, 0]],
    ['an approval was asked for', [asked(0), granted(1)], [1, 0]],
    [
      'a retry was not',
      [
        failed(1, 'pause'),
        [1, 'run_paused', { kind: 'failure', reason: 'x' }],
        [2, 'run_retried', { fromStep: 1 }, { by: BOB }],
      ],
      [1, 1],
    ],
    ['a skip was not', [[1, 'step_skipped', { title: 'x', reason: 'x' }, { step: 1, by: BOB }]], [1, 1]],
    ['a condition is nobody', [[1, 'step_skipped', { title: 'x', reason: 'x', condition: 'y' }, { step: 1 }]], [0, 0]],
    ['an agent is no person', [asked(0), granted(1, '1-a', 1, { id: 'bot', kind: 'agent' })], [0, 0]],
    [
      'a manual step that is checked was asked for',
      [
        [0, 'input_requested', { title: 'x' }, { step: 1 }],
        [3, 'verification_started', { title: 'x', attempt: 1 }, { step: 1, by: BOB }],
        done(4, 3),
      ],
      [1, 0],
    ],
    [
      'to say of an unknown step that it ran was not',
      [
        [1, 'step_unknown', { title: 'x', attempt: 1, error: 'x' }, { step: 1 }],
        [3, 'verification_started', { title: 'x', attempt: 1 }, { step: 1, by: BOB }],
        done(4, 3),
      ],
      [1, 1],
    ],
    ['the start is none', [[0, 'run_paused', { kind: 'failure', reason: 'x' }]], [0, 0]],
  ])('%s', (_, told, wanted) => {
    const { people } = figures(created(), started(), ...told, ended(9))
    expect([people.attended, people.unplanned]).toEqual(wanted)
  })
})

describe('steps', () => {
  test('that people do are waited for until they say so, and last nothing, also where they are checked', () => {
    const input: Told = [0, 'input_requested', { title: 'x' }, { step: 1 }]
    const checks: Told = [3, 'verification_started', { title: 'x', attempt: 1 }, { step: 1, by: BOB }]
    const { steps } = reportOf(
      tell([
        created(),
        started(),
        begun(0, 1, { kind: 'manual' }),
        input,
        checks,
        done(7, 3),
        begun(7, 2),
        done(8, 1, 2),
      ]),
    )
    expect(steps[0]).toMatchObject({
      completed: 1,
      duration: { count: 0 },
      inputWait: { count: 1, totalMs: 3 * MIN },
    })
    expect(steps[1]).toMatchObject({ duration: { count: 1, totalMs: MIN } })
  })

  test('have executions, retries, skips and durations of their own', () => {
    const { steps, total } = reportOf(
      tell([
        created(),
        started(),
        begun(0),
        failed(1, 'retry'),
        begun(2),
        done(5, 3),
        [5, 'step_skipped', { title: 'Step 2', reason: 'x', condition: 'y' }, { step: 2 }],
        begun(5, 3),
        [6, 'step_unknown', { title: 'Step 3', attempt: 1, error: 'x' }, { step: 3 }],
        ended(7, 'failed'),
      ]),
    )
    expect(steps.map(({ step, title }) => `${step} ${title}`)).toEqual(['1 Step 1', '2 Step 2', '3 Step 3'])
    expect(steps[0]).toMatchObject({
      started: 2,
      completed: 1,
      failed: 1,
      successRate: 0.5,
      retries: { byEngine: 1, byPerson: 0 },
      duration: { count: 1, totalMs: 3 * MIN },
    })
    expect(steps[1]?.skipped).toEqual({ byCondition: 1, byPerson: 0, otherwise: 0 })
    expect(steps[2]).toMatchObject({ started: 1, unknown: 1 })
    expect(total).toMatchObject({ retries: { byEngine: 1 }, skippedSteps: { byCondition: 1 } })
  })

  test('items of a step are no executions of it', () => {
    const { steps } = reportOf(
      tell([
        created(),
        started(),
        begun(0),
        begun(0, 1, { item: 1 }),
        failed(1, 'retry', 1, { item: 1 }),
        done(2, 1, 1, { item: 1 }),
        done(3, 3),
        ended(3),
      ]),
    )
    expect(steps).toMatchObject([
      { started: 1, completed: 1, failed: 0, retries: { byEngine: 1 }, duration: { count: 1 } },
    ])
  })

  test('are called as they were last', () => {
    const { steps } = reportOf(tell([created(), begun(0, 1, { title: 'Old' }), begun(1, 1, { title: 'New' })]))
    expect(steps[0]?.title).toBe('New')
  })
})

describe('replay()', () => {
  const forked = (minute: number, runSequence: number): Told => [
    minute,
    'run_forked',
    { fromSequence: runSequence, runSequence, reason: 'x' },
  ]

  test('takes back what a reset in Temporal made undone, and goes on from there', () => {
    const record = tell([
      created(),
      started(),
      asked(1),
      granted(5),
      begun(5),
      failed(6, 'fail'),
      ended(6, 'failed'),
      forked(8, 4),
      granted(9),
      begun(9),
      done(10, 1),
      ended(10),
    ])
    const plain = tell([created(), started(), asked(1), granted(9), begun(9), done(10, 1), ended(10)])
    expect(reportOf(record)).toEqual(reportOf(plain))
    const deltas = replay(record, 'deploy').deltas
    const sums = createLedger()
    for (const delta of deltas) if (delta.sign === 1) sums.add(delta)
    expect(sums.cells({ from: '2026-01-01' }).find(({ step }) => step === undefined)?.tally.counts).toMatchObject({
      failed: 1,
      completed: 1,
    })
  })

  test('names the SOP of a record that does not begin at its beginning', () => {
    expect(reportOf(tell([started()]), 'deploy').total.started).toBe(1)
  })

  test('counts each event once, whatever pieces it comes in', () => {
    const record = tell([created(), started(), asked(1), granted(5), begun(5), done(6, 1), ended(6)])
    const whole = replay(record, 'deploy')
    for (let at = 0; at <= record.length; at++) {
      const first = countOn(undefined, record.slice(0, at), 'deploy')
      const second = countOn(first.trace, record, 'deploy')
      expect([...first.deltas, ...second.deltas]).toEqual(whole.deltas)
      expect(replay(record, 'deploy', at).deltas).toEqual(second.deltas)
      expect(second.trace).toEqual(whole.trace)
    }
  })
})

describe('metricsReport()', () => {
  test('has a figure for each day, and none of other days or SOPs', () => {
    const ledger = createLedger()
    const put = (day: string, sop: string) =>
      ledger.put({ day, sop, sign: 1, tally: { counts: { created: 1 }, times: {} } })
    for (const day of ['2026-02-22', '2026-02-23', '2026-03-01', '2026-03-02']) put(day, 'deploy')
    put('2026-03-01', 'backup')
    const all = ledger.cells({ from: '2026-01-01' })
    const report = metricsReport(all, { days: 7, nowMs: START })
    expect([report.from, report.to, report.daily.length]).toEqual(['2026-02-23', '2026-03-01', 7])
    expect(report.daily.map((each) => each.created)).toEqual([1, 0, 0, 0, 0, 0, 2])
    expect(report.sops.map(({ sop, created: count }) => [sop, count])).toEqual([
      ['deploy', 2],
      ['backup', 1],
    ])
    expect(metricsReport(all, { days: 7, nowMs: START, sop: 'backup' }).total.created).toBe(1)
  })

  test('names fifty people at most', () => {
    const by = (id: number): Told[] => [
      asked(id, `1-${id}`),
      granted(id + 1, `1-${id}`, 1, { id: `p${id}`, kind: 'user' }),
    ]
    const { decidedBy } = reportOf(tell([created(), ...Array.from({ length: 70 }, (_, id) => by(id)).flat()]))
    expect(decidedBy).toHaveLength(50)
    expect(decidedBy.at(-1)).toMatchObject({ who: 'other', approved: 21, wait: { count: 21 } })
  })
})
