/** Which log is looked at. What it does not say means the newest. */
export interface LogChoice {
  readonly step: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
}

/** As the query of the log routes, and of this screen's own address. */
export const addressOf = ({ step, attempt, source, item }: LogChoice): string =>
  new URLSearchParams({
    step: String(step),
    ...(attempt !== undefined && { attempt: String(attempt) }),
    ...(source !== undefined && { source }),
    ...(item !== undefined && { item: String(item) }),
  }).toString()

/** The run's own address in the API. */
export const pathOf = (runId: string): string => `/api/v1/runs/${encodeURIComponent(runId)}`
