import type { Json } from '../definition.ts'
import { nearest } from '../nearest.ts'
import { sealedText, verifySeal } from '../seal.ts'
import { type Decision, type DecisionKind, RETRY_OUTCOMES } from './decision.ts'
import { PRINCIPAL_KINDS, type Principal, SURFACES } from './principal.ts'

// receive.ts: the one door from a message of unknown make to a decision. It never throws.

export type Received =
  | { readonly ok: true; readonly decision: Decision }
  | { readonly ok: false; readonly reason: string }

const TEXTS = ['decisionId', 'gate', 'comment', 'reason', 'covers', 'outcome', 'seal'] as const
const NUMBERS = ['step', 'attempt', 'item'] as const
const FLAGS = ['ticked', 'failed', 'rollback'] as const
const TABLES = ['values', 'params'] as const

/** Keys that the first rules do not know: a run that goes by those passes over them in a bare message, as it did. */
export const LATER_KEYS = ['covers', 'outcome', 'rollback', 'params'] as const satisfies readonly (keyof Decision)[]

/** What a bare message may say besides: whatever it is about, and who sends it. */
const SAID_OF_ALL = ['decisionId', 'gate', 'step', 'attempt', 'comment', 'reason', 'principal', 'via'] as const
const SAID_OF: Readonly<Partial<Record<DecisionKind, readonly string[]>>> = {
  approve: ['covers'],
  complete: ['values', 'item', 'ticked', 'failed'],
  cancel: ['rollback'],
  retry: ['params', 'outcome'],
}

/** The rules by which a bare message with a key that nobody reads is refused; those before passed over such a key. */
const STRICT_SINCE = 7

/** Longest text that a message may bring along, in characters. */
const MAX_TEXT = 16_384

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads the argument of a message.
 *
 * Principal and surface are believed only with a seal by the installation that pinned the run; without one the sender
 * is whoever reached Temporal's port, so the claimed id is kept but marked as unverified (product.md 6).
 */
export const receive = (
  kind: DecisionKind,
  argument: unknown,
  door: 'signal' | 'update',
  run: { readonly runId: string; readonly authority: string; readonly rulesVersion?: number },
): Received => {
  if (argument === undefined) return { ok: false, reason: 'it has no argument; send at least {}' }
  if (!isRecord(argument)) return { ok: false, reason: 'its argument is not a JSON object' }
  if (typeof argument['seal'] === 'string') return read(kind, argument, door, run)
  const { rulesVersion = STRICT_SINCE } = run
  const unread = rulesVersion >= STRICT_SINCE ? unreadKey(kind, argument) : undefined
  if (unread !== undefined) return { ok: false, reason: unread }
  return read(kind, rulesVersion === 1 ? withoutLater(argument) : argument, door, run)
}

/** A misspelt gate must not leave a decision about whichever one is open, nor `approved: false` an approval. */
const unreadKey = (kind: DecisionKind, argument: Record<string, unknown>): string | undefined => {
  const known: readonly string[] = [...SAID_OF_ALL, ...(SAID_OF[kind] ?? [])]
  const key = Object.keys(argument).find((each) => !known.includes(each) && argument[each] !== null)
  if (key === undefined) return undefined
  const shown = key.slice(0, MAX_KEY)
  const meant = nearest(shown, known)
  const hint = meant === undefined ? `it knows ${known.join(', ')}` : `did you mean "${meant}"?`
  return `its key "${shown}" means nothing to ${kind}; ${hint}`
}
const MAX_KEY = 100

const withoutLater = (argument: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(argument).filter(([key]) => !LATER_KEYS.some((later) => later === key)))

const read = (
  kind: DecisionKind,
  argument: Record<string, unknown>,
  door: 'signal' | 'update',
  run: { readonly runId: string; readonly authority: string },
): Received => {
  const problem = shapeProblem(argument)
  if (problem !== undefined) return { ok: false, reason: problem }
  const said = pick(argument)
  if (typeof argument['seal'] !== 'string') {
    return { ok: true, decision: { ...said, kind, principal: claimed(argument['principal']), via: door } }
  }
  const principal = principalOf(argument['principal'])
  const via = SURFACES.find((surface) => surface === argument['via'])
  if (principal === undefined || via === undefined) return { ok: false, reason: 'its seal comes without a principal' }
  const decision: Decision = { ...said, kind, principal, via, seal: argument['seal'] }
  return verifySeal(run.authority, sealedText(run.runId, decision), argument['seal'])
    ? { ok: true, decision }
    : { ok: false, reason: 'its seal is not one of this installation' }
}

const shapeProblem = (argument: Record<string, unknown>): string | undefined => {
  for (const key of TEXTS) {
    const value = argument[key]
    if (value === undefined || value === null) continue
    if (typeof value !== 'string') return `"${key}" is not text`
    if (value.length > MAX_TEXT) return `"${key}" is longer than ${MAX_TEXT} characters`
  }
  for (const key of NUMBERS) {
    const value = argument[key]
    if (
      value !== undefined &&
      value !== null &&
      !(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
    ) {
      return `"${key}" is not a whole number`
    }
  }
  for (const key of FLAGS) {
    const value = argument[key]
    if (value !== undefined && value !== null && typeof value !== 'boolean') return `"${key}" is not true or false`
  }
  for (const key of TABLES) {
    const value = argument[key]
    if (value !== undefined && value !== null && !isRecord(value)) return `"${key}" is not a JSON object`
  }
  const { outcome } = argument
  return outcome === undefined || outcome === null || RETRY_OUTCOMES.some((known) => known === outcome)
    ? undefined
    : `"outcome" is none of ${RETRY_OUTCOMES.join(', ')}`
}

const pick = (argument: Record<string, unknown>): Omit<Decision, 'kind'> => {
  const keys = [...TEXTS.filter((key) => key !== 'seal'), ...NUMBERS, ...FLAGS, ...TABLES] as const
  return Object.fromEntries(
    keys
      .filter((key) => argument[key] !== undefined && argument[key] !== null)
      .map((key) => [key, argument[key] as Json]),
  )
}

/** What an unsealed message says of its sender: kept as a name, never as an identity. */
const claimed = (value: unknown): Principal => {
  const id = typeof value === 'string' ? value : isRecord(value) && typeof value['id'] === 'string' ? value['id'] : ''
  return { id: id === '' ? 'temporal' : id.slice(0, 200), kind: 'user', verified: false }
}

const principalOf = (value: unknown): Principal | undefined =>
  isRecord(value) &&
  typeof value['id'] === 'string' &&
  PRINCIPAL_KINDS.some((kind) => kind === value['kind']) &&
  value['verified'] !== false
    ? (value as unknown as Principal)
    : undefined
