import { collectDefaultMetrics, Registry } from 'prom-client'
import type { MetersView } from '../../core/metrics/meters.ts'
import { addHistogram, addSamples, QUICK_BUCKETS } from './families.ts'

// process-families.ts: what a process of ours tells of its own doing, whether it has an API or is a worker alone.

/** Of the metrics that every Node process has: gauges that are called like counters, and such that may be no number. */
const UNFIT = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_eventloop_lag_mean_seconds',
  'nodejs_eventloop_lag_stddev_seconds',
]

/** The figures of every Node process, of this one. */
export const processRegistry = (): Registry => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of UNFIT) registry.removeSingleMetric(name)
  return registry
}

/** What the process counts. */
export const addMeters = (registry: Registry, { deliveries, auditLag }: MetersView): void => {
  addSamples(
    registry,
    'counter',
    {
      name: 'sop_trigger_deliveries_total',
      help: 'What came for triggers at this process, by what became of it',
      labels: ['source', 'verdict'],
    },
    deliveries.map(({ source, verdict, count }) => ({ labels: { source, verdict }, value: count })),
  )
  addHistogram(
    registry,
    { name: 'sop_audit_lag_seconds', help: 'From an event to its place on record, of what this process recorded' },
    [{ labels: {}, sketch: auditLag }],
    QUICK_BUCKETS,
  )
}

export const addBuild = (registry: Registry, version: string): void =>
  addSamples(
    registry,
    'gauge',
    { name: 'sop_build_info', help: 'Which engine this is; always 1', labels: ['version'] },
    [{ labels: { version }, value: 1 }],
  )
