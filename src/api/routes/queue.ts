import { route, type Route } from '../route.ts'
import { moveBody, orderBody, queue, queueChange } from '../schemas/queue.ts'

const changed = { 200: { description: 'Done, and on record in the run', schema: queueChange } } as const
const change = { method: 'post', tag: 'Queue', replies: changed } as const

/** What waits for admission, and what people do about it. */
export const queueRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/queue',
    operationId: 'getQueue',
    tag: 'Queue',
    summary: 'What waits for admission and why, and who holds what',
    verb: 'getQueue',
    replies: { 200: { description: 'In the order of the queue', schema: queue } },
    handle: async ({ client }) => ({ status: 200, json: await client.getQueue() }),
  }),
  route({
    ...change,
    path: '/api/v1/queue/:id/move',
    operationId: 'moveInQueue',
    summary: 'Move a waiting run to the front, before another, or to a priority',
    verb: 'moveInQueue',
    body: moveBody,
    example: { place: { to: 'front' }, reason: 'the hotfix goes first' },
    handle: async ({ client, params, body: { place, ...request } }) => ({
      status: 200,
      json: await client.moveInQueue(params.id ?? '', place, request),
    }),
  }),
  route({
    ...change,
    path: '/api/v1/queue/:id/drop',
    operationId: 'dropFromQueue',
    summary: 'Take a waiting run out of the queue: it ends cancelled',
    verb: 'dropFromQueue',
    body: orderBody,
    example: { reason: 'done by hand already' },
    handle: async ({ client, params, body }) => ({
      status: 200,
      json: await client.dropFromQueue(params.id ?? '', body),
    }),
  }),
  route({
    ...change,
    path: '/api/v1/queue/:id/admit',
    operationId: 'admitFromQueue',
    summary: 'Let a waiting run in over its limits, its cooldown or a blackout',
    description: 'Never past a lock that another run holds: then 409 names that run.',
    verb: 'admitFromQueue',
    body: orderBody,
    example: { reason: 'cannot wait for the window' },
    handle: async ({ client, params, body }) => ({
      status: 200,
      json: await client.admitFromQueue(params.id ?? '', body),
    }),
  }),
]
