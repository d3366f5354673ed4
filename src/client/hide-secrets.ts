import { ulid } from 'ulid'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { checkParams } from '../core/params.ts'
import type { PinnedSop } from '../core/run/run.ts'
import { HIDDEN, secretMark } from '../core/secret-param.ts'
import type { Records } from './records.ts'

// hide-secrets.ts: values of secret params go to the vault, and a mark stands where they would be seen.

/** A secret as its command will see it. */
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

/** For the start of a run, whose params are checked already. */
export const hideSecrets = async (
  { vault }: Pick<Records, 'vault'>,
  runId: string,
  params: Readonly<Record<string, Json>>,
  secretNames: readonly string[],
): Promise<Readonly<Record<string, Json>>> => {
  for (const name of secretNames) await vault.put(runId, name, textOf(params[name]))
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, secretNames.includes(name) ? HIDDEN : value]),
  )
}

/** Params that change, as they may be seen, and what puts the values of the secret ones where their commands find them. */
export interface MarkedParams {
  readonly params: Readonly<Record<string, Json>>
  keep(): Promise<void>
}

/**
 * For params that change: each new value gets a place of its own, since the decision that brings it may still be refused.
 *
 * @throws SopError `invalid` for a value that does not fit
 */
export const markChangedSecrets = (
  { vault }: Pick<Records, 'vault'>,
  runId: string,
  { definition }: PinnedSop,
  asked: Readonly<Record<string, Json>>,
): MarkedParams => {
  const secret = (definition.params ?? []).filter((param) => param.secret === true && Object.hasOwn(asked, param.name))
  if (secret.length === 0) return { params: asked, keep: () => Promise.resolve() }
  const given = Object.fromEntries(secret.map(({ name }) => [name, asked[name] ?? null]))
  const checked = checkParams(secret, given, 'hand')
  const gone = secret.filter(({ name }) => given[name] === null).map(({ name }) => `Cannot take param "${name}" away`)
  const problems = checked.ok ? gone : checked.problems
  if (!checked.ok || problems.length > 0) {
    throw new SopError('invalid', `Cannot retry run "${runId}": ${problems.join('; ')}`, { problems })
  }
  const version = ulid()
  const marked = Object.fromEntries(secret.map(({ name }) => [name, secretMark(version)]))
  return {
    params: { ...asked, ...marked },
    keep: async () => {
      for (const { name } of secret) await vault.put(runId, `${name}@${version}`, textOf(checked.params[name]))
    },
  }
}
