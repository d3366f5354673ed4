import type { Client } from '@temporalio/client'
import { type Actor, assertMay } from '../core/access.ts'
import type { Json, Trigger } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { HIDDEN } from '../core/secret-param.ts'
import { isServed, notServed } from '../core/run/supported.ts'
import { acceptedOf, refusalOf } from '../core/trigger/accepted.ts'
import { type Delivery, DELIVERY_LIST_MAX, type DeliveryStore } from '../core/trigger/delivery.ts'
import { awaitedBy } from '../core/trigger/describe.ts'
import { OCCURRENCE_SOURCES, type Occurrence, type OccurrenceSource } from '../core/trigger/occurrence.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { SopClient } from './client.ts'
import { isInTemporal } from './find-run.ts'
import type { Judged } from './judge-occurrence.ts'
import { findEntry } from './pin.ts'
import type { Records } from './records.ts'
import { keyedRunId } from './start-run.ts'
import type {
  DeliveryView,
  MessageReply,
  TriggerClient,
  TriggerTest,
  TriggerTestResult,
  TriggerView,
} from './trigger-client.ts'
import type { TriggerDoor } from './trigger-door.ts'

// trigger-methods.ts: the part of the contract that is about triggers, served by the door.

export interface TriggerMethodDeps {
  readonly temporal: Client
  readonly catalog: Catalog
  readonly records: Pick<Records, 'index'>
  readonly triggers: TriggerDoor
  readonly deliveries: DeliveryStore
}

export const createTriggerMethods = (
  deps: TriggerMethodDeps,
  actor: Actor,
  decisions: Pick<SopClient, 'approveStep' | 'rejectStep'>,
): TriggerClient => {
  const { triggers, deliveries } = deps
  const deliver = async (...asked: Parameters<TriggerDoor['deliver']>) => {
    const came = await triggers.deliver(...asked)
    const refusal = refusalOf(came)
    if (refusal !== undefined) throw refusal
    return acceptedOf(came)
  }
  const now = (): string => new Date().toISOString()
  return {
    listTriggers: async (sop) => {
      assertMay(actor, 'listTriggers')
      const entries = sop === undefined ? await deps.catalog.list() : [await findEntry(deps.catalog, sop)]
      const recent = await deliveries.list({ limit: DELIVERY_LIST_MAX, ...(sop !== undefined && { sop }) })
      return Promise.all(entries.flatMap((entry) => viewsOf(deps, entry, recent)))
    },
    sendEvent: async ({ event, payload = {}, key, headers }) => {
      assertMay(actor, 'sendEvent')
      return deliver({
        source: 'event',
        subject: event,
        at: now(),
        payload,
        ...(headers && { headers }),
        ...(key !== undefined && { key }),
        principal: actor.principal,
      })
    },
    sendMessage: async ({ message, payload = {}, key }): Promise<MessageReply> => {
      const decision = decisionIn(message)
      if (decision !== undefined) {
        const { verb, ref, step, text } = decision
        const said = text === undefined ? {} : verb === 'approve' ? { comment: text } : { reason: text }
        const decide = verb === 'approve' ? decisions.approveStep : decisions.rejectStep
        return { decision: await decide(ref, step, said) }
      }
      assertMay(actor, 'sendMessage')
      return deliver({
        source: 'command',
        subject: message,
        at: now(),
        payload: { ...payload, message },
        ...(key !== undefined && { key }),
        principal: actor.principal,
      })
    },
    testTrigger: async (test) => {
      assertMay(actor, 'testTrigger')
      return testTriggers(deps, test, actor)
    },
    listDeliveries: async (filter = {}) => {
      assertMay(actor, 'listDeliveries')
      const limit = Math.min(filter.limit ?? 50, DELIVERY_LIST_MAX)
      return Promise.all((await deliveries.list({ ...filter, limit })).map((each) => withRun(deps, each)))
    },
    getDelivery: async (id) => {
      assertMay(actor, 'listDeliveries')
      return withRun(deps, await findDelivery(deliveries, id))
    },
    redeliver: async (id) => {
      assertMay(actor, 'redeliver')
      const delivery = await findDelivery(deliveries, id)
      const occurrence = occurrenceOf(delivery, now(), actor)
      const { sop } = delivery
      return deliver(occurrence, { redeliveryOf: id, ...(sop !== undefined && { only: { sop } }) })
    },
  }
}

