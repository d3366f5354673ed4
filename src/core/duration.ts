const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
type Unit = keyof typeof UNITS_MS

const WORDS: Readonly<Record<string, Unit>> = {
  ms: 'ms',
  msec: 'ms',
  msecs: 'ms',
  milli: 'ms',
  millis: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  s: 's',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  m: 'm',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  h: 'h',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  d: 'd',
  day: 'd',
  days: 'd',
  w: 'w',
  wk: 'w',
  wks: 'w',
  week: 'w',
  weeks: 'w',
}

/** Longest duration that a durable timer is trusted with: 100 years. */
export const MAX_DURATION_MS = 100 * 365 * UNITS_MS.d

const NONE = ['none', 'never', 'unlimited', 'no limit']
const PART = /^(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s*(?:,|and\b)\s*|\s*)/
const ISO = /^p(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?)?$/

export type ParsedDuration =
  | { readonly ok: true; readonly ms: number | null }
  | { readonly ok: false; readonly message: string; readonly reason: string }

/**
 * Reads a duration: `90s`, `5 minutes`, `1h30m`, `2d`, `PT5M`, or a bare number in `bareUnitMs` (a second unless told).
 * `none` is `null`: no limit. Never throws.
 *
 * @example parseDuration('1h30m') // { ok: true, ms: 5400000 }
 */
export const parseDuration = (text: string, bareUnitMs: number = UNITS_MS.s): ParsedDuration => {
  const wanted = text.trim().toLowerCase()
  if (NONE.includes(wanted)) return { ok: true, ms: null }
  const ms = wanted.length > 100 ? undefined : msOf(wanted, bareUnitMs)
  if (ms === undefined) return refuse(text, whyNot(wanted))
  if (ms > MAX_DURATION_MS) return refuse(text, 'it is longer than 100 years')
  return { ok: true, ms: Math.round(ms) }
}

/** The shortest text that reads back as the same duration: `1h30m`, `45s`, `1m250ms`, `0s`. */
export const formatDuration = (ms: number): string => {
  let rest = Math.max(0, Math.round(ms))
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNITS_MS[unit])
    if (count > 0) text += `${count}${unit}`
    rest -= count * UNITS_MS[unit]
  }
  return text === '' ? '0s' : text
}

/** Milliseconds of a unit's name (`secs`, `Mins`, `ms`, `hour`…), or undefined. */
export const unitMs = (name: string): number | undefined => {
  const unit = lookUp(name.toLowerCase())
  return unit === undefined ? undefined : UNITS_MS[unit]
}

const lookUp = (word: string): Unit | undefined => (Object.hasOwn(WORDS, word) ? WORDS[word] : undefined)

const msOf = (text: string, bareUnitMs: number): number | undefined => {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * bareUnitMs
  const iso = ISO.exec(text)
  if (iso !== null && /\d/.test(text) && !text.endsWith('t')) {
    const [weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0))
    return (
      (weeks ?? 0) * UNITS_MS.w +
      (days ?? 0) * UNITS_MS.d +
      (hours ?? 0) * UNITS_MS.h +
      (minutes ?? 0) * UNITS_MS.m +
      (seconds ?? 0) * UNITS_MS.s
    )
  }
  return sumOfParts(text)
}

const sumOfParts = (text: string): number | undefined => {
  let rest = text
  let ms = 0
  if (rest === '') return undefined
  while (rest !== '') {
    const part = PART.exec(rest)
    const unit = part?.[2] === undefined ? undefined : lookUp(part[2])
    if (part === null || unit === undefined) return undefined
    ms += Number(part[1]) * UNITS_MS[unit]
    rest = rest.slice(part[0].length)
  }
  return ms
}

const whyNot = (text: string): string => {
  if (text.startsWith('-')) return 'it is negative'
  if (/^\d+(?:\.\d+)?\s*(?:mo|mos|month|months|y|yr|yrs|year|years)$/.test(text)) {
    return 'months and years differ in length. Write days, as in "30d"'
  }
  return 'expected a number then ms, s, m, h, d or w, as in "90s", "5 minutes" or "1h30m"; or "none"'
}

const refuse = (text: string, reason: string): ParsedDuration => {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return { ok: false, message: `Cannot read duration "${shown}": ${reason}`, reason }
}
