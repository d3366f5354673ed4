import type { Trigger } from '../core/definition.ts'
import type { Delivery } from '../core/trigger/delivery.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'

// trigger-door.ts: the one door through which occurrences become runs, whatever source tells of them.

export interface DeliverOptions {
  /**
   * Whether this trigger of that SOP takes the occurrence from its sender: `undefined`, or a sentence that says why not.
   * A webhook checks its signature here, since each SOP on a path may have a secret of its own (rulings 27).
   */
  readonly admits?: (sop: string, trigger: Trigger) => Promise<string | undefined>
  /** The delivery that is delivered again. */
  readonly redeliveryOf?: string
}

export interface TriggerDoor {
  /**
   * Starts a run of each SOP that has a trigger for it. Fulfilled when every run is durable and every verdict is on record:
   * a source acknowledges then, and not before. One delivery a matching SOP; a single `unmatched` one without any.
   *
   * @throws SopError `unavailable` when Temporal or the store cannot be reached: nothing may be acknowledged
   */
  deliver(occurrence: Occurrence, options?: DeliverOptions): Promise<readonly Delivery[]>
}
