import { HOLIDAY_FORMS, parseHoliday, parseWindow, WINDOW_FORMS } from '../blackout/window.ts'
import type { Fields } from '../dialect/fields.ts'
import { refuseValue } from '../dialect/values.ts'

/** The times or days in which no run begins, as they are written; each that means nothing is reported where it stands. */
export const readCalendar = (fields: Fields, key: 'blackout' | 'holidays'): readonly string[] | undefined => {
  const found = fields.list(key)
  if (found === undefined || found.length === 0) return undefined
  for (const { text, place } of found) {
    const read = key === 'blackout' ? parseWindow(text) : parseHoliday(text)
    if (!read.ok) refuseValue(place, fields.asked(key), read.reason, key === 'blackout' ? WINDOW_FORMS : HOLIDAY_FORMS)
  }
  return found.map(({ text }) => text)
}
