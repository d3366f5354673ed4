// cron.ts: cron expressions: five fields; six with a year behind them, or else with seconds in front; seven with both; and
// the macros.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MACROS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

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

/** Why an expression is no cron, as a reason with the offset of its part; undefined when it is one. */
export const cronProblem = (expression: string): { readonly reason: string; readonly offset: number } | undefined => {
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

const macroProblem = (text: string): { readonly reason: string; readonly offset: number } | undefined => {
  if (MACROS.includes(text.toLowerCase()) || /^@every\s+\d+(?:\.\d+)?(?:ms|s|m|h|d)(?:\d+(?:ms|s|m|h|d))*$/i.test(text))
    return undefined
  return { reason: `"${text.slice(0, 30)}" is not one of ${MACROS.join(', ')}, @every 1h`, offset: 0 }
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
