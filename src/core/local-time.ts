// local-time.ts: wall clocks of IANA zones. The zone data is the platform's own and changes with it, so no workflow asks here:
// what an activity found out is recorded (engine.md 2, time-of-day facts).

/** A wall clock: month and hour as people count them. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (timezone: string): Intl.DateTimeFormat => {
  const known = formats.get(timezone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(timezone, format)
  return format
}

/** What a clock on the wall shows in a zone. @throws {RangeError} on an unknown zone */
export const wallTime = (instant: Date, timezone: string): WallTime => {
  const parts = Object.fromEntries(
    formatOf(timezone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

/** A wall clock as if it were UTC: for counting with days and minutes. */
const asUtc = ({ year, month, day, hour, minute, second }: WallTime): number =>
  Date.UTC(year, month - 1, day, hour, minute, second)

const offsetAt = (instantMs: number, timezone: string): number =>
  asUtc(wallTime(new Date(instantMs), timezone)) - Math.floor(instantMs / 1_000) * 1_000

/** The first instant at which the wall shows `wall` (given as if UTC); undefined when it never does. */
const instantOf = (wall: number, timezone: string): number | undefined => {
  const offsets = [offsetAt(wall - DAY_MS, timezone), offsetAt(wall, timezone), offsetAt(wall + DAY_MS, timezone)]
  const instants = offsets
    .map((offset) => wall - offset)
    .filter((instant) => instant + offsetAt(instant, timezone) === wall)
  return instants.length === 0 ? undefined : Math.min(...instants)
}

/** Same, but a time that the clocks pass over means the next minute that exists. */
const existingInstant = (wall: number, timezone: string): number => {
  for (let minute = 0; minute <= 2 * 24 * 60; minute++) {
    const instant = instantOf(wall + minute * MINUTE_MS, timezone)
    if (instant !== undefined) return instant
  }
  return wall
}

/**
 * The first instant, now or later, at which clocks in the zone show `hour`:`minute`. A time that does not exist that day
 * means the next minute that does; one that comes twice means the first (rulings 25).
 */
export const nextAt = (now: Date, hour: number, minute: number, timezone: string): Date => {
  const midnight = asUtc({ ...wallTime(now, timezone), hour: 0, minute: 0, second: 0 })
  for (let day = 0; ; day++) {
    const instant = existingInstant(midnight + day * DAY_MS + (hour * 60 + minute) * MINUTE_MS, timezone)
    if (instant >= now.getTime()) return new Date(instant)
  }
}

/** Day of the week in a zone, 0 for Sunday. */
export const weekdayIn = (instant: Date, timezone: string): number =>
  new Date(asUtc({ ...wallTime(instant, timezone), hour: 0, minute: 0, second: 0 })).getUTCDay()
