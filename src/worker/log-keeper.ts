import type { LogStore, RunIndex } from '../activities/deps.ts'
import { chooseRemovals, type LogHolder, type LogRetention } from '../core/log-retention.ts'
import { isClosed } from '../core/run/state.ts'
import type { Log } from '../log.ts'
import type { LogBudget } from './limited-logs.ts'

// log-keeper.ts: keeps the log store within its limits: it counts what is written, and removes logs of closed runs.

export interface LogKeeperOptions {
  readonly logs: LogStore
  readonly index: Pick<RunIndex, 'get'>
  readonly retention: LogRetention
  readonly now: () => Date
  readonly log: Pick<Log, 'info' | 'warn'>
}

export interface LogKeeper {
  readonly budget: LogBudget
  /** Sweeps now, and then once an hour. */
  start(): void
  /** Removes what has to go. One sweep at a time: a second call gets the first one's. */
  sweep(): Promise<void>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000
/** From here on it is tried to make room, at most once a minute. */
const NEARLY_FULL = 0.9
const PAUSE_MS = 60_000
/** Logs of a run that the list does not know (its first events are on their way) count as those of an open one so long. */
const UNKNOWN_MS = 86_400_000

/** The keeper of a store. It does nothing by itself before `start`. */
export const createLogKeeper = ({ logs, index, retention, now, log }: LogKeeperOptions): LogKeeper => {
  const { totalBytes = Number.POSITIVE_INFINITY } = retention
  let used = 0
  let sweptAt = Number.NEGATIVE_INFINITY
  let sweeping: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const endOf = async (runId: string, writtenAt: string): Promise<Pick<LogHolder, 'endedAt'>> => {
    const summary = await index.get(runId)
    if (summary === undefined) {
      return now().getTime() - Date.parse(writtenAt) < UNKNOWN_MS ? {} : { endedAt: writtenAt }
    }
    return isClosed(summary.status) ? { endedAt: summary.completedAt ?? writtenAt } : {}
  }
  const removeOld = async (): Promise<void> => {
    const before = used
    const holders: LogHolder[] = []
    for (const { runId, bytes, writtenAt } of await logs.usage()) {
      holders.push({ runId, bytes, ...(await endOf(runId, writtenAt)) })
    }
    let removedBytes = 0
    const removals = chooseRemovals(holders, retention, now().getTime())
    for (const { runId, bytes, reason } of removals) {
      await logs.remove(runId, { removedAt: now().toISOString(), bytes, reason })
      removedBytes += bytes
    }
    if (removals.length > 0) {
      log.info('removed logs of closed runs', { runs: removals.length, bytes: removedBytes })
    }
    // What was written meanwhile counts on top: rather a byte too many than the limit passed.
    used = holders.reduce((sum, { bytes }) => sum + bytes, 0) - removedBytes + (used - before)
  }
  const sweep = (): Promise<void> => {
    sweptAt = now().getTime()
    sweeping ??= removeOld()
      .catch((error: unknown) => log.warn('logs cannot be swept', { error }))
      .finally(() => {
        sweeping = undefined
      })
    return sweeping
  }
  const makeRoom = (): void => {
    if (used > totalBytes * NEARLY_FULL && now().getTime() - sweptAt >= PAUSE_MS) void sweep()
  }

  return {
    budget: {
      room: () => {
        makeRoom()
        return Math.max(0, totalBytes - used)
      },
      take: (bytes) => {
        used += bytes
      },
    },
    start: () => {
      void sweep()
      timer ??= setInterval(() => void sweep(), HOUR_MS).unref()
    },
    sweep,
    close: async () => {
      clearInterval(timer)
      await sweeping
    },
  }
}
