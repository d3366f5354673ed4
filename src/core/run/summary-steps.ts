import type { RunEvent } from './event.ts'
import type { SummaryState } from './summary-state.ts'

// summary-steps.ts: which steps of a run are under way, are settled, or wait for a worker, as its line in a list has to know.

/** The first step that is not settled. Numbers count without gaps as a rule; where they do not, the next event tells. */
export const currentStepOf = ({ startedAt, unsettled, settledTo, totalSteps, undo }: SummaryState): number | null => {
  if (startedAt === undefined) return null
  if (undo?.[0] !== undefined) return undo[0]
  const known = Math.min(...unsettled, settledTo < totalSteps ? settledTo + 1 : Number.POSITIVE_INFINITY)
  return Number.isFinite(known) ? known : null
}

/** What is under way when a run ends is passed over; what failed and was to be tried again has failed. */
export const cutOff = ({ active, retrying = [] }: SummaryState): readonly number[] =>
  active.filter((step) => !retrying.includes(step))

const without = (numbers: readonly number[], step: number | undefined): readonly number[] =>
  numbers.filter((other) => other !== step)

/** The run came to the step. */
export const reached = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined || step === 0 ? state : { ...state, unsettled: [...without(state.unsettled, step), step] }

/** The step is under way. */
export const begun = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined
    ? state
    : { ...reached(triedAgain(state, step), step), active: [...without(state.active, step), step] }

/** The step asked a person for something. */
export const asks = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined ? state : { ...state, asked: [...without(state.asked ?? [], step), step] }

/** What the step asked for is there. */
export const answered = (state: SummaryState, step: number | undefined): SummaryState =>
  state.asked === undefined ? state : { ...state, asked: without(state.asked, step) }

const triedAgain = ({ retrying = [], ...state }: SummaryState, step: number): SummaryState => {
  const others = without(retrying, step)
  return others.length === 0 ? state : { ...state, retrying: others }
}

/** The step is under way no more; whether it is settled is another matter. */
export const ended = (state: SummaryState, step: number | undefined): SummaryState => ({
  ...waitsKept(state, (_, wait) => wait.step !== step),
  active: without(state.active, step),
})

type Waits = NonNullable<SummaryState['waits']>

/** The works that wait for a worker, and their pools as everybody sees them. */
export const waiting = ({ waits: _w, poolWaits: _p, ...state }: SummaryState, waits: Waits): SummaryState => {
  const pools = [...new Set(Object.values(waits).map(({ pool }) => pool))].sort()
  return pools.length === 0 ? state : { ...state, waits, poolWaits: pools }
}

/** Of the works that wait, those that still do. */
export const waitsKept = (
  state: SummaryState,
  isKept: (workId: string, wait: Waits[string]) => boolean,
): SummaryState =>
  state.waits === undefined
    ? state
    : waiting(state, Object.fromEntries(Object.entries(state.waits).filter(([id, wait]) => isKept(id, wait))))

/** The step is done, skipped, or failed and passed over. */
export const settled = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined ? state : { ...state, unsettled: without(state.unsettled, step), ...settledTo(state, step) }

const settledTo = (state: SummaryState, step: number): Pick<SummaryState, 'settledTo' | 'beyond'> => {
  if (state.beyond === undefined) return { settledTo: Math.max(state.settledTo, step) }
  const settledNumbers = new Set([...state.beyond, step])
  let to = state.settledTo
  while (settledNumbers.delete(to + 1)) to += 1
  return { settledTo: to, beyond: [...settledNumbers].filter((number) => number > to) }
}

/** The step failed; what follows says whether it is open still, settled, or an earlier one is done again. */
export const stepFailed = (state: SummaryState, event: RunEvent<'step_failed'>): SummaryState => {
  const { then, goto, again } = event.details
  if (then === 'retry' && event.stepNumber !== undefined) {
    const kept = waitsKept(state, (_, wait) => wait.step !== event.stepNumber)
    return { ...kept, retrying: [...without(kept.retrying ?? [], event.stepNumber), event.stepNumber] }
  }
  const after = ended(state, event.stepNumber)
  if (then === 'continue') return settled(after, event.stepNumber)
  if (then !== 'goto' || goto === undefined) return after
  if (after.beyond !== undefined)
    return again === undefined ? settled(after, event.stepNumber) : doneAgain(after, again)
  return {
    ...after,
    unsettled: after.unsettled.filter((step) => step < goto && step !== event.stepNumber),
    settledTo: goto - 1,
  }
}

/** With branches only the steps on the way back are open again; the others stay as they are. */
export const doneAgain = (state: SummaryState, again: readonly number[]): SummaryState => {
  const first = Math.min(...again)
  const prefix = Array.from({ length: Math.max(0, state.settledTo - first + 1) }, (_, index) => first + index)
  const beyond = [...prefix, ...(state.beyond ?? [])].filter((number) => !again.includes(number))
  return {
    ...state,
    unsettled: state.unsettled.filter((step) => !again.includes(step)),
    settledTo: Math.min(state.settledTo, first - 1),
    beyond,
  }
}