const findDelivery = async (deliveries: DeliveryStore, id: string): Promise<Delivery> => {
  const delivery = await deliveries.get(id)
  if (delivery !== undefined) return delivery
  throw new SopError('not_found', `Cannot find delivery "${id.slice(0, 100)}": sop triggers deliveries lists them`)
}

const occurrenceOf = (delivery: Delivery, at: string, { principal }: Actor): Occurrence => {
  const cannot = `Cannot deliver "${delivery.id}" again`
  const source = OCCURRENCE_SOURCES.find((each) => each === delivery.source)
  if (source === undefined)
    throw new SopError('conflict', `${cannot}: it came of a schedule. sop schedules trigger starts its run now`)
  if (delivery.redacted !== undefined)
    throw new SopError('conflict', `${cannot}: ${WHY_REDACTED[delivery.redacted]}. Have its sender send it again`)
  const { subject, action, payload = {}, headers, key } = delivery
  return {
    source,
    subject,
    ...(action !== undefined && { action }),
    at,
    payload,
    ...(headers && { headers }),
    ...(key !== undefined && { key }),
    principal,
  }
}

const WHY_REDACTED = {
  config: 'its payload was not kept (delivery_payload = "redact")',
  secret: 'the value of a secret param in its payload was not kept',
  unauthenticated: 'its sender was not accepted, so nothing of it was kept',
} as const

const withRun = async ({ records }: TriggerMethodDeps, delivery: Delivery): Promise<DeliveryView> => {
  const run = delivery.runId === undefined ? undefined : await records.index.get(delivery.runId)
  return {
    ...delivery,
    ...(run && { runState: run.status }),
    ...(run?.reason !== undefined && { runReason: run.reason }),
  }
}

const viewsOf = (
  deps: TriggerMethodDeps,
  { name, compiled: { definition, diagnostics } }: CatalogEntry,
  recent: readonly Delivery[],
): Promise<TriggerView>[] => {
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (definition === undefined) {
    const last = recent.find((each) => each.sop === name)
    return last === undefined
      ? []
      : [
          withRun(deps, last).then((view) => ({
            sop: name,
            trigger: last.trigger ?? 0,
            type: last.source,
            awaits: last.source === 'command' ? '' : last.subject,
            served: false,
            problem: error === undefined ? 'The SOP does not compile' : error.message,
            last: view,
          })),
        ]
  }
  return definition.triggers.flatMap((trigger, index) =>
    trigger.type === 'manual' ? [] : [viewOf(deps, name, trigger, index, recent, notServed(definition))],
  )
}

const viewOf = async (
  deps: TriggerMethodDeps,
  sop: string,
  trigger: Trigger,
  index: number,
  recent: readonly Delivery[],
  notices: readonly string[],
): Promise<TriggerView> => {
  const last = recent.find((each) => each.sop === sop && each.trigger === index)
  const problem = isServed(trigger)
    ? undefined
    : (notices.find((notice) => notice.includes(trigger.type)) ?? notices[0])
  return {
    sop,
    trigger: index,
    type: trigger.type,
    awaits: awaitedBy(trigger),
    ...(trigger.condition && { condition: trigger.condition.text }),
    served: isServed(trigger),
    ...(problem !== undefined && { problem }),
    ...(last && { last: await withRun(deps, last) }),
  }
}

