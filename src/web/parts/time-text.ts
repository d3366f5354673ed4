// time-text.ts: instants and lengths of time in words. Pure: the time now is given.

const UNITS = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: 1_000, name: 's' },
] as const

/** A length of time in its two largest units: `2 h 5 min`, `41 s`, `350 ms`. */
export function length(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  const first = UNITS.findIndex((unit) => ms >= unit.ms)
  const large = UNITS[first]
  if (large === undefined) return '0 s'
  const small = UNITS[first + 1]
  const rest = small === undefined ? 0 : Math.floor((ms % large.ms) / small.ms)
  const whole = `${Math.floor(ms / large.ms)} ${large.name}`
  return small === undefined || rest === 0 ? whole : `${whole} ${rest} ${small.name}`
}

/** How far an instant is from now: `just now`, `3 min ago`, `in 2 h 5 min`. */
export function relative(at: string, nowMs: number): string {
  const difference = Date.parse(at) - nowMs
  if (Number.isNaN(difference)) return at
  if (Math.abs(difference) < 1_000) return 'just now'
  return difference > 0 ? `in ${length(difference)}` : `${length(-difference)} ago`
}

const formats = new Map<string, Intl.DateTimeFormat>()
const format = (key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
  const made = formats.get(key) ?? new Intl.DateTimeFormat(undefined, options)
  formats.set(key, made)
  return made
}

/** An instant in the viewer's zone and manner. */
export function absolute(at: string): string {
  const time = Date.parse(at)
  if (Number.isNaN(time)) return at
  return format('absolute', { dateStyle: 'medium', timeStyle: 'medium' }).format(time)
}

/** An instant in UTC: `2026-02-25 16:00:00 UTC`. */
export const utc = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`
