import type { CalendarCron, Cron } from './cron.ts'
import { type Zone, zoneOf } from './zone.ts'

// fires.ts: when a cron fires, as people and crontab(5) count (docs/decisions/0016-schedules.md): a local time that the
// clocks pass over means the first one after it, and a local time that comes twice means the first. Only a cron of every
// hour fires in both hours, since it would be silent for one of them otherwise.

const DAY_MS = 86_400_000
/** What no cron looks beyond, as its field for the year. */
const LAST_YEAR = 2100

/**
 * The instants at or after `fromMs` at which the cron fires, ascending and without end, up to the year 2100.
 * @throws {RangeError} on an unknown zone
 */
export function* fires(cron: Cron, timezone: string, fromMs: number): Generator<number, void, void> {
  if (cron.kind === 'interval') {
    const { everyMs } = cron
    for (let at = Math.ceil(fromMs / everyMs) * everyMs; new Date(at).getUTCFullYear() <= LAST_YEAR; at += everyMs)
      yield at
    return
  }
  const zone = zoneOf(timezone)
  let last = fromMs - 1
  // A day earlier: what its clocks pass over may mean a time of the next.
  let day = startOfDay(fromMs + zone.offsetAt(fromMs)) - 2 * DAY_MS
  while (new Date(day).getUTCFullYear() <= LAST_YEAR) {
    for (const at of firesOfDay(cron, zone, day)) {
      if (at <= last) continue
      last = at
      yield at
    }
    day = nextDay(cron, day)
  }
}

/** The fires in `[fromMs, toMs)`, at most `limit` of them. @throws {RangeError} on an unknown zone */
export const firesBetween = (
  cron: Cron,
  timezone: string,
  window: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): readonly number[] => {
  const found: number[] = []
  for (const at of fires(cron, timezone, window.fromMs)) {
    if (at >= window.toMs || found.length >= window.limit) break
    found.push(at)
  }
  return found
}

/** The fires of one local day, given by its midnight as if it were UTC; ascending, without repeats. */
export const firesOfDay = (cron: CalendarCron, zone: Zone, day: number): readonly number[] => {
  if (!isDayOf(cron, day)) return []
  const found = new Set<number>()
  for (const wallMs of timesOfDay(cron, day)) {
    const [first, ...again] = zone.instantsOf(wallMs)
    found.add(first ?? zone.afterGap(wallMs))
    if (cron.everyHour) for (const at of again) found.add(at)
  }
  return [...found].sort((a, b) => a - b)
}

/** The wall times of a day as if they were UTC. */
export const timesOfDay = ({ hours, minutes, seconds }: CalendarCron, day: number): readonly number[] =>
  hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => day + ((hour * 60 + minute) * 60 + second) * 1_000)),
  )

const startOfDay = (wallMs: number): number => Math.floor(wallMs / DAY_MS) * DAY_MS

/** Whether the cron has times on that day at all. */
export const isDayOf = ({ days, months, weekdays, years, eitherDay }: CalendarCron, day: number): boolean => {
  const date = new Date(day)
  if (years !== undefined && !years.includes(date.getUTCFullYear())) return false
  if (!months.includes(date.getUTCMonth() + 1)) return false
  const isDay = days.includes(date.getUTCDate())
  const isWeekday = weekdays.includes(date.getUTCDay())
  return eitherDay ? isDay || isWeekday : isDay && isWeekday
}

/** The next day that is worth a look: months and years without fires are stepped over. */
const nextDay = ({ months, years }: CalendarCron, day: number): number => {
  const date = new Date(day + DAY_MS)
  const year = date.getUTCFullYear()
  if (years !== undefined && !years.includes(year)) return Date.UTC(year + 1, 0, 1)
  return months.includes(date.getUTCMonth() + 1) ? day + DAY_MS : Date.UTC(year, date.getUTCMonth() + 1, 1)
}