/** `/approve RUN [STEP] [COMMENT]` and `/reject RUN [STEP] [REASON]` (rulings 31). */
const decisionIn = (message: string) => {
  const found = /^\s*\/(approve|reject)\s+(\S+)(?:\s+(\d{1,4}))?(?:\s+(\S[\s\S]*?))?\s*$/i.exec(message)
  if (found === null) return undefined
  const [, verb = '', ref = '', step, text] = found
  return {
    verb: verb.toLowerCase() === 'approve' ? ('approve' as const) : ('reject' as const),
    ref,
    step: step === undefined ? undefined : Number(step),
    text,
  }
}

/** Sources whose triggers take a payload from outside. */
const WITH_PAYLOAD: readonly OccurrenceSource[] = ['webhook', 'event', 'mqtt', 'amqp']

const testTriggers = async (
  deps: TriggerMethodDeps,
  test: TriggerTest,
  { principal }: Actor,
): Promise<readonly TriggerTestResult[]> => {
  const entries = test.sop === undefined ? await deps.catalog.list() : [await findEntry(deps.catalog, test.sop)]
  const base = {
    at: new Date().toISOString(),
    payload: test.payload ?? {},
    ...(test.headers && { headers: test.headers }),
    ...(test.key !== undefined && { key: test.key }),
    principal,
  }
  const { source, subject } = test
  if (source !== undefined && subject !== undefined) {
    const payload = source === 'command' && test.payload === undefined ? { message: subject } : base.payload
    const occurrence = { ...base, payload, source, subject, ...(test.action !== undefined && { action: test.action }) }
    const only = test.sop === undefined ? {} : { only: { sop: test.sop } }
    return Promise.all(
      (await deps.triggers.judge(occurrence, only)).map((each) => resultOf(deps, entries, each, occurrence)),
    )
  }
  if (source !== undefined || subject !== undefined)
    throw new SopError('invalid', 'Cannot test triggers: give source and subject together, or neither')
  const results = await Promise.all(
    entries.flatMap((entry) =>
      (entry.compiled.definition?.triggers ?? []).flatMap((trigger, index) => {
        const own = WITH_PAYLOAD.find((each) => each === trigger.type)
        if (own === undefined) return []
        const action = test.action ?? (trigger.type === 'webhook' ? (trigger.methods ?? ['POST'])[0] : undefined)
        const occurrence = {
          ...base,
          source: own,
          subject: awaitedBy(trigger),
          ...(action !== undefined && { action }),
        }
        return [judgeOne(deps, entries, occurrence, { sop: entry.name, trigger: index })]
      }),
    ),
  )
  return results.flat()
}

const judgeOne = async (
  deps: TriggerMethodDeps,
  entries: readonly CatalogEntry[],
  occurrence: Occurrence,
  only: { readonly sop: string; readonly trigger: number },
): Promise<readonly TriggerTestResult[]> =>
  Promise.all(
    (await deps.triggers.judge(occurrence, { only })).map((each) => resultOf(deps, entries, each, occurrence)),
  )

const resultOf = async (
  deps: TriggerMethodDeps,
  entries: readonly CatalogEntry[],
  judged: Judged,
  { source, key }: Occurrence,
): Promise<TriggerTestResult> => {
  const trigger = entries.find(({ name }) => name === judged.sop)?.compiled.definition?.triggers[judged.trigger]
  const at = {
    sop: judged.sop,
    trigger: judged.trigger,
    type: trigger?.type ?? source,
    awaits: trigger === undefined ? '' : awaitedBy(trigger),
  }
  if (judged.verdict === 'refused') return { ...at, verdict: 'refused', code: judged.code, reason: judged.reason }
  if (judged.verdict === 'unmatched') return { ...at, verdict: 'unmatched', reason: judged.reason }
  const { params, secretNames } = judged.params
  const shown = Object.fromEntries(
    Object.entries(params).map(([name, value]): [string, Json] => [name, secretNames.includes(name) ? HIDDEN : value]),
  )
  const runId = key === undefined ? undefined : keyedRunId(judged.sop, source, key)
  const isThere = runId !== undefined && (await isInTemporal(deps.temporal, runId))
  return isThere
    ? { ...at, verdict: 'duplicate', params: shown, runId }
    : { ...at, verdict: 'would_start', params: shown }
}
