import type { LogChunk } from '../../client/client.ts'
import { type LogPosition, parseLogPosition, renderLogPosition } from '../../core/log-position.ts'
import { route, type Answer, type Call, type Route } from '../route.ts'
import { logQuery, type LogQuery } from '../schemas/log.ts'
import { logChunk } from '../schemas/run.ts'
import { type Frame, sendStream, type Streams } from '../streams.ts'

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

/** Answers with a stream. An unknown run or a bad position is refused before it begins. */
async function streamLog(
  { client, params, query, request, response }: Call<LogQuery, unknown>,
  streams: Streams,
): Promise<Answer> {
  const resumeAt = request.headers['last-event-id']
  const after = typeof resumeAt === 'string' && resumeAt !== '' ? { after: parseLogPosition(resumeAt) } : {}
  const { runId } = await client.getRunStatus(params.id ?? '')
  const { wait: _wait, follow: _follow, format: _format, limit: _limit, encoding: _encoding, ...at } = query
  return sendStream(response, streams, (signal) => framesOf(client.followLog(runId, { ...at, ...after, signal })))
}

async function* framesOf(chunks: AsyncIterable<LogChunk>): AsyncGenerator<Frame> {
  for await (const chunk of chunks) yield { event: 'log', id: renderLogPosition(positionAfter(chunk)), data: chunk }
}

const positionAfter = ({ stepNumber: step, attempt, source, item, next: offset }: LogChunk): LogPosition => ({
  step,
  attempt,
  source,
  ...(item !== undefined && { item }),
  offset,
})

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
  ...(chunk.item !== undefined && { 'X-Log-Item': String(chunk.item) }),
  'X-Log-Next': String(chunk.next),
  'X-Log-Complete': String(chunk.complete),
})
