import { stepOf } from './steps.ts'
import type { EventDraft, RunEvent } from './event.ts'
import type { Principal } from './principal.ts'
import type { Run } from './run.ts'

// ended-outside.ts: what the record says of a run that Temporal ended and not its rules: a terminate, a timeout of the
// execution, a failure of the workflow itself. Workflow code never runs again then, so that somebody else has to say it.

/** How Temporal closed an execution, as its last event has it. */
export interface OutsideEnd {
  readonly kind: 'terminated' | 'timed_out' | 'failed' | 'cancelled'
  /** ISO-8601 UTC. */
  readonly at: string
  /** Who asked for it, as Temporal has it: nobody vouches for that. */
  readonly by?: string
  readonly reason?: string
}

/**
 * The events that end the record of a run truthfully. They depend on nothing but the arguments, so that whoever says them
 * a second time says the same. None where the record has an end already.
 */
export const endedOutside = (run: Run, end: OutsideEnd): readonly RunEvent[] => {
  if (run.outcome !== undefined) return []
  const principal: Principal = { id: end.by ?? 'temporal', kind: 'user', verified: false }
  const sender = { principal, via: 'temporal' } as const
  const drafts: readonly EventDraft[] = [
    ...underWay(run, end).map((draft) => ({ ...draft, ...sender })),
    last(end, sender),
  ]
  return drafts.map(({ eventType, stepNumber, details, ...rest }, index) => ({
    sequence: run.sequence + 1 + index,
    timestamp: end.at,
    eventType,
    runId: run.seed.runId,
    ...(stepNumber !== undefined && { stepNumber }),
    ...rest,
    details,
  })) as readonly RunEvent[]
}

type Sender = { readonly principal: Principal; readonly via: 'temporal' }

const last = (end: OutsideEnd, sender: Sender): EventDraft => {
  const details = { reason: reasonOf(end) }
  return end.kind === 'terminated' || end.kind === 'cancelled'
    ? { eventType: 'run_cancelled', ...sender, details }
    : { eventType: 'run_failed', ...sender, details }
}

const reasonOf = ({ kind, by, reason }: OutsideEnd): string => {
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`
  const who = by === undefined || by === '' ? '' : ` by ${by}`
  switch (kind) {
    case 'terminated':
      return `terminated in Temporal${who}${why}`
    case 'cancelled':
      return `cancelled in Temporal${who}${why}`
    case 'timed_out':
      return `ended by Temporal: the time for its execution was over${why}`
    case 'failed':
      return `its workflow failed in Temporal${why}`
  }
}

/** How far a command came that was under way, nobody knows. */
const underWay = (run: Run, { kind }: OutsideEnd): readonly Omit<EventDraft<'step_unknown'>, 'principal' | 'via'>[] =>
  run.steps
    .filter(({ state }) => state === 'running')
    .flatMap(({ number, attempt }) => {
      const step = stepOf(run, number)
      if (step?.action.kind !== 'shell' && step?.action.kind !== 'http') return []
      const error = kind === 'terminated' ? 'its run was terminated while it ran' : 'its run ended while it ran'
      return [
        { eventType: 'step_unknown' as const, stepNumber: number, details: { title: step.title, attempt, error } },
      ]
    })
