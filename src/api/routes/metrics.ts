import { z } from 'zod'
import { METRIC_DAYS, type MetricDays } from '../../core/metrics/report.ts'
import { route, type Route } from '../route.ts'
import { metricsReport } from '../schemas/metrics.ts'

interface MetricsQuery {
  readonly sop?: string
  readonly days?: MetricDays
}

const metricsQuery: z.ZodType<MetricsQuery> = z.strictObject({
  sop: z.string().exactOptional().describe('Name of an SOP; with it the figures of its steps come besides'),
  days: z
    .enum(['7', '30', '90'])
    .transform(Number)
    .pipe(z.literal(METRIC_DAYS))
    .exactOptional()
    .describe('Days up to today (UTC). Default 30'),
})

export const metricsRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/v1/metrics',
    operationId: 'getMetrics',
    tag: 'Metrics',
    summary: 'Outcomes, durations and waits of runs, by SOP, step and day',
    description: 'Counted from the record; dry runs and simulations are none. Days are UTC days.',
    verb: 'getMetrics',
    query: metricsQuery,
    replies: { 200: { description: 'The figures', schema: metricsReport } },
    handle: async ({ client, query }) => ({ status: 200, json: await client.getMetrics(query) }),
  }),
]
