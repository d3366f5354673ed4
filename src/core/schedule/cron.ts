// cron.ts: cron expressions: five fields; six with a year behind them, or else with seconds in front; seven with both; and
// the macros.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const MACRO_NAMES = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const EVERY = /^@every\s+(\d+(?:\.\d+)?(?:ms|s|m|h|d)(?:\d+(?:ms|s|m|h|d))*)$/i
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A year: what is rarer is no schedule but a date. */
const LONGEST_EVERY_MS = 366 * 86_400_000

interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
  readonly firstName?: number
}

const SECOND: Field = { name: 'second', least: 0, most: 59 }
const MINUTE: Field = { name: 'minute', least: 0, most: 59 }
const HOUR: Field = { name: 'hour', least: 0, most: 23 }
const DAY: Field = { name: 'day of the month', least: 1, most: 31 }
const MONTH: Field = { name: 'month', least: 1, most: 12, names: MONTHS, firstName: 1 }
const WEEKDAY: Field = { name: 'day of the week', least: 0, most: 7, names: DAYS, firstName: 0 }
const YEAR: Field = { name: 'year', least: 1970, most: 2100 }

const FIVE = [MINUTE, HOUR, DAY, MONTH, WEEKDAY]

/** When a calendar has its times: each list holds what the field allows, ascending and without repeats. */
export interface CalendarCron {
  readonly kind: 'calendar'
  readonly seconds: readonly number[]
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: readonly number[]
  readonly months: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
  /** Absent: every year. */
  readonly years?: readonly number[]
  /**
   * Day of the month and day of the week are both restricted: a day that fits either counts, as crontab(5) has it. A field
   * with a star in it, as in `*` + `/2`, restricts nothing in this sense.
   */
  readonly eitherDay: boolean
  /** It names no hour: it fires in every one. */
  readonly everyHour: boolean
}

/** Times by the length of time between them, counted from 1970. */
export interface IntervalCron {
  readonly kind: 'interval'
  readonly everyMs: number
}

export type Cron = CalendarCron | IntervalCron

export interface CronProblem {
  readonly reason: string
  /** Where the part begins that is wrong. */
  readonly offset: number
}

/** Why an expression is no cron, as a reason with the offset of its part; undefined when it is one. */
export const cronProblem = (expression: string): CronProblem | undefined => {
  const text = expression.trim()
  if (text.startsWith('@')) return macroProblem(text)
  const parts = [...text.matchAll(/\S+/g)]
  const fields = fieldsFor(parts.length, parts.at(-1)?.[0] ?? '')
  if (fields === undefined) {
    return {
      reason: `it has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}, expected five: minute, hour, day, month, day of the week`,
      offset: 0,
    }
  }
  for (const [index, part] of parts.entries()) {
    const field = fields[index]
    const reason = field === undefined ? undefined : fieldProblem(part[0], field)
    if (reason !== undefined) return { reason, offset: part.index }
  }
  return undefined
}

/** Reads an expression. @throws {RangeError} on one that `cronProblem` has something to say about */
export const parseCron = (expression: string): Cron => {
  const problem = cronProblem(expression)
  if (problem !== undefined) throw new RangeError(`Cannot read cron "${expression}": ${problem.reason}`)
  const text = expression.trim()
  const every = EVERY.exec(text)?.[1]
  if (every !== undefined) return { kind: 'interval', everyMs: lengthOf(every) }
  const parts = (MACROS[text.toLowerCase()] ?? text).split(/\s+/)
  const fields = fieldsFor(parts.length, parts.at(-1) ?? '') ?? FIVE
  const of = (field: Field): string => parts[fields.indexOf(field)] ?? '*'
  const year = fields.includes(YEAR) ? of(YEAR) : '*'
  const hours = valuesOf(of(HOUR), HOUR)
  return {
    kind: 'calendar',
    seconds: fields.includes(SECOND) ? valuesOf(of(SECOND), SECOND) : [0],
    minutes: valuesOf(of(MINUTE), MINUTE),
    hours,
    days: valuesOf(of(DAY), DAY),
    months: valuesOf(of(MONTH), MONTH),
    weekdays: [...new Set(valuesOf(of(WEEKDAY), WEEKDAY).map((day) => day % 7))].sort((a, b) => a - b),
    ...(!isStar(year) && { years: valuesOf(year, YEAR) }),
    eitherDay: !isStar(of(DAY)) && !isStar(of(WEEKDAY)),
    everyHour: hours.length === 24,
  }
}

