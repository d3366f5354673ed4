import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type AdmissionState,
  type Admitted,
  MAX_WAITING,
  slotAnswer,
  type Waiting,
} from '../admission.ts'
import type { AdmissionVerdict } from '../run/input.ts'
import { blocksOf, coolUntil, coolingUntil, fullBlock, timeBlocks } from './block.ts'
import { grant, standings, wake } from './grant.ts'

// request.ts: what a run is answered that asks to be let in.

/** `arrival`: only the cooldown is looked at. With `coalesce` it waits at the slot instead, where the newest one stays. */
export const onArrival = (state: AdmissionState, request: AdmissionRequest, at: string): Admitted => {
  const { runId, sop } = request
  const until = coalesces(request) ? undefined : coolingUntil(state, request)
  const verdict: AdmissionVerdict =
    until === undefined
      ? { kind: 'admitted' }
      : { kind: 'refused', reason: `SOP "${sop}" cools down until ${until}`, notBefore: until }
  return answered(state, { runId, phase: 'arrival', verdict }, at)
}

/** `slot`: lets the run in, puts it into the queue, or refuses it. */
export const onSlot = (state: AdmissionState, request: AdmissionRequest, at: string): Admitted => {
  const { runId, turn = 0, notBefore } = request
  const held = state.holders.find((holder) => holder.runId === runId)
  // It was let in when a blackout had begun: it gives all back and waits for its end.
  if (held !== undefined && notBefore !== undefined && turn > (held.turn ?? 0)) {
    return queued({ ...state, holders: state.holders.filter((holder) => holder !== held) }, request, at)
  }
  if (held !== undefined && held.slot !== false) {
    const known = request.turn === undefined ? state : withTurn(state, runId, request.turn)
    return answered(known, slotAnswer(request, { kind: 'admitted' }), at)
  }
  return held === undefined ? queued(state, request, at) : queued(state, withoutLocks(request), at)
}

const answered = (state: AdmissionState, answer: AdmissionAnswer, at: string): Admitted => ({
  ...wake(state, at),
  state,
  answers: [answer],
})

const withTurn = (state: AdmissionState, runId: string, turn: number): AdmissionState => ({
  ...state,
  holders: state.holders.map((holder) => (holder.runId === runId ? { ...holder, turn } : holder)),
})

/** It kept them at the gate. */
const withoutLocks = ({ locks: _, ...request }: AdmissionRequest): AdmissionRequest => request

const queued = (state: AdmissionState, request: AdmissionRequest, at: string): Admitted => {
  const { runId } = request
  const refusal = refusalOf(state, request, at)
  if (refusal !== undefined) {
    return answered(state, slotAnswer(request, { kind: 'refused', reason: refusal }), at)
  }
  const known = state.waiting.some((waiting) => waiting.runId === runId)
  const merged = known ? { state, replaced: [] } : coalesced(state, request)
  if (merged.by !== undefined) {
    return answered(merged.state, slotAnswer(request, replacedBy(merged.by)), at)
  }
  const asked = known ? merged.state : enqueue(merged.state, request, at)
  const granted = grant(asked, at)
  const answers = [...merged.replaced, ...granted.answers]
  if (granted.answers.some((answer) => answer.runId === runId)) return { ...granted, answers }
  const verdict: AdmissionVerdict = { kind: 'queued', reason: waitReason(asked, request, at) }
  return { ...granted, answers: [...answers, slotAnswer(request, verdict)] }
}

const enqueue = (state: AdmissionState, request: AdmissionRequest, at: string): AdmissionState => {
  const waiting: Waiting = {
    ...request,
    order: state.nextOrder,
    ...(request.form !== undefined && { since: at }),
  }
  return { ...state, waiting: [...state.waiting, waiting], nextOrder: state.nextOrder + 1 }
}

/** Why it is not put into the queue. A run that began keeps its place in any case. */
const refusalOf = (state: AdmissionState, request: AdmissionRequest, at: string): string | undefined => {
  if (request.admission === 'reject' && request.begun !== true) {
    const full = fullBlock(state, request)
    if (request.form === undefined || full !== undefined) return full?.reason
    // A cooldown or a blackout passes by itself; what others have is what `reject` is about.
    if (timeBlocks(state, request, at).length > 0) return undefined
    return blocksOf(state, request, at)[0]?.reason ?? lockAhead(state, request, at)
  }
  if (request.form === undefined || request.begun === true || state.waiting.length < MAX_WAITING) return undefined
  return `${state.waiting.length} runs wait already, and no more than that may`
}

const lockAhead = (state: AdmissionState, request: AdmissionRequest, at: string): string | undefined =>
  standings(enqueue(state, request, at), at).find(({ waiting }) => waiting.runId === request.runId)?.blocks[0]?.reason

const coalesces = ({ admission, form, begun }: AdmissionRequest): boolean =>
  admission === 'coalesce' && form !== undefined && begun !== true

interface Coalesced {
  readonly state: AdmissionState
  /** What those are told that the newer run replaces. */
  readonly replaced: readonly AdmissionAnswer[]
  /** A waiting run with a later trigger, which replaces the one that asks. */
  readonly by?: string
}

/** Of the waiting runs of an SOP only the one with the newest trigger stays; of two alike the one that came later. */
const coalesced = (state: AdmissionState, request: AdmissionRequest): Coalesced => {
  if (!coalesces(request)) return { state, replaced: [] }
  const older = state.waiting.filter((waiting) => waiting.sop === request.sop && coalesces(waiting))
  const newer = older.find((waiting) => Date.parse(waiting.triggeredAt) > Date.parse(request.triggeredAt))
  if (newer !== undefined) return { state, replaced: [], by: newer.runId }
  return {
    state: { ...state, waiting: state.waiting.filter((waiting) => !older.includes(waiting)) },
    replaced: older.map((waiting) => slotAnswer(waiting, replacedBy(request.runId))),
  }
}

const replacedBy = (runId: string): AdmissionVerdict => ({
  kind: 'refused',
  reason: `the newer run "${runId}" takes its place`,
  replacedBy: runId,
})

/** The first thing that it waits for, as a sentence. */
const waitReason = (state: AdmissionState, request: AdmissionRequest, at: string): string => {
  const full = fullBlock(state, request)
  if (full !== undefined) return full.reason
  // A cooldown that ended while others were before it.
  const until = coolUntil(state, request)
  if (request.form === undefined) {
    const cooling = coolingUntil(state, request)
    return cooling !== undefined && Date.parse(cooling) > Date.parse(at)
      ? `SOP "${request.sop}" cools down until ${until}`
      : 'others wait for a slot before it'
  }
  const standing = standings(state, at).find(({ waiting }) => waiting.runId === request.runId)
  return standing?.blocks[0]?.reason ?? 'others wait for a slot before it'
}
