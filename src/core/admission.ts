import type { AdmissionVerdict } from './run/input.ts'
import type { QueueOrder } from './run/queue-order.ts'

// admission.ts: what passes between runs and the one place that decides who may run now (product.md 5), and what that place
// remembers. The rules are in `admission/`, pure; `workflows/admission.ts` carries them out.

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
  /** `reject` refuses where the others queue; `coalesce` keeps only the newest of those that wait. */
  readonly admission: string
  readonly force?: boolean
  /** How the asker's rules ask; absent: as the first ones did, whose answers stay what they were. */
  readonly form?: 2
  /** Names that it takes together with the slot, all or none. */
  readonly locks?: readonly string[]
  /** Counts the run's requests for a slot from 1, so that a message that was overtaken is known as old. */
  readonly turn?: number
  /** The run began already: it goes before those of its priority that have not. */
  readonly begun?: true
  /** The run whose step it is: what that one holds it may have as well, and all runs together are not one more. */
  readonly parent?: string
  /** Not before this instant, since a blackout lasts until then; ISO-8601. */
  readonly notBefore?: string
  /** What lasts until then. */
  readonly because?: string
}

/** A run that was let in, until it is closed. */
export interface Holder {
  readonly runId: string
  readonly sop: string
  readonly locks?: readonly string[]
  /** It waits at a gate and gave its slot away; its locks it kept. */
  readonly slot?: false
  readonly turn?: number
  readonly parent?: string
  readonly since?: string
}

/** A run that waits for a slot. */
export interface Waiting extends AdmissionRequest {
  /** Place among those of one priority: the lower goes first. */
  readonly order: number
  readonly since?: string
}

/** What admission carries from one execution to the next. Older builds wrote it without the optional keys. */
export interface AdmissionState {
  readonly holders: readonly Holder[]
  readonly waiting: readonly Waiting[]
  /** Trigger time of the last run of an SOP that got a slot. */
  readonly lastTriggeredAt: Readonly<Record<string, string>>
  readonly nextOrder: number
}

export const EMPTY_ADMISSION: AdmissionState = { holders: [], waiting: [], lastTriggeredAt: {}, nextOrder: 1 }

/** Runs that may wait at once: what is carried over has to fit into 2 MB. */
export const MAX_WAITING = 4_000

export type AdmissionInput =
  | { readonly kind: 'request'; readonly request: AdmissionRequest }
  /** The run is over, or gone: its slot and its locks are free and its place in the queue void. */
  | { readonly kind: 'release'; readonly runId: string }
  /** The run waits at a gate: its slot is free, its locks are not. */
  | { readonly kind: 'yield'; readonly runId: string; readonly turn: number }
  | { readonly kind: 'wake' }

export interface AdmissionAnswer {
  readonly runId: string
  readonly phase: 'arrival' | 'slot'
  readonly verdict: AdmissionVerdict
  /** Of the request that it answers. */
  readonly turn?: number
}

/** The answer to a request for a slot. */
export const slotAnswer = (
  { runId, turn }: Pick<AdmissionRequest, 'runId' | 'turn'>,
  verdict: AdmissionVerdict,
): AdmissionAnswer => ({ runId, phase: 'slot', verdict, ...(turn !== undefined && { turn }) })

/** What somebody asks about a run that waits. */
export interface QueueCommand extends QueueOrder {
  readonly runId: string
}

/** The answer to whoever moves, drops or admits a run. A refusal is an answer. */
export interface QueueReply {
  readonly accepted: boolean
  readonly runId: string
  readonly code?: 'not_found' | 'conflict' | 'invalid'
  readonly reason?: string
  /** Its place in the queue after the move, from 1. */
  readonly position?: number
}

export interface Admitted {
  readonly state: AdmissionState
  readonly answers: readonly AdmissionAnswer[]
  /** When the next cooldown or blackout ends that somebody waits for. */
  readonly wakeAt?: string
}
