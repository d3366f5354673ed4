import { parseDuration } from '../duration.ts'
import { type Cron, cronProblem, parseCron } from '../schedule/cron.ts'

// window.ts: the texts of `blackout` and `holidays`. What they mean in a zone is in blackout.ts.

/** A day, of one year or of every one. */
export interface Day {
  readonly year?: number
  /** From 1. */
  readonly month: number
  readonly day: number
}

/** Times in which no run begins. Ends are excluded, but for days, which count whole. */
export type Window =
  /** Minutes of the day; `to` at or below `from` is on the next day. `days`: days of the week on which it begins, 0 is Sunday. */
  | { readonly kind: 'times'; readonly from: number; readonly to: number; readonly days?: readonly number[] }
  | { readonly kind: 'days'; readonly from: Day; readonly to: Day }
  /** Of one year, with minutes of the day. */
  | { readonly kind: 'span'; readonly from: Moment; readonly to: Moment }
  | { readonly kind: 'cron'; readonly cron: Cron; readonly durationMs: number }
export interface Moment {
  readonly day: Day
  readonly minute: number
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason })
const yes = <T>(value: T): Read<T> => ({ ok: true, value })

/** What a window may be, for messages. */
export const WINDOW_FORMS =
  'Write times ("22:00-06:00", "sat,sun", "fri 16:00-24:00"), dates ("2026-12-24..2027-01-02", "12-24", "2026-12-24 12:00..2026-12-27 06:00"), or a cron with its length ("0 2 * * 0 for 4h")'
export const HOLIDAY_FORMS =
  'Write "2026-12-25", "12-25" for every year, "2026-12-24..2027-01-02", or a file such as "holidays.ics"'

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const DAY_MINUTES = 24 * 60
/** A window that a cron opens ends before a month is over. */
const LONGEST_MS = 31 * 86_400_000

/** Reads one text of `blackout`. */
export const parseWindow = (text: string): Read<Window> => {
  const trimmed = text.trim()
  const [, cron, length] = /^(.*?)\s+for\s+(\S.*)$/i.exec(trimmed) ?? []
  if (cron !== undefined && length !== undefined) return parseOpened(cron, length)
  if (/^\d/.test(trimmed) && !trimmed.includes(':')) return parseDays(trimmed)
  if (trimmed.includes('..')) return parseSpan(trimmed)
  return parseTimes(trimmed)
}

const parseOpened = (expression: string, length: string): Read<Window> => {
  const problem = cronProblem(expression)
  if (problem !== undefined) return no(`"${expression.slice(0, 40)}" is no cron: ${problem.reason}`)
  const duration = parseDuration(length)
  if (!duration.ok || duration.ms === null || duration.ms <= 0) return no(`"${length.slice(0, 40)}" is no duration`)
  if (duration.ms > LONGEST_MS) return no('a window that a cron opens is at most 31 days long')
  return yes({ kind: 'cron', cron: parseCron(expression), durationMs: duration.ms })
}

const parseTimes = (text: string): Read<Window> => {
  const [, names = '', times] = /^([a-z,\s-]*?)\s*(\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2})?$/i.exec(text) ?? []
  if (names.trim() === '' && times === undefined) return no(`"${text.slice(0, 60)}" is neither times nor dates`)
  const days = names.trim() === '' ? undefined : parseWeekdays(names)
  if (typeof days === 'string') return no(days)
  const [from, to] = times === undefined ? [0, DAY_MINUTES] : times.split('-').map(minuteOf)
  if (from === undefined || to === undefined || from === DAY_MINUTES)
    return no(`"${times?.trim()}" are no times of a day, from 00:00 to 24:00`)
  if (from === to) return no(`"${times?.trim()}" is empty; the whole day is 00:00-24:00`)
  if (to - from === DAY_MINUTES && (days === undefined || days.length === 7)) return no('it never ends')
  return yes({ kind: 'times', from, to, ...(days !== undefined && { days }) })
}

