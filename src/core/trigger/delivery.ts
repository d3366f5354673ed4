import type { Json, TriggerType } from '../definition.ts'
import type { ErrorCode } from '../errors.ts'

// delivery.ts: the record of one occurrence at one SOP. Its owner looks here for what a trigger did (rulings 26).

/**
 * `started`: its run is durable. `duplicate`: the run of an earlier delivery with the same key. `refused`: the trigger
 * matched, and the SOP cannot start (or the sender may not); `reason` says why. `unmatched`: nothing is triggered by it, or
 * a condition is not met. `failed`: the engine could not do it now; the source delivers again.
 */
export const DELIVERY_VERDICTS = ['started', 'duplicate', 'refused', 'unmatched', 'failed'] as const
export type DeliveryVerdict = (typeof DELIVERY_VERDICTS)[number]

export const DELIVERY_REDACTIONS = ['config', 'secret', 'unauthenticated'] as const
export type DeliveryRedaction = (typeof DELIVERY_REDACTIONS)[number]

export interface Delivery {
  /** `del_` and a sortable id. */
  readonly id: string
  /** ISO-8601. */
  readonly at: string
  readonly source: TriggerType
  /** As `subject` and `action` of the occurrence. */
  readonly subject: string
  readonly action?: string
  /** Absent where no SOP has a trigger for it. */
  readonly sop?: string
  /** Index of the trigger in the definition. */
  readonly trigger?: number
  readonly verdict: DeliveryVerdict
  readonly runId?: string
  /** A sentence. */
  readonly reason?: string
  /** What kind of refusal it is. */
  readonly code?: ErrorCode
  readonly key?: string
  /** Id of the principal that vouched for it. */
  readonly principal: string
  /** What came, unless config says that it is not kept; values that a secret param took are never here. */
  readonly payload?: Json
  /** As they came with it, in lower case; without credentials and signatures. */
  readonly headers?: Readonly<Record<string, string>>
  /** Why the payload is not (or not whole) here, so that it cannot be delivered again. */
  readonly redacted?: DeliveryRedaction
  /** The delivery that was delivered again. */
  readonly redeliveryOf?: string
}

/** Which deliveries are meant; newest first. */
export interface DeliveryFilter {
  readonly sop?: string
  readonly source?: string
  readonly verdict?: string
  /** Default 50. */
  readonly limit?: number
  /** Id of a delivery: only those before it. */
  readonly before?: string
}
export const DELIVERY_LIST_DEFAULT = 50
export const DELIVERY_LIST_MAX = 1_000

/** Keeps deliveries. Ids sort by time, and a delivery never changes. */
export interface DeliveryStore {
  /** Fulfilled when it is on record. */
  put(delivery: Delivery): Promise<void>
  get(id: string): Promise<Delivery | undefined>
  list(filter: DeliveryFilter): Promise<readonly Delivery[]>
  /** Removes those before an instant (ISO-8601); a store of files may keep the rest of that day. */
  prune(before: string): Promise<void>
}

/** Whether a filter means the delivery, its limit aside. */
export const isMeant = ({ sop, source, verdict, before }: DeliveryFilter, delivery: Delivery): boolean =>
  (sop === undefined || delivery.sop === sop) &&
  (source === undefined || delivery.source === source) &&
  (verdict === undefined || delivery.verdict === verdict) &&
  (before === undefined || delivery.id < before)
