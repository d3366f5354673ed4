import type { AdmissionRequest, QueueCommand } from '../admission.ts'
import { QUEUE_ACTIONS } from '../run/queue-order.ts'

// read.ts: what reaches admission from outside. Signals come from whoever reaches Temporal, so their shape is looked at; what
// is no request is passed over.

/** Locks that one run may take. */
const MAX_LOCKS = 1_000

export const isRequest = (value: AdmissionRequest | undefined): value is AdmissionRequest =>
  typeof value?.runId === 'string' &&
  typeof value.sop === 'string' &&
  (value.phase === 'arrival' || value.phase === 'slot') &&
  typeof value.priority === 'number' &&
  typeof value.cooldownMs === 'number' &&
  isInstant(value.triggeredAt) &&
  (value.notBefore === undefined || isInstant(value.notBefore)) &&
  (value.locks === undefined || isNames(value.locks)) &&
  (value.turn === undefined || typeof value.turn === 'number')

const isInstant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value))

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_LOCKS && value.every((each) => typeof each === 'string')

export const isQueueCommand = (value: QueueCommand | undefined): value is QueueCommand =>
  typeof value?.runId === 'string' &&
  QUEUE_ACTIONS.some((action) => action === value.action) &&
  (value.place === undefined || isPlace(value.place))

const isPlace = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  const { to, before, priority } = value as Partial<Record<'to' | 'before' | 'priority', unknown>>
  return (
    to === 'front' ||
    (to === 'before' && typeof before === 'string') ||
    (to === 'priority' && typeof priority === 'number')
  )
}
