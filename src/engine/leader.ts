import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log.ts'

// leader.ts: of the processes of an installation one runs the sources of triggers. With files it is the one that owns the
// data directory; with PostgreSQL the one that holds the lock (adapters/postgres/leader-lock.ts). Losing it stops the sources
// before anything else; what two might tell in between has the same keys.

/** What makes a process the leader. */
export interface LeaderLock {
  /** Undefined while another process has it. @throws Error where nobody can tell */
  take(): Promise<Leadership | undefined>
}

export interface Leadership {
  /** Fulfilled, with the reason, when it was lost. Never rejected. */
  readonly lost: Promise<string>
  release(): Promise<void>
}

export interface LeaderOptions {
  readonly lock: LeaderLock
  /** Begins what only the leader does. @returns what ends it */
  readonly lead: () => Promise<() => Promise<void>>
  readonly log: Pick<Log, 'debug' | 'warn'>
  /** What it leads. Default `the sources of triggers`. */
  readonly what?: string
  /** Pause between two tries, in milliseconds. Default 2,000. */
  readonly retryMs?: number
}

export interface Leader {
  readonly isLeading: boolean
  /** Ends what it leads, and gives the lock up. */
  close(): Promise<void>
}

const RETRY_MS = 2_000

/** A lock that nobody else wants: the process owns its data directory. */
export const OWNER: LeaderLock = {
  take: async () => ({ lost: new Promise<string>(() => {}), release: async () => {} }),
}

/** Leads whenever it can, until it is closed. */
export const createLeader = ({
  lock,
  lead,
  log,
  what = 'the sources of triggers',
  retryMs = RETRY_MS,
}: LeaderOptions): Leader => {
  const closing = new AbortController()
  const { signal } = closing
  let isLeading = false
  const closed = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })

  const reign = async (held: Leadership): Promise<void> => {
    const end = await lead()
    isLeading = true
    log.debug(`This process runs ${what}`)
    try {
      const reason = await Promise.race([held.lost, closed])
      if (reason !== undefined) log.warn(`Another process may run ${what} now: ${reason}`)
    } finally {
      isLeading = false
      await end()
    }
  }
  const run = async (): Promise<void> => {
    let told = ''
    while (!signal.aborted) {
      try {
        const held = await lock.take()
        if (held !== undefined) {
          told = ''
          try {
            if (!signal.aborted) await reign(held)
          } finally {
            await held.release()
          }
        }
      } catch (error) {
        const { message } = error as Error
        if (message !== told) log.warn(`Cannot run ${what}: ${message}. It is tried again`)
        told = message
      }
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
  const running = run()
  return {
    get isLeading() {
      return isLeading
    },
    close: async () => {
      closing.abort()
      await running
    },
  }
}
