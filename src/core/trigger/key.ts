import { sha256Hex } from '../canonical.ts'
import type { Json } from '../definition.ts'
import { mapParams, mappingProblem } from './params.ts'
import type { Occurrence } from './occurrence.ts'

// key.ts: by what repeats of an occurrence are told: the `idempotency_key` of a trigger, and the headers that senders use.

export type KeyRule =
  | { readonly kind: 'header'; readonly header: string }
  /** A path or an expression over the payload, as in a trigger's `params`. */
  | { readonly kind: 'value'; readonly text: string }
  /** Two requests with the same body are one. */
  | { readonly kind: 'body' }
  | { readonly kind: 'none' }

export type ReadKey = { readonly ok: true; readonly rule: KeyRule } | { readonly ok: false; readonly reason: string }

/** Reads `X-Request-Id`, `$.alert.id`, `{{ payload.id }}-{{ payload.status }}`, `body`, `none`. */
export const readKeyRule = (written: string): ReadKey => {
  const text = written.trim()
  if (text === 'body' || text === 'none') return { ok: true, rule: { kind: text } }
  if (text.startsWith('$') || text.includes('{{')) {
    const reason = mappingProblem(text)
    return reason === undefined ? { ok: true, rule: { kind: 'value', text } } : { ok: false, reason }
  }
  if (/^[A-Za-z0-9_-]{1,100}$/.test(text)) return { ok: true, rule: { kind: 'header', header: text.toLowerCase() } }
  return { ok: false, reason: 'it is none of a header, a path such as $.id, an expression in {{ }}, body and none' }
}

/** What comes with an occurrence and may tell its repeats. */
export interface KeySource {
  /** All of them, in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Json
  /** SHA-256 of the bytes of the body, in hex. */
  readonly bodyDigest: string
  /** The time that a signature was made for, where it holds: such a signature is good once. */
  readonly signedAt?: string
}

const MAX_KEY = 500

/**
 * The key of an occurrence; undefined where nothing tells its repeats. A rule that finds nothing in the request leaves it
 * to the headers that senders use (rulings 27), and those to the time that it was signed for: whoever sends again what he
 * overheard has the same time and body, while a sender that tries again signs anew.
 */
export const keyOf = (rule: KeyRule | undefined, source: KeySource): string | undefined => {
  const own = rule === undefined ? undefined : byRule(rule, source)
  if (rule?.kind === 'none') return undefined
  return own ?? byHeaders(source.headers) ?? bySignature(source)
}

const bySignature = ({ signedAt, bodyDigest }: KeySource): string | undefined =>
  signedAt === undefined ? undefined : `signed ${signedAt} ${bodyDigest}`

const byRule = (rule: KeyRule, { headers, payload, bodyDigest }: KeySource): string | undefined => {
  switch (rule.kind) {
    case 'none':
      return undefined
    case 'body':
      return `body ${bodyDigest}`
    case 'header':
      return limited(`${rule.header} `, headers[rule.header])
    case 'value': {
      const scope = { params: {}, outputs: {}, steps: {}, facts: {}, payload, trigger: { headers } }
      const mapped = mapParams({ key: rule.text }, scope)
      const value = mapped.ok ? mapped.params['key'] : undefined
      return value === undefined || value === null
        ? undefined
        : limited('value ', typeof value === 'string' ? value : JSON.stringify(value))
    }
    default:
      return rule satisfies never
  }
}

const byHeaders = (headers: KeySource['headers']): string | undefined =>
  limited('idempotency-key ', headers['idempotency-key']) ??
  limited('x-github-delivery ', headers['x-github-delivery']) ??
  (headers['ce-id'] === undefined ? undefined : cloudEventKey(headers['ce-source'] ?? '', headers['ce-id']))

/** CloudEvents are told by source and id together (CloudEvents 1.0, 3.1). */
export const cloudEventKey = (source: string, id: string): string => limited('ce ', JSON.stringify([source, id])) ?? ''

/** A long one tells repeats as well as any other: its digest stands for it. */
const limited = (prefix: string, value: string | undefined): string | undefined => {
  if (value === undefined || value === '') return undefined
  return prefix + (value.length > MAX_KEY ? `sha256 ${sha256Hex(value)}` : value)
}

/** The key of an occurrence as its run is known by: of two webhooks of one SOP each has keys of its own. */
export const keyAt = ({ source, subject }: Pick<Occurrence, 'source' | 'subject'>, key: string): string =>
  source === 'webhook' ? `${subject} ${key}` : key
