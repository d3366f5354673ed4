import { formatDuration } from '../duration.ts'
import { allChildTimers } from './child-timeout.ts'
import type { Timer, Work } from './effect.ts'
import type { EventDraft } from './event.ts'
import { arrival, begin, slot, start } from './frontier-entry.ts'
import { allGates } from './frontier-gate.ts'
import { blackout } from './frontier-blackout.ts'
import { endOf } from './frontier-items.ts'
import { rollback } from './frontier-rollback.ts'
import { withSlot } from './frontier-slot.ts'
import { steps, waitTimers } from './frontier-step.ts'
import { runGates } from './gates.ts'
import { hasBranches } from './graph.ts'
import type { Run, StepRun } from './run.ts'
import { emit, firstOf, plus, type Stage, type Waits } from './stage.ts'
import { runningWorks, wantedWorks } from './works.ts'

// frontier.ts: what a state calls for. Either the next event follows by itself, or the run waits for work and timers.
// Nothing here remembers anything: asked twice, it answers the same.

/** The next event, or what the run waits for. */
export type Frontier =
  | { readonly next: EventDraft }
  | { readonly next?: undefined; readonly works: readonly Work[]; readonly timers: readonly Timer[] }

/** What the run calls for at the instant `at` (ISO-8601). */
export const frontier = (run: Run, at: string): Frontier => {
  if (run.outcome !== undefined || run.sequence === 0) return { works: [], timers: [] }
  if (run.ending !== undefined) return ending(run, run.ending, at)
  if (run.rollback !== undefined) return itemsEnded(run, at) ?? rollback(run, run.rollback)
  const stage = withSlot(run, run.paused === undefined ? way(run, at) : standing(run))
  if (stage !== undefined && 'next' in stage) {
    return isEnd(stage.next) && runningWorks(run).length > 0 ? { works: [], timers: [] } : stage
  }
  const waits: Waits = stage ?? {}
  return { works: waits.works ?? [], timers: [...(waits.timers ?? []), ...runTimer(run)] }
}

const way = (run: Run, at: string): Stage =>
  firstOf(
    () => arrival(run, at),
    () => start(run, at),
    () => slot(run),
    () => blackout(run, 'begin', at),
    () => (run.startedAt === undefined ? begin(run) : undefined),
    () => allGates(run, runGates(run.seed.pinned.definition, 'start'), at),
    () => steps(run, at),
    () => allGates(run, runGates(run.seed.pinned.definition, 'end'), at),
    () => complete(run, at),
  )

/** A paused run: what is under way goes on to its end, and nothing new begins. */
const standing = (run: Run): Waits => {
  const limits = allChildTimers(run)
  const waits = hasBranches(run.seed.pinned.definition) ? waitTimers(run) : []
  return { works: wantedWorks(run), timers: [...waits, ...limits] }
}

const isEnd = ({ eventType }: EventDraft): boolean => eventType === 'run_failed' || eventType === 'run_cancelled'

/** Nothing new begins; what is under way is ended first, so that a closed run has no process left. */
const ending = (run: Run, { state, reason, by, via, stepNumber }: NonNullable<Run['ending']>, at: string): Frontier => {
  if (runningWorks(run).length > 0) return { works: [], timers: [] }
  const items = itemsEnded(run, at)
  if (items !== undefined) return items
  const step = stepNumber === undefined ? {} : { stepNumber }
  return state === 'cancelled'
    ? { next: { eventType: 'run_cancelled', ...step, principal: by, via, details: { reason } } }
    : { next: { eventType: 'run_failed', ...step, principal: by, via, details: { reason } } }
}

/** A `for_each` step whose items were ended, or came to their end, is told as failed before the run goes its way. */
const itemsEnded = (run: Run, at: string): { readonly next: EventDraft } | undefined => {
  const index = run.steps.findIndex((state) => state.state === 'running' && state.items !== undefined)
  const [state, step] = [run.steps[index], run.seed.pinned.definition.steps[index]]
  if (state?.items === undefined || step === undefined || runningWorks(run).length > 0) return undefined
  const end = endOf(run, step, state, state.items, at)
  return end !== undefined && 'next' in end ? end : undefined
}

const runTimer = (run: Run): readonly Timer[] => {
  const { timeoutMs } = run.seed.pinned.definition
  if (timeoutMs === undefined || run.startedAt === undefined) return []
  // A run that was opened again gets its time anew.
  const since = run.reopened?.at ?? run.startedAt
  return [{ id: 'run', at: plus(since, timeoutMs), summary: 'Time for the whole run' }]
}

const complete = (run: Run, at: string): Stage => {
  const durationMs = Date.parse(at) - Date.parse(run.startedAt ?? at)
  const count = (state: StepRun['state']): number => run.steps.filter((step) => step.state === state).length
  return emit({
    eventType: 'run_completed',
    details: {
      duration: formatDuration(durationMs),
      duration_ms: durationMs,
      stepsCompleted: count('success'),
      stepsSkipped: count('skipped'),
    },
  })
}
