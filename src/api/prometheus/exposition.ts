import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Scrape } from '../../client/scrape.ts'
import { addHistogram, addSamples, QUICK_BUCKETS } from './families.ts'
import type { HttpMeters } from './http-meters.ts'
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

/** Of the metrics that every Node process has: gauges that are called like counters, and such that may be no number. */
const UNFIT = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_eventloop_lag_mean_seconds',
  'nodejs_eventloop_lag_stddev_seconds',
]

export const createExposition = ({ scrape, http, streamsOpen, maxSops }: ExpositionDeps): Exposition => {
  const ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  for (const name of UNFIT) ofProcess.removeSingleMetric(name)
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
      addSamples(
        registry,
        'counter',
        {
          name: 'sop_trigger_deliveries_total',
          help: 'What came for triggers at this process, by what became of it',
          labels: ['source', 'verdict'],
        },
        meters.deliveries.map(({ source, verdict, count }) => ({ labels: { source, verdict }, value: count })),
      )
      addHistogram(
        registry,
        { name: 'sop_audit_lag_seconds', help: 'From an event to its place on record, of what this process recorded' },
        [{ labels: {}, sketch: meters.auditLag }],
        QUICK_BUCKETS,
      )
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
      addSamples(
        registry,
        'gauge',
        { name: 'sop_build_info', help: 'Which engine this is; always 1', labels: ['version'] },
        [{ labels: { version }, value: 1 }],
      )
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
