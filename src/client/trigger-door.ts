import { createDeliveryIds } from './delivery-id.ts'
import type { Json, Trigger } from '../core/definition.ts'
import { type ErrorCode, SopError } from '../core/errors.ts'
import type { Principal, TriggerInfo } from '../core/run/principal.ts'
import type { Delivery, DeliveryStore } from '../core/trigger/delivery.ts'
import { triggerSubject } from '../core/trigger/match.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import { withoutSecrets } from '../core/trigger/redact.ts'
import { type Judged, judge, type JudgeDeps, type LastTriggers } from './judge-occurrence.ts'
import { keyedRunId, newRunId, type StartDeps, startPinned } from './start-run.ts'

// trigger-door.ts: the one door through which occurrences become runs, whatever source tells of them.

/** What one trigger makes of the sender of an occurrence. */
export interface Admission {
  /** Why it does not take it from that sender. */
  readonly refusal?: { readonly code: ErrorCode; readonly reason: string }
  /** Instead of the key and the principal of the occurrence. */
  readonly key?: string
  readonly principal?: Principal
}

export interface DeliverOptions {
  /**
   * Asked of each trigger that is meant, before anything else of it is looked at; `secrets` are the names that its SOP
   * declares. A webhook checks its signature here, since each SOP on a path may have a secret of its own (rulings 27).
   */
  readonly admits?: (sop: string, trigger: Trigger, secrets: readonly string[]) => Promise<Admission>
  /** The triggers that the source means; the others are as if they were not there. Absent: all of its type. */
  readonly concerns?: (sop: string, trigger: Trigger) => boolean
  /** A sentence that says why no run of that SOP may begin by this occurrence, whatever its triggers say. */
  readonly bars?: (sop: string) => string | undefined
  /** The delivery that is delivered again. */
  readonly redeliveryOf?: string
  /** Only this SOP, and only this trigger of it. */
  readonly only?: { readonly sop: string; readonly trigger?: number }
}

export interface TriggerDoor {
  /**
   * Starts a run of each SOP that has a trigger for it. Fulfilled when every run is durable and every verdict is on record:
   * a source acknowledges then, and not before. One delivery a matching SOP; a single `unmatched` one without any.
   *
   * @throws SopError `unavailable` when Temporal or the store cannot be reached: nothing may be acknowledged
   */
  deliver(occurrence: Occurrence, options?: DeliverOptions): Promise<readonly Delivery[]>
  /** What `deliver` would do now, starting and recording nothing. */
  judge(occurrence: Occurrence, options?: DeliverOptions): Promise<readonly Judged[]>
}

export interface TriggerDoorDeps extends StartDeps, JudgeDeps {
  readonly deliveries: DeliveryStore
  /** Config `deliveryPayload`: `redact` keeps no payload in the record of a delivery. */
  readonly deliveryPayload: 'keep' | 'redact'
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  readonly now?: () => Date
}

/** What became of the occurrence at one SOP, before it is on record. */
type Outcome = Pick<Delivery, 'sop' | 'trigger' | 'verdict' | 'runId' | 'reason' | 'code' | 'key' | 'principal'> & {
  readonly secrets?: readonly Json[]
}

/** The door to the engine of these parts. */
export const createTriggerDoor = (deps: TriggerDoorDeps): TriggerDoor => {
  const { now = () => new Date() } = deps
  const last: LastTriggers = new Map()
  const nextId = createDeliveryIds()
  // Ids and times agree, and neither goes back when a clock does.
  let lastMs = 0
  return {
    judge: (occurrence, options = {}) => judge(deps, last, occurrence, options),
    deliver: async (occurrence, options = {}) => {
      const judged = await judge(deps, last, occurrence, options)
      const outcomes: readonly Outcome[] =
        judged.length === 0
          ? [
              {
                verdict: 'unmatched',
                reason: `No SOP has a trigger for ${nameOf(occurrence)}`,
                principal: occurrence.principal.id,
                ...(occurrence.key !== undefined && { key: occurrence.key }),
              },
            ]
          : await Promise.all(judged.map((each) => begin(deps, each, occurrence)))
      // What one SOP calls a secret stands in the record of no other that the occurrence is for.
      const secrets = [...judged, ...outcomes].flatMap((each) => ('secrets' in each ? each.secrets : undefined) ?? [])
      const deliveries = outcomes.map((outcome) => {
        lastMs = Math.max(lastMs, now().getTime())
        const id = nextId(lastMs)
        return deliveryOf(id, new Date(lastMs), { ...outcome, secrets }, occurrence, options, deps)
      })
      const isStarted = deliveries.some(({ verdict }) => verdict === 'started')
      await record(deps, deliveries, isStarted)
      const failed = deliveries.find(({ verdict }) => verdict === 'failed')
      if (failed !== undefined) {
        throw new SopError(
          'unavailable',
          `Cannot take ${nameOf(occurrence)}: ${failed.reason ?? 'the engine failed'}`,
          {
            deliveries: deliveries.map(({ id }) => id),
          },
        )
      }
      return deliveries
    },
  }
}

