// scope.ts: which value a name in a condition stands for. Order, first hit wins:
//   1 facts and built-ins (nothing shadows them)   2 env.NAME, previous_step, step_<n>, steps, params, outputs, payload, trigger
//   3 a name among params, outputs, top-level keys of the payload   4 a step's slug: whether it succeeded
// A name matches exactly, else whatever the case and with "-" for "_".

import type { Json } from '../definition.ts'
import type { Leaf } from './rewrite.ts'

export interface StepScope {
  readonly number: number
  readonly status: string
  readonly exit_code?: number
  readonly outputs?: Readonly<Record<string, Json>>
}

/** Everything that a condition can read. Absent keys are undefined names. */
export interface ConditionScope {
  readonly params: Readonly<Record<string, Json>>
  readonly outputs: Readonly<Record<string, Json>>
  /** By slug. */
  readonly steps: Readonly<Record<string, StepScope>>
  /** State of the step before in document order. */
  readonly previousStep?: string
  /** Answered facts, built-ins and `env.<NAME>`. */
  readonly facts: Readonly<Record<string, Json>>
  /** Why a fact has no value. */
  readonly factErrors?: Readonly<Record<string, string>>
  readonly payload?: Json
  readonly trigger?: Json
}

/** The facts that every installation has. */
export const BUILT_INS = ['business_hours', 'weekday', 'maintenance_window', 'on_call_available'] as const

export type Answer =
  /** `state`: the value is a step's state, whose truth is success. */
  | { readonly kind: 'value'; readonly value: Json; readonly state?: true }
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'error'; readonly reason: string }

type Table = Readonly<Record<string, Json>>

const value = (found: Json): Answer => ({ kind: 'value', value: found })
const state = (found: string): Answer => ({ kind: 'value', value: found, state: true })
const absent = (reason: string): Answer => ({ kind: 'absent', reason })
const error = (reason: string): Answer => ({ kind: 'error', reason })

const fold = (name: string): string => name.toLowerCase().replaceAll('-', '_')
const isList = (json: Json): json is readonly Json[] => Array.isArray(json)
const isTable = (json: unknown): json is Table => typeof json === 'object' && json !== null && !Array.isArray(json)

/** Key that a name means: the same, else one that differs in case or `-` only. Two such are a `clash`. */
export const matchName = (
  name: string,
  keys: readonly string[],
): { readonly key?: string; readonly clash?: readonly string[] } => {
  if (keys.includes(name)) return { key: name }
  const similar = keys.filter((key) => fold(key) === fold(name))
  if (similar.length > 1) return { clash: similar }
  return similar[0] === undefined ? {} : { key: similar[0] }
}

