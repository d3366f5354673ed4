import { describe, expect, test } from 'vitest'
import { createLedger, TOTAL } from '../../../src/core/metrics/ledger.ts'
import { countOn, replay } from '../../../src/core/metrics/replay.ts'
import { metricsReport } from '../../../src/core/metrics/report.ts'
import type { Delta } from '../../../src/core/metrics/open-run.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { game } from '../../support/games.ts'
import fc from '../../support/laws.ts'
import { Play } from '../../support/play.ts'

// laws.test.ts: the figures against a count by hand over whole records, for runs of every kind.

const records = fc.array(game, { minLength: 1, maxLength: 3 }).map((games) =>
  games.map(({ sop, moves, flag }, at) => {
    const play = new Play(sop, { params: { flag }, runId: `run-${at}` }, { maxStepVisits: 3 }).start()
    for (const each of moves) each(play)
    return play.events
  }),
)

const ledgerOf = (deltas: readonly Delta[]) => {
  const ledger = createLedger()
  for (const delta of deltas) ledger.add(delta)
  return ledger
}
const sorted = (ledger: ReturnType<typeof createLedger>) =>
  [...ledger.all()].sort((a, b) =>
    JSON.stringify([a.day, a.sop, a.step]).localeCompare(JSON.stringify([b.day, b.sop, b.step])),
  )

describe('of every record', () => {
  test('the figures are those of a count by hand', () =>
    fc.assert(
      fc.property(records, (runs) => {
        const deltas = runs.flatMap((events) => replay(events, 'x').deltas)
        const nowMs = Math.max(...runs.flat().map(({ timestamp }) => Date.parse(timestamp)))
        const sop = runs[0]?.[0]?.eventType === 'run_created' ? runs[0][0].details.sop : ''
        const report = metricsReport(ledgerOf(deltas).cells({ from: '2000-01-01' }), { days: 90, nowMs, sop })
        const all = runs.flat()
        const count = (is: (event: RunEvent) => boolean): number => all.filter(is).length
        const type = (wanted: string) => (event: RunEvent) => event.eventType === wanted
        const whole = (event: RunEvent): boolean => !('item' in event.details)
        const { total, steps } = report
        expect(total).toMatchObject({
          created: runs.length,
          started: count(type('run_started')),
          completed: count(type('run_completed')),
          failed: count(type('run_failed')),
          cancelled: count(type('run_cancelled')),
          refused: runs.filter((events) => events.some(type('run_refused')) && events.some(type('run_cancelled')))
            .length,
        })
        expect(total.approvals).toMatchObject({
          approved: count(type('approval_granted')),
          rejected: count(type('approval_rejected')),
          approvedByTimer: count(
            (event) => event.eventType === 'approval_timeout' && event.details.action === 'approve',
          ),
          escalated: count((event) => event.eventType === 'approval_timeout' && event.details.action === 'escalate'),
        })
        // Every gate is decided, withdrawn, or open to this day.
        const { approvals } = total
        const open = runs.reduce((sum, events) => sum + Object.keys(replay(events, 'x').trace?.gates ?? {}).length, 0)
        const closed = approvals.approved + approvals.rejected + approvals.approvedByTimer + approvals.rejectedByTimer
        expect(closed + approvals.withdrawn + open).toBe(count(type('approval_requested')))
        expect(approvals.wait.count).toBe(closed + approvals.withdrawn)
        expect(total.approvals.wait.totalMs).toBe(waitedByHand(runs))
        expect(total.skippedSteps.byCondition).toBe(
          count((event) => event.eventType === 'step_skipped' && whole(event) && event.details.condition !== undefined),
        )
        expect(total.retries).toEqual({
          byEngine: count((event) => event.eventType === 'step_failed' && event.details.then === 'retry'),
          byPerson: count(type('run_retried')),
        })
        for (const step of steps) {
          const of = (wanted: string) =>
            count((event) => event.eventType === wanted && event.stepNumber === step.step && whole(event))
          expect(step).toMatchObject({
            started: of('step_started'),
            completed: of('step_completed'),
            failed: of('step_failed'),
            unknown: of('step_unknown'),
          })
        }
        const inStep = (key: 'started' | 'completed' | 'failed') => steps.reduce((sum, step) => sum + step[key], 0)
        expect(inStep('started')).toBe(count((event) => event.eventType === 'step_started' && whole(event)))
        expect(total.elapsed.totalMs).toBe(
          runs
            .filter((events) => events.some(type('run_completed')) && events.some(type('run_started')))
            .reduce((sum, events) => sum + span(events[0], events.find(type('run_completed'))), 0),
        )
        expect(total.working.totalMs).toBeLessThanOrEqual(total.elapsed.totalMs)
      }),
      { numRuns: 300 },
    ))

  test('it is the same sum in whatever pieces, and in whatever order of runs', () =>
    fc.assert(
      fc.property(records, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (runs, sizes) => {
        const pieces: Delta[] = []
        for (const events of [...runs].reverse()) {
          let trace = undefined as ReturnType<typeof countOn>['trace']
          for (let at = 0, turn = 0; at < events.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1
            const piece = events.slice(at, at + size)
            // The trace goes through JSON on its way to a store.
            const counted = countOn(trace && (JSON.parse(JSON.stringify(trace)) as typeof trace), piece, 'x')
            pieces.push(...counted.deltas)
            trace = counted.trace
            at += size
          }
        }
        expect(sorted(ledgerOf(pieces))).toEqual(sorted(ledgerOf(runs.flatMap((events) => replay(events, 'x').deltas))))
      }),
      { numRuns: 150 },
    ))

  test('days and steps add up to what is known since the beginning', () =>
    fc.assert(
      fc.property(records, (runs) => {
        const ledger = ledgerOf(runs.flatMap((events) => replay(events, 'x').deltas))
        const sum = createLedger()
        for (const cell of ledger.cells({ from: '2000-01-01' })) {
          if (cell.step === undefined) sum.put({ ...cell, day: TOTAL })
        }
        expect(sorted(sum)).toEqual([...ledger.cells()].sort((a, b) => a.sop.localeCompare(b.sop)))
        expect(ledger.all().every(({ tally }) => Object.values(tally.counts).every((count) => count > 0))).toBe(true)
      }),
      { numRuns: 100 },
    ))

  test('a run that closed has nothing open', () =>
    fc.assert(
      fc.property(records, (runs) => {
        for (const events of runs) {
          const trace = replay(events, 'x').trace
          if (trace?.end === undefined) continue
          expect(trace).toMatchObject({ active: [], gates: {}, inputs: {} })
          expect(trace).not.toHaveProperty('pausedMs')
        }
      }),
      { numRuns: 100 },
    ))
})

