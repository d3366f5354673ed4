import { z } from 'zod'
import type { AuditPart, RunListFilter } from '../../client/client.ts'
import { PRIORITIES, TRIGGER_TYPES } from '../../core/definition.ts'
import { RUN_TEXT_MOST } from '../../core/run/run-filter.ts'
import { RUN_LIST_MOST } from '../../core/run/run-list.ts'
import { CLOSED_STATES, isClosed, RUN_STATES } from '../../core/run/state.ts'
import { flag, whole } from '../query.ts'
import { route, type Route } from '../route.ts'
import { auditLog, runList, runView } from '../schemas/run.ts'

const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))

interface RunQuery {
  readonly sop?: string
  readonly state?: string
  readonly priority?: string
  readonly trigger?: string
  readonly waiting?: boolean
  readonly from?: string
  readonly to?: string
  readonly q?: string
  readonly cursor?: string
  readonly limit?: number
}

const words = (text: string): readonly string[] => text.split(',').map((word) => word.trim())

const someOf = (known: readonly string[], more = '') =>
  z.string().refine((text) => words(text).every((word) => known.includes(word)), {
    error: `expected some of ${known.join(', ')}, joined by commas${more}`,
  })

const states = someOf([...RUN_STATES, 'open', 'closed']).describe(
  `${RUN_STATES.join(', ')}, joined by commas; \`open\` means all but completed, failed and cancelled, \`closed\` those`,
)
const time = z.string().max(100).describe('An instant, ISO-8601, or how long ago, e.g. `7d`')

const runQuery: z.ZodType<RunQuery> = z.strictObject({
  sop: z.string().exactOptional().describe('Name of an SOP'),
  state: states.exactOptional(),
  priority: someOf(PRIORITIES)
    .exactOptional()
    .describe(`${PRIORITIES.join(', ')}, joined by commas`),
  trigger: someOf(TRIGGER_TYPES)
    .exactOptional()
    .describe(`${TRIGGER_TYPES.join(', ')}, joined by commas`),
  waiting: flag.exactOptional().describe('Only runs that wait for a person: at a gate, at a manual step, or paused'),
  from: time.exactOptional(),
  to: time.exactOptional(),
  q: z
    .string()
    .max(RUN_TEXT_MOST)
    .exactOptional()
    .describe('Words that all stand in run id, SOP, version, starter, trigger, reason or open gates'),
  cursor: z.string().max(2000).exactOptional().describe('`next` of the page before'),
  limit: whole(1, RUN_LIST_MOST).exactOptional().describe('Default 50'),
})

const auditQuery: z.ZodType<AuditPart> = z.strictObject({
  after: whole(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('Sequence of the last event that you have'),
  limit: whole(1, 10_000).exactOptional().describe('At most so many events; default: all'),
})

export const runRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/runs',
    operationId: 'listRuns',
    tag: 'Runs',
    summary: 'Runs, newest first',
    description:
      'With `next` as `cursor` the list goes on: nothing is passed over or said twice while new runs come. `total` stands on the first page.',
    verb: 'listRuns',
    query: runQuery,
    replies: { 200: { description: 'The runs', schema: runList } },
    handle: async ({ client, query }) => ({ status: 200, json: await client.listRunPage(filterOf(query)) }),
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
    query: auditQuery,
    replies: { 200: { description: 'The audit log', schema: auditLog } },
    handle: async ({ client, params, query }) => ({
      status: 200,
      json: await client.getAuditLog(params.id ?? '', query),
    }),
  }),
]

const GROUPS: Readonly<Record<string, readonly string[]>> = { open: OPEN_STATES, closed: CLOSED_STATES }

function filterOf({ state, priority, trigger, q, ...rest }: RunQuery): RunListFilter {
  return {
    ...rest,
    ...(state !== undefined && { states: [...new Set(words(state).flatMap((word) => GROUPS[word] ?? [word]))] }),
    ...(priority !== undefined && { priorities: words(priority) }),
    ...(trigger !== undefined && { triggers: words(trigger) }),
    ...(q !== undefined && { text: q }),
  }
}
