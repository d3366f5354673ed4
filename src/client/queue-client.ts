import type { QueuePlace } from '../core/run/queue-order.ts'
import type { Queue } from '../core/admission/queue.ts'

export type { Queue, QueueEntry, QueueHolder, QueueReason } from '../core/admission/queue.ts'
export type { QueuePlace } from '../core/run/queue-order.ts'

/** Why a run is moved, dropped or admitted; it stands in the record. */
export interface QueueRequest {
  readonly reason?: string
}

/** What became of it. */
export interface QueueChange {
  readonly runId: string
  readonly action: 'move' | 'drop' | 'admit'
  /** After a move: its place, from 1. */
  readonly position?: number
}

/**
 * What waits for admission. Where a run is named (`ref`), an SOP's name means its only open run. Changes are refused with
 * `not_found` where the run does not wait, `conflict` where it was let in already or a lock that it needs is held.
 */
export interface QueueClient {
  /** What waits, in the order of the queue, and for what; and who holds it. Needs: viewer. */
  getQueue(): Promise<Queue>
  /** Needs: operator. `invalid` for a place that there is not. */
  moveInQueue(ref: string, place: QueuePlace, request?: QueueRequest): Promise<QueueChange>
  /** The run ends cancelled. `conflict` where it began already and waits for its slot again. Needs: operator. */
  dropFromQueue(ref: string, request?: QueueRequest): Promise<QueueChange>
  /** Over limits, cooldown and blackout; never past a lock that is held. Needs: admin. */
  admitFromQueue(ref: string, request?: QueueRequest): Promise<QueueChange>
}
