import { once } from 'node:events'
import type { AuditCheck, RunCheck, VerifyNews } from '../../client/verify-client.ts'
import { EXPORT_SUFFIX } from '../../core/verify/export.ts'
import { route, type Answer, type Call, type Route } from '../route.ts'
import { auditChecked, runCheck, verifyOptionsOf, verifyQuery } from '../schemas/verify.ts'
import { type Frame, sendStream, type Streams } from '../streams.ts'

/** Checks of records. A finding is an answer: the status is 200 whatever was found. */
export const verifyRoutes = (streams: Streams): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/runs/:id/verify',
    operationId: 'verifyRun',
    tag: 'Records',
    summary: 'Whether the record of a run is what was recorded',
    description:
      'Holds the record against its own chain of hashes, the signed heads, the list of runs, its definition, its logs and, while ' +
      "Temporal has it, the workflow's history.",
    verb: 'verifyRun',
    query: verifyQuery,
    replies: { 200: { description: 'What was found', schema: runCheck } },
    handle: async ({ client, params, query }) => ({
      status: 200,
      json: await client.verifyRun(params.id ?? '', verifyOptionsOf(query)),
    }),
  }),
  route({
    method: 'get',
    path: '/api/v1/audit/verify',
    operationId: 'verifyAudit',
    tag: 'Records',
    summary: 'The same for all runs',
    description:
      'JSON once all are checked, which has to be within a minute. When text/event-stream is accepted: server-sent events `verify` with ' +
      '`kind` `progress` (checked, total), `run` (one with a problem) and at last `done`. Nothing resumes: a connection that broke begins anew.',
    verb: 'verifyAudit',
    query: verifyQuery,
    replies: { 200: { description: 'What was found', schema: auditChecked, types: ['text/event-stream'] } },
    handle: async ({ client, query, request, response }) => {
      const options = verifyOptionsOf(query)
      if (!(request.headers.accept ?? '').includes('text/event-stream')) return collect(client.verifyAudit(options))
      return sendStream(response, streams, (signal) => framesOf(client.verifyAudit({ ...options, signal })))
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/export',
    operationId: 'exportRun',
    tag: 'Records',
    summary: 'Everything about a run as one file that can be checked elsewhere',
    description:
      'One JSON value a line: the record as it lies in the store, the definition, the run document, the heads, the logs, and at last ' +
      "a seal with the installation's key. An answer without its seal was cut off.",
    verb: 'exportRun',
    replies: { 200: { description: 'The file', types: ['application/x-ndjson'] } },
    handle: sendExport,
  }),
]

async function sendExport({ client, params, response }: Call<Record<string, never>, undefined>): Promise<Answer> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const lines = client.exportRun(params.id ?? '', { signal: gone.signal })[Symbol.asyncIterator]()
  // The first line refuses what there is not, before the answer begins.
  let next = await lines.next()
  const name = `${(params.id ?? 'run').replace(/[^\w.-]/g, '_')}${EXPORT_SUFFIX}`
  response.status(200).set({
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}"`,
    'X-Content-Type-Options': 'nosniff',
  })
  void pump()
  return 'streamed'

  async function pump(): Promise<void> {
    try {
      for (; next.done !== true && !response.destroyed; next = await lines.next()) {
        if (!response.write(next.value)) await once(response, 'drain', { signal: gone.signal })
      }
      response.end()
    } catch {
      // Without its seal, so that nobody takes the part for the whole.
      response.destroy()
    }
  }
}

async function* framesOf(news: AsyncIterable<VerifyNews>): AsyncGenerator<Frame> {
  for await (const data of news) yield { event: 'verify', data }
}

const collect = async (news: AsyncIterable<VerifyNews>): Promise<Answer> => {
  const runs: RunCheck[] = []
  let audit: AuditCheck | undefined
  for await (const each of news) {
    if (each.kind === 'run') runs.push(each.run)
    else if (each.kind === 'done') audit = each.audit
  }
  return { status: 200, json: { audit, runs } }
}
