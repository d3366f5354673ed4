// compare.ts: how conditions read values. Params often come as text (a command line, a form, a script's output), so text
// that looks like a number counts as one beside a number, and level words compare by their rank.

const LEVELS: Readonly<Record<string, number>> = { low: 0, normal: 1, medium: 1, high: 2, critical: 3 }
const FALSE_WORDS: readonly string[] = ['', '0', 'false', 'no', 'off']
const NUMERIC = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?$/

/** Rank of a level word in any case: low < normal = medium < high < critical. */
export const levelOf = (value: unknown): number | undefined => {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
  return Object.hasOwn(LEVELS, word) ? LEVELS[word] : undefined
}

/** The number that a text spells, `%` ignored; undefined when it spells none. */
const numberIn = (text: string): number | undefined => {
  const trimmed = text.trim()
  return NUMERIC.test(trimmed) ? Number(trimmed.replace('%', '')) : undefined
}

/** What a value looks like in a message: short, and text in quotes. */
export const show = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (value === null || ['number', 'bigint', 'boolean'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'a list'
  return entriesOf(value) !== undefined ? 'a map' : 'a value of another kind'
}

/**
 * Truth of a bare name. False: `false`, null, 0, an empty list or map, and the texts "", "0", "false", "no", "off" in any
 * case and around spaces (numeric zeros such as "0.0" too). Everything else is true.
 */
export const isTrue = (value: unknown): boolean => {
  if (typeof value === 'boolean') return value
  if (value === null || value === undefined) return false
  if (typeof value === 'number' || typeof value === 'bigint') return Boolean(value)
  if (typeof value === 'string') return !FALSE_WORDS.includes(value.trim().toLowerCase()) && numberIn(value) !== 0
  if (Array.isArray(value)) return value.length > 0
  return (entriesOf(value)?.size ?? 1) > 0
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** Number of a value beside a number. */
const asNumber = (value: unknown): number | bigint | undefined =>
  isNumber(value) ? value : typeof value === 'string' ? numberIn(value) : undefined

const sameNumber = (a: number | bigint | undefined, b: number | bigint | undefined): boolean =>
  a !== undefined && b !== undefined && !(a < b) && !(a > b) && !Number.isNaN(a) && !Number.isNaN(b)

/** The entries of a map; a map literal of the CEL library is a plain object. */
const entriesOf = (value: unknown): Map<unknown, unknown> | undefined => {
  if (value instanceof Map) return value
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? new Map(Object.entries(value)) : undefined
}

const sameMap = (a: Map<unknown, unknown>, b: Map<unknown, unknown>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.has(key) && equalValues(value, b.get(key)))

/**
 * Equality. Text equals text letter by letter; beside a number, text is read as a number; beside a boolean, as the word
 * `true` or `false`. Values of other different kinds are unequal.
 */
export const equalValues = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (isNumber(a) || isNumber(b)) return sameNumber(asNumber(a), asNumber(b))
  if (typeof a === 'boolean' && typeof b === 'string') return b.trim().toLowerCase() === String(a)
  if (typeof b === 'boolean' && typeof a === 'string') return equalValues(b, a)
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => equalValues(item, b[at]))
  const [left, right] = [entriesOf(a), entriesOf(b)]
  if (left !== undefined || right !== undefined)
    return left !== undefined && right !== undefined && sameMap(left, right)
  if (a === null || b === null) return false
  return typeof a === 'object' && typeof b === 'object' && a.constructor === b.constructor && orderOf(a, b) === 0
}

/** Order of two timestamps or durations by their value; undefined for anything else. */
const orderOf = (a: object, b: object): number | undefined => {
  const [left, right]: unknown[] = [a.valueOf(), b.valueOf()]
  return isNumber(left) && isNumber(right) ? compareNumbers(left, right) : undefined
}

const compareNumbers = (a: number | bigint, b: number | bigint): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) throw new Error('it compares with a value that is not a number (NaN)')
  return a < b ? -1 : a > b ? 1 : 0
}

const compareTexts = (a: string, b: string): number => {
  const [left, right] = [levelOf(a), levelOf(b)]
  if (left !== undefined && right !== undefined) return left - right
  const numbers = [numberIn(a), numberIn(b)] as const
  if (numbers[0] !== undefined && numbers[1] !== undefined) return compareNumbers(numbers[0], numbers[1])
  return a < b ? -1 : a > b ? 1 : 0
}

/** Order of two values; negative, zero or positive. @throws when they have none, with the reason. */
export const compareValues = (a: unknown, b: unknown): number => {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  const [left, right] = [asNumber(a), asNumber(b)]
  if ((isNumber(a) || isNumber(b)) && left !== undefined && right !== undefined) return compareNumbers(left, right)
  const objects =
    typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && a.constructor === b.constructor
  const order = objects && !Array.isArray(a) && !(a instanceof Map) ? orderOf(a, b) : undefined
  if (order === undefined) throw new Error(`${show(a)} and ${show(b)} have no order`)
  return order
}
