import { z } from 'zod'
import type { RunChanges } from '../../client/client.ts'
import type { RecordedEvent } from '../../core/run/event.ts'
import { isClosed } from '../../core/run/state.ts'
import { SopError } from '../../core/errors.ts'
import { whole } from '../query.ts'
import { route, type Call, type Route } from '../route.ts'
import { type Frame, sendStream, type Streams } from '../streams.ts'

interface RunEventsQuery {
  readonly after?: number
}
interface ChangesQuery {
  readonly cursor?: string
}

const runEventsQuery: z.ZodType<RunEventsQuery> = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('Sequence of the last event that you have'),
})
const changesQuery: z.ZodType<ChangesQuery> = z.strictObject({
  cursor: z.string().min(1).max(200).exactOptional().describe('Where to go on from: the id of an event of this stream'),
})

export const eventRoutes = (streams: Streams): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/runs/:id/events',
    operationId: 'followRun',
    tag: 'Runs',
    summary: 'The events of a run, live',
    description:
      'Server-sent events `run_event`, each an event of the audit log as it gets on record, with its sequence as id, and at ' +
      'last `end`. Last-Event-ID resumes; 204 where the run is closed and you have it all.',
    verb: 'getAuditLog',
    query: runEventsQuery,
    replies: {
      200: { description: 'The events after `after`, and those to come', types: ['text/event-stream'] },
      204: { description: 'The run is closed, and nothing came after' },
    },
    handle: async (call) => {
      const { client, params, query, response } = call
      const after = resumeAt(call, readSequence) ?? query.after ?? 0
      const { runId, status, sequence } = await client.getRunStatus(params.id ?? '')
      // A browser comes back after an end as well, until it is told that there is no more.
      if (isClosed(status) && after >= sequence) return { status: 204 }
      return sendStream(response, streams, (signal) => eventFrames(client.followRun(runId, { after, signal })))
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/events',
    operationId: 'followRuns',
    tag: 'Runs',
    summary: 'Runs that change, live',
    description:
      'Server-sent events `runs` with `runs`: those that changed since the event before, each once and as it is now. The first ' +
      'one has none, and its id says where to resume. `reset` says that the engine does not know that place any more: then ' +
      '`runs` are the newest of all.',
    verb: 'listRuns',
    query: changesQuery,
    replies: { 200: { description: 'The changes', types: ['text/event-stream'] } },
    handle: async (call) => {
      const { client, query, response } = call
      const cursor = resumeAt(call, (id) => id.slice(0, 200)) ?? query.cursor
      const at = cursor === undefined ? {} : { cursor }
      return sendStream(response, streams, (signal) => changeFrames(client.followRuns({ ...at, signal })))
    },
  }),
]

const resumeAt = <T>({ request }: Pick<Call<unknown, unknown>, 'request'>, read: (id: string) => T): T | undefined => {
  const id = request.headers['last-event-id']
  return typeof id === 'string' && id !== '' ? read(id) : undefined
}

function readSequence(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw new SopError(
    'invalid',
    `Cannot resume the events at "${id.slice(0, 100)}": expected the id of an event of this stream, a sequence`,
  )
}

async function* eventFrames(events: AsyncIterable<RecordedEvent>): AsyncGenerator<Frame> {
  for await (const event of events) yield { event: 'run_event', id: String(event.sequence), data: event }
}

async function* changeFrames(batches: AsyncIterable<RunChanges>): AsyncGenerator<Frame> {
  for await (const { cursor, ...data } of batches) yield { event: 'runs', id: cursor, data }
}