/** `params.a["b c"][0]` */
export const textOf = (leaf: Pick<Leaf, 'root' | 'path'>): string =>
  leaf.root +
  leaf.path
    .map((key) => (typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
    .join('')

/** Follows fixed keys. `loose` also takes keys that differ in case, `-` or `_` (headers, `scheduled_at`). */
const walk = (start: Json, leaf: Leaf, from: number, loose = false): Answer => {
  let found: Json = start
  for (const key of leaf.path.slice(from)) {
    const next: Json | undefined = isList(found)
      ? found[Number(key)]
      : isTable(found)
        ? member(found, String(key), loose)
        : undefined
    if (next === undefined) return absent(`"${textOf(leaf)}" has no value`)
    found = next
  }
  return value(found)
}

const squash = (name: string): string => fold(name).replaceAll('_', '')

const member = (table: Table, key: string, loose: boolean): Json | undefined => {
  if (Object.hasOwn(table, key)) return table[key]
  const similar = loose ? Object.keys(table).find((each) => squash(each) === squash(key)) : undefined
  return similar === undefined ? undefined : table[similar]
}

/** A name in one table; undefined when it is not there. */
const inTable = (name: string, table: Table, leaf: Leaf, from: number): Answer | undefined => {
  const { key, clash } = matchName(name, Object.keys(table))
  if (clash !== undefined) return error(`"${name}" could be ${clash.map((each) => `"${each}"`).join(' or ')}`)
  return key === undefined ? undefined : walk(table[key] as Json, leaf, from)
}

const fact = (leaf: Leaf, scope: ConditionScope): Answer | undefined => {
  const errors = scope.factErrors ?? {}
  const { key } = matchName(leaf.root, [
    ...new Set([...BUILT_INS, ...Object.keys(scope.facts), ...Object.keys(errors)]),
  ])
  if (key === undefined) return undefined
  if (Object.hasOwn(scope.facts, key)) return walk(scope.facts[key] as Json, leaf, 0)
  return error(
    Object.hasOwn(errors, key)
      ? `the fact "${key}" could not be found out: ${errors[key]}`
      : `the fact "${key}" was not asked`,
  )
}

const environment = (leaf: Leaf, scope: ConditionScope): Answer => {
  const name = `env.${leaf.path[0]}`
  if (Object.hasOwn(scope.facts, name)) return walk(scope.facts[name] as Json, leaf, 1)
  const reason =
    scope.factErrors !== undefined && Object.hasOwn(scope.factErrors, name) ? scope.factErrors[name] : undefined
  return error(reason === undefined ? `"${name}" was not asked` : `"${name}" cannot be read: ${reason}`)
}

const step = (leaf: Leaf, scope: ConditionScope): Answer => {
  const [slug, key] = leaf.path
  const slugs = Object.keys(scope.steps)
  const found =
    typeof slug === 'number' || /^\d+$/.test(String(slug))
      ? slugs.find((each) => scope.steps[each]?.number === Number(slug))
      : matchName(String(slug), slugs).key
  const data = found === undefined ? undefined : scope.steps[found]
  if (data === undefined) return error(`there is no step "${slug}"`)
  if (key === undefined) return state(data.status)
  if (key === 'status') return state(data.status)
  if (key === 'exit_code')
    return data.exit_code === undefined ? absent(`"${textOf(leaf)}" has no value yet`) : value(data.exit_code)
  if (key === 'number') return value(data.number)
  if (key === 'outputs') return walk(data.outputs ?? {}, leaf, 2)
  return error(`a step has status, exit_code, outputs and number, but no "${key}"`)
}

const numberedStep = (name: string, scope: ConditionScope): Answer | undefined => {
  const digits = /^step_(\d+)$/i.exec(name)?.[1]
  if (digits === undefined) return undefined
  const found = Object.values(scope.steps).find((each) => each.number === Number(digits))
  return found === undefined ? undefined : state(found.status)
}

/** The words that stand for a whole table; bare, a param of that name comes first. */
const namespace = (leaf: Leaf, scope: ConditionScope): Answer | undefined => {
  const root = leaf.root.toLowerCase()
  const bare = leaf.path.length === 0
  if (bare && root !== 'payload' && Object.hasOwn(scope.params, leaf.root)) return undefined
  if (root === 'env') return bare ? undefined : environment(leaf, scope)
  if (root === 'payload') return scope.payload === undefined ? undefined : walk(scope.payload, leaf, 0)
  if (root === 'trigger') return scope.trigger === undefined ? undefined : walk(scope.trigger, leaf, 0, true)
  if (root === 'steps') return bare ? value(scope.steps as unknown as Json) : step(leaf, scope)
  if (root !== 'params' && root !== 'outputs') return undefined
  const table = scope[root]
  return bare
    ? value(table)
    : (inTable(String(leaf.path[0]), table, leaf, 1) ?? absent(`"${textOf(leaf)}" has no value`))
}

const plainName = (leaf: Leaf, scope: ConditionScope): Answer | undefined => {
  const tables = [scope.params, scope.outputs, isTable(scope.payload) ? scope.payload : {}]
  const exact = tables.find((table) => Object.hasOwn(table, leaf.root))
  if (exact !== undefined) return walk(exact[leaf.root] as Json, leaf, 0)
  for (const table of tables) {
    const found = inTable(leaf.root, table, leaf, 0)
    if (found !== undefined) return found
  }
  return undefined
}

const slugName = (leaf: Leaf, scope: ConditionScope): Answer | undefined => {
  const slug = matchName(leaf.root, Object.keys(scope.steps)).key
  if (slug === undefined) return undefined
  if (leaf.path.length > 0) return step({ ...leaf, path: [slug, ...leaf.path] }, scope)
  return value(scope.steps[slug]?.status === 'success')
}

/** What a leaf stands for. Pure. */
export const answer = (leaf: Leaf, scope: ConditionScope): Answer => {
  const known = fact(leaf, scope)
  if (known !== undefined) return known
  if (fold(leaf.root) === 'previous_step')
    return scope.previousStep === undefined ? absent('there is no step before this one') : state(scope.previousStep)
  return (
    numberedStep(leaf.root, scope) ??
    namespace(leaf, scope) ??
    plainName(leaf, scope) ??
    slugName(leaf, scope) ??
    absent(`nothing sets "${textOf(leaf)}"`)
  )
}
