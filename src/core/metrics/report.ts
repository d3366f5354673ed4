import { type Cell, dayBefore } from './ledger.ts'
import { QUANTILE_ERROR, quantileMs, type Sketch } from './sketch.ts'
import { addTally, type Count, countOf, newTally, sketchIn, type Tally, type Timing } from './tally.ts'

// report.ts: the figures that people see, made of the sums by day.

/** How far back figures go. */
export const METRIC_DAYS = [7, 30, 90] as const
export type MetricDays = (typeof METRIC_DAYS)[number]

/** How long something took: quantiles are off by 2.5 % at most, `totalMs` is exact. Null where nothing was measured. */
export interface Durations {
  readonly count: number
  readonly totalMs: number
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

/** How gates closed. */
export interface ApprovalFigures {
  readonly approved: number
  readonly rejected: number
  /** The timer opened the gate. */
  readonly approvedByTimer: number
  /** The timer rejected, or failed the run. */
  readonly rejectedByTimer: number
  readonly escalated: number
  /** The run ended, went back or skipped the step before anybody decided. */
  readonly withdrawn: number
  /** Given with the start of the run (`skipApproval`): nobody waited, and it is in no wait. */
  readonly skipped: number
  /** From the opening of a gate to its end, whatever that was. */
  readonly wait: Durations
}

export interface RunFigures {
  readonly created: number
  readonly started: number
  readonly completed: number
  readonly failed: number
  /** With the refused ones. */
  readonly cancelled: number
  /** Never let in: cooldown, conditions, blackout. */
  readonly refused: number
  /** completed / (completed + failed); null without either. */
  readonly successRate: number | null
  /** Of completed runs, from `run_created` to the end: waits for people and in the queue **included**. */
  readonly elapsed: Durations
  /** Of completed runs, the same without the time in which they did nothing but wait for people or for a slot. */
  readonly working: Durations
  readonly approvals: ApprovalFigures
  /** How long manual steps waited to be done. */
  readonly inputWait: Durations
  /** How long runs stood paused. */
  readonly paused: Durations
  /** How long runs waited for a slot. */
  readonly queued: Durations
  readonly skippedSteps: { readonly byCondition: number; readonly byPerson: number; readonly otherwise: number }
  readonly retries: { readonly byEngine: number; readonly byPerson: number }
  /**
   * Of the runs that ended: those in which a person acted at all, and those in which one had to though neither gate nor
   * manual step asked (retry, skip, resume, cancel). Rates are shares of the runs that ended; null without any.
   */
  readonly people: {
    readonly attended: number
    readonly attendedRate: number | null
    readonly unplanned: number
    readonly unplannedRate: number | null
  }
  /** Of the runs that ended: started by force, past cooldown and conditions. */
  readonly forced: number
  /** Of the runs that ended: approvals were skipped at the start. */
  readonly approvalsSkipped: number
  /** Closed runs that were opened again by a retry; each counts once, by its last end. */
  readonly reopened: number
}

export interface SopFigures extends RunFigures {
  readonly sop: string
}

export interface DayFigures extends RunFigures {
  /** UTC day, `2026-03-01`. */
  readonly day: string
}

export interface StepFigures {
  readonly step: number
  /** As it was last called. */
  readonly title: string
  /** Executions: a retry is one more. */
  readonly started: number
  readonly completed: number
  readonly failed: number
  readonly unknown: number
  readonly rolledBack: number
  readonly skipped: RunFigures['skippedSteps']
  readonly retries: RunFigures['retries']
  /** completed / (completed + failed executions); null without either. */
  readonly successRate: number | null
  /** Of completed executions by the engine; manual steps are in `inputWait`. */
  readonly duration: Durations
  readonly approvals: ApprovalFigures
  readonly inputWait: Durations
}

/** How long was waited for somebody whom gates name: `alice`, `group:dba`. */
export interface WaitFigures {
  readonly who: string
  readonly wait: Durations
}

/** Who decided at gates, `user:alice`, `agent:bot`, `user:unverified`, and how long the gates had been open until then. */
export interface DeciderFigures extends WaitFigures {
  readonly approved: number
  readonly rejected: number
}

export interface MetricsReport {
  readonly days: MetricDays
  /** First and last UTC day; both count. */
  readonly from: string
  readonly to: string
  readonly sop: string | null
  /** Most that a quantile is off, as a share of the true value. */
  readonly quantileError: number
  /** All of the runs that were asked for. */
  readonly total: RunFigures
  /** One for each day, oldest first; also for those on which nothing happened. */
  readonly daily: readonly DayFigures[]
  /** Those with figures, most runs first. */
  readonly sops: readonly SopFigures[]
  /** Of the SOP that was asked for, by number; without one empty. */
  readonly steps: readonly StepFigures[]
  /** People and programs that decided at gates, longest waits first; at most 50, the rest as `other`. */
  readonly decidedBy: readonly DeciderFigures[]
  /** Whom gates named, longest waits first; a gate that names several counts for each. */
  readonly waitedFor: readonly WaitFigures[]
}

export interface ReportRequest {
  readonly days: MetricDays
  readonly sop?: string
  readonly nowMs: number
}

/** The first day that a report needs. */
export const firstDay = ({ days, nowMs }: Pick<ReportRequest, 'days' | 'nowMs'>): string => dayBefore(nowMs, days - 1)

/** The figures of the days up to now. `cells` may hold more than is asked for. */
export const metricsReport = (all: readonly Cell[], { days, sop, nowMs }: ReportRequest): MetricsReport => {
  const [from, to] = [firstDay({ days, nowMs }), dayBefore(nowMs, 0)]
  const cells = all.filter((cell) => cell.day >= from && cell.day <= to && (sop === undefined || cell.sop === sop))
  const ofSops = cells.filter(({ step }) => step === undefined)
  const total = sumOf(ofSops)
  const byDay = groupBy(ofSops, ({ day }) => day)
  const bySop = groupBy(ofSops, (cell) => cell.sop)
  const bySteps = groupBy(sop === undefined ? [] : cells, ({ step }) => step ?? 0)
  return {
    days,
    from,
    to,
    sop: sop ?? null,
    quantileError: QUANTILE_ERROR,
    total: runFigures(total),
    daily: Array.from({ length: days }, (_, index) => dayBefore(nowMs, days - 1 - index)).map((day) => ({
      day,
      ...runFigures(sumOf(byDay.get(day) ?? [])),
    })),
    sops: [...bySop]
      .map(([name, ofOne]) => ({ sop: name, ...runFigures(sumOf(ofOne)) }))
      .sort((a, b) => b.created - a.created || (a.sop < b.sop ? -1 : 1)),
    steps: [...bySteps]
      .filter(([step]) => step > 0)
      .sort(([a], [b]) => a - b)
      .map(([step, ofOne]) => stepFigures(step, sumOf(ofOne))),
    decidedBy: deciders(total),
    waitedFor: waits(total, 'for:'),
  }
}

/** What was added without what was taken back. */
export const sumOf = (cells: readonly Cell[]): Tally => {
  const sum = newTally()
  // By day, so that the title of a step is its newest.
  const inOrder = [...cells].sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0))
  for (const { tally, sign } of inOrder) addTally(sum, tally, sign)
  return sum
}

