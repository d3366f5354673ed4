// sketch.ts: how long things took, in buckets that grow by five per cent. Two sketches can be added to each other, and one
// can be taken out of another again, so that days, SOPs and processes are put together without the single values.

/** Each bucket ends at this many times the end of the one before it; the first ends at one millisecond. */
const BUCKET_GROWTH = 1.05

/** Most that a quantile is off, as a share of the true value: the middle of a bucket stands for all of it. */
export const QUANTILE_ERROR = 0.025

/** Counts by bucket: bucket 0 holds what took up to 1 ms, bucket `n` what took up to `1.05^n` ms. */
export interface Sketch {
  readonly count: number
  /** Of all values, in milliseconds; exact. */
  readonly sumMs: number
  readonly buckets: Readonly<Record<string, number>>
}

export const EMPTY_SKETCH: Sketch = { count: 0, sumMs: 0, buckets: {} }

const LOG_GROWTH = Math.log(BUCKET_GROWTH)

/** Number of the bucket of a duration in milliseconds. */
export const bucketOf = (ms: number): number => (ms <= 1 ? 0 : Math.ceil(Math.log(ms) / LOG_GROWTH))

/** The longest that a bucket holds, in milliseconds. */
const bucketEndMs = (bucket: number): number => BUCKET_GROWTH ** bucket

/** A sketch of one value. What a clock that was set back makes negative counts as no time. */
export const sketchOf = (ms: number): Sketch => {
  const known = Math.max(0, ms)
  return { count: 1, sumMs: known, buckets: { [bucketOf(known)]: 1 } }
}

/** Both together; with `times` -1 the second is taken out of the first. */
export const addSketch = (into: Sketch, other: Sketch, times: 1 | -1 = 1): Sketch => {
  const buckets: Record<string, number> = { ...into.buckets }
  for (const [bucket, count] of Object.entries(other.buckets)) {
    const now = (buckets[bucket] ?? 0) + times * count
    if (now === 0) delete buckets[bucket]
    else buckets[bucket] = now
  }
  return { count: into.count + times * other.count, sumMs: into.sumMs + times * other.sumMs, buckets }
}

/**
 * The value that a share `q` of all values does not exceed (nearest rank), in milliseconds, off by 2.5 % at most; undefined
 * where there is no value.
 */
export const quantileMs = ({ count, buckets }: Sketch, q: number): number | undefined => {
  if (count <= 0) return undefined
  const rank = Math.max(1, Math.ceil(q * count))
  let seen = 0
  const numbers = Object.keys(buckets)
    .map(Number)
    .sort((a, b) => a - b)
  for (const bucket of numbers) {
    seen += buckets[bucket] ?? 0
    if (seen >= rank) return middleMs(bucket)
  }
  const last = numbers.at(-1)
  return last === undefined ? undefined : middleMs(last)
}

const middleMs = (bucket: number): number =>
  bucket === 0 ? 1 : Math.round((2 * bucketEndMs(bucket)) / (BUCKET_GROWTH + 1))
