import type { LogChunk } from '../../client/client.ts'
import { streamLog, type Streams } from '../log-stream.ts'
import { route, type Answer, type Call, type Route } from '../route.ts'
import { logQuery, type LogQuery } from '../schemas/log.ts'
import { logChunk } from '../schemas/run.ts'

export const logRoutes = (streams: Streams): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs',
    operationId: 'readLog',
    tag: 'Runs',
    summary: "A step's log: a piece by offset, or live",
    description:
      'JSON, or plain text with the headers X-Log-Next and X-Log-Complete. With `follow`, or when text/event-stream is accepted: ' +
      'server-sent events `log` (a LogChunk) and at last `end`; Last-Event-ID resumes after the last one received.',
    verb: 'readLog',
    query: logQuery,
    replies: {
      200: { description: 'A piece of the log', schema: logChunk, types: ['text/plain', 'text/event-stream'] },
    },
    handle: (call) => (wantsStream(call) ? streamLog(call, streams) : readPiece(call)),
  }),
]

const wantsStream = ({ query, request }: Call<LogQuery, unknown>): boolean =>
  query.follow ?? (query.format === undefined && (request.headers.accept ?? '').includes('text/event-stream'))

async function readPiece({ client, params, query, request }: Call<LogQuery, unknown>): Promise<Answer> {
  const { wait, follow: _, format, ...at } = query
  const chunk = await client.readLog(params.id ?? '', wait === undefined ? at : { ...at, waitMs: wait })
  const asText =
    format === undefined ? request.accepts(['application/json', 'text/plain']) === 'text/plain' : format === 'text'
  if (!asText) return { status: 200, json: chunk }
  return { status: 200, text: chunk.text, type: 'text/plain; charset=utf-8', headers: headersOf(chunk) }
}

const headersOf = (chunk: LogChunk): Readonly<Record<string, string>> => ({
  'X-Log-Step': String(chunk.stepNumber),
  'X-Log-Attempt': String(chunk.attempt),
  'X-Log-Source': encodeURIComponent(chunk.source),
  'X-Log-Next': String(chunk.next),
  'X-Log-Complete': String(chunk.complete),
})
