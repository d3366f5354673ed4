import type { Health } from '../client/client.ts'
import type { ReadHealth } from '../client/health.ts'
import type { Log } from '../log.ts'

// health-watch.ts: looks at the health by itself, so that since when something does not work is known though nobody asked, and
// says in the log what begins and what ends.

export interface HealthWatchOptions {
  readonly read: ReadHealth
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Pause between two looks, in milliseconds. Default 15,000. */
  readonly everyMs?: number
}

export interface HealthWatch {
  /** Looks now. */
  look(): Promise<void>
  close(): void
}

const EVERY_MS = 15_000

export const createHealthWatch = ({ read, log, everyMs = EVERY_MS }: HealthWatchOptions): HealthWatch => {
  const told = new Map<string, string>()
  const tell = (checks: Health['checks']): void => {
    for (const [name, { ok, detail = '', since = '', help = '' }] of Object.entries(checks)) {
      if (ok || told.has(name)) continue
      told.set(name, since)
      log.warn(`The engine is not well (${name}): ${detail}. ${help}`, { check: name, since })
    }
    for (const [name, since] of told) {
      if (checks[name]?.ok === false) continue
      told.delete(name)
      log.info(`The engine is well again (${name})`, { check: name, since })
    }
  }
  const look = async (): Promise<void> => tell((await read()).checks)
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  timer.unref()
  return { look, close: () => clearInterval(timer) }
}
