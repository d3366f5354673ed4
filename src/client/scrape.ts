import type { Cell } from '../core/metrics/ledger.ts'
import type { MetersView } from '../core/metrics/meters.ts'
import type { OpenRuns } from '../core/run/census.ts'
import type { Health } from './client.ts'

// scrape.ts: all that a monitoring system is told, read at once. What cannot be read is absent, and the rest is told.

export interface Scrape {
  readonly version: string
  /** Sums since the beginning, from the record. */
  readonly totals?: readonly Cell[]
  readonly open?: readonly OpenRuns[]
  readonly logBytes?: number
  readonly health: Health
  readonly meters: MetersView
}

export interface ScrapeDeps {
  readonly version: string
  readonly metrics: { cells(): Promise<readonly Cell[]> }
  readonly index: { census(): Promise<readonly OpenRuns[]> }
  readonly logBytes: () => Promise<number>
  readonly health: () => Promise<Health>
  readonly meters: { view(): MetersView }
}

/** A store that does not answer must not keep the others from being told of. */
const SOURCE_MS = 5_000

export const readScrape = async (deps: ScrapeDeps): Promise<Scrape> => {
  const [totals, open, logBytes, health] = await Promise.all([
    known(deps.metrics.cells()),
    known(deps.index.census()),
    known(deps.logBytes()),
    deps.health(),
  ])
  return {
    version: deps.version,
    ...(totals !== undefined && { totals }),
    ...(open !== undefined && { open }),
    ...(logBytes !== undefined && { logBytes }),
    health,
    meters: deps.meters.view(),
  }
}

const known = async <T>(asked: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), SOURCE_MS)
  })
  try {
    return await Promise.race([asked.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
