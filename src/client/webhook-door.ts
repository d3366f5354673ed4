import { createHash } from 'node:crypto'
import { type Actor, may } from '../core/access.ts'
import type { Json, Trigger } from '../core/definition.ts'
import { type ErrorCode, SopError } from '../core/errors.ts'
import type { Delivery } from '../core/trigger/delivery.ts'
import { keyAt, keyOf, readKeyRule } from '../core/trigger/key.ts'
import { REPLAY_WINDOW_MS } from '../core/trigger/signature.ts'
import type { Catalog } from './catalog.ts'
import type { Admission, TriggerDoor } from './trigger-door.ts'
import { checkSignature } from './webhook-signature.ts'

// webhook-door.ts: requests at the paths that SOPs name. Who may send is asked of each SOP by itself: each has its own
// secret, or takes a token of the API (rulings 27).

export interface WebhookRequest {
  readonly method: string
  /** As it stands in the request, without the query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** What the body means; the attributes of a CloudEvent are among the headers as `ce-…`. */
  readonly payload: Json
  /** Who a token of the API says it is. */
  readonly actor?: Actor
}

export interface WebhookDoor {
  /** Whether an SOP has a webhook there. May be a second behind the files. */
  serves(method: string, path: string): Promise<boolean>
  /** @throws SopError as `TriggerDoor.deliver` */
  receive(request: WebhookRequest): Promise<readonly Delivery[]>
}

export interface WebhookDoorDeps {
  readonly catalog: Catalog
  readonly triggers: TriggerDoor
  /** @throws SopError when the engine has no such secret */
  readonly secrets: { get(name: string): Promise<string> }
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  readonly now?: () => number
}

/** How old the list of paths may be, in milliseconds: strangers must not make the engine read its SOPs. */
const PATHS_MS = 1_000

export const createWebhookDoor = (deps: WebhookDoorDeps): WebhookDoor => {
  const { now = Date.now } = deps
  const known = createPaths(deps.catalog, now)
  return {
    serves: async (method, path) => (await known()).get(path)?.has(method) === true,
    receive: async (request) => {
      const bodyDigest = createHash('sha256').update(request.body).digest('hex')
      const { method, path: subject, headers, payload } = request
      const admits = async (sop: string, trigger: Trigger, secrets: readonly string[]): Promise<Admission> => {
        if (trigger.type !== 'webhook') return {}
        const { refusal, signedAt } = await checkSender(deps, { sop, trigger, secrets, request, now: now() })
        if (refusal !== undefined) return { refusal }
        const rule = trigger.idempotencyKey === undefined ? undefined : readKeyRule(trigger.idempotencyKey)
        const key = keyOf(rule?.ok === true ? rule.rule : undefined, {
          headers,
          payload,
          bodyDigest,
          ...(signedAt !== undefined && { signedAt }),
        })
        return {
          ...(key !== undefined && { key: keyAt({ source: 'webhook', subject }, key) }),
          ...(trigger.secret === undefined && request.actor && { principal: request.actor.principal }),
        }
      }
      return deps.triggers.deliver(
        {
          source: 'webhook',
          subject,
          action: method,
          at: new Date(now()).toISOString(),
          payload: payloadOf(request),
          headers: shownHeaders(headers),
          principal: { id: `webhook:${subject}`, kind: 'service' },
        },
        { admits },
      )
    },
  }
}

/** A request without a body brings its query. No signature covers that, so a signed one brings nothing by it. */
const payloadOf = ({ method, body, payload, query, actor }: WebhookRequest): Json =>
  body.length === 0 && (method === 'GET' || method === 'DELETE') && actor !== undefined ? query : payload

interface Question {
  readonly sop: string
  readonly trigger: Extract<Trigger, { type: 'webhook' }>
  readonly secrets: readonly string[]
  readonly request: WebhookRequest
  readonly now: number
}

interface Refusal {
  readonly code: ErrorCode
  readonly reason: string
}

interface CheckedSender {
  readonly refusal?: Refusal
  /** The time that the sender signed, where one was. */
  readonly signedAt?: string
}

const checkSender = async (
  { secrets: store, warn }: WebhookDoorDeps,
  { sop, trigger, secrets, request, now }: Question,
): Promise<CheckedSender> => {
  const { secret: written, signature, replayWindowMs = REPLAY_WINDOW_MS } = trigger
  if (written === undefined) return tokenRefusal(request.actor)
  let secret: string
  try {
    secret = isName(written, secrets) ? await store.get(written) : written
  } catch (error) {
    if (!(error instanceof SopError)) throw error
    warn('a webhook cannot be checked, since its secret cannot be read', {
      sop,
      path: trigger.path,
      error: error.message,
    })
    return { refusal: { code: 'unavailable', reason: error.message } }
  }
  const checked = checkSignature(request, {
    secret,
    ...(signature !== undefined && { signature }),
    replayWindowMs,
    now,
  })
  if (!checked.ok) return { refusal: { code: 'unauthenticated', reason: checked.problem } }
  return checked.signedAt === undefined ? {} : { signedAt: checked.signedAt }
}

/** The name of a secret, and not the secret itself (rulings 27). */
const isName = (written: string, secrets: readonly string[]): boolean =>
  secrets.includes(written) || /^[A-Z][A-Z0-9_]*$/.test(written)

const tokenRefusal = (actor: Actor | undefined): CheckedSender => {
  if (actor === undefined) {
    const reason = 'The webhook has no secret, so it needs a token: "Authorization: Bearer <token>"'
    return { refusal: { code: 'unauthenticated', reason } }
  }
  const verdict = may(actor, 'createRun')
  return verdict.ok ? {} : { refusal: { code: 'forbidden', reason: verdict.reason } }
}

/** Headers of credentials and of the connection are no part of what happened. */
const HIDDEN =
  /^(?:authorization|proxy-authorization|cookie|x-api-key|connection|content-length|host|transfer-encoding|accept-encoding|keep-alive)$|signature|token|secret|password/
const MAX_HEADER = 1_000

const shownHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => !HIDDEN.test(name) && value.length <= MAX_HEADER)
      .slice(0, 50),
  )

/** Path → methods, read anew at most once a second. */
const createPaths = (
  catalog: Catalog,
  now: () => number,
): (() => Promise<ReadonlyMap<string, ReadonlySet<string>>>) => {
  let kept: { readonly at: number; readonly paths: Promise<ReadonlyMap<string, ReadonlySet<string>>> } | undefined
  /** Of SOPs that no longer compile the paths stay: their senders are told, and their owner. */
  const all = new Map<string, Set<string>>()
  const read = async (): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
    const entries = await catalog.list()
    const isWhole = entries.every(({ compiled }) => compiled.definition !== undefined)
    if (isWhole) all.clear()
    for (const { compiled } of entries) {
      for (const trigger of compiled.definition?.triggers ?? []) {
        if (trigger.type !== 'webhook') continue
        const methods = all.get(trigger.path) ?? new Set()
        for (const method of trigger.methods ?? ['POST']) methods.add(method)
        all.set(trigger.path, methods)
      }
    }
    return all
  }
  return () => {
    if (kept === undefined || now() - kept.at >= PATHS_MS) {
      kept = { at: now(), paths: read() }
      kept.paths.catch(() => {
        kept = undefined
      })
    }
    return kept.paths
  }
}
