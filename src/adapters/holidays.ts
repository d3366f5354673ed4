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
  async (sop, file) =>
    readCalendar(file, await placeOf(sopDir, (await pathOf(sop)) ?? '.', file), now())

/**
 * Why such a file cannot be read, as a sentence; undefined when it can. `path`: the main file of the SOP, below the SOP
 * directory. It is read anew when it changed.
 */
export const createCalendarProblem = (
  sopDir: string,
): ((path: string, file: string) => Promise<string | undefined>) => {
  const known = new Map<string, { readonly stamp: string; readonly problem: string | undefined }>()
  const look = async (path: string, file: string): Promise<string | undefined> => {
    const at = await placeOf(sopDir, path, file)
    const { size, mtimeMs, ino } = await stat(at)
    const stamp = `${ino}:${size}:${mtimeMs}`
    const before = known.get(at)
    if (before?.stamp === stamp) return before.problem
    const problem = await readCalendar(file, at, new Date()).then(() => undefined, sentenceOf)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(at, { stamp, problem })
    return problem
  }
  return (path, file) => look(path, file).catch(sentenceOf)
}

const MAX_KNOWN = 1_000

const sentenceOf = (error: unknown): string => {
  if (error instanceof SopError) return error.message
  return `Cannot read holidays: the system says ${(error as NodeJS.ErrnoException).code ?? String(error)}`
}

/** Where the file is. @throws SopError `not_found` */
const placeOf = async (sopDir: string, path: string, file: string): Promise<string> => {
  const root = await realpath(sopDir)
  const found = (await insideOf(root, join(root, dirname(path), file))) ?? (await insideOf(root, join(root, file)))
  if (found !== undefined) return found
  throw new SopError(
    'not_found',
    `Cannot read holidays "${file}": it is neither beside the SOP ("${path}") nor in the SOP directory`,
  )
}

const readCalendar = async (file: string, at: string, now: Date): Promise<readonly FiledDay[]> => {
  if ((await stat(at)).size > MAX_BYTES)
    throw new SopError('invalid', `Cannot read holidays "${file}": it is larger than ${MAX_BYTES} bytes`)
  return daysOf(file, await readFile(at, 'utf8'), now.getUTCFullYear())
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
