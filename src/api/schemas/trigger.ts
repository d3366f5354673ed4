import { z } from 'zod'
import type {
  DeliveryView,
  EventRequest,
  MessageReply,
  MessageRequest,
  TriggerTest,
  TriggerTestResult,
  TriggerView,
  TriggeredRun,
} from '../../client/trigger-client.ts'
import { TRIGGER_TYPES } from '../../core/definition.ts'
import { ERROR_CODES } from '../../core/errors.ts'
import { RUN_STATES } from '../../core/run/state.ts'
import { ACCEPTED_STATES, type Accepted } from '../../core/trigger/accepted.ts'
import {
  type DeliveryFilter,
  DELIVERY_LIST_MAX,
  DELIVERY_REDACTIONS,
  DELIVERY_VERDICTS,
} from '../../core/trigger/delivery.ts'
import { OCCURRENCE_SOURCES } from '../../core/trigger/occurrence.ts'
import { whole } from '../query.ts'
import { decisionReply } from './decision.ts'
import { components, instant, json, jsonRecord, list } from './registry.ts'

const headers = z.record(z.string(), z.string())
const key = z.string().min(1).max(256)

export const eventRequest: z.ZodType<EventRequest> = z
  .strictObject({
    event: z.string().min(1).max(500).describe('Its name: the `type` of a CloudEvent'),
    payload: json.exactOptional().describe('The `data` of a CloudEvent'),
    key: key.exactOptional().describe('Of events with one key each SOP runs once: the source and id of a CloudEvent'),
    headers: headers.exactOptional(),
  })
  .register(components, { id: 'Event' })

export const messageRequest: z.ZodType<MessageRequest> = z
  .strictObject({
    message: z.string().min(1).max(65_536),
    payload: jsonRecord.exactOptional().describe('What else is known of it, e.g. channel and author'),
    key: key.exactOptional(),
  })
  .register(components, { id: 'Message' })

export const accepted: z.ZodType<Accepted> = z
  .object({
    runId: z.string().exactOptional(),
    url: z.string().exactOptional(),
    status: z.enum(ACCEPTED_STATES),
    runs: list(
      z.object({ sop: z.string(), runId: z.string(), duplicate: z.boolean(), url: z.string().exactOptional() }),
    ).describe('One for each SOP that it is for; all of them are durable'),
    others: list(
      z.object({ sop: z.string().exactOptional(), verdict: z.string(), reason: z.string().exactOptional() }),
    ).describe('Why other SOPs that it is for do not run'),
    deliveryIds: list(z.string()),
  })
  .register(components, { id: 'Accepted', description: 'What became of something that may begin runs' })

export const eventResults = z
  .object({
    results: list(
      z.union([accepted, z.object({ event: z.string(), code: z.enum(ERROR_CODES), reason: z.string() })]),
    ).describe('One for each event, in their order'),
  })
  .register(components, { id: 'EventResults' })

export const messageReply: z.ZodType<MessageReply> = z
  .union([accepted, z.object({ decision: decisionReply })])
  .register(components, { id: 'MessageReply' })

export const delivery: z.ZodType<DeliveryView> = z
  .object({
    id: z.string(),
    at: instant,
    source: z.enum(TRIGGER_TYPES),
    subject: z.string().describe('Path, name, message, topic'),
    action: z.string().exactOptional(),
    sop: z.string().exactOptional(),
    trigger: z.int().exactOptional().describe('Index of the trigger in the definition'),
    verdict: z.enum(DELIVERY_VERDICTS),
    runId: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    code: z.enum(ERROR_CODES).exactOptional(),
    key: z.string().exactOptional(),
    principal: z.string(),
    payload: json.exactOptional(),
    headers: headers.exactOptional(),
    redacted: z.enum(DELIVERY_REDACTIONS).exactOptional(),
    redeliveryOf: z.string().exactOptional(),
    runState: z.enum(RUN_STATES).exactOptional().describe('Where its run stands now'),
    runReason: z.string().exactOptional(),
  })
  .register(components, { id: 'Delivery', description: 'What became of one occurrence at one SOP' })

export const deliveryList = z.object({ deliveries: list(delivery) }).register(components, { id: 'DeliveryList' })

const triggeredRun = z.object({
  runId: z.string(),
  at: z.string(),
  state: z.enum(RUN_STATES),
  reason: z.string().exactOptional(),
}) satisfies z.ZodType<TriggeredRun>

export const triggerList = z
  .object({
    triggers: list(
      z.object({
        sop: z.string(),
        trigger: z.int(),
        type: z.string(),
        awaits: z.string(),
        condition: z.string().exactOptional(),
        served: z.boolean(),
        problem: z.string().exactOptional(),
        last: delivery.exactOptional(),
        lastRun: triggeredRun.exactOptional().describe('Of a cron: the newest run that its schedule started'),
      }) satisfies z.ZodType<TriggerView>,
    ),
  })
  .register(components, { id: 'TriggerList' })

export const triggerTest: z.ZodType<TriggerTest> = z
  .strictObject({
    source: z.enum(OCCURRENCE_SOURCES).exactOptional(),
    subject: z.string().exactOptional(),
    action: z.string().exactOptional(),
    payload: json.exactOptional(),
    headers: headers.exactOptional(),
    key: key.exactOptional(),
    sop: z.string().exactOptional(),
  })
  .register(components, { id: 'TriggerTest' })

export const triggerResults = z
  .object({
    results: list(
      z.object({
        sop: z.string(),
        trigger: z.int(),
        type: z.string(),
        awaits: z.string(),
        verdict: z.enum(['would_start', 'duplicate', 'refused', 'unmatched']),
        params: jsonRecord.exactOptional(),
        runId: z.string().exactOptional(),
        code: z.enum(ERROR_CODES).exactOptional(),
        reason: z.string().exactOptional(),
      }) satisfies z.ZodType<TriggerTestResult>,
    ),
  })
  .register(components, { id: 'TriggerResults' })

export const triggerQuery: z.ZodType<{ readonly sop?: string }> = z.strictObject({ sop: z.string().exactOptional() })

export const deliveryQuery: z.ZodType<DeliveryFilter> = z.strictObject({
  sop: z.string().exactOptional(),
  source: z.enum(TRIGGER_TYPES).exactOptional(),
  verdict: z.enum(DELIVERY_VERDICTS).exactOptional(),
  limit: whole(1, DELIVERY_LIST_MAX).exactOptional().describe('Default 50'),
  before: z.string().exactOptional().describe('Id of a delivery: only those before it'),
})
