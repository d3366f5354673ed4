// evaluate.ts: asks a condition. Pure and deterministic: it also runs inside the workflow. Invariants:
//   C1 a bare name that nothing sets is false; anything else that cannot be told is an error, never a guess.
//   C2 nothing of the host is in reach: leaves are answered from the scope before the CEL runs.
//   C3 the cost is bounded by the caps on values (below) and by the budget of language.ts.

import type { Condition, Json } from '../definition.ts'
import { isTrue } from './compare.ts'
import { language, MAX_LIST, MAX_STRING, MAX_TEXT, openBudget } from './language.ts'
import { type Leaf, rewrite } from './rewrite.ts'
import { type Answer, answer, BUILT_INS, type ConditionScope, matchName } from './scope.ts'

export type { ConditionScope, StepScope } from './scope.ts'

const MAX_NODES = 20_000
const MAX_KEPT = 300

interface Compiled {
  readonly leaves: readonly Leaf[]
  readonly run: (context: Record<string, unknown>) => unknown
}

const kept = new Map<string, Compiled>()

/** @throws when the CEL is not one that `parseCondition` gave. */
const compile = (cel: string): Compiled => {
  const known = kept.get(cel)
  if (known !== undefined) return known
  if (cel.length > 2 * MAX_TEXT) throw new Error('it is too long')
  const { cel: rewritten, leaves } = rewrite(language().parse(cel).ast)
  const compiled = { leaves, run: language().parse(rewritten) }
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(cel, compiled)
  return compiled
}

/** JSON → CEL values: whole numbers are ints, objects are maps that no key can break. Refuses what is too large. */
const createConverter = () => {
  const account = { nodes: 0, largest: 0 }
  const text = (json: string): string => {
    if (json.length > MAX_STRING) throw new Error(`it is a text of more than ${MAX_STRING} characters`)
    account.largest = Math.max(account.largest, json.length)
    return json
  }
  const convert = (json: Json): unknown => {
    if (++account.nodes > MAX_NODES) throw new Error(`it has more than ${MAX_NODES} values`)
    if (typeof json === 'string') return text(json)
    if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json
    if (typeof json !== 'object' || json === null) return json
    const size = Array.isArray(json) ? json.length : Object.keys(json).length
    if (size > MAX_LIST) throw new Error(`it has more than ${MAX_LIST} elements`)
    if (Array.isArray(json)) return json.map(convert)
    return new Map(Object.entries(json).map(([key, each]) => [text(key), convert(each)]))
  }
  return { account, convert }
}

const truthOf = (found: Extract<Answer, { kind: 'value' }>): boolean =>
  found.state === true
    ? found.value === 'success'
    : isTrue(typeof found.value === 'object' ? shape(found.value) : found.value)

/** Only whether it is empty matters for the truth of a list or an object. */
const shape = (json: Json): unknown =>
  json === null ? null : Array.isArray(json) ? json : Object.keys(json as object).length > 0

/** The values of leaves, and why some have none. */
export const bind = (leaves: readonly Leaf[], scope: ConditionScope) => {
  const { account, convert } = createConverter()
  const context = Object.create(null) as Record<string, unknown>
  const reasons = new Map<string, string>()
  for (const leaf of leaves) {
    const found = answer(leaf, scope)
    if (found.kind === 'error' || (found.kind === 'absent' && leaf.ask === 'value')) reasons.set(leaf.id, found.reason)
    else if (found.kind === 'absent') context[leaf.id] = false
    else if (leaf.ask === 'has') context[leaf.id] = true
    else if (leaf.ask === 'truth') context[leaf.id] = truthOf(found)
    else {
      try {
        context[leaf.id] = convert(found.value)
      } catch (error) {
        reasons.set(leaf.id, `"${leaf.root}" is too large: ${(error as Error).message}`)
      }
    }
  }
  return { context, reasons, largest: account.largest }
}

/** Why an evaluation failed, in the words of whoever wrote the expression. */
export const reasonOf = (error: unknown, reasons: ReadonlyMap<string, string>, leaves: readonly Leaf[]): string => {
  if (!(error instanceof Error)) return String(error)
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message
  const unknown = /^Unknown variable: (__\d+)/.exec(summary)?.[1]
  if (unknown !== undefined) return reasons.get(unknown) ?? 'a name has no value'
  const named = summary.replaceAll(/__\d+/g, (id) => leaves.find((leaf) => leaf.id === id)?.root ?? id)
  return named.charAt(0).toLowerCase() + named.slice(1)
}

export type Evaluation = { readonly ok: true; readonly value: boolean } | { readonly ok: false; readonly error: string }

/**
 * The truth of a condition. Never throws: what cannot be told is an error sentence (`Cannot evaluate condition "…": …`).
 * `&&` and `||` follow CEL: a side that decides the whole makes an error on the other side irrelevant.
 */
export const evaluate = (condition: Condition, scope: ConditionScope): Evaluation => {
  let leaves: readonly Leaf[] = []
  let reasons: ReadonlyMap<string, string> = new Map()
  try {
    const compiled = compile(condition.cel)
    leaves = compiled.leaves
    const bound = bind(leaves, scope)
    reasons = bound.reasons
    openBudget(bound.largest)
    return { ok: true, value: compiled.run(bound.context) === true }
  } catch (error) {
    return { ok: false, error: `Cannot evaluate condition "${condition.text}": ${reasonOf(error, reasons, leaves)}` }
  }
}

const factOf = (leaf: Leaf, known: readonly string[]): string | undefined => {
  if (leaf.root.toLowerCase() === 'env') return leaf.path.length > 0 ? `env.${leaf.path[0]}` : undefined
  return matchName(leaf.root, known).key
}

/**
 * The facts that a condition needs, so that they can be asked before it is evaluated: built-ins, those of `known` (the
 * config's facts), and `env.<NAME>`. Each once, in the order of the text.
 */
export const factNames = (condition: Condition, known: readonly string[]): readonly string[] => {
  try {
    const all = [...new Set([...BUILT_INS, ...known])]
    const needed = compile(condition.cel).leaves.map((leaf) => factOf(leaf, all))
    return [...new Set(needed.filter((name) => name !== undefined))]
  } catch {
    return []
  }
}
