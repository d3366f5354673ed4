import { route, type Route } from '../route.ts'
import { waitingList } from '../schemas/waiting.ts'

export const waitingRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/waiting',
    operationId: 'listWaiting',
    tag: 'Runs',
    summary: 'What waits for people, the most urgent first',
    description:
      'Open gates, manual steps, steps of which nobody knows whether they ran, and paused runs. `actions` are what you can answer, each ' +
      'with the message that it sends, or why you cannot; what you can answer comes first. At most 200.',
    verb: 'listRuns',
    replies: { 200: { description: 'What waits now', schema: waitingList } },
    handle: async ({ client }) => ({ status: 200, json: await client.listWaiting() }),
  }),
]
