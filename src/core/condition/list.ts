// list.ts: what a `for_each` runs once for. The same language as conditions, asked for its value: a name of a param or an
// output as a rule. Pure and deterministic, like evaluate.ts.

import type { Condition, Json } from '../definition.ts'
import type { ConditionScope } from './evaluate.ts'
import type { ParsedCondition } from './parse.ts'
import { evaluateValue, parseValue } from './value.ts'

/** `$hosts`, `${hosts}` and `{{ hosts }}` mean the name, as they do elsewhere in a procedure. */
const bareName = (text: string): string =>
  text
    .trim()
    .replace(
      /^\$(?:([A-Za-z_]\w*)|\{\s*(\w+)\s*\})$|^\{\{\s*([\w.-]+)\s*\}\}$/,
      (whole, bare?: string, braced?: string, curly?: string) => bare ?? braced ?? curly ?? whole,
    )

/** Reads the expression of a `for_each`, for what is wrong with it and for the names that it reads. Never throws. */
export const parseList = (text: string): ParsedCondition => parseValue(bareName(text))

/** The expression as a condition, so that its facts can be asked for; `undefined` when it cannot be read. */
export const listCondition = (text: string): Condition | undefined => {
  const parsed = parseList(text)
  return parsed.ok ? parsed.condition : undefined
}

export type List =
  | { readonly ok: true; readonly items: readonly Json[] }
  | { readonly ok: false; readonly error: string }

/** The items that the expression gives. Never throws: what cannot be told is an error sentence. */
export const evaluateList = (text: string, scope: ConditionScope): List => {
  const condition = listCondition(text)
  if (condition === undefined) return { ok: false, error: `Cannot read "${text}"` }
  const found = evaluateValue(condition, scope)
  return found.ok ? listOf(found.value) : { ok: false, error: found.error }
}

/**
 * A list as it is. A text is divided: JSON when it begins with "[", else at its lines, else at commas, else at blanks;
 * params and outputs are texts as a rule.
 */
const listOf = (value: Json): List => {
  if (Array.isArray(value)) return { ok: true, items: (value as readonly Json[]).filter((item) => item !== null) }
  if (typeof value !== 'string') return { ok: false, error: `it is ${nameOf(value)}, not a list` }
  const text = value.trim()
  if (text.startsWith('[')) {
    const items = parseJsonList(text)
    if (items !== undefined) return { ok: true, items: items.filter((item) => item !== null) }
  }
  const separator = /[\r\n]/.test(text) ? /\r\n|\n|\r/ : text.includes(',') ? /,/ : /\s+/
  return {
    ok: true,
    items: text
      .split(separator)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  }
}

const parseJsonList = (text: string): readonly Json[] | undefined => {
  try {
    const parsed = JSON.parse(text) as Json
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const nameOf = (value: Json): string =>
  value === null ? 'empty' : typeof value === 'object' ? 'a table' : `a ${typeof value}`
