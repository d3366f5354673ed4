import type { Client } from '@temporalio/client'
import { type Actor, assertMay } from '../core/access.ts'
import type { SopDefinition, Trigger } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { isServed, notServed } from '../core/run/supported.ts'
import { acceptedOf, refusalOf } from '../core/trigger/accepted.ts'
import { type Delivery, DELIVERY_LIST_MAX, type DeliveryStore } from '../core/trigger/delivery.ts'
import { awaitedBy } from '../core/trigger/describe.ts'
import { OCCURRENCE_SOURCES, type Occurrence } from '../core/trigger/occurrence.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { SopClient } from './client.ts'
import { findEntry } from './pin.ts'
import type { Records } from './records.ts'
import type { DeliveryView, MessageReply, TriggerClient, TriggeredRun, TriggerView } from './trigger-client.ts'
import { testTriggers } from './test-triggers.ts'
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
    trigger.type === 'manual' ? [] : [viewOf(deps, definition, index, recent)],
  )
}

const viewOf = async (
  deps: TriggerMethodDeps,
  definition: SopDefinition,
  index: number,
  recent: readonly Delivery[],
): Promise<TriggerView> => {
  const { name: sop, triggers } = definition
  const trigger = triggers[index] as Trigger
  const notices = notServed(definition)
  const own = ofSchedule(definition, index)
  const last = recent.find(
    (each) => each.sop === sop && (each.trigger === index || (each.source === 'cron' && own?.(each.subject) === true)),
  )
  const lastRun = own === undefined ? undefined : await lastRunOf(deps, sop, own)
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
    ...(lastRun && { lastRun }),
  }
}

/** Tells the id of the schedule of a cron trigger: the SOP's cron triggers are numbered from 1. */
const ofSchedule = ({ triggers }: SopDefinition, index: number): ((scheduleId: string) => boolean) | undefined => {
  if (triggers[index]?.type !== 'cron') return undefined
  const number = triggers.slice(0, index + 1).filter(({ type }) => type === 'cron').length
  return (scheduleId) => scheduleId.endsWith(`_${number}`)
}

/** Enough to find one of each schedule of an SOP that has some of them. */
const RECENT_RUNS = 50

const lastRunOf = async (
  { records }: TriggerMethodDeps,
  sop: string,
  isOwn: (scheduleId: string) => boolean,
): Promise<TriggeredRun | undefined> => {
  const runs = await records.index.list({ sop, triggers: ['cron'], limit: RECENT_RUNS })
  const found = runs.find(({ startedBy }) => startedBy.startsWith('schedule:') && isOwn(startedBy))
  if (found === undefined) return undefined
  const { runId, createdAt: at, status: state, reason } = found
  return { runId, at, state, ...(reason !== undefined && { reason }) }
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