const span = (from: RunEvent | undefined, to: RunEvent | undefined): number =>
  Date.parse(to?.timestamp ?? '') - Date.parse(from?.timestamp ?? '')

/** From each request to what ended it: a decision, the timer, a new request, or whatever else closes the gate. */
const waitedByHand = (runs: readonly (readonly RunEvent[])[]): number => {
  let waited = 0
  for (const events of runs) {
    for (const [at, event] of events.entries()) {
      if (event.eventType !== 'approval_requested') continue
      const { gate } = event.details
      const end = events.slice(at + 1).find((later) => closesGate(later, gate, event.stepNumber ?? 0))
      if (end !== undefined) waited += span(event, end)
    }
  }
  return waited
}

const closesGate = (event: RunEvent, gate: string, step: number): boolean => {
  switch (event.eventType) {
    case 'approval_requested':
    case 'approval_granted':
    case 'approval_rejected':
    case 'gate_skipped':
      return (
        event.details.gate === gate || (event.eventType === 'approval_rejected' && event.details.action === 'rollback')
      )
    case 'approval_timeout':
      return (event.details.gate === gate && event.details.action !== 'escalate') || event.details.then === 'rollback'
    case 'step_skipped':
      return event.stepNumber === step && event.details.item === undefined
    case 'step_failed':
      return event.details.then === 'rollback' || (event.details.again ?? []).includes(step)
    case 'cancel_requested':
      return event.details.rollback === true
    case 'run_timeout':
      return event.details.then === 'rollback'
    case 'run_retried':
      return (event.details.gates ?? []).includes(gate)
    case 'rollback_started':
    case 'run_completed':
    case 'run_failed':
    case 'run_cancelled':
      return true
    default:
      return false
  }
}
