import type { CalendarCron, Cron } from './cron.ts'
import { firesOfDay, isDayOf, timesOfDay } from './fires.ts'
import { type Zone, zoneOf } from './zone.ts'

// fire-spec.ts: a cron in the words of a Temporal Schedule, such that Temporal fires when `fires` says.
// Left to itself Temporal lets a time pass that the clocks pass over, and fires at will at one that comes twice. So the days
// on which the clocks change within hours of the cron are taken out of its calendar, and the instants of these days stand
// beside it one by one, for some years ahead; the engine writes them anew long before they end.

/** From `start` to `end`, both included, each `step`th. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

/** Temporal's StructuredCalendarSpec; a field that is absent takes every value. */
export interface CalendarSpec {
  readonly second: readonly Range[]
  readonly minute: readonly Range[]
  readonly hour: readonly Range[]
  readonly dayOfMonth: readonly Range[]
  readonly month: readonly Range[]
  readonly year?: readonly Range[]
  readonly dayOfWeek: readonly Range[]
}

/** Temporal's IntervalSpec, in seconds: all instants that are `phase` beyond a multiple of `every`. */
export interface IntervalSpec {
  readonly every: number
  readonly phase: number
}

export interface FireSpec {
  readonly calendars: readonly CalendarSpec[]
  readonly intervals: readonly IntervalSpec[]
}

/** Years whose clock changes are written out, from the present one on. */
export const YEARS_AHEAD = 3
/** More instants than these, and the years farther ahead wait. */
const MOST_INSTANTS = 600
/** An hour of seconds. */
const MOST_OF_A_DAY = 3_600
/** Whatever the number of instants, this many days are written out: those of this year and of the next. */
const LEAST_CHANGES = 4

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** The years that Temporal's calendars know. */
const [FIRST_YEAR, LAST_YEAR] = [2000, 2100]
/** An interval that comes once in the time of this program: 40 years, less than any instant of today since 1970. */
const ONCE_S = 40 * 365 * 86_400

/**
 * The spec of a cron in a zone, with the clock changes from the beginning of the year of `nowMs` on. The same for the whole
 * year. @throws {RangeError} on an unknown zone
 */
export const fireSpec = (cron: Cron, timezone: string, nowMs: number): FireSpec => {
  if (cron.kind === 'interval') return { calendars: [], intervals: [{ every: cron.everyMs / 1_000, phase: 0 }] }
  const zone = zoneOf(timezone)
  const affected = affectedDays(zone, new Date(nowMs).getUTCFullYear())
  const touched = new Set(affected.flatMap(({ hours }) => hours))
  const [safe, risky] = [false, true].map((is) => ({
    ...cron,
    hours: cron.hours.filter((at) => touched.has(at) === is),
  }))
  const odd = limited(
    affected
      .filter((each) => !isAsAsked(cron, zone, each))
      .map(({ day }) => ({ day, instants: risky === undefined ? [] : firesOfDay(risky, zone, day) })),
  )
  if (odd.length === 0 || safe === undefined || risky === undefined)
    return { calendars: calendarsOf(cron), intervals: [] }
  const carved = without(
    risky,
    odd.map(({ day }) => day),
  )
  return {
    calendars: [safe, ...carved].flatMap(calendarsOf),
    intervals: [...new Set(odd.flatMap(({ instants }) => instants))].map((at) => ({
      every: ONCE_S,
      phase: (at / 1_000) % ONCE_S,
    })),
  }
}

interface AffectedDay {
  /** Its midnight, as if it were UTC. */
  readonly day: number
  /** The hours of the day that Temporal's calendar cannot be left alone with. */
  readonly hours: readonly number[]
  /** The clocks go on by an hour: Temporal leaves out what does not exist, and nothing else. */
  readonly isPlain: boolean
}

/**
 * Where the clocks go back, Temporal fires once or twice by how far east the zone is, and in some at the hour before again;
 * where they change by another time than an hour, at times that are not in the calendar (measured).
 */
const affectedDays = (zone: Zone, firstYear: number): readonly AffectedDay[] =>
  Array.from({ length: YEARS_AHEAD }, (_, ahead) => firstYear + ahead)
    .flatMap((year) => zone.changesIn(year))
    .flatMap(({ atMs, beforeMs, afterMs }) => {
      const [from, to] = [atMs + Math.min(beforeMs, afterMs), atMs + Math.max(beforeMs, afterMs)]
      const first = Math.floor(from / HOUR_MS) - (afterMs < beforeMs ? 1 : 0)
      const hours = new Map<number, number[]>()
      for (let hour = first; hour * HOUR_MS < to; hour++) {
        const day = Math.floor(hour / 24) * DAY_MS
        hours.set(day, [...(hours.get(day) ?? []), hour - day / HOUR_MS])
      }
      const isPlain = afterMs - beforeMs === HOUR_MS
      return [...hours].map(([day, hoursOfDay]) => ({ day, hours: hoursOfDay, isPlain }))
    })

