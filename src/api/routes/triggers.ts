import type { MessageRequest, TriggerTest } from '../../client/trigger-client.ts'
import { SopError } from '../../core/errors.ts'
import type { DeliveryFilter } from '../../core/trigger/delivery.ts'
import { acceptedAnswer, unprocessable, withUrls } from '../delivery-answer.ts'
import { MAX_EVENTS, readEvents } from '../events-body.ts'
import { CLOUD_EVENT, CLOUD_EVENTS, readPayload } from '../payload.ts'
import { type Call, route, type Route } from '../route.ts'
import {
  accepted,
  delivery,
  deliveryList,
  deliveryQuery,
  eventRequest,
  eventResults,
  messageReply,
  messageRequest,
  triggerList,
  triggerQuery,
  triggerResults,
  triggerTest,
} from '../schemas/trigger.ts'
import { answerTo } from './decisions.ts'

const TAG = 'Triggers'
const REPLIES = {
  200: { description: 'Nothing was to be started' },
  202: { description: 'The runs are durable', schema: accepted },
}

/** Triggers, what came for them, and the doors for events and messages. Webhooks are in webhooks.ts. */
export const triggerRoutes = (baseUrl: (host: string) => string): readonly Route[] => {
  const urlOf = ({ request }: Pick<Call<never, never>, 'request'>): string => baseUrl(request.headers.host ?? '')
  return [
    route<{ readonly sop?: string }>({
      method: 'get',
      path: '/api/v1/triggers',
      operationId: 'listTriggers',
      tag: TAG,
      summary: 'The triggers of all SOPs, with what each did last',
      verb: 'listTriggers',
      query: triggerQuery,
      replies: { 200: { description: 'The triggers', schema: triggerList } },
      handle: async ({ client, query }) => ({ status: 200, json: { triggers: await client.listTriggers(query.sop) } }),
    }),
    route<Record<string, never>, TriggerTest>({
      method: 'post',
      path: '/api/v1/triggers/test',
      operationId: 'testTriggers',
      tag: TAG,
      summary: 'What would start, with which params, and why not',
      description:
        'Starts and records nothing. Without `source` and `subject` the payload is put to every trigger that takes one. ' +
        'Signatures are not checked.',
      verb: 'testTrigger',
      body: triggerTest,
      example: { source: 'webhook', subject: '/webhook/incident', payload: { severity: 'high' } },
      replies: { 200: { description: 'What each trigger would do', schema: triggerResults } },
      handle: async ({ client, body }) => ({ status: 200, json: { results: await client.testTrigger(body) } }),
    }),
    route({
      method: 'post',
      path: '/api/v1/events',
      operationId: 'sendEvents',
      tag: TAG,
      summary: 'Tell of something that happened',
      description:
        `An object, a CloudEvent (structured or binary), or a list of at most ${MAX_EVENTS}. Every SOP that waits for the event ` +
        'begins a run. A list is answered with a result for each event.',
      verb: 'sendEvent',
      body: eventRequest,
      accepts: [CLOUD_EVENT, CLOUD_EVENTS],
      example: { event: 'deploy.failed', payload: { environment: 'production' }, key: 'build-812' },
      replies: { ...REPLIES, 200: { description: 'Nothing was to be started, or a list', schema: eventResults } },
      handle: async (call) => sendEvents(call, urlOf(call)),
    }),
    route<Record<string, never>, MessageRequest>({
      method: 'post',
      path: '/api/v1/messages',
      operationId: 'sendMessage',
      tag: TAG,
      summary: 'Pass on what somebody wrote',
      description:
        'The SOP whose pattern takes most of the message begins a run. `/approve RUN [STEP] [COMMENT]` and ' +
        '`/reject RUN [STEP] [REASON]` decide about a gate.',
      verb: 'sendMessage',
      handlerDecides: true,
      body: messageRequest,
      example: { message: 'deploy:shop', payload: { channel: '#ops' } },
      replies: { ...REPLIES, 200: { description: 'Nothing was to be started, or a decision', schema: messageReply } },
      handle: async (call) => {
        const reply = await call.client.sendMessage(call.body).catch(rethrow)
        if (!('decision' in reply)) return acceptedAnswer(reply, urlOf(call))
        answerTo(reply.decision)
        return { status: 200, json: reply }
      },
    }),
    route<DeliveryFilter>({
      method: 'get',
      path: '/api/v1/deliveries',
      operationId: 'listDeliveries',
      tag: TAG,
      summary: 'What came for triggers, and what became of it',
      verb: 'listDeliveries',
      query: deliveryQuery,
      replies: { 200: { description: 'The newest first', schema: deliveryList } },
      handle: async ({ client, query }) => ({
        status: 200,
        json: { deliveries: await client.listDeliveries(query) },
      }),
    }),
    route({
      method: 'get',
      path: '/api/v1/deliveries/:id',
      operationId: 'getDelivery',
      tag: TAG,
      summary: 'One delivery',
      verb: 'listDeliveries',
      replies: { 200: { description: 'The delivery', schema: delivery } },
      handle: async ({ client, params }) => ({ status: 200, json: await client.getDelivery(params.id ?? '') }),
    }),
    route({
      method: 'post',
      path: '/api/v1/deliveries/:id/redeliver',
      operationId: 'redeliver',
      tag: TAG,
      summary: 'Deliver again',
      description: 'What had a key and started a run is answered with that run. A 409 where its payload was not kept.',
      verb: 'redeliver',
      replies: REPLIES,
      handle: async (call) =>
        acceptedAnswer(await call.client.redeliver(call.params.id ?? '').catch(rethrow), urlOf(call)),
    }),
  ]
}

const rethrow = (error: unknown): never => {
  throw unprocessable(error)
}

/** In their order, one after the other: of a list that the engine cannot finish, `results` says what was done. */
async function sendEvents({ request, client }: Call<unknown, unknown>, baseUrl: string) {
  const { events, isBatch } = readEvents(await readPayload(request))
  const [first] = events
  if (!isBatch && first !== undefined) return acceptedAnswer(await client.sendEvent(first).catch(rethrow), baseUrl)
  const results: unknown[] = []
  let isStarted = false
  for (const event of events) {
    try {
      const answer = await client.sendEvent(event)
      isStarted ||= answer.runId !== undefined
      results.push(withUrls(answer, baseUrl))
    } catch (error) {
      if (!(error instanceof SopError)) throw error
      if (error.code === 'unavailable') throw new SopError(error.code, error.message, { results }, error)
      results.push({ event: event.event, code: error.code, reason: error.message })
    }
  }
  return { status: isStarted ? 202 : 200, json: { results } }
}
