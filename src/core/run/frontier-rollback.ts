import { stepOf, stepRunOf } from './steps.ts'
import { allChildTimers } from './child-timeout.ts'
import type { EventDraft } from './event.ts'
import type { Timer, Work } from './effect.ts'
import { ENGINE } from './principal.ts'
import { formatDuration } from '../duration.ts'

import { areItemsUndone, stopReason, undoWork, walkOf } from './rollback.ts'
import type { Run } from './run.ts'
import { boundary } from './stage.ts'
import { runningWorks, wantedWorks } from './works.ts'

// frontier-rollback.ts: what the walk back calls for. No step begins any more, and the time limit of the run is off.

type Rollback = NonNullable<Run['rollback']>

type Stop = { readonly next: EventDraft } | { readonly works: readonly Work[]; readonly timers: readonly Timer[] }

const waiting = (works: readonly Work[], timers: readonly Timer[] = []): Stop => ({ works, timers })

export const rollback = (run: Run, asked: Rollback): Stop => {
  if (run.paused !== undefined) return waiting(wantedWorks(run), allChildTimers(run))
  if (asked.steps === undefined) return begin(run, asked)
  const [number] = asked.steps
  if (number === undefined) return { next: end(asked, asked.reason) }
  const reason = stopReason(run, number)
  if (reason === undefined && areItemsUndone(run, number)) return { next: itemsUndone(run, number, asked) }
  if (run.pauseRequested !== undefined && asked.undoing !== true) return boundary(run.pauseRequested)
  if (reason === undefined) return waiting(undoWork(run))
  const { by, via } = asked
  const details = { kind: 'rollback' as const, reason }
  return { next: { eventType: 'run_paused', stepNumber: number, principal: by, via, details } }
}

/** A `for_each` step as a whole, once each of its items was undone, or left as it is. */
const itemsUndone = (run: Run, number: number, { undoMs = 0 }: Rollback): EventDraft => {
  const state = stepRunOf(run, number)
  return {
    eventType: 'step_rolled_back',
    stepNumber: number,
    principal: ENGINE,
    via: 'engine',
    details: {
      title: stepOf(run, number)?.title ?? '',
      attempt: (state?.undos ?? 0) + 1,
      duration: formatDuration(undoMs),
      duration_ms: undoMs,
      items: state?.items?.runs.filter((item) => item.state === 'rolled_back').length ?? 0,
    },
  }
}

/**
 * The walk begins once nothing is under way. A cancel and a timeout end what runs; a failure and a rejection let it come
 * to its end, so that it can be undone like the rest.
 */
const begin = (run: Run, asked: Rollback): Stop => {
  const left = waitingStep(run)
  if (left !== undefined) return { next: left }
  const works = runningWorks(run)
  if (works.length > 0)
    return asked.because === 'cancel' || asked.because === 'timeout'
      ? waiting([])
      : waiting(wantedWorks(run), allChildTimers(run))
  const steps = walkOf(run)
  if (steps.length === 0) return { next: end(asked, `${asked.reason}; there was nothing to roll back`) }
  const { because, reason, then, by, via } = asked
  const details = { because, reason, then, steps }
  return { next: { eventType: 'rollback_started', principal: by, via, details } }
}

/** What waits for a person or for a time is left; a check that is under way afterwards is not. */
const waitingStep = (run: Run): EventDraft | undefined => {
  const { steps } = run.seed.pinned.definition
  const index = run.steps.findIndex(
    ({ state, verification }, at) =>
      state === 'awaiting_input' ||
      (state === 'running' && verification === undefined && steps[at]?.action.kind === 'wait'),
  )
  const step = steps[index]
  if (step === undefined) return undefined
  return {
    eventType: 'step_skipped',
    stepNumber: step.number,
    principal: ENGINE,
    via: 'engine',
    details: { title: step.title, reason: 'the run is rolled back', cutOff: true },
  }
}

const end = ({ then, stepNumber, by, via }: Rollback, reason: string): EventDraft => {
  const from = { ...(stepNumber !== undefined && { stepNumber }), principal: by, via }
  return then === 'cancelled'
    ? { eventType: 'run_cancelled', ...from, details: { reason } }
    : { eventType: 'run_failed', ...from, details: { reason } }
}
