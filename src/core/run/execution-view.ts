import { logNameOf } from '../log-name.ts'
import type { ExecutableId } from './task.ts'
import type { StepState } from './state.ts'
import type { RunView, StepView } from './view.ts'

// execution-view.ts: what a view of a run says of one execution in it. A view may be a moment old and shows only the first
// items of a step; where it does not tell, the answer is the one by which nothing is ended or cut off too early.

/** One execution of an executable: the command that ran, or the log that it wrote. */
export interface ExecutionRef {
  readonly executableId: ExecutableId
  readonly attempt: number
}

type Steps = Pick<RunView, 'stepResults'>

/** Whether views say anything of such an execution at all: of gates and undos they do not say which attempt is under way. */
export const isInViews = ({ executableId }: Pick<ExecutionRef, 'executableId'>): boolean =>
  /^(?:step|verify):/.test(executableId)

/** Whether an open run still waits for the command. One for which nobody waits is ended. */
export const isStillWanted = ({ stepResults }: Steps, ref: ExecutionRef): boolean => {
  const { stepNumber, item, attempt } = logNameOf(ref)
  const step = stepResults.find(({ number }) => number === stepNumber)
  if (!isInViews(ref) || step === undefined) return true
  if (item === undefined) return step.status === 'running' && step.attempt === attempt
  const shown = step.items?.shown.find((each) => each.item === item)
  return step.status === 'running' && (shown === undefined || (shown.status === 'running' && shown.attempt === attempt))
}

/**
 * Whether the step's execution that wrote the log is over, so that nothing is added to it. The view says nothing of a later
 * attempt than its own; and a step is undone while it stands there as done.
 */
export const isLogOver = ({ stepResults }: Steps, log: ExecutionRef): boolean => {
  const { stepNumber, item, attempt } = logNameOf(log)
  const step = stepResults.find(({ number }) => number === stepNumber)
  if (!isInViews(log) || step === undefined) return false
  // Attempts of items are counted for each of them; the view does not tell of all.
  if (item !== undefined) return step.status !== 'running' && step.status !== 'pending'
  return step.attempt > attempt || (step.attempt === attempt && step.status !== 'running')
}

const ENDED: readonly StepState[] = ['success', 'failed', 'skipped', 'unknown', 'rolled_back']

/** Whether the step is over as it stands; it may be tried again. */
export const hasEnded = ({ status }: Pick<StepView, 'status'>): boolean => ENDED.includes(status)

/** Whether the step was under way at some time, so that it may have a log. */
export const hasBegun = ({ status }: Pick<StepView, 'status'>): boolean =>
  status !== 'pending' && status !== 'awaiting_approval' && status !== 'skipped'
