// language.ts: the CEL environment of conditions. Everything in it is pure and bounded: `matches` is RE2, macros work on
// lists of at most MAX_LIST elements, and one evaluation spends at most BUDGET.

import { Environment } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'
import { compareValues, equalValues, isTrue } from './compare.ts'

export const MAX_TEXT = 4_000
export const MAX_LIST = 1_000
export const MAX_STRING = 65_536
const MAX_PATTERN = 1_000
/** One unit is about a thousand characters looked at, or one node of an expression evaluated. */
const BUDGET = 1_000_000

let spent = 0
/** Characters of the largest value in scope, in thousands: what a call inside a macro may have to look at. */
let weight = 1

/** Starts the account of one evaluation. `largest` is the length of the longest string in scope. */
export const openBudget = (largest: number): void => {
  spent = 0
  weight = 1 + Math.ceil(largest / 1_000)
}

const spend = (units: number): void => {
  spent += units
  if (spent > BUDGET) throw new Error('it takes too many steps; use smaller lists or texts, or decide it in a step')
}

const patterns = new Map<string, RE2JS>()

/** An RE2 pattern, compiled once. @throws with the reason in one sentence. */
export const compilePattern = (pattern: string): RE2JS => {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  if (pattern.length > MAX_PATTERN) throw new Error(`the pattern is longer than ${MAX_PATTERN} characters`)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    throw new Error(`"${pattern}" is no RE2 pattern: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (patterns.size >= 200) patterns.clear()
  patterns.set(pattern, compiled)
  return compiled
}

const matches = (text: unknown, pattern: unknown): boolean => {
  if (typeof text !== 'string' || typeof pattern !== 'string')
    throw new Error('matches() needs a text and a pattern in text')
  if (text.length > MAX_STRING) throw new Error(`a text is longer than ${MAX_STRING} characters`)
  spend(Math.ceil(text.length / 16))
  return compilePattern(pattern).matcher(text).find()
}

const split = (text: string, separator: string, limit?: bigint): string[] => {
  const parts = text.split(separator, limit === undefined || limit < 0n ? MAX_LIST + 1 : Number(limit))
  if (parts.length > MAX_LIST) throw new Error(`split() gives more than ${MAX_LIST} parts`)
  return parts
}

/** What a macro goes over: capped, and paid for before the first element is looked at. */
const range = (list: unknown, nodes: bigint): unknown => {
  const length = Array.isArray(list) ? list.length : list instanceof Map ? list.size : 0
  if (length > MAX_LIST) throw new Error(`a list has more than ${MAX_LIST} elements`)
  spend(length * Number(nodes) * weight)
  return list
}

const contains = (list: unknown, value: unknown): boolean => {
  if (list instanceof Map) return list.has(value)
  if (!Array.isArray(list)) throw new Error('"in" needs a list or a map on its right')
  spend(list.length)
  return list.some((item) => equalValues(item, value))
}

/** Own functions, under names that no text can spell: identifiers that begin with `__` are refused. */
const create = (): Environment => {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 4_000, maxDepth: 100, maxListElements: MAX_LIST, maxMapEntries: 200, maxCallArguments: 8 },
  })
  const pure = { async: false }
  const define = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, pure as object)
  define('__true(dyn): bool', isTrue)
  define('__eq(dyn, dyn): bool', equalValues)
  define('__ne(dyn, dyn): bool', (a, b) => !equalValues(a, b))
  define('__lt(dyn, dyn): bool', (a, b) => compareValues(a, b) < 0)
  define('__le(dyn, dyn): bool', (a, b) => compareValues(a, b) <= 0)
  define('__gt(dyn, dyn): bool', (a, b) => compareValues(a, b) > 0)
  define('__ge(dyn, dyn): bool', (a, b) => compareValues(a, b) >= 0)
  define('__in(dyn, dyn): bool', (value, list) => contains(list, value))
  define('__matches(dyn, dyn): bool', matches)
  define('__range(dyn, int): dyn', range)
  define('__split(string, string): list<string>', split)
  define('__split(string, string, int): list<string>', split)
  const mixed: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  }
  for (const [sign, apply] of Object.entries(mixed)) {
    environment.registerOperator(`int ${sign} double: double`, (a: bigint, b: number) => apply(Number(a), b))
    environment.registerOperator(`double ${sign} int: double`, (a: number, b: bigint) => apply(a, Number(b)))
  }
  return environment
}

let environment: Environment | undefined

/** Made when first needed: a workflow without conditions does not pay for it. */
export const language = (): Environment => (environment ??= create())

let names: readonly string[] | undefined

/** Every function and method that a condition may call, and the engine's own behind `__`. */
export const functionNames = (): readonly string[] =>
  (names ??= [
    ...new Set(
      language()
        .getDefinitions()
        .functions.map((each) => each.name),
    ),
  ].sort())
