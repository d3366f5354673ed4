import { setTimeout as delay } from 'node:timers/promises'
import type { Records } from './records.ts'

// change-watch.ts: tells many waiting readers that runs changed, at the cost of one question at a time to the store.
// A reader arms first, then reads, then waits: what changes in between wakes it.

/** A reader that will be woken. */
export interface Wake {
  /** Resolves when the run (or any run) changed, the signal fired, or the longest wait is over. */
  wait(signal: AbortSignal): Promise<void>
  /** Has to be called, whatever happens. */
  release(): void
}

export interface ChangeWatch {
  /** Without a run it is woken by every run. */
  arm(runId?: string): Promise<Wake>
  /** Readers that are armed; for tests. */
  readonly armed: number
}

/**
 * Pause between two looks at what changed, in milliseconds: looking takes at most a twentieth of the time, so a store that
 * answers at once is asked often, and one that is slow or busy seldom.
 */
const SHORTEST_PAUSE_MS = 30
const LONGEST_PAUSE_MS = 150
const PAUSE_PER_LOOK = 20
/** A reader looks for itself that often, whatever the watch says. */
const LONGEST_WAIT_MS = 10_000
/** Looking goes on for so long after the last reader: as a rule it comes back at once. */
const LINGER_MS = 2_000

interface Waiter {
  readonly runId: string | undefined
  readonly wake: () => void
}

/** A watch of the list of runs. It asks only while somebody waits. */
export const createChangeWatch = (index: Pick<Records['index'], 'changes'>): ChangeWatch => {
  const waiters = new Set<Waiter>()
  let cursor: string | undefined
  let beginning: Promise<void> | undefined
  let looking: Promise<void> | undefined
  let lastArmedAt = 0

  const look = async (): Promise<void> => {
    try {
      const { runs, cursor: next, reset } = await index.changes(cursor)
      cursor = next
      const changed = new Set(runs.map(({ runId }) => runId))
      for (const { runId, wake } of waiters) {
        if (reset === true || (runId === undefined ? changed.size > 0 : changed.has(runId))) wake()
      }
    } catch {
      // A store that is down is asked again; readers that look for themselves are told.
    }
  }
  const lookOn = async (): Promise<void> => {
    let pauseMs = SHORTEST_PAUSE_MS
    while (waiters.size > 0 || Date.now() - lastArmedAt < LINGER_MS) {
      await delay(pauseMs, undefined, { ref: false })
      const begunAt = performance.now()
      await look()
      const tookMs = performance.now() - begunAt
      pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, PAUSE_PER_LOOK * tookMs))
    }
    looking = undefined
    cursor = undefined
  }

  return {
    get armed() {
      return waiters.size
    },
    arm: async (runId) => {
      lastArmedAt = Date.now()
      let wake = (): void => {}
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const waiter = { runId, wake }
      waiters.add(waiter)
      // Changes before the first look are changes before the reader reads.
      if (cursor === undefined) {
        await (beginning ??= look().finally(() => {
          beginning = undefined
        }))
      }
      looking ??= lookOn()
      return {
        wait: async (signal) => {
          if (signal.aborted) return
          const timer = setTimeout(wake, LONGEST_WAIT_MS)
          signal.addEventListener('abort', wake, { once: true })
          await woken
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
        },
        release: () => void waiters.delete(waiter),
      }
    },
  }
}
