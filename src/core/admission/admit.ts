import type { AdmissionInput, AdmissionState, Admitted } from '../admission.ts'
import { grant, wake } from './grant.ts'
import { onArrival, onSlot } from './request.ts'

/**
 * Applies one input to the state of admission. Pure: `at` is the only clock.
 *
 * Requests without `form` come from runs that began under older rules, and stand in histories: their answers, word for
 * word, stay what they were.
 */
export const admit = (state: AdmissionState, input: AdmissionInput, at: string): Admitted => {
  switch (input.kind) {
    case 'request':
      return input.request.phase === 'arrival' ? onArrival(state, input.request, at) : onSlot(state, input.request, at)
    case 'release':
      return grant(
        {
          ...state,
          holders: state.holders.filter((holder) => holder.runId !== input.runId),
          waiting: state.waiting.filter((waiting) => waiting.runId !== input.runId),
        },
        at,
      )
    case 'yield':
      return yielded(state, input, at)
    case 'wake':
      return grant(state, at)
  }
}

/** One that was overtaken by the run's next request for a slot comes too late. */
const yielded = (
  state: AdmissionState,
  { runId, turn }: Extract<AdmissionInput, { kind: 'yield' }>,
  at: string,
): Admitted => {
  const held = state.holders.find((holder) => holder.runId === runId)
  if (held === undefined || held.slot === false || (held.turn ?? 0) > turn)
    return { ...wake(state, at), state, answers: [] }
  const holders =
    held.locks === undefined
      ? state.holders.filter((holder) => holder !== held)
      : state.holders.map((holder) => (holder === held ? { ...held, slot: false as const } : holder))
  return grant({ ...state, holders }, at)
}
