import { setTimeout as delay } from 'node:timers/promises'
import type { DeliverOptions, TriggerDoor } from '../client/trigger-door.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import type { Log } from '../log.ts'

/** Pauses between two tries, in milliseconds: they double from the first to the longest. */
export interface Patience {
  readonly firstMs: number
  readonly longestMs: number
}

export const PATIENCE: Patience = { firstMs: 500, longestMs: 30_000 }

export interface SureDelivery {
  readonly door: Pick<TriggerDoor, 'deliver'>
  readonly log: Pick<Log, 'warn'>
  readonly patience?: Patience
  /** Gives up: the source delivers again after the next start. */
  readonly signal: AbortSignal
}

/**
 * Delivers until every verdict is a last one: while Temporal or the store cannot be reached it goes on trying.
 * @returns false when it was given up
 */
export const deliverSurely = async (
  { door, log, patience = PATIENCE, signal }: SureDelivery,
  occurrence: Occurrence,
  options?: DeliverOptions,
): Promise<boolean> => {
  for (let pauseMs = patience.firstMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, patience.longestMs)) {
    try {
      const deliveries = await door.deliver(occurrence, options)
      const failed = deliveries.find(({ verdict }) => verdict === 'failed')
      if (failed === undefined) return true
      say(log, occurrence, failed.reason ?? 'the engine could not do it now', pauseMs)
    } catch (error) {
      say(log, occurrence, (error as Error).message, pauseMs)
    }
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {})
  }
  return false
}

const say = (log: Pick<Log, 'warn'>, { source, subject }: Occurrence, reason: string, againInMs: number): void =>
  log.warn(`Cannot start what ${source} "${subject}" triggers: ${reason}. It is tried again`, { againInMs })
