// calendar-reader.mjs: reads one calendar file (RFC 5545) in a thread of its own, which whoever started it may end: rules of
// repetition can be written that no library comes to an end with, such as each day that is a 30th of February.

import { parentPort, workerData } from 'node:worker_threads'
import ICAL from 'ical.js'

/** Years around the present one for which repeated days are worked out. */
const YEARS_BACK = 1
const YEARS_AHEAD = 2

/** @typedef {{ year: number, month: number, day: number }} Day */
/** @typedef {{ name: string, from: Day, to: Day }} FiledDay */
/** @typedef {{ readonly startDate: ICAL.Time, readonly endDate: ICAL.Time }} Occurrence */

/** @param {ICAL.Time} time @returns {Day} */
const plain = ({ year, month, day }) => ({ year, month, day })

/** The end of an event of whole days is the day after its last. @param {string | null} name @param {ICAL.Time} from @param {ICAL.Time} end @returns {FiledDay} */
const dayOf = (name, from, end) => {
  const last = end.clone()
  last.adjust(-1, 0, 0, 0)
  return {
    name: (name ?? '').slice(0, 100) || from.toString(),
    from: plain(from),
    to: plain(last.compare(from) < 0 ? from : last),
  }
}

/** @param {string} text @param {number} year the present one @param {number} most @returns {FiledDay[]} */
const daysOf = (text, year, most) => {
  /** @type {FiledDay[]} */
  const days = []
  /** @param {string | null} name @param {Occurrence} occurrence */
  const add = (name, { startDate, endDate }) => {
    days.push(dayOf(name, startDate, endDate))
    if (days.length > most) throw new Error(`it has more than ${most} days`)
  }
  for (const component of new ICAL.Component(/** @type {unknown[]} */ (ICAL.parse(text))).getAllSubcomponents(
    'vevent',
  )) {
    const event = new ICAL.Event(component)
    if (!event.startDate?.isDate || component.getFirstPropertyValue('status') === 'CANCELLED') continue
    if (!event.isRecurring()) {
      add(event.summary, event)
      continue
    }
    const all = event.iterator()
    for (let next = all.next(); next && next.year <= year + YEARS_AHEAD; next = all.next()) {
      if (next.year >= year - YEARS_BACK) add(event.summary, event.getOccurrenceDetails(next))
    }
  }
  return days
}

const { text, year, most } = /** @type {{ text: string, year: number, most: number }} */ (workerData)
try {
  parentPort?.postMessage({ days: daysOf(text, year, most) })
} catch (error) {
  parentPort?.postMessage({ problem: error instanceof Error ? error.message : String(error) })
}
