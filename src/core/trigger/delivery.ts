import type { Json, TriggerType } from '../definition.ts'

// delivery.ts: the record of one occurrence at one SOP. Its owner looks here for what a trigger did (rulings 26).

/**
 * `started`: its run is durable. `duplicate`: the run of an earlier delivery with the same key. `refused`: the trigger
 * matched, and the SOP cannot start (or the sender may not); `reason` says why. `unmatched`: nothing is triggered by it, or
 * a condition is not met. `failed`: the engine could not do it now; the source delivers again.
 */
export const DELIVERY_VERDICTS = ['started', 'duplicate', 'refused', 'unmatched', 'failed'] as const
export type DeliveryVerdict = (typeof DELIVERY_VERDICTS)[number]

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
  readonly key?: string
  /** Id of the principal that vouched for it. */
  readonly principal: string
  /** What came, unless config says that it is not kept; values that a secret param took are never here. */
  readonly payload?: Json
  /** The delivery that was delivered again. */
  readonly redeliveryOf?: string
}
