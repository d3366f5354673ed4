import { fires } from './schedule/fires.ts'
import { type Zone, zoneOf } from './schedule/zone.ts'
import { type Day, type Moment, parseHoliday, parseWindow, type Window } from './blackout/window.ts'

// blackout.ts: whether a run may begin at an instant, and else when. Zones and calendars are the platform's own, so no workflow
// asks here: an activity does, and its answer is recorded. Schedules ask it for what would happen.

/** The times in which no run of an SOP begins, with the words that name each. */
export interface Calendar {
  readonly timezone: string
  readonly windows: readonly { readonly window: Window; readonly name: string }[]
}

/**
 * What holds from the instant on. `until`: ISO-8601. With `because` no run begins before it; without, none of the windows opens
 * before it.
 */
export interface Outlook {
  readonly until: string
  readonly because?: string
}

/** What an outlook looks ahead at most; whoever still waits then asks again. */
const AHEAD_MS = 31 * 86_400_000
/** Windows that follow each other without a gap: as many are counted as one. */
const MOST_IN_A_ROW = 60

/**
 * The calendar of an SOP. `filed`: the days that the files among its holidays hold.
 * @throws {RangeError} on a text that the compiler refuses
 */
export const calendarOf = (
  { blackout = [], holidays = [] }: { readonly blackout?: readonly string[]; readonly holidays?: readonly string[] },
  timezone: string,
  filed: readonly FiledDay[] = [],
): Calendar => ({
  timezone,
  windows: [
    ...blackout.map((text) => ({ window: orThrow(parseWindow(text)), name: `blackout "${text}"` })),
    ...holidays.flatMap((text) => {
      const holiday = orThrow(parseHoliday(text))
      return holiday.kind === 'file' ? [] : [{ window: holiday, name: `holiday "${text}"` }]
    }),
    ...filed.map(({ name, from, to }) => ({ window: { kind: 'days' as const, from, to }, name: `holiday "${name}"` })),
  ],
})

/** Paths of the calendar files among the holidays of an SOP. */
export const holidayFiles = (holidays: readonly string[] = []): readonly string[] =>
  holidays.flatMap((text) => {
    const holiday = parseHoliday(text)
    return holiday.ok && holiday.value.kind === 'file' ? [holiday.value.path] : []
  })

/** A day, or several, of a calendar file. */
export interface FiledDay {
  readonly name: string
  readonly from: Day
  readonly to: Day
}

const orThrow = <T>(read: { ok: true; value: T } | { ok: false; reason: string }): T => {
  if (read.ok) return read.value
  throw new RangeError(read.reason)
}

/** Whether a run may begin at the instant, else when; and how long that answer holds. @throws {RangeError} on an unknown zone */
export const outlookAt = ({ timezone, windows }: Calendar, at: string): Outlook => {
  const zone = zoneOf(timezone)
  const atMs = Date.parse(at)
  const lasting = windows.find(({ window }) => endOf(window, zone, atMs) !== undefined)
  if (lasting === undefined) {
    const opens = windows.map(({ window }) => opensAfter(window, zone, atMs))
    return { until: new Date(Math.min(atMs + AHEAD_MS, ...opens)).toISOString() }
  }
  let untilMs = atMs
  for (let count = 0; count < MOST_IN_A_ROW; count++) {
    const ends = windows.flatMap(({ window }) => endOf(window, zone, untilMs) ?? [])
    if (ends.length === 0) break
    untilMs = Math.max(...ends)
  }
  return { until: new Date(untilMs).toISOString(), because: lasting.name }
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** When the window ends that is open at the instant; undefined where none is. */
const endOf = (window: Window, zone: Zone, atMs: number): number | undefined => {
  let end: number | undefined
  for (const [from, to] of spansAround(window, zone, atMs)) {
    if (from <= atMs && atMs < to && (end === undefined || to > end)) end = to
  }
  return end
}

/** When it opens next; infinite where it does not within the outlook. */
const opensAfter = (window: Window, zone: Zone, atMs: number): number => {
  if (window.kind === 'cron') {
    for (const fire of fires(window.cron, zone.name, atMs + 1)) return fire
    return Number.POSITIVE_INFINITY
  }
  if (window.kind === 'span') {
    const from = first(zone, wallOf(window.from))
    return from > atMs ? from : Number.POSITIVE_INFINITY
  }
  for (let day = today(zone, atMs); day <= today(zone, atMs) + AHEAD_MS + DAY_MS; day += DAY_MS) {
    const span = spanOf(window, zone, day)
    if (span !== undefined && span[0] > atMs) return span[0]
  }
  return Number.POSITIVE_INFINITY
}

type Span = readonly [fromMs: number, toMs: number]

/** The spans of the window that may be open at the instant. */
const spansAround = (window: Window, zone: Zone, atMs: number): readonly Span[] => {
  switch (window.kind) {
    case 'span':
      return [[first(zone, wallOf(window.from)), last(zone, wallOf(window.to))]]
    case 'cron': {
      const spans: Span[] = []
      for (const fire of fires(window.cron, zone.name, atMs - window.durationMs + 1)) {
        if (fire > atMs) break
        // Of fires that follow each other closely the last one counts.
        spans[0] = [fire, fire + window.durationMs]
      }
      return spans
    }
    default: {
      const day = today(zone, atMs)
      return [day - DAY_MS, day, day + DAY_MS].flatMap((each) => {
        const span = spanOf(window, zone, each)
        return span === undefined ? [] : [span]
      })
    }
  }
}

/** The span that begins on the local day, given by its midnight as if it were UTC. */
const spanOf = (window: Extract<Window, { kind: 'times' | 'days' }>, zone: Zone, day: number): Span | undefined => {
  if (window.kind === 'days')
    return isWithin(window, new Date(day)) ? [first(zone, day), last(zone, day + DAY_MS)] : undefined
  const { from, to, days } = window
  if (days !== undefined && !days.includes(new Date(day).getUTCDay())) return undefined
  const end = day + to * MINUTE_MS + (to <= from ? DAY_MS : 0)
  return [first(zone, day + from * MINUTE_MS), last(zone, end)]
}

const isWithin = ({ from, to }: Extract<Window, { kind: 'days' }>, date: Date): boolean => {
  const year = from.year === undefined ? 0 : date.getUTCFullYear()
  const now = (year * 100 + date.getUTCMonth() + 1) * 100 + date.getUTCDate()
  const [begins, ends] = [numberOf(from), numberOf(to)]
  // From December to January it goes over the end of the year.
  return begins <= ends ? begins <= now && now <= ends : now >= begins || now <= ends
}

const numberOf = ({ year = 0, month, day }: Day): number => (year * 100 + month) * 100 + day

const wallOf = ({ day: { year = 0, month, day }, minute }: Moment): number =>
  Date.UTC(year, month - 1, day) + minute * MINUTE_MS

const today = (zone: Zone, atMs: number): number => Math.floor((atMs + zone.offsetAt(atMs)) / DAY_MS) * DAY_MS

// What the clocks pass over means the time after it. A time that comes twice begins a window at the first, ends it at the last.
const first = (zone: Zone, wallMs: number): number => zone.instantsOf(wallMs)[0] ?? zone.afterGap(wallMs)
const last = (zone: Zone, wallMs: number): number => zone.instantsOf(wallMs).at(-1) ?? zone.afterGap(wallMs)
