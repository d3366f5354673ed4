// trigger-client.ts: what can be asked and told about triggers; a part of the one contract (client.ts).

import type { Json } from '../core/definition.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import type { RunState } from '../core/run/state.ts'
import type { Accepted } from '../core/trigger/accepted.ts'
import type { Delivery, DeliveryFilter } from '../core/trigger/delivery.ts'
import type { OccurrenceSource } from '../core/trigger/occurrence.ts'

/** Something that happened, by its name. */
export interface EventRequest {
  readonly event: string
  readonly payload?: Json
  /** Of events with one key each SOP runs once. */
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What somebody wrote, in a chat for example. */
export interface MessageRequest {
  readonly message: string
  /** What else is known of it, e.g. channel and author. Conditions and expressions of triggers read it. */
  readonly payload?: Readonly<Record<string, Json>>
  readonly key?: string
}

/** A message either begins runs or decides about a gate. */
export type MessageReply = Accepted | { readonly decision: DecisionReply }

/** A trigger of an SOP, with what it did last. */
export interface TriggerView {
  readonly sop: string
  /** Its index in the definition. */
  readonly trigger: number
  readonly type: string
  /** What it waits for: a path, a name, a pattern, a cron expression. */
  readonly awaits: string
  readonly condition?: string
  /** Whether this version begins runs by it. */
  readonly served: boolean
  /** Why it starts nothing now, as a sentence. */
  readonly problem?: string
  readonly last?: DeliveryView
  /** Of a cron: the newest run that its schedule started. Its fires are no deliveries: Temporal starts their runs. */
  readonly lastRun?: TriggeredRun
}

/** A run that a trigger began. */
export interface TriggeredRun {
  readonly runId: string
  readonly at: string
  readonly state: RunState
  readonly reason?: string
}

/** A delivery, with where its run stands now. */
export interface DeliveryView extends Delivery {
  readonly runState?: RunState
  readonly runReason?: string
}

/** A question what would happen. Without source and subject every trigger is asked that takes a payload. */
export interface TriggerTest {
  readonly source?: OccurrenceSource
  /** Path, name, message, topic… */
  readonly subject?: string
  /** HTTP method, kind of change, end of a run. */
  readonly action?: string
  readonly payload?: Json
  readonly headers?: Readonly<Record<string, string>>
  readonly key?: string
  readonly sop?: string
}

export interface TriggerTestResult {
  readonly sop: string
  readonly trigger: number
  readonly type: string
  readonly awaits: string
  readonly verdict: 'would_start' | 'duplicate' | 'refused' | 'unmatched'
  /** What the run would get; secret ones are hidden. */
  readonly params?: Readonly<Record<string, Json>>
  /** The run that an earlier delivery with this key started. */
  readonly runId?: string
  readonly code?: ErrorCode
  readonly reason?: string
}

export interface TriggerClient {
  /** Of all SOPs, or of one (`not_found`); manual ones left out. Needs: viewer. */
  listTriggers(sop?: string): Promise<readonly TriggerView[]>
  /**
   * Begins a run of every SOP that waits for it. `invalid` (params that do not fit), `conflict` (an SOP that cannot start),
   * where nothing was started by it; `details.deliveryId` finds the record. Needs: operator.
   */
  sendEvent(event: EventRequest): Promise<Accepted>
  /**
   * Begins a run of the SOP whose pattern takes most of the message. `/approve RUN [STEP]` and `/reject RUN [STEP] [REASON]`
   * decide about a gate. Refusals as for an event. Needs: operator, for a decision approver.
   */
  sendMessage(message: MessageRequest): Promise<MessageReply>
  /** What would start, with which params, and why not. Starts and records nothing; signatures are not checked. Needs: viewer. */
  testTrigger(test: TriggerTest): Promise<readonly TriggerTestResult[]>
  /** Newest first. Needs: viewer. */
  listDeliveries(filter?: DeliveryFilter): Promise<readonly DeliveryView[]>
  /** `not_found`. Needs: viewer. */
  getDelivery(id: string): Promise<DeliveryView>
  /**
   * Delivers it again to the same SOP, as the SOP is now. What had a key and started a run is answered with that run.
   * `not_found`, `conflict` where its payload was not kept; refusals as for an event. Needs: operator.
   */
  redeliver(id: string): Promise<Accepted>
}
