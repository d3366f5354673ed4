import { addSketch, EMPTY_SKETCH, type Sketch } from './sketch.ts'

// tally.ts: what is counted of runs and steps. Tallies add up, in any order and over any days, SOPs and processes.

/** What happens a number of times. */
export const COUNTERS = [
  'created',
  'started',
  // How a run ended. `refused` is a part of `cancelled`: never let in.
  'completed',
  'failed',
  'cancelled',
  'refused',
  // Of runs that ended: a person acted; a person had to act though no gate or manual step asked; started by force;
  // approvals were skipped at its start.
  'attended',
  'unplanned',
  'forced',
  'skip_approval',
  'reopened',
  'paused',
  // How gates closed. `withdrawn`: the run ended, went back or skipped the step meanwhile.
  'gate_granted',
  'gate_rejected',
  'gate_withdrawn',
  'gate_skip_approval',
  'timer_approve',
  'timer_reject',
  'timer_escalate',
  'timer_fail',
  // Executions of steps.
  'step_started',
  'step_completed',
  'step_failed',
  'step_unknown',
  'step_rolled_back',
  'skipped_by_condition',
  'skipped_by_person',
  'skipped_otherwise',
  'retry_by_engine',
  'retry_by_person',
] as const
export type Counter = (typeof COUNTERS)[number]

/** What takes time. `by:` and `for:` are the same waits for approval again, by who decided and whom the gate names. */
export type Timing =
  | `elapsed:${'completed' | 'failed' | 'cancelled'}`
  | `working:${'completed' | 'failed' | 'cancelled'}`
  | 'approval_wait'
  | 'input_wait'
  | 'pause'
  | 'queue'
  | 'step'
  | `by:${string}`
  | `for:${string}`

/** Counts of what people decided: `approved:user:alice`. And of triggers: `trigger:cron`. */
export type Count = Counter | `approved:${string}` | `rejected:${string}` | `trigger:${string}`

export interface Tally {
  readonly counts: Readonly<Record<string, number>>
  readonly times: Readonly<Record<string, Sketch>>
  /** Of a step, as it was last called. */
  readonly title?: string
}

export const countOf = (tally: Tally, count: Count): number => tally.counts[count] ?? 0
export const sketchIn = (tally: Tally, timing: Timing): Sketch => tally.times[timing] ?? EMPTY_SKETCH

/** A tally that grows. */
export interface GrowingTally {
  counts: Record<string, number>
  times: Record<string, Sketch>
  title?: string
}

export const newTally = (): GrowingTally => ({ counts: {}, times: {} })

/** Adds the tally to what grows; with `times` -1 it is taken out of it. */
export const addTally = (into: GrowingTally, tally: Tally, times: 1 | -1 = 1): void => {
  for (const [key, count] of Object.entries(tally.counts)) {
    const now = (into.counts[key] ?? 0) + times * count
    if (now === 0) delete into.counts[key]
    else into.counts[key] = now
  }
  for (const [key, sketch] of Object.entries(tally.times)) {
    const now = addSketch(into.times[key] ?? EMPTY_SKETCH, sketch, times)
    if (now.count === 0) delete into.times[key]
    else into.times[key] = now
  }
  if (tally.title !== undefined) into.title = tally.title
}
