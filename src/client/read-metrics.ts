import { firstDay, type MetricsReport, metricsReport } from '../core/metrics/report.ts'
import type { MetricsRequest } from './client.ts'
import type { Records } from './records.ts'

/** The figures that are asked for, as of now. */
export const readMetrics = async (
  metrics: Records['metrics'],
  { sop, days = 30 }: MetricsRequest = {},
): Promise<MetricsReport> => {
  const request = { days, nowMs: Date.now(), ...(sop !== undefined && { sop }) }
  const cells = await metrics.cells({ from: firstDay(request), ...(sop !== undefined && { sop }) })
  return metricsReport(cells, request)
}
