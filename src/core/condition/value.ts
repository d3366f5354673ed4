// value.ts: what an expression gives. The same language as conditions, asked for its value and not for its truth: the items
// of a `for_each`, the params of a trigger. Pure and deterministic, like evaluate.ts.

import type { Condition, Json } from '../definition.ts'
import { bind, type ConditionScope, reasonOf } from './evaluate.ts'
import { language, openBudget } from './language.ts'
import { type ParsedCondition, parseWith } from './parse.ts'
import { type Leaf, rewriteValue } from './rewrite.ts'
import { answer } from './scope.ts'

/** Reads an expression, for what is wrong with it and for the names that it reads. Never throws. */
export const parseValue = (text: string): ParsedCondition => parseWith(text, rewriteValue)

export type Value =
  | { readonly ok: true; readonly value: Json }
  /** `absent`: it is one name, and nothing sets that. */
  | { readonly ok: false; readonly error: string; readonly absent?: true }

/** The value of an expression that `parseValue` read. Never throws: what cannot be told is an error sentence. */
export const evaluateValue = ({ cel }: Condition, scope: ConditionScope): Value => {
  let leaves: readonly Leaf[] = []
  let reasons: ReadonlyMap<string, string> = new Map()
  try {
    const { cel: rewritten, leaves: found } = rewriteValue(language().parse(cel).ast)
    leaves = found
    const [leaf] = leaves
    if (leaf !== undefined && rewritten === leaf.id) return valueOf(leaf, scope)
    const bound = bind(leaves, scope)
    reasons = bound.reasons
    openBudget(bound.largest)
    return { ok: true, value: toJson(language().parse(rewritten)(bound.context)) }
  } catch (error) {
    return { ok: false, error: reasonOf(error, reasons, leaves) }
  }
}

const valueOf = (leaf: Leaf, scope: ConditionScope): Value => {
  const found = answer(leaf, scope)
  if (found.kind === 'value') return { ok: true, value: found.value }
  return { ok: false, error: found.reason, ...(found.kind === 'absent' && { absent: true }) }
}

/** CEL values → JSON: whole numbers are numbers again, maps are objects. */
const toJson = (value: unknown): Json => {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [String(key), toJson(each)]))
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Json
  throw new Error('it gives a value that is no list and no text')
}
