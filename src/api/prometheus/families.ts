import { Counter, Gauge, type Histogram, type Registry } from 'prom-client'
import { bucketOf, type Sketch } from '../../core/metrics/sketch.ts'

// families.ts: metrics of Prometheus whose values are known already: they come from the record, and not from this process.

export type Labels = Readonly<Record<string, string>>
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

interface FamilySpec {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** A counter or gauge with the samples of the moment. Without samples it is not told of. */
export const addSamples = (
  registry: Registry,
  type: 'counter' | 'gauge',
  { name, help, labels }: FamilySpec,
  samples: readonly Sample[],
): void => {
  if (samples.length === 0) return
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (type === 'counter') {
    const counter = new Counter(options)
    for (const { labels: of, value } of samples) counter.inc({ ...of }, value)
  } else {
    const gauge = new Gauge(options)
    for (const { labels: of, value } of samples) gauge.inc({ ...of }, value)
  }
}

export interface SketchSample {
  readonly labels: Labels
  readonly sketch: Sketch
}

/** Ends of buckets, in seconds: from a command to a procedure of weeks. */
const DURATION_BUCKETS = [
  1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400, 259_200, 604_800, 2_592_000,
] as const
/** The same for what a machine does while somebody waits. */
export const QUICK_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60] as const

/** A histogram made of sketches. Its buckets are off by 2.5 % of their end at most; sum and count are exact. */
export const addHistogram = (
  registry: Registry,
  { name, help }: Omit<FamilySpec, 'labels'>,
  samples: readonly SketchSample[],
  ends: readonly number[] = DURATION_BUCKETS,
): void => {
  if (samples.length === 0) return
  const value = (suffix: string, labels: Labels, of: number) => ({ metricName: `${name}_${suffix}`, labels, value: of })
  const values = samples.flatMap(({ labels, sketch }) => [
    ...ends.map((end) => value('bucket', { ...labels, le: String(end) }, countUpTo(sketch, end * 1000))),
    value('bucket', { ...labels, le: '+Inf' }, sketch.count),
    value('sum', labels, Math.max(0, sketch.sumMs / 1000)),
    value('count', labels, sketch.count),
  ])
  const family = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values }),
  }
  // The library writes whatever has a name and a `get`.
  registry.registerMetric(family as unknown as Histogram)
}

/** Values up to about this duration: whole buckets, the last one being that whose end is nearest. */
const countUpTo = ({ buckets }: Sketch, ms: number): number => {
  const last = nearestBucket(ms)
  let count = 0
  for (const [bucket, of] of Object.entries(buckets)) if (Number(bucket) <= last) count += of
  return count
}

const nearestBucket = (ms: number): number => {
  const above = bucketOf(ms)
  // The bucket that holds the value ends above it; the one before may end nearer.
  return above > 0 && 1.05 ** above / ms > ms / 1.05 ** (above - 1) ? above - 1 : above
}
