import { type ConditionScope, factNames } from '../condition/evaluate.ts'
import { evaluateValue, parseValue } from '../condition/value.ts'
import type { Condition, Json } from '../definition.ts'

// params.ts: the `params` table of a trigger. A text that is a path (`$.alert.labels.host`) or stands in double braces
// (`{{ payload.commits.size() }}`, a CEL expression) is worked out from what came; braces within a text are filled in;
// everything else is the value itself.

/** A text of the table, read. */
type Part = { readonly text: string } | { readonly expression: Condition }

const PATH = /^\$(?:$|[.[])/
const BRACES = /\{\{([\s\S]*?)\}\}/g

/** Why a value of the table cannot be read; undefined when it can. */
export const mappingProblem = (value: Json): string | undefined => {
  if (typeof value !== 'string') return undefined
  const parts = partsOf(value)
  return typeof parts === 'string' ? parts : undefined
}

const read = (text: string): Condition | string => {
  const parsed = parseValue(text.trim() === '$' ? 'payload' : text)
  return parsed.ok ? parsed.condition : parsed.message.replace(/^Cannot read condition/, 'Cannot read expression')
}

const partsOf = (value: string): readonly Part[] | string => {
  if (PATH.test(value.trim())) {
    const expression = read(value.trim())
    return typeof expression === 'string' ? expression : [{ expression }]
  }
  const parts: Part[] = []
  let at = 0
  for (const match of value.matchAll(BRACES)) {
    const expression = read(match[1] ?? '')
    if (typeof expression === 'string') return expression
    if (match.index > at) parts.push({ text: value.slice(at, match.index) })
    parts.push({ expression })
    at = match.index + match[0].length
  }
  if (at < value.length || parts.length === 0) parts.push({ text: value.slice(at) })
  return parts
}

export type Mapped =
  | { readonly ok: true; readonly params: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * The params that the table gives. A name that nothing sets gives no param, so that its default holds, or its absence is
 * told where it is required; what cannot be worked out is a problem.
 */
export const mapParams = (table: Readonly<Record<string, Json>>, scope: ConditionScope): Mapped => {
  const problems: string[] = []
  const params: [string, Json][] = []
  for (const [name, written] of Object.entries(table)) {
    const result = valueOf(written, scope)
    if ('problem' in result)
      problems.push(`Cannot work out param "${name}" = ${JSON.stringify(written)}: ${result.problem}`)
    else if (result.value !== undefined) params.push([name, result.value])
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, params: Object.fromEntries(params) }
}

type Worked = { readonly value: Json | undefined } | { readonly problem: string }

const valueOf = (written: Json, scope: ConditionScope): Worked => {
  if (typeof written !== 'string') return { value: written }
  const parts = partsOf(written)
  if (typeof parts === 'string') return { problem: parts }
  const [only] = parts
  if (parts.length === 1 && only !== undefined && 'expression' in only) return single(only.expression, scope)
  let text = ''
  for (const part of parts) {
    if ('text' in part) text += part.text
    else {
      const found = evaluateValue(part.expression, scope)
      if (!found.ok) return { problem: found.error }
      text += typeof found.value === 'string' ? found.value : JSON.stringify(found.value)
    }
  }
  return { value: text }
}

const single = (expression: Condition, scope: ConditionScope): Worked => {
  const found = evaluateValue(expression, scope)
  if (found.ok) return { value: found.value }
  return found.absent === true ? { value: undefined } : { problem: found.error }
}

/** What the table makes of what came, as a whole and each expression of a text by itself; what cannot be told gives nothing. */
export const mappedValues = (written: Json, scope: ConditionScope): readonly Json[] => {
  const parts = typeof written === 'string' ? partsOf(written) : []
  if (typeof parts === 'string') return []
  const whole = valueOf(written, scope)
  const inside = parts.flatMap((part) => {
    const found = 'expression' in part ? evaluateValue(part.expression, scope) : undefined
    return found?.ok === true ? [found.value] : []
  })
  return [...('value' in whole && whole.value !== undefined ? [whole.value] : []), ...inside]
}

/** The facts that the table needs (see `factNames`). */
export const mappingFacts = (table: Readonly<Record<string, Json>>, known: readonly string[]): readonly string[] => [
  ...new Set(
    Object.values(table).flatMap((value) => {
      const parts = typeof value === 'string' ? partsOf(value) : []
      if (typeof parts === 'string') return []
      return parts.flatMap((part) => ('expression' in part ? factNames(part.expression, known) : []))
    }),
  ),
]
