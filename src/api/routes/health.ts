import { route, type Route } from '../route.ts'
import { health } from '../schemas/health.ts'

export const healthRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/health',
    operationId: 'getHealth',
    tag: 'Engine',
    summary: 'The checks with their details',
    verb: 'health',
    replies: { 200: { description: 'How the engine is, also when it is down', schema: health } },
    handle: async ({ client }) => ({ status: 200, json: await client.health() }),
  }),
]
