import type { Json } from '../definition.ts'
import { checkParams } from '../params.ts'
import { isSecretMark } from '../secret-param.ts'
import type { Run } from './run.ts'

// changed-params.ts: the params that a retry brings along, checked as those of a start are.

export type ChangedParams =
  | { readonly ok: true; readonly changed: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * What is different from the params that the run has: coerced to their types, `null` where a value goes.
 * A secret one has to be a mark: its value was put into the vault by whoever sealed the decision.
 */
export const changedParams = (run: Run, asked: Readonly<Record<string, Json>>): ChangedParams => {
  const { params, pinned } = run.seed
  const declared = pinned.definition.params ?? []
  const secret = new Set(declared.filter((param) => param.secret === true).map((param) => param.name))
  const bare = Object.keys(asked).filter((name) => secret.has(name) && !isSecretMark(asked[name]))
  if (bare.length > 0) {
    const problem = `secret params (${bare.join(', ')}) cannot be given to Temporal directly: they stand in its history now, so change those secrets, and use the API or the CLI`
    return { ok: false, problems: [problem] }
  }
  const plain = (values: Readonly<Record<string, Json>>) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !secret.has(name)))
  const checked = checkParams(
    declared.filter((param) => !secret.has(param.name)),
    { ...plain(params), ...plain(asked) },
    'hand',
  )
  if (!checked.ok) return { ok: false, problems: checked.problems }
  const marks = Object.fromEntries(Object.entries(asked).filter(([name]) => secret.has(name)))
  const next: Readonly<Record<string, Json>> = { ...checked.params, ...marks }
  const isOther = (name: string): boolean => JSON.stringify(next[name]) !== JSON.stringify(params[name])
  const names = [...new Set([...Object.keys(asked), ...Object.keys(checked.params)])].filter(isOther)
  return { ok: true, changed: Object.fromEntries(names.map((name) => [name, next[name] ?? null])) }
}

/** The params after the change. */
export const applyParams = (
  params: Readonly<Record<string, Json>>,
  changed: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> =>
  Object.fromEntries(Object.entries({ ...params, ...changed }).filter(([, value]) => value !== null))
