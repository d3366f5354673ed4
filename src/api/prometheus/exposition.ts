import { Registry } from 'prom-client'
import type { Scrape } from '../../client/scrape.ts'
import { addSamples } from './families.ts'
import type { HttpMeters } from './http-meters.ts'
import { addBuild, addMeters, processRegistry } from './process-families.ts'
import { addOpenRuns, addRunTotals, runsBySop } from './run-families.ts'
import { createSopLabels } from './sop-labels.ts'

// exposition.ts: the text that Prometheus reads. What is told of runs is made anew for each scrape; what this process does
// itself is counted as it happens.

export interface ExpositionDeps {
  readonly scrape: () => Promise<Scrape>
  readonly http: HttpMeters
  readonly streamsOpen: () => number
  /** SOPs that get series of their own. */
  readonly maxSops: number
}

export interface Exposition {
  readonly contentType: string
  render(): Promise<string>
}

export const createExposition = ({ scrape, http, streamsOpen, maxSops }: ExpositionDeps): Exposition => {
  const ofProcess = processRegistry()
  const labels = createSopLabels(maxSops)
  return {
    contentType: ofProcess.contentType,
    render: async () => {
      const found = await scrape()
      const registry = new Registry()
      const { totals, open, logBytes, health, meters, version } = found
      const runs = new Map([
        ...(open ?? []).map(({ sop }) => [sop, 0] as const),
        ...(totals === undefined ? [] : runsBySop(totals)),
      ])
      const label = labels(runs)
      if (totals !== undefined) addRunTotals(registry, totals, label)
      if (open !== undefined) addOpenRuns(registry, open, label, [...runs.keys()])
      addMeters(registry, meters)
      if (logBytes !== undefined) {
        addSamples(registry, 'gauge', { name: 'sop_log_bytes', help: 'Size of all logs of steps', labels: [] }, [
          { labels: {}, value: logBytes },
        ])
      }
      addHealth(registry, health)
      addSources(registry, found)
      addSamples(registry, 'gauge', { name: 'sop_streams_open', help: 'Streams that clients follow', labels: [] }, [
        { labels: {}, value: streamsOpen() },
      ])
      addBuild(registry, version)
      http.addTo(registry)
      return Registry.merge([registry, ofProcess]).metrics()
    },
  }
}

const STATUSES = ['ok', 'degraded', 'down'] as const

const addHealth = (registry: Registry, { status, checks }: Scrape['health']): void => {
  addSamples(
    registry,
    'gauge',
    { name: 'sop_health_status', help: 'How the engine is: 1 at one of ok, degraded, down', labels: ['status'] },
    STATUSES.map((each) => ({ labels: { status: each }, value: each === status ? 1 : 0 })),
  )
  addSamples(
    registry,
    'gauge',
    { name: 'sop_health_check', help: '1: the check of this name is well; 0: it is not', labels: ['check'] },
    Object.entries(checks).map(([check, { ok }]) => ({ labels: { check }, value: ok ? 1 : 0 })),
  )
  addSamples(
    registry,
    'gauge',
    {
      name: 'sop_health_figure',
      help: 'Figures of the checks, e.g. how many events wait for the record',
      labels: ['check', 'figure'],
    },
    Object.entries(checks).flatMap(([check, { figures = {} }]) =>
      Object.entries(figures).map(([figure, value]) => ({ labels: { check, figure }, value })),
    ),
  )
}

/** So that figures which are missing are no riddle. */
const addSources = (registry: Registry, { totals, open, logBytes }: Scrape): void =>
  addSamples(
    registry,
    'gauge',
    { name: 'sop_scrape_source_up', help: '1: the figures of this source could be read', labels: ['source'] },
    Object.entries({ metrics: totals, runs: open, logs: logBytes }).map(([source, found]) => ({
      labels: { source },
      value: found === undefined ? 0 : 1,
    })),
  )
