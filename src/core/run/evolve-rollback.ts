import type { EventType, RunEvent } from './event.ts'
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

const beyond = ({ failed: _f, allowed: _a, undoing: _u, ...asked }: Rollback): Rollback => ({
  ...asked,
  steps: (asked.steps ?? []).slice(1),
})

export const walkBegan = (run: Run, { details }: Of<'rollback_started'>): Run =>
  patchWalk(run, (asked) => ({ ...asked, steps: details.steps }))

export const rolledBack = (run: Run, event: Of<'step_rolled_back'>): Run =>
  patchWalk(
    patchStep(run, event.stepNumber, { state: 'rolled_back', undos: event.details.attempt, ran: undefined }),
    beyond,
  )

export const undoFailed = (run: Run, event: Of<'rollback_failed'>): Run =>
  patchWalk(patchStep(run, event.stepNumber, { undos: event.details.attempt }), ({ undoing: _, ...asked }) => ({
    ...asked,
    failed: event.details.error,
  }))

/** Somebody said to undo the step where the walk stands. */
export const undoAllowed = (run: Run, event: Of<'run_retried'>): Run =>
  patchWalk(unpaused(run, event.timestamp), ({ failed: _, ...asked }) => ({
    ...asked,
    ...(event.details.fromStep !== undefined && { allowed: event.details.fromStep }),
  }))

/** Somebody said to leave the step where the walk stands as it is. */
export const stepLeft = (run: Run, event: Of<'run_resumed'>): Run => patchWalk(unpaused(run, event.timestamp), beyond)

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
