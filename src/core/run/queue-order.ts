import { canonicalJson } from '../canonical.ts'
import { verifySeal } from '../seal.ts'
import { type Principal, SURFACES, type Surface } from './principal.ts'

// queue-order.ts: what a person asks about a run in the queue. Admission carries it out, and the run puts it on record.

export const QUEUE_ACTIONS = ['move', 'drop', 'admit'] as const
export type QueueAction = (typeof QUEUE_ACTIONS)[number]

/** Where a run is moved: to the front, before another run, or among those of a priority (1 is first). */
export type QueuePlace =
  | { readonly to: 'front' }
  | { readonly to: 'before'; readonly before: string }
  | { readonly to: 'priority'; readonly priority: number }

/** Who asked, and why. Believed only with the installation's seal: whoever reaches Temporal can send one. */
export interface QueueOrder {
  readonly action: QueueAction
  readonly place?: QueuePlace
  readonly reason?: string
  readonly principal?: Principal
  readonly via?: Surface
  readonly seal?: string
}

/** What the seal covers. */
export const sealedOrder = (runId: string, { seal: _, ...order }: QueueOrder): string =>
  canonicalJson({ queue: runId, ...order })

const isOurs = (runId: string, authority: string, order: QueueOrder): boolean => {
  try {
    return typeof order.seal === 'string' && verifySeal(authority, sealedOrder(runId, order), order.seal)
  } catch {
    // Nested too deeply to be written, so never sealed.
    return false
  }
}

const UNVERIFIED: Principal = { id: 'temporal', kind: 'user', verified: false }

/** Who asked, as the record tells it: without a good seal it was somebody who reaches Temporal. */
export const askerOf = (
  runId: string,
  authority: string,
  order: QueueOrder,
): { readonly principal: Principal; readonly via: Surface } => {
  const { principal, via } = order
  return isOurs(runId, authority, order) && principal !== undefined && via !== undefined && SURFACES.includes(via)
    ? { principal, via }
    : { principal: UNVERIFIED, via: 'temporal' }
}
