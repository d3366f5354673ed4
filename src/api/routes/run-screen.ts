import { once } from 'node:events'
import type { LogSize } from '../../client/client.ts'
import { type Frame, sendStream, type Streams } from '../streams.ts'
import { route, type Answer, type Call, type Route } from '../route.ts'
import {
  logList,
  logMatches,
  logRows,
  logRowsQuery,
  logSearchQuery,
  logSize,
  type LogWishQuery,
  logWishQuery,
  runControls,
  runNext,
  timeline,
} from '../schemas/run-screen.ts'

/** What a screen about one run asks for, and programs that draw one. */
export const runScreenRoutes = (streams: Streams): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs/size',
    operationId: 'followLogSize',
    tag: 'Runs',
    summary: 'How large a log is, live',
    description: 'Server-sent events `log_size` (a LogSize) whenever the log grew, and at last `end`.',
    verb: 'readLog',
    query: logWishQuery,
    replies: { 200: { description: 'The sizes', schema: logSize, types: ['text/event-stream'] } },
    handle: async ({ client, params, query, response }) => {
      const { runId } = await client.getRunStatus(params.id ?? '')
      return sendStream(response, streams, (signal) => sizeFrames(client.followLogSize(runId, query, { signal })))
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/timeline',
    operationId: 'getRunTimeline',
    tag: 'Runs',
    summary: 'What was done and waited for, as bars over time',
    verb: 'getRunStatus',
    replies: { 200: { description: 'The timeline', schema: timeline } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getRunTimeline(params.id ?? '') }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/next',
    operationId: 'getRunNext',
    tag: 'Runs',
    summary: 'Steps and gates that are still to come',
    description: 'As the dry run tells them, from where the run stands.',
    verb: 'getRunStatus',
    replies: { 200: { description: 'What comes next', schema: runNext } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getRunNext(params.id ?? '') }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/controls',
    operationId: 'getRunControls',
    tag: 'Runs',
    summary: 'Everything that can be done about a run, and why not',
    description: 'For whoever asks, by the rules that would answer the decision.',
    verb: 'getRunStatus',
    replies: { 200: { description: 'The controls', schema: runControls } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getRunControls(params.id ?? '') }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs/list',
    operationId: 'listLogs',
    tag: 'Runs',
    summary: 'Which logs a run has',
    verb: 'readLog',
    query: logWishQuery,
    replies: { 200: { description: 'The logs', schema: logList } },
    handle: async ({ client, params, query }) => ({ status: 200, json: await client.listLogs(params.id ?? '', query) }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs/rows',
    operationId: 'readLogRows',
    tag: 'Runs',
    summary: 'Lines of a log by number',
    description: 'At most 1,000 rows: lines, and pieces of lines of more than 8 KiB. Without `step` of the newest log.',
    verb: 'readLog',
    query: logRowsQuery,
    replies: { 200: { description: 'The rows', schema: logRows } },
    handle: async ({ client, params, query }) => ({
      status: 200,
      json: await client.readLogRows(params.id ?? '', query),
    }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs/search',
    operationId: 'searchLog',
    tag: 'Runs',
    summary: 'Rows of a log that hold a text',
    verb: 'readLog',
    query: logSearchQuery,
    replies: { 200: { description: 'The rows', schema: logMatches } },
    handle: async ({ client, params, query }) => ({
      status: 200,
      json: await client.searchLog(params.id ?? '', query),
    }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/logs/download',
    operationId: 'downloadLog',
    tag: 'Runs',
    summary: 'A whole log as a file',
    description: 'The bytes as they came, up to what there is now.',
    verb: 'readLog',
    query: logWishQuery,
    replies: { 200: { description: 'The log', types: ['text/plain'] } },
    handle: download,
  }),
]

async function* sizeFrames(sizes: AsyncIterable<LogSize>): AsyncGenerator<Frame> {
  for await (const data of sizes) yield { event: 'log_size', id: String(data.bytes), data }
}

async function download({ client, params, query, response }: Call<LogWishQuery, undefined>): Promise<Answer> {
  const ref = params.id ?? ''
  // The first piece refuses what there is not, before the answer begins.
  let chunk = await client.readLog(ref, { ...query, encoding: 'base64' })
  const { runId, stepNumber, attempt, source, item } = chunk
  const one = { step: stepNumber, attempt, source, ...(item !== undefined && { item }) }
  const name = `${runId}-${stepNumber}${item === undefined ? '' : `-${item}`}-${source}-${attempt}.log`
  response.status(200).set({
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"`,
    'X-Content-Type-Options': 'nosniff',
  })
  void pump()
  return 'streamed'

  async function pump(): Promise<void> {
    try {
      while (!response.destroyed) {
        const bytes = Buffer.from(chunk.base64 ?? '', 'base64')
        if (bytes.length > 0 && !response.write(bytes)) await once(response, 'drain')
        if (chunk.complete || chunk.next === chunk.offset) break
        chunk = await client.readLog(runId, { ...one, offset: chunk.next, encoding: 'base64' })
      }
      response.end()
    } catch {
      // Cut off, so that nobody takes the part for the whole.
      response.destroy()
    }
  }
}
