// params.ts: the one door for values that come from outside into a run: params of a start and forms of manual steps.

import type { Json, Param } from './definition.ts'
import { didYouMean } from './nearest.ts'
import { paramNameProblem, clashOf } from './param-names.ts'
import { readParam } from './read-param.ts'

/** Largest value of one param, and of all params of a run, in bytes of their JSON. */
export const MAX_PARAM_BYTES = 64 * 1024
export const MAX_PARAMS_BYTES = 512 * 1024
const MAX_PARAMS = 200
const MAX_DEPTH = 32

export type CheckedParams =
  | {
      readonly ok: true
      /** Declared params coerced to their type, defaults filled in; then the others that are accepted. */
      readonly params: Readonly<Record<string, Json>>
      /** Declared `secret` and given: their values belong into the vault. */
      readonly secretNames: readonly string[]
      /** Values that a trigger brought and that are no params: they stay in the payload only (rulings 21). */
      readonly extra: Readonly<Record<string, Json>>
    }
  | { readonly ok: false; readonly problems: string[]; readonly fields: readonly FieldProblem[] }

/** What is wrong with one value, to be shown beside it. */
export interface FieldProblem {
  readonly name: string
  /** Completes "Cannot take this value: …". */
  readonly reason: string
}

export type CheckedForm =
  | { readonly ok: true; readonly values: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly problems: string[]; readonly fields: readonly FieldProblem[] }

const bytesOf = (value: Json): number => {
  let bytes = 0
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Looks one level further at a time: a value that is nested without end must not end the stack. */
const isDeeperThan = (value: Json, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner: Json) => isDeeperThan(inner, depth - 1))
}

const sizeProblem = (name: string, value: Json): Problem | undefined => {
  if (isDeeperThan(value, MAX_DEPTH)) return problem(name, `it is nested more than ${MAX_DEPTH} levels deep`)
  const bytes = bytesOf(value)
  if (bytes <= MAX_PARAM_BYTES) return undefined
  return problem(
    name,
    `it has ${bytes} bytes, and ${MAX_PARAM_BYTES} are allowed. Put it into a file and give its path`,
  )
}

/** What is wrong, as a sentence; and where it is about one value, which one and why. */
interface Problem {
  readonly text: string
  readonly reason: string
  readonly name?: string
}

const problem = (name: string, reason: string, value?: Json): Problem => ({
  name,
  reason,
  text: `Cannot take param "${name}"${value === undefined ? '' : ` = ${shown(value)}`}: ${reason}`,
})

const inAll = (what: string, reason: string): Problem => ({ reason, text: `${what}: ${reason}` })

const shown = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const isGiven = (value: Json | undefined): value is Json => value !== undefined && value !== null

/** Values of the declared params; what is wrong goes to `problems`. */
const readDeclared = (
  declared: readonly Param[],
  given: Readonly<Record<string, Json>>,
  problems: Problem[],
): [string, Json][] => {
  const read: [string, Json][] = []
  for (const param of declared) {
    const value = Object.hasOwn(given, param.name) ? given[param.name] : undefined
    if (!isGiven(value)) {
      if (param.default !== undefined) read.push([param.name, param.default])
      else if (param.required === true) problems.push(missing(param))
      continue
    }
    const tooLarge = sizeProblem(param.name, value)
    const result = tooLarge === undefined ? readParam(param, value) : undefined
    if (tooLarge !== undefined) problems.push(tooLarge)
    else if (result !== undefined && 'reason' in result)
      problems.push(problem(param.name, result.reason, param.secret === true ? undefined : value))
    else if (result !== undefined) read.push([param.name, result.value])
  }
  return read
}

const missing = ({ name, description }: Param): Problem => {
  const reason = 'it is required and was not given'
  const what = description === undefined ? '' : ` (${description})`
  return { name, reason, text: `Cannot do without param "${name}"${what}: ${reason}` }
}

const undeclaredProblem = (
  name: string,
  value: Json,
  declared: readonly Param[],
  taken: readonly string[],
): Problem | undefined => {
  if (declared.length > 0) {
    const names = declared.map((param) => param.name)
    const has = names.map((each) => `"${each}"`).join(', ')
    return problem(name, `this SOP has no such param; it has ${has}${hintOf(name, names)}`)
  }
  const reason = paramNameProblem(name)
  if (reason !== undefined) return problem(name, reason)
  const clash = clashOf(name, taken)
  if (clash !== undefined) return problem(name, `it and "${clash}" would be one variable in a step`)
  return sizeProblem(name, value)
}

const hintOf = (name: string, names: readonly string[]): string => {
  const hint = didYouMean(name, names)
  return hint === undefined ? '' : `. ${hint}`
}

/**
 * Checks what a start was given against what the SOP declares: types, required, defaults, choices, patterns, names, sizes.
 * All problems at once.
 *
 * Nothing declared: every name is accepted. Something declared: an unknown name is a problem by `hand`; a `trigger` keeps
 * it in `extra` (rulings 21), as it does with what cannot be a param at all.
 */
export const checkParams = (
  declared: readonly Param[] | undefined,
  given: Readonly<Record<string, Json>>,
  source: 'hand' | 'trigger',
): CheckedParams => {
  const problems: Problem[] = []
  const params = readDeclared(declared ?? [], given, problems)
  const secretNames = (declared ?? []).filter(
    (param) => param.secret === true && params.some(([name]) => name === param.name),
  )
  const extra: [string, Json][] = []
  for (const [name, value] of Object.entries(given)) {
    if (declared?.some((param) => param.name === name) || value === undefined) continue
    const reason = undeclaredProblem(
      name,
      value,
      declared ?? [],
      params.map(([taken]) => taken),
    )
    if (reason === undefined) params.push([name, value])
    else if (source === 'trigger') extra.push([name, value])
    else problems.push(reason)
  }
  problems.push(...totalProblems(params))
  if (problems.length > 0)
    return {
      ok: false,
      problems: problems.map(({ text }) => text),
      fields: problems.flatMap(({ name, reason }) => (name === undefined ? [] : [{ name, reason }])),
    }
  return {
    ok: true,
    params: Object.fromEntries(params),
    secretNames: secretNames.map((param) => param.name),
    extra: Object.fromEntries(extra),
  }
}

const totalProblems = (params: readonly [string, Json][]): Problem[] => {
  const bytes = params.reduce((sum, [name, value]) => sum + name.length + bytesOf(value), 0)
  return [
    ...(params.length > MAX_PARAMS ? [inAll(`Cannot take ${params.length} params`, `${MAX_PARAMS} are allowed`)] : []),
    ...(bytes > MAX_PARAMS_BYTES
      ? [inAll('Cannot take the params', `together they have ${bytes} bytes, and ${MAX_PARAMS_BYTES} are allowed`)]
      : []),
  ]
}

/** Checks the values with which a manual step is completed. Without a form any name is accepted; they become outputs. */
export const checkForm = (form: readonly Param[] | undefined, given: Readonly<Record<string, Json>>): CheckedForm => {
  const checked = checkParams(form, given, 'hand')
  if (checked.ok) return { ok: true, values: checked.params }
  return { ok: false, problems: checked.problems.map(inForm), fields: checked.fields }
}

const inForm = (text: string): string =>
  text
    .replace(/^Cannot take param /, 'Cannot take value ')
    .replace(/^Cannot do without param /, 'Cannot do without value ')
    .replace('this SOP has no such param; it has', 'the form of this step has no such field; it has')
