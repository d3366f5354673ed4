import type { MetricDays } from '../../client/client.ts'
import type { Verb } from '../command.ts'
import { renderMetrics } from '../render/metrics.ts'

export interface MetricsOptions {
  readonly days?: '7' | '30' | '90'
}

export const metrics: Verb<MetricsOptions> = async (context, [sop], { days }) => {
  const client = await context.client()
  const report = await client.getMetrics({
    ...(sop !== undefined && { sop }),
    ...(days !== undefined && { days: Number(days) as MetricDays }),
  })
  context.show(report, (clean) => renderMetrics(clean, context.colours))
  return undefined
}