/** Whether Temporal's calendar does on that day what the cron asks for. */
const isAsAsked = (cron: CalendarCron, zone: Zone, { day, hours, isPlain }: AffectedDay): boolean => {
  if (!isDayOf(cron, day) || !cron.hours.some((hour) => hours.includes(hour))) return true
  const existing = timesOfDay(cron, day).flatMap((wallMs) => zone.instantsOf(wallMs))
  return isPlain && isSame(firesOfDay(cron, zone, day), existing)
}

const isSame = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((value, at) => value === other[at])

/** A day on which the two differ, and what is due on it in the touched hours. */
interface OddDay {
  readonly day: number
  readonly instants: readonly number[]
}

/** The nearest ones, so that the spec stays small. A cron of every second is left to Temporal. */
const limited = (days: readonly OddDay[]): readonly OddDay[] => {
  let count = 0
  return days
    .filter(({ instants }) => instants.length <= MOST_OF_A_DAY)
    .filter(({ instants }, at) => {
      count += instants.length
      return at < LEAST_CHANGES || count <= MOST_INSTANTS
    })
}

const YEARS = Array.from({ length: LAST_YEAR - FIRST_YEAR + 1 }, (_, at) => FIRST_YEAR + at)

/** The cron without some days: what is left of their months, of their years, and all other years. */
const without = (cron: CalendarCron, days: readonly number[]): readonly CalendarCron[] => {
  const dates = days.map((day) => new Date(day))
  const taken = new Set(dates.map((date) => date.getUTCFullYear()))
  const years = (cron.years ?? YEARS).filter((year) => !taken.has(year))
  return [
    { ...cron, years },
    ...[...taken].flatMap((year) => {
      const ofYear = dates.filter((date) => date.getUTCFullYear() === year)
      const months = new Set(ofYear.map((date) => date.getUTCMonth() + 1))
      return [
        { ...cron, years: [year], months: cron.months.filter((month) => !months.has(month)) },
        ...[...months].map((month) => {
          const out = ofYear.filter((date) => date.getUTCMonth() + 1 === month).map((date) => date.getUTCDate())
          return { ...cron, years: [year], months: cron.months.filter((each) => each === month), out }
        }),
      ]
    }),
  ]
}

/** Temporal wants both days to fit, crontab either: two calendars say so. Empty for a cron that has no times. */
const calendarsOf = (cron: CalendarCron & { readonly out?: readonly number[] }): readonly CalendarSpec[] => {
  const { out = [], eitherDay } = cron
  const left = (days: readonly number[]): readonly number[] => days.filter((day) => !out.includes(day))
  const parts = eitherDay
    ? [
        { days: left(cron.days), weekdays: ALL_WEEKDAYS },
        { days: left(ALL_DAYS), weekdays: cron.weekdays },
      ]
    : [{ days: left(cron.days), weekdays: cron.weekdays }]
  return parts
    .filter(
      ({ days }) => days.length > 0 && cron.hours.length > 0 && cron.months.length > 0 && cron.years?.length !== 0,
    )
    .map(({ days, weekdays }) => ({
      second: rangesOf(cron.seconds),
      minute: rangesOf(cron.minutes),
      hour: rangesOf(cron.hours),
      dayOfMonth: rangesOf(days),
      month: rangesOf(cron.months),
      dayOfWeek: rangesOf(weekdays),
      ...(cron.years !== undefined && { year: rangesOf(cron.years) }),
    }))
}

const ALL_WEEKDAYS = [0, 1, 2, 3, 4, 5, 6]
const ALL_DAYS = Array.from({ length: 31 }, (_, at) => at + 1)

/** Ascending values as few ranges. */
const rangesOf = (values: readonly number[]): readonly Range[] => {
  const ranges: Range[] = []
  for (let at = 0; at < values.length; ) {
    const start = values[at] ?? 0
    const step = (values[at + 1] ?? start + 1) - start
    let end = at
    while (end + 1 < values.length && (values[end + 1] ?? 0) - (values[end] ?? 0) === step) end++
    // Two values are no pattern: the second may begin one.
    if (end === at + 1 && step > 1) end = at
    ranges.push({ start, end: values[end] ?? start, step: end === at ? 1 : step })
    at = end + 1
  }
  return ranges
}