const durations = (sketch: Sketch): Durations => ({
  count: sketch.count,
  totalMs: Math.round(sketch.sumMs),
  p50Ms: quantileMs(sketch, 0.5) ?? null,
  p95Ms: quantileMs(sketch, 0.95) ?? null,
})

const rate = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)

const approvals = (tally: Tally): ApprovalFigures => {
  const of = (count: Count): number => countOf(tally, count)
  return {
    approved: of('gate_granted'),
    rejected: of('gate_rejected'),
    approvedByTimer: of('timer_approve'),
    rejectedByTimer: of('timer_reject') + of('timer_fail'),
    escalated: of('timer_escalate'),
    withdrawn: of('gate_withdrawn'),
    skipped: of('gate_skip_approval'),
    wait: durations(sketchIn(tally, 'approval_wait')),
  }
}

const skips = (tally: Tally): RunFigures['skippedSteps'] => ({
  byCondition: countOf(tally, 'skipped_by_condition'),
  byPerson: countOf(tally, 'skipped_by_person'),
  otherwise: countOf(tally, 'skipped_otherwise'),
})

const retries = (tally: Tally): RunFigures['retries'] => ({
  byEngine: countOf(tally, 'retry_by_engine'),
  byPerson: countOf(tally, 'retry_by_person'),
})

