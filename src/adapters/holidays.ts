import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import ICAL from 'ical.js'
import type { ReadHolidays } from '../activities/deps.ts'
import type { FiledDay } from '../core/blackout.ts'
import { SopError } from '../core/errors.ts'

export interface HolidaysOptions {
  readonly sopDir: string
  /** Path of the main file of an SOP, below the SOP directory. */
  readonly pathOf: (sop: string) => Promise<string | undefined>
  readonly now: () => Date
}

/** Larger than any calendar of holidays. */
const MAX_BYTES = 1024 * 1024
const MAX_DAYS = 10_000
/** Years around the present one for which repeated days are worked out. */
const YEARS_BACK = 1
const YEARS_AHEAD = 2

/**
 * Reads a calendar file (RFC 5545) from the folder of an SOP, else from the SOP directory. What counts are its events of whole
 * days, with their repetitions; events with a time of day, and those that are cancelled, are passed over.
 *
 * Throws SopError `not_found` where there is none, `invalid` where it cannot be read as a calendar.
 */
export const createHolidays =
  ({ sopDir, pathOf, now }: HolidaysOptions): ReadHolidays =>
  async (sop, file) => {
    const root = await realpath(sopDir)
    const folder = dirname(join(root, (await pathOf(sop)) ?? '.'))
    const path = (await insideOf(root, join(folder, file))) ?? (await insideOf(root, join(root, file)))
    if (path === undefined)
      throw new SopError(
        'not_found',
        `Cannot read holidays "${file}": it is neither beside SOP "${sop}" nor in the SOP directory`,
      )
    if ((await stat(path)).size > MAX_BYTES)
      throw new SopError('invalid', `Cannot read holidays "${file}": it is larger than ${MAX_BYTES} bytes`)
    return daysOf(file, await readFile(path, 'utf8'), now().getUTCFullYear())
  }

/** The file itself, where it is there and no link leads out. */
const insideOf = async (root: string, path: string): Promise<string | undefined> => {
  try {
    const real = await realpath(path)
    return real.startsWith(`${root}${sep}`) ? real : undefined
  } catch {
    return undefined
  }
}

const daysOf = (file: string, text: string, year: number): readonly FiledDay[] => {
  try {
    const events = new ICAL.Component(ICAL.parse(text) as unknown[]).getAllSubcomponents('vevent')
    return events.flatMap((event) => occurrences(event, year)).slice(0, MAX_DAYS)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SopError('invalid', `Cannot read holidays "${file}": it is no calendar (RFC 5545): ${why.slice(0, 200)}`)
  }
}

interface Occurrence {
  readonly startDate: ICAL.Time
  readonly endDate: ICAL.Time
}

const occurrences = (component: ICAL.Component, year: number): readonly FiledDay[] => {
  const event = new ICAL.Event(component)
  if (!event.startDate?.isDate || component.getFirstPropertyValue('status') === 'CANCELLED') return []
  if (!event.isRecurring()) return [dayOf(event.summary, event.startDate, event.endDate)]
  const days: FiledDay[] = []
  const all = event.iterator()
  for (
    let next = all.next(), count = 0;
    next && next.year <= year + YEARS_AHEAD && count < MAX_DAYS;
    next = all.next(), count++
  ) {
    if (next.year < year - YEARS_BACK) continue
    const { startDate, endDate } = event.getOccurrenceDetails(next) as Occurrence
    days.push(dayOf(event.summary, startDate, endDate))
  }
  return days
}

/** The end of an event of whole days is the day after its last. */
const dayOf = (name: string | null, from: ICAL.Time, end: ICAL.Time): FiledDay => {
  const last = end.clone()
  last.adjust(-1, 0, 0, 0)
  return {
    name: (name ?? '').slice(0, 100) || from.toString(),
    from: plain(from),
    to: plain(last.compare(from) < 0 ? from : last),
  }
}

const plain = ({ year, month, day }: ICAL.Time): FiledDay['from'] => ({ year, month, day })
