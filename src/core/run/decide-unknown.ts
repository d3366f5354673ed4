import { stepOf } from './steps.ts'
import type { Step } from '../definition.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import { itRanAs } from './it-ran.ts'
import { refuse, type Sender } from './refuse.ts'
import type { Run, StepRun } from './run.ts'

// decide-unknown.ts: what `complete` means for a step of which nobody knows whether it ran: it ran. What the sender says
// it handed on becomes its outputs, and its verify commands still look whether that is true.

/** The unknown step that a `complete` means: the one it names, or the one that the run is paused for. */
export const unknownStep = (
  run: Run,
  decision: Decision,
): { readonly step: Step; readonly state: StepRun } | undefined => {
  const number = decision.step ?? (run.paused?.kind === 'unknown' ? run.paused.stepNumber : undefined)
  const state = run.steps.find((each) => each.number === number && each.state === 'unknown')
  const step = stepOf(run, state?.number)
  return step && state && { step, state }
}

/** "It ran", or with `failed` "it ran and failed". */
export const itRan = (
  run: Run,
  { step, state }: { readonly step: Step; readonly state: StepRun },
  decision: Decision,
  sender: Sender,
  at: string,
): Decided => {
  if (decision.attempt !== undefined && decision.attempt !== state.attempt) {
    const reason = `attempt ${decision.attempt} of step ${step.number} is over; it is at attempt ${state.attempt}`
    return refuse(decision, sender, { code: 'conflict', reason })
  }
  if (decision.item !== undefined) {
    const reason = `step ${step.number} has no checklist now: say whether it ran, retry or skip it`
    return refuse(decision, sender, { code: 'invalid', reason })
  }
  const durationMs = Math.max(0, Date.parse(state.endedAt ?? at) - Date.parse(state.startedAt ?? at))
  return itRanAs(run, { step, state, durationMs }, decision, sender, at)
}