/** The figures of the runs in a sum. */
export const runFigures = (tally: Tally): RunFigures => {
  const of = (count: Count): number => countOf(tally, count)
  const time = (timing: Timing): Durations => durations(sketchIn(tally, timing))
  const [completed, failed, cancelled] = [of('completed'), of('failed'), of('cancelled')]
  const ended = completed + failed + cancelled
  return {
    created: of('created'),
    started: of('started'),
    completed,
    failed,
    cancelled,
    refused: of('refused'),
    successRate: rate(completed, completed + failed),
    elapsed: time('elapsed:completed'),
    working: time('working:completed'),
    approvals: approvals(tally),
    inputWait: time('input_wait'),
    paused: time('pause'),
    queued: time('queue'),
    skippedSteps: skips(tally),
    retries: retries(tally),
    people: {
      attended: of('attended'),
      attendedRate: rate(of('attended'), ended),
      unplanned: of('unplanned'),
      unplannedRate: rate(of('unplanned'), ended),
    },
    forced: of('forced'),
    approvalsSkipped: of('skip_approval'),
    reopened: of('reopened'),
  }
}

const stepFigures = (step: number, tally: Tally): StepFigures => {
  const of = (count: Count): number => countOf(tally, count)
  return {
    step,
    title: tally.title ?? '',
    started: of('step_started'),
    completed: of('step_completed'),
    failed: of('step_failed'),
    unknown: of('step_unknown'),
    rolledBack: of('step_rolled_back'),
    skipped: skips(tally),
    retries: retries(tally),
    successRate: rate(of('step_completed'), of('step_completed') + of('step_failed')),
    duration: durations(sketchIn(tally, 'step')),
    approvals: approvals(tally),
    inputWait: durations(sketchIn(tally, 'input_wait')),
  }
}

/** Most people that a report names. */
const MAX_WHO = 50

const waits = (tally: Tally, prefix: 'by:' | 'for:'): readonly WaitFigures[] => {
  const all = Object.entries(tally.times)
    .filter(([timing]) => timing.startsWith(prefix))
    .map(([timing, sketch]) => ({ who: timing.slice(prefix.length), sketch }))
    .sort((a, b) => b.sketch.sumMs - a.sketch.sumMs || (a.who < b.who ? -1 : 1))
  const shown = all.length > MAX_WHO ? all.slice(0, MAX_WHO - 1) : all
  const others = newTally()
  for (const { sketch } of all.slice(shown.length)) addTally(others, { counts: {}, times: { all: sketch } })
  const rest = others.times['all']
  return [...shown, ...(rest === undefined ? [] : [{ who: 'other', sketch: rest }])].map(({ who, sketch }) => ({
    who,
    wait: durations(sketch),
  }))
}

/** How those that `waits` names decided; what all the others did stands at the last one, `other`. */
const deciders = (tally: Tally): readonly DeciderFigures[] => {
  const named = waits(tally, 'by:')
  const names = new Set(named.map(({ who }) => who))
  const decided = (verdict: 'approved' | 'rejected', who: string): number =>
    Object.entries(tally.counts).reduce((sum, [key, count]) => {
      if (!key.startsWith(`${verdict}:`)) return sum
      const name = key.slice(verdict.length + 1)
      return name === who || (who === 'other' && !names.has(name)) ? sum + count : sum
    }, 0)
  return named.map(({ who, wait }) => ({
    who,
    approved: decided('approved', who),
    rejected: decided('rejected', who),
    wait,
  }))
}

const groupBy = <T, K>(all: readonly T[], keyOf: (each: T) => K): ReadonlyMap<K, readonly T[]> => {
  const groups = new Map<K, T[]>()
  for (const each of all) {
    const group = groups.get(keyOf(each))
    if (group === undefined) groups.set(keyOf(each), [each])
    else group.push(each)
  }
  return groups
}
