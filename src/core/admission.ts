import type { AdmissionVerdict } from './run/input.ts'

// admission.ts: who may run now. One durable place decides about cooldowns and slots for all surfaces (product.md 5);
// these are its rules, pure, and `workflows/admission.ts` carries them out.

/** What a run asks for. `arrival` asks about the cooldown only; `slot` asks to run. */
export interface AdmissionRequest {
  readonly runId: string
  readonly sop: string
  readonly phase: 'arrival' | 'slot'
  /** Nominal time of the trigger, ISO-8601: cooldowns run from trigger to trigger (rulings 24). */
  readonly triggeredAt: string
  /** 1 is first. */
  readonly priority: number
  readonly cooldownMs: number
  readonly maxConcurrent?: number
  /** Limit for all SOPs together. */
  readonly maxTotal?: number
  /** `reject` refuses where the others queue. */
  readonly admission: string
  readonly force?: boolean
}

interface Holder {
  readonly runId: string
  readonly sop: string
}
interface Waiting extends AdmissionRequest {
  readonly order: number
}

export interface AdmissionState {
  readonly holders: readonly Holder[]
  readonly waiting: readonly Waiting[]
  /** Trigger time of the last run of an SOP that got a slot. */
  readonly lastTriggeredAt: Readonly<Record<string, string>>
  readonly nextOrder: number
}

export const EMPTY_ADMISSION: AdmissionState = { holders: [], waiting: [], lastTriggeredAt: {}, nextOrder: 1 }

export type AdmissionInput =
  | { readonly kind: 'request'; readonly request: AdmissionRequest }
  /** The run is over, or gone: its slot is free and its place in the queue void. */
  | { readonly kind: 'release'; readonly runId: string }
  | { readonly kind: 'wake' }

export interface AdmissionAnswer {
  readonly runId: string
  readonly phase: 'arrival' | 'slot'
  readonly verdict: AdmissionVerdict
}

export interface Admitted {
  readonly state: AdmissionState
  readonly answers: readonly AdmissionAnswer[]
  /** When the next cooldown ends that somebody waits for. */
  readonly wakeAt?: string
}

/** Applies one input. Pure: `at` is the only clock. */
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
    case 'wake':
      return grant(state, at)
  }
}

/** When the cooldown is over for this request; `undefined` where nothing cools down. Equal is enough (rulings 24). */
const coolUntil = (state: AdmissionState, { sop, cooldownMs, force }: AdmissionRequest): string | undefined => {
  const last = state.lastTriggeredAt[sop]
  if (force === true || cooldownMs === 0 || last === undefined) return undefined
  return new Date(Date.parse(last) + cooldownMs).toISOString()
}

const isCooling = (state: AdmissionState, request: AdmissionRequest): boolean => {
  const until = coolUntil(state, request)
  return until !== undefined && Date.parse(request.triggeredAt) < Date.parse(until)
}

const onArrival = (state: AdmissionState, request: AdmissionRequest, at: string): Admitted => {
  const { runId, sop } = request
  const until = coolUntil(state, request)
  const verdict: AdmissionVerdict =
    isCooling(state, request) && until !== undefined
      ? { kind: 'refused', reason: `SOP "${sop}" cools down until ${until}`, notBefore: until }
      : { kind: 'admitted' }
  return { ...rest(state, at), state, answers: [{ runId, phase: 'arrival', verdict }] }
}

const onSlot = (state: AdmissionState, request: AdmissionRequest, at: string): Admitted => {
  const { runId } = request
  if (state.holders.some((holder) => holder.runId === runId)) {
    return { ...rest(state, at), state, answers: [{ runId, phase: 'slot', verdict: { kind: 'admitted' } }] }
  }
  const full = fullReason(state, request)
  if (full !== undefined && request.admission === 'reject') {
    return {
      ...rest(state, at),
      state,
      answers: [{ runId, phase: 'slot', verdict: { kind: 'refused', reason: full } }],
    }
  }
  const known = state.waiting.some((waiting) => waiting.runId === runId)
  const queued: AdmissionState = known
    ? state
    : { ...state, waiting: [...state.waiting, { ...request, order: state.nextOrder }], nextOrder: state.nextOrder + 1 }
  const granted = grant(queued, at)
  if (granted.answers.some((answer) => answer.runId === runId)) return granted
  const reason = full ?? waitReason(queued, request, at)
  return { ...granted, answers: [...granted.answers, { runId, phase: 'slot', verdict: { kind: 'queued', reason } }] }
}

const fullReason = (state: AdmissionState, { sop, maxConcurrent, maxTotal }: AdmissionRequest): string | undefined => {
  const own = state.holders.filter((holder) => holder.sop === sop).length
  if (maxConcurrent !== undefined && own >= maxConcurrent) {
    return `SOP "${sop}" runs ${own} of at most ${maxConcurrent} at once`
  }
  if (maxTotal !== undefined && state.holders.length >= maxTotal) {
    return `${state.holders.length} of at most ${maxTotal} runs are under way`
  }
  return undefined
}

/** At the slot a cooldown waits instead of refusing: the run was let in already (engine.md 1). */
const slotFrom = (state: AdmissionState, request: AdmissionRequest): number =>
  isCooling(state, request) ? Date.parse(coolUntil(state, request) ?? request.triggeredAt) : 0

const waitReason = (state: AdmissionState, request: AdmissionRequest, at: string): string =>
  slotFrom(state, request) > Date.parse(at)
    ? `SOP "${request.sop}" cools down until ${coolUntil(state, request)}`
    : 'others wait for a slot before it'

/** Gives out free slots by priority, then by arrival. A full SOP does not hold up the others. */
const grant = (state: AdmissionState, at: string): Admitted => {
  let now = state
  const answers: AdmissionAnswer[] = []
  const inOrder = [...state.waiting].sort((a, b) => a.priority - b.priority || a.order - b.order)
  for (const request of inOrder) {
    if (fullReason(now, request) !== undefined || slotFrom(now, request) > Date.parse(at)) continue
    const { runId, sop, triggeredAt } = request
    now = {
      ...now,
      holders: [...now.holders, { runId, sop }],
      waiting: now.waiting.filter((waiting) => waiting.runId !== runId),
      lastTriggeredAt: { ...now.lastTriggeredAt, [sop]: later(now.lastTriggeredAt[sop], triggeredAt) },
    }
    answers.push({ runId, phase: 'slot', verdict: { kind: 'admitted' } })
  }
  return { ...rest(now, at), state: now, answers }
}

const later = (one: string | undefined, other: string): string =>
  one !== undefined && Date.parse(one) > Date.parse(other) ? one : other

const rest = (state: AdmissionState, at: string): { readonly wakeAt?: string } => {
  const times = state.waiting.map((request) => slotFrom(state, request)).filter((time) => time > Date.parse(at))
  return times.length === 0 ? {} : { wakeAt: new Date(Math.min(...times)).toISOString() }
}