const minuteOf = (text: string): number | undefined => {
  const [, hour = '', minute = ''] = /^\s*(\d{1,2}):(\d{2})\s*$/.exec(text) ?? []
  const minutes = Number(hour) * 60 + Number(minute)
  return hour === '' || Number(minute) > 59 || minutes > DAY_MINUTES ? undefined : minutes
}

/** Days of the week, or why the text has none. */
const parseWeekdays = (text: string): readonly number[] | string => {
  const days = new Set<number>()
  for (const item of text.split(',')) {
    const ends = item.split('-').map(weekdayOf)
    const [first = -1, last = first] = ends
    if (ends.length > 2 || ends.includes(-1))
      return `"${item.trim().slice(0, 30)}" is no day of the week, as in mon-fri or sat`
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return [...days].sort((a, b) => a - b)
}

const weekdayOf = (text: string): number => {
  const name = text.trim().toLowerCase()
  return WEEKDAYS.findIndex((day) => day === name || day.slice(0, 3) === name)
}

/** Whole days: one, or from one to another. */
const parseDays = (text: string): Read<Window> => {
  const [first = '', second = first, ...more] = text.split('..').map((part) => part.trim())
  const [from, to] = [parseDay(first), parseDay(second)]
  if (more.length > 0 || from === undefined || to === undefined)
    return no(`"${text.slice(0, 60)}" is no day, as in 2026-12-25 or 12-25`)
  if ((from.year === undefined) !== (to.year === undefined))
    return no('one of its days has a year, and the other has none')
  if (from.year !== undefined && numberOf(to) < numberOf(from)) return no('it ends before it begins')
  return yes({ kind: 'days', from, to })
}

const parseDay = (text: string): Day | undefined => {
  const [, year, month, day] = /^(?:(\d{4})-)?(\d{2})-(\d{2})$/.exec(text) ?? []
  if (month === undefined || day === undefined) return undefined
  const found = { ...(year !== undefined && { year: Number(year) }), month: Number(month), day: Number(day) }
  // The 29th of February is a day of every year that has it.
  const date = new Date(Date.UTC(found.year ?? 2024, found.month - 1, found.day))
  return date.getUTCMonth() === found.month - 1 && date.getUTCDate() === found.day ? found : undefined
}

const numberOf = ({ year = 0, month, day }: Day): number => (year * 100 + month) * 100 + day

const parseSpan = (text: string): Read<Window> => {
  const [from, to, ...more] = text.split('..').map(parseMoment)
  if (more.length > 0 || from === undefined || to === undefined)
    return no(`"${text.slice(0, 80)}" is not from one moment to another, as in 2026-12-24 12:00..2026-12-27 06:00`)
  const isAfter = numberOf(to.day) * DAY_MINUTES + to.minute > numberOf(from.day) * DAY_MINUTES + from.minute
  return isAfter ? yes({ kind: 'span', from, to }) : no('it ends before it begins')
}

const parseMoment = (text: string): Moment | undefined => {
  const [, date = '', time = '00:00'] = /^\s*(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}))?\s*$/.exec(text) ?? []
  const [day, minute] = [parseDay(date), minuteOf(time)]
  return day === undefined || minute === undefined ? undefined : { day, minute }
}

/** A day without runs, or a file of such days. */
export type Holiday = { readonly kind: 'file'; readonly path: string } | Extract<Window, { kind: 'days' }>

/** Reads one text of `holidays`. */
export const parseHoliday = (text: string): Read<Holiday> => {
  const trimmed = text.trim()
  if (/\.ics$/i.test(trimmed)) {
    const isInside = !/^([/\\]|[a-z]:)/i.test(trimmed) && !trimmed.split(/[/\\]/).includes('..')
    return isInside
      ? yes({ kind: 'file', path: trimmed })
      : no('a file of holidays lies in the folder of the SOP or below the SOP directory')
  }
  const read = parseDays(trimmed)
  return read.ok && read.value.kind === 'days' ? yes(read.value) : no(read.ok ? 'it is no day' : read.reason)
}
