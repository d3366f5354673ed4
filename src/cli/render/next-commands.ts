import { isClosed } from '../../core/run/state.ts'
import type { RunView, StepView } from '../../core/run/view.ts'
import type { PauseView } from '../../core/run/view-pause.ts'
import { sopCommand } from './shell-word.ts'

/** What can be done about a run, as commands to copy: what it waits for first, then what ends its pause. */
export const nextCommands = (run: RunView): readonly string[] => {
  if (isClosed(run.status)) return ofClosed(run)
  // Decisions about gates and steps are refused while the run is paused.
  if (run.paused !== undefined) return ofPause(run, run.paused)
  const several = run.openGates.length > 1
  const gates = run.openGates.flatMap((gate) => {
    const which = several ? ['--gate', gate.gate] : []
    return [
      `Approve: ${sopCommand('approve', run.runId, ...which)}`,
      `Reject:  ${sopCommand('reject', run.runId, ...which, '--reason', '...')}`,
    ]
  })
  const inputs = run.openInputs.map(
    ({ stepNumber }) => `Complete: ${sopCommand('complete', run.runId, String(stepNumber))}`,
  )
  return [...gates, ...inputs]
}

const ofClosed = ({ status, runId }: RunView): readonly string[] =>
  status === 'failed' ? [`See why: ${sopCommand('logs', runId)}`, `Go on with it: ${sopCommand('retry', runId)}`] : []

/** Of several items of which nobody knows, an answer has to name the one that it is about. */
const itemOf = (step: StepView | undefined): readonly string[] => {
  const unknown = step?.items?.shown.filter(({ status }) => status === 'unknown') ?? []
  return unknown[0] === undefined || unknown.length === 1 ? [] : ['--item', String(unknown[0].item)]
}

/** A retry of the step would do all of the SOP again that it runs; that one can be retried by itself. */
const childOf = (step: StepView | undefined): readonly string[] =>
  step?.child === undefined ? [] : [`Retry only what failed in it: ${sopCommand('retry', step.child)}`]

const ofPause = ({ runId, stepResults }: RunView, { kind, stepNumber }: PauseView): readonly string[] => {
  const stopped = stepResults.find(({ number }) => number === stepNumber)
  const item = itemOf(stopped)
  const step = stepNumber === undefined || stepNumber === 0 ? [] : [String(stepNumber)]
  const why = `See why: ${sopCommand('logs', runId, ...step.flatMap((number) => ['--step', number]))}`
  const retry = `Retry:   ${sopCommand('retry', runId)}`
  const skip = step.length === 0 ? [] : [`Skip it: ${sopCommand('skip', runId, ...step)}`]
  const end = `End it:  ${sopCommand('cancel', runId)}`
  switch (kind) {
    case 'requested':
      return [`Resume:  ${sopCommand('resume', runId)}`, end]
    case 'rejected':
      return [`Ask again: ${sopCommand('retry', runId)}`, ...skip, end]
    case 'failed':
      return [why, ...childOf(stopped), retry, ...skip, end]
    case 'condition':
      return [retry, ...skip, end]
    case 'unknown':
      return [
        why,
        `It ran:  ${sopCommand('resolve', runId, ...step, ...item, '--ran')}`,
        `It did not: ${sopCommand('resolve', runId, ...step, ...item, '--did-not-run')}`,
        `Again in any case: ${sopCommand('resolve', runId, ...step, ...item, '--retry')}`,
        ...skip,
        end,
      ]
    case 'rollback':
      return [
        `See why: ${sopCommand('logs', runId, ...step.flatMap((number) => ['--step', number]), '--source', 'rollback')}`,
        `Undo it: ${sopCommand('retry', runId)}`,
        ...(step.length === 0 ? [] : [`Leave it: ${sopCommand('skip', runId, ...step)}`]),
        `End it here: ${sopCommand('cancel', runId)}`,
      ]
    default:
      return kind satisfies never
  }
}