const isStar = (text: string): boolean => /[*?]/.test(text)

const valuesOf = (text: string, field: Field): readonly number[] => {
  const values = new Set<number>()
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/')
    const [first = field.least, last] =
      range === '*' || range === '?' ? [field.least, topOf(field)] : range.split('-').map((end) => numberOf(end, field))
    // `5/15` goes on to the end of the field.
    const end = last ?? (step === undefined ? first : topOf(field))
    for (let value = first; value <= end; value += Number(step ?? 1)) values.add(value)
  }
  return [...values].sort((a, b) => a - b)
}

/** Sunday is 0 and 7; a star counts it once. */
const topOf = (field: Field): number => (field === WEEKDAY ? 6 : field.most)

const lengthOf = (text: string): number => {
  let ms = 0
  for (const [, count = '0', unit = 's'] of text.toLowerCase().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    ms += Number(count) * (UNITS_MS[unit] ?? 0)
  return ms
}

const macroProblem = (text: string): CronProblem | undefined => {
  const every = EVERY.exec(text)?.[1]
  if (every !== undefined) return everyProblem(every)
  if (Object.hasOwn(MACROS, text.toLowerCase())) return undefined
  return { reason: `"${text.slice(0, 30)}" is not one of ${MACRO_NAMES.join(', ')}, @every 1h`, offset: 0 }
}

/** A scheduler counts in whole seconds. */
const everyProblem = (every: string): CronProblem | undefined => {
  const ms = lengthOf(every)
  if (ms >= 1_000 && ms % 1_000 === 0 && ms <= LONGEST_EVERY_MS) return undefined
  return { reason: `"${every.slice(0, 30)}" is not a whole number of seconds from 1s to 366d`, offset: 0 }
}

const fieldsFor = (count: number, last: string): readonly Field[] | undefined => {
  if (count === 5) return FIVE
  if (count === 6) return /\d{4}/.test(last) ? [...FIVE, YEAR] : [SECOND, ...FIVE]
  return count === 7 ? [SECOND, ...FIVE, YEAR] : undefined
}

const fieldProblem = (text: string, field: Field): string | undefined => {
  for (const item of text.split(',')) {
    const [range = '', step, ...more] = item.split('/')
    if (more.length > 0 || range === '') return `"${item.slice(0, 30)}" is no ${field.name}`
    if (step !== undefined && (!/^\d{1,4}$/.test(step) || Number(step) < 1))
      return `"${item.slice(0, 30)}" has a step of "${step.slice(0, 10)}"`
    const problem = range === '*' || range === '?' ? undefined : rangeProblem(range, field)
    if (problem !== undefined) return problem
  }
  return undefined
}

const rangeProblem = (range: string, field: Field): string | undefined => {
  const ends = range.split('-').map((end) => numberOf(end, field))
  if (ends.length > 2 || ends.includes(undefined)) return `"${range.slice(0, 30)}" is no ${field.name}`
  const [first = 0, last = first] = ends
  const outside = [first, last].find((end) => end !== undefined && (end < field.least || end > field.most))
  if (outside !== undefined) return `${outside} is no ${field.name}: expected ${field.least} to ${field.most}`
  return last !== undefined && first !== undefined && last < first ? `"${range}" goes backwards` : undefined
}

const numberOf = (text: string, { names, firstName }: Field): number | undefined => {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  const at = names?.indexOf(text.toLowerCase().slice(0, 3)) ?? -1
  return at === -1 || text.length < 3 ? undefined : at + (firstName ?? 0)
}
