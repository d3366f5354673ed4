import type { AuditStore } from '../activities/deps.ts'
import type { RunEvent } from '../core/run/event.ts'

// watched-stores.ts: stores that know of themselves since when they take nothing, and how much waits for them. What they
// answer is what the stores behind them answer.

/** How it goes with a store's writes; what waits is what this process has tried to write. */
export interface StoreState {
  /** When a write first failed since the last that succeeded; ISO-8601 UTC. Absent: writes work. */
  readonly downSince?: string
  /** Runs of which something waits to be written. */
  readonly runs: number
  readonly waiting: number
  /** When the oldest of it happened. */
  readonly oldestAt?: string
}

export interface Watched<T> {
  readonly store: T
  state(): StoreState
}

interface Behind {
  readonly events: number
  readonly oldestAt: string
  readonly triedAt: number
}

/** A store that this process does not write. */
export const NOT_WRITTEN: StoreState = { runs: 0, waiting: 0 }

/** A run tries at least so often; one that was terminated meanwhile waits for nothing any more. */
const FORGET_MS = 120_000

/** The record. What waits is events. */
export const watchAudit = (audit: AuditStore, now: () => number = Date.now): Watched<AuditStore> => {
  const behind = new Map<string, Behind>()
  let downSince: string | undefined

  const forget = (): void => {
    for (const [runId, { triedAt }] of behind) if (now() - triedAt > FORGET_MS) behind.delete(runId)
    if (behind.size === 0) downSince = undefined
  }
  const note = (runId: string, events: readonly RunEvent[], stored: number): void => {
    const missing = events.filter(({ sequence }) => sequence > stored)
    const [oldest] = missing
    if (oldest === undefined) behind.delete(runId)
    else {
      behind.set(runId, { events: missing.length, oldestAt: oldest.timestamp, triedAt: now() })
      downSince ??= new Date(now()).toISOString()
    }
    forget()
  }
  return {
    store: {
      ...audit,
      append: async (run, events) => {
        try {
          const stored = await audit.append(run, events)
          note(run.runId, events, stored)
          return stored
        } catch (error) {
          note(run.runId, events, 0)
          throw error
        }
      },
    },
    state: () => {
      forget()
      const all = [...behind.values()]
      const [oldestAt] = all.map((each) => each.oldestAt).sort()
      return {
        ...(downSince !== undefined && { downSince }),
        runs: all.length,
        waiting: all.reduce((sum, { events }) => sum + events, 0),
        ...(oldestAt !== undefined && { oldestAt }),
      }
    },
  }
}