/** For messages: `event "deploy.failed"`. The text of a message may be long, and is nobody's name. */
const nameOf = ({ source, subject }: Occurrence): string =>
  source === 'command' ? 'this message' : `${source} "${subject.slice(0, 100)}"`

const begin = async (deps: TriggerDoorDeps, judged: Judged, occurrence: Occurrence): Promise<Outcome> => {
  const { key = occurrence.key, principal = occurrence.principal } = judged
  const at = { sop: judged.sop, trigger: judged.trigger, principal: principal.id, ...(key !== undefined && { key }) }
  if (judged.verdict === 'unmatched') return { ...at, verdict: 'unmatched', reason: judged.reason }
  if (judged.verdict === 'refused') return { ...at, verdict: 'refused', code: judged.code, reason: judged.reason }
  const { pinned, params } = judged
  const { source } = occurrence
  const runId = key === undefined ? newRunId() : keyedRunId(judged.sop, source, key)
  const secrets = [...(judged.secrets ?? []), ...params.secretNames.map((name) => params.params[name] as Json)]
  try {
    const how = await startPinned(deps, {
      runId,
      pinned,
      params: params.params,
      secretNames: params.secretNames,
      keyed: key !== undefined,
      input: { trigger: triggerInfo(occurrence, secrets), startedBy: principal, via: 'trigger' },
    })
    return { ...at, verdict: how === 'started' ? 'started' : 'duplicate', runId, secrets }
  } catch (error) {
    if (!(error instanceof SopError)) throw error
    const { code, message: reason } = error
    return { ...at, verdict: code === 'unavailable' ? 'failed' : 'refused', code, reason, secrets }
  }
}

/** What the run knows of its trigger. */
const triggerInfo = ({ source, subject, payload, headers }: Occurrence, secrets: readonly Json[]): TriggerInfo => ({
  type: source,
  ...triggerSubject(source, subject),
  ...(headers !== undefined && { headers: withoutSecrets(headers, secrets) }),
  payload: withoutSecrets(payload, secrets),
})

const deliveryOf = (
  id: string,
  at: Date,
  { secrets = [], reason, key, ...outcome }: Outcome,
  { source, subject, action, payload, headers }: Occurrence,
  { redeliveryOf }: DeliverOptions,
  { deliveryPayload }: TriggerDoorDeps,
): Delivery => {
  // Whoever may not send has no place to write in.
  const redacted =
    outcome.code === 'unauthenticated' || outcome.code === 'forbidden'
      ? 'unauthenticated'
      : deliveryPayload === 'redact'
        ? 'config'
        : secrets.length > 0
          ? 'secret'
          : undefined
  const isKept = redacted === undefined || redacted === 'secret'
  return {
    id,
    at: at.toISOString(),
    source,
    subject: withoutSecrets(subject, secrets),
    ...(action !== undefined && { action }),
    ...outcome,
    ...(reason !== undefined && { reason: withoutSecrets(reason, secrets) }),
    ...(key !== undefined && { key: withoutSecrets(key, secrets) }),
    ...(isKept && { payload: withoutSecrets(payload, secrets) }),
    ...(isKept && headers !== undefined && { headers: withoutSecrets(headers, secrets) }),
    ...(redacted !== undefined && { redacted }),
    ...(redeliveryOf !== undefined && { redeliveryOf }),
  }
}

/** A run that is durable is started, whether or not that could be written down. */
const record = async (
  { deliveries: store, warn }: TriggerDoorDeps,
  deliveries: readonly Delivery[],
  isStarted: boolean,
): Promise<void> => {
  const results = await Promise.allSettled(deliveries.map((delivery) => store.put(delivery)))
  const lost = results.find((result) => result.status === 'rejected')
  if (lost === undefined) return
  const error = lost.reason as Error
  warn('what became of a trigger could not be written down', {
    error: error.message,
    deliveries: deliveries.map(({ source, subject, sop, verdict, runId }) => ({
      source,
      subject,
      sop,
      verdict,
      runId,
    })),
  })
  if (!isStarted) {
    throw new SopError('unavailable', 'Cannot write down what became of the trigger: the store failed', {}, error)
  }
}
