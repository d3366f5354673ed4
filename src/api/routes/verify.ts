import type { AuditCheck, RunCheck, VerifyNews } from '../../client/verify-client.ts'
import { route, type Answer, type Route } from '../route.ts'
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
]

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
