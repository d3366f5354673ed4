import { z } from 'zod'
import type { RunListFilter } from '../../client/client.ts'
import { isClosed, RUN_STATES } from '../../core/run/state.ts'
import { whole } from '../query.ts'
import { route, type Route } from '../route.ts'
import { auditLog, runList, runView } from '../schemas/run.ts'

const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))

interface RunQuery {
  readonly sop?: string
  readonly state?: string
  readonly limit?: number
}

const states = z
  .string()
  .refine((text) => statesOf(text).every((word) => (RUN_STATES as readonly string[]).includes(word)), {
    error: `expected some of ${RUN_STATES.join(', ')}, joined by commas, or "open"`,
  })
  .describe(`${RUN_STATES.join(', ')}, joined by commas; \`open\` means all but completed, failed and cancelled`)

const runQuery: z.ZodType<RunQuery> = z.strictObject({
  sop: z.string().exactOptional().describe('Name of an SOP'),
  state: states.exactOptional(),
  limit: whole(1, 1000).exactOptional().describe('Default 50'),
})

export const runRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/runs',
    operationId: 'listRuns',
    tag: 'Runs',
    summary: 'Runs, newest first',
    verb: 'listRuns',
    query: runQuery,
    replies: { 200: { description: 'The runs', schema: runList } },
    handle: async ({ client, query }) => ({ status: 200, json: { runs: await client.listRuns(filterOf(query)) } }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id',
    operationId: 'getRunStatus',
    tag: 'Runs',
    summary: 'Where a run stands',
    description: "An SOP's name instead of an id means its only open run, else its newest.",
    verb: 'getRunStatus',
    replies: { 200: { description: 'The run', schema: runView } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getRunStatus(params.id ?? '') }),
  }),
  route({
    method: 'get',
    path: '/api/v1/runs/:id/audit',
    operationId: 'getAuditLog',
    tag: 'Runs',
    summary: 'The events of a run',
    verb: 'getAuditLog',
    replies: { 200: { description: 'The audit log', schema: auditLog } },
    handle: async ({ client, params }) => ({ status: 200, json: await client.getAuditLog(params.id ?? '') }),
  }),
]

const statesOf = (text: string): readonly string[] =>
  text.split(',').flatMap((word) => (word.trim() === 'open' ? OPEN_STATES : [word.trim()]))

function filterOf({ sop, state, limit }: RunQuery): RunListFilter {
  return {
    ...(sop === undefined ? {} : { sop }),
    ...(state === undefined ? {} : { states: [...new Set(statesOf(state))] }),
    ...(limit === undefined ? {} : { limit }),
  }
}
