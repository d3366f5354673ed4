import { setTimeout as delay } from 'node:timers/promises'
import type { DeliverOptions, TriggerDoor } from '../client/trigger-door.ts'
import { SopError } from '../core/errors.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import type { Log } from '../log.ts'

/**
 * `taken`: it may be acknowledged. `later`: nothing can be started now, and the broker has to keep it. `poison`: this
 * message cannot be dealt with, now or later; it must not stand in the way of the others.
 */
export type MessageOutcome = 'taken' | 'later' | 'poison'

/** A message that fails for another reason than that all would is tried so often. */
const POISON_TRIES = 3
const PAUSE_MS = 200

/** Delivers a message of a broker. */
export const deliverMessage = async (
  door: Pick<TriggerDoor, 'deliver'>,
  log: Pick<Log, 'warn' | 'error'>,
  occurrence: Occurrence,
  options: DeliverOptions,
): Promise<MessageOutcome> => {
  const { source, subject } = occurrence
  for (let tries = 1; ; tries++) {
    try {
      await door.deliver(occurrence, options)
      return 'taken'
    } catch (error) {
      const { message } = error as Error
      if (error instanceof SopError && error.code === 'unavailable') {
        log.warn(`Cannot start what ${source} "${subject}" triggers: ${message}. It is delivered again`)
        return 'later'
      }
      if (tries >= POISON_TRIES) {
        log.error(`Cannot take a message of ${source} "${subject}": ${message}`, { error })
        return 'poison'
      }
      await delay(PAUSE_MS)
    }
  }
}
