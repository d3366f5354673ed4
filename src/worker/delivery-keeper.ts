import type { DeliveryStore } from '../core/trigger/delivery.ts'
import type { Log } from '../log.ts'

const DAY_MS = 86_400_000

export interface DeliveryKeeperOptions {
  readonly deliveries: Pick<DeliveryStore, 'prune'>
  readonly days: number
  readonly now: () => Date
  readonly log: Pick<Log, 'warn'>
}

/** Removes what is older than `days`, at its start and once a day. */
export const startDeliveryKeeper = ({
  deliveries,
  days,
  now,
  log,
}: DeliveryKeeperOptions): { close(): Promise<void> } => {
  const prune = (): Promise<void> =>
    deliveries
      .prune(new Date(now().getTime() - days * DAY_MS).toISOString())
      .catch((error: unknown) => log.warn('old deliveries of triggers cannot be removed', { error }))
  let pruning = prune()
  const timer = setInterval(() => {
    pruning = prune()
  }, DAY_MS).unref()
  return {
    close: async () => {
      clearInterval(timer)
      await pruning
    },
  }
}
