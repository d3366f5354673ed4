import type { Fields } from '../dialect/fields.ts'
import { refuseValue } from '../dialect/values.ts'

/** An IANA zone in its own spelling, which is the only one that every scheduler knows; undefined, and reported, when nobody knows it. */
export const readTimezone = (fields: Fields): string | undefined => {
  const zone = fields.text('timezone')?.trim()
  if (zone === undefined) return undefined
  const known = timezoneOf(zone)
  if (known !== undefined) return known
  return refuseValue(
    fields.valuePlace('timezone'),
    fields.asked('timezone'),
    `"${zone.slice(0, 60)}" is not the name of a timezone`,
    'Write it as Europe/Berlin or UTC',
  )
}

// Asking the platform for a zone costs as much as reading a document; there are some six hundred.
const zones = new Map<string, string | undefined>()

const timezoneOf = (zone: string): string | undefined => {
  if (zones.has(zone)) return zones.get(zone)
  const found = findTimezone(zone)
  if (zones.size < 1_000) zones.set(zone, found)
  return found
}

const findTimezone = (zone: string): string | undefined => {
  // Some runtimes take "+02:00", which is no zone to a scheduler.
  if (/^[+-]/.test(zone)) return undefined
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions()
    return timeZone.toLowerCase() === zone.toLowerCase() ? timeZone : zone
  } catch {
    return undefined
  }
}
