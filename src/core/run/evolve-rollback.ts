import type { EventType, RunEvent } from './event.ts'
import { patchItem } from './evolve-items.ts'
import { unpaused } from './evolve-run.ts'
import { patch, patchGate, patchStep } from './patch.ts'
import { undoWork } from './rollback.ts'
import type { Run, StepRun } from './run.ts'

// evolve-rollback.ts: what the events of a walk back mean for a run.

type Of<T extends EventType> = RunEvent<T>
type Rollback = NonNullable<Run['rollback']>

/** From now on nothing begins: gates close, and what was to be tried again is not. */
export const rollBack = (run: Run, event: RunEvent, asked: Pick<Rollback, 'because' | 'reason' | 'then'>): Run => {
  const { pauseRequested, ...halted } = halt(unpaused(run, event.timestamp))
  return {
    ...halted,
    ...(pauseRequested !== undefined && asked.because !== 'cancel' && { pauseRequested }),
    rollback: {
      ...asked,
      ...(event.stepNumber !== undefined && { stepNumber: event.stepNumber }),
      by: event.principal,
      via: event.via,
    },
  }
}

const halt = (run: Run): Run => {
  const open = Object.values(run.gates).filter((gate) => gate.state === 'open')
  const closed = open.reduce(
    (now, { id }) => patchGate(now, id, { state: 'closed', deadlineAt: undefined, remindAt: undefined }),
    run,
  )
  return { ...closed, steps: closed.steps.map(left), facts: {} }
}

const left = (step: StepRun): StepRun => {
  if (step.state === 'awaiting_approval') return patch(step, { state: 'pending' })
  return step.then === 'retry' ? patch(step, { then: 'fail', retryAt: undefined }) : step
}

const patchWalk = (run: Run, change: (asked: Rollback) => Rollback): Run =>
  run.rollback === undefined ? run : { ...run, rollback: change(run.rollback) }

/** The walk at the next item of the same step. */
const nextItem = ({ failed: _f, allowedItem: _i, undoing: _u, ...asked }: Rollback): Rollback => asked

const beyond = (at: Rollback): Rollback => {
  const { allowed: _a, undoMs: _m, ...asked } = nextItem(at)
  return { ...asked, steps: (asked.steps ?? []).slice(1) }
}

export const walkBegan = (run: Run, { details }: Of<'rollback_started'>): Run =>
  patchWalk(run, (asked) => ({ ...asked, steps: details.steps }))

export const rolledBack = (run: Run, event: Of<'step_rolled_back'>): Run => {
  const { item, attempt } = event.details
  return item === undefined
    ? patchWalk(patchStep(run, event.stepNumber, { state: 'rolled_back', undos: attempt, ran: undefined }), beyond)
    : itemRolledBack(run, event, item)
}

const itemRolledBack = (run: Run, { stepNumber, details }: Of<'step_rolled_back'>, item: number): Run => {
  const undone = { state: 'rolled_back', undos: details.attempt, ran: undefined, outputs: undefined } as const
  const { rollback, ...rest } = patchItem(run, stepNumber, item, undone)
  // A run that ends undoes no other item.
  if (rollback === undefined || run.ending !== undefined) return rest
  return { ...rest, rollback: { ...nextItem(rollback), undoMs: (rollback.undoMs ?? 0) + details.duration_ms } }
}

export const undoFailed = (run: Run, event: Of<'rollback_failed'>): Run => {
  const { item, attempt, error } = event.details
  const counted =
    item === undefined
      ? patchStep(run, event.stepNumber, { undos: attempt })
      : patchItem(run, event.stepNumber, item, { undos: attempt })
  return patchWalk(counted, ({ undoing: _, ...asked }) => ({ ...asked, failed: error }))
}

/** Somebody said to undo the step where the walk stands. */
export const undoAllowed = (run: Run, { timestamp, details: { fromStep, item } }: Of<'run_retried'>): Run =>
  patchWalk(unpaused(run, timestamp), ({ failed: _, ...asked }) => ({
    ...asked,
    ...(item !== undefined ? { allowedItem: item } : fromStep !== undefined && { allowed: fromStep }),
  }))

/** Somebody said to leave the step where the walk stands as it is. */
export const stepLeft = (run: Run, { timestamp, details }: Of<'run_resumed'>): Run => {
  const { leaves, item, passes } = details
  const goesOn = unpaused(run, timestamp)
  if (item === undefined) return patchWalk(goesOn, beyond)
  return patchWalk(patchItem(goesOn, leaves, item, { isLeft: true }), passes === true ? beyond : nextItem)
}

/** A pause that was asked for while an undo runs comes after it. */
export const pauseAfterUndo = (run: Run): Run =>
  undoWork(run).length === 0 ? run : patchWalk(run, (asked) => ({ ...asked, undoing: true }))

/** A cancel ends the walk where it stands; an undo that is under way has to end first. */
export const walkEnds = (run: Run): Run => {
  const { rollback, ...rest } = run
  const [work] = undoWork(run)
  if (rollback === undefined || work === undefined) return rest
  return { ...run, rollback: { ...rollback, steps: (rollback.steps ?? []).slice(0, 1) } }
}
