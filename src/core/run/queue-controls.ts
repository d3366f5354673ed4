import { type Actor, may, type Verb } from '../access.ts'
import type { ErrorCode } from '../errors.ts'
import type { QueueAction } from './queue-order.ts'
import type { Run } from './run.ts'

// queue-controls.ts: what somebody can do about a run that waits for admission, and for everything else why not. What a lock
// or a place stands against is admission's to say, when it is asked.

export interface QueueControl {
  /** The order: `POST /api/v1/queue/{id}/{action}`. */
  readonly action: QueueAction
  /** Words for a button. */
  readonly label: string
  readonly allowed: boolean
  /** Why not, as a sentence. */
  readonly reason?: string
  readonly code?: ErrorCode
}

const ORDERS: readonly (readonly [action: QueueAction, verb: Verb, label: string])[] = [
  ['move', 'moveInQueue', 'Move to the front'],
  ['admit', 'admitFromQueue', 'Let it in now'],
  ['drop', 'dropFromQueue', 'Drop it'],
]

/** The orders about a run that waits for admission; none for one that does not. */
export const queueControlsOf = (run: Run, actor: Actor): readonly QueueControl[] => {
  if (run.queued === undefined || run.outcome !== undefined) return []
  return ORDERS.map(([action, verb, label]) => {
    const role = may(actor, verb)
    if (!role.ok) return { action, label, allowed: false, reason: role.reason, code: 'forbidden' }
    // What is half done is cancelled, with or without a walk back.
    if (action === 'drop' && run.startedAt !== undefined) {
      const reason = 'It began already and waits for its slot again: cancel it instead'
      return { action, label, allowed: false, reason, code: 'conflict' }
    }
    return { action, label, allowed: true }
  })
}
