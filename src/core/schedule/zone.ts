import { wallTime } from '../local-time.ts'

// zone.ts: when the clocks of a zone change. The zone data is the platform's own (core/local-time.ts): no workflow asks here.

/** One change of the clocks of a zone. Offsets are what is added to UTC, in milliseconds. */
export interface ClockChange {
  /** The first instant at which the new offset holds. */
  readonly atMs: number
  readonly beforeMs: number
  readonly afterMs: number
}

/** The clocks of one zone. Wall times are counted as if they were UTC. */
export interface Zone {
  readonly name: string
  offsetAt(instantMs: number): number
  /** The changes of that year (UTC), in order. */
  changesIn(year: number): readonly ClockChange[]
  /** The instants at which the clocks show `wallMs`, in order: one, two where the hour comes twice, none where it is passed over. */
  instantsOf(wallMs: number): readonly number[]
  /** The first instant after the time that is passed over and that `wallMs` lies in. */
  afterGap(wallMs: number): number
}

interface Year {
  readonly offsetMs: number
  readonly changes: readonly ClockChange[]
}

const DAY_MS = 86_400_000
/** No zone changes its clocks twice and back within so long. */
const STRIDE_MS = 5 * DAY_MS

const zones = new Map<string, Zone>()

/** The clocks of an IANA zone. @throws {RangeError} on an unknown zone */
export const zoneOf = (name: string): Zone => {
  const known = zones.get(name)
  if (known !== undefined) return known
  wallTime(new Date(0), name)
  const zone = createZone(name)
  zones.set(name, zone)
  return zone
}

const createZone = (name: string): Zone => {
  const years = new Map<number, Year>()
  const yearOf = (year: number): Year => {
    const known = years.get(year)
    if (known !== undefined) return known
    const found = readYear(name, year)
    years.set(year, found)
    return found
  }
  const offsetAt = (instantMs: number): number => {
    const { offsetMs, changes } = yearOf(new Date(instantMs).getUTCFullYear())
    let offset = offsetMs
    for (const change of changes) if (instantMs >= change.atMs) offset = change.afterMs
    return offset
  }
  const near = (wallMs: number): readonly ClockChange[] => {
    const years = new Set([wallMs - 2 * DAY_MS, wallMs + 2 * DAY_MS].map((ms) => new Date(ms).getUTCFullYear()))
    return [...years]
      .flatMap((year) => yearOf(year).changes)
      .filter((each) => Math.abs(each.atMs - wallMs) < 2 * DAY_MS)
  }
  return {
    name,
    offsetAt,
    changesIn: (year) => yearOf(year).changes,
    instantsOf: (wallMs) => {
      const changes = near(wallMs)
      const offsets =
        changes.length === 0 ? [offsetAt(wallMs)] : changes.flatMap((each) => [each.beforeMs, each.afterMs])
      const instants = offsets.map((offset) => wallMs - offset).filter((at) => at + offsetAt(at) === wallMs)
      return [...new Set(instants)].sort((a, b) => a - b)
    },
    afterGap: (wallMs) => {
      const gap = near(wallMs).find((each) => each.atMs + each.beforeMs <= wallMs && wallMs < each.atMs + each.afterMs)
      return gap?.atMs ?? wallMs - offsetAt(wallMs)
    },
  }
}

const offsetOf = (instantMs: number, zone: string): number => {
  const { year, month, day, hour, minute, second } = wallTime(new Date(instantMs), zone)
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1_000) * 1_000
}

const readYear = (zone: string, year: number): Year => {
  const [start, end] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)]
  const changes: ClockChange[] = []
  const first = offsetOf(start, zone)
  let [at, offset] = [start, first]
  while (at < end) {
    const next = Math.min(at + STRIDE_MS, end)
    const after = offsetOf(next, zone)
    if (after !== offset) {
      const change = { atMs: changeBetween(at, next, offset, zone), beforeMs: offset, afterMs: after }
      if (change.atMs < end) changes.push(change)
    }
    ;[at, offset] = [next, after]
  }
  return { offsetMs: first, changes }
}

/** The first second, after one with the old offset and up to one with another, at which that other holds. */
const changeBetween = (fromMs: number, toMs: number, before: number, zone: string): number => {
  let [low, high] = [fromMs / 1_000, toMs / 1_000]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetOf(middle * 1_000, zone) === before) low = middle
    else high = middle
  }
  return high * 1_000
}
