import type { AuditListener, LogStore } from '../activities/deps.ts'
import type { Meters } from '../core/metrics/meters.ts'
import type { DeliveryStore } from '../core/trigger/delivery.ts'

/** Notes how long after it happened an event was on record. */
export const meterAppends = (meters: Meters, now: () => Date): AuditListener => ({
  appended: async (_, events) => {
    const nowMs = now().getTime()
    for (const { timestamp } of events) meters.recorded(nowMs - Date.parse(timestamp))
  },
})

/** The store, and what it takes is counted. */
export const meterDeliveries = (deliveries: DeliveryStore, meters: Meters): DeliveryStore => ({
  ...deliveries,
  put: async (delivery) => {
    await deliveries.put(delivery)
    meters.delivered(delivery.source, delivery.verdict)
  },
})

/** So long the size of all logs is given again: to find it out is work that grows with them. */
const FRESH_MS = 300_000

/** Bytes of all logs, as they were found out last. */
export const createLogSize = (logs: Pick<LogStore, 'usage'>, now: () => Date): (() => Promise<number>) => {
  let last: { readonly atMs: number; readonly bytes: Promise<number> } | undefined
  return () => {
    const nowMs = now().getTime()
    if (last === undefined || nowMs - last.atMs > FRESH_MS) {
      const bytes = logs.usage().then((usage) => usage.reduce((sum, each) => sum + each.bytes, 0))
      last = { atMs: nowMs, bytes }
      bytes.catch(() => {
        last = undefined
      })
    }
    return last.bytes
  }
}
