// delivery-answer.ts: how HTTP tells what became of a webhook, an event or a message.

import { SopError } from '../core/errors.ts'
import type { Accepted } from '../core/trigger/accepted.ts'
import { TransportError } from './problem.ts'

/** What came can be read, and no run can be made of it: 422, not 400. */
export const unprocessable = (error: unknown): unknown =>
  error instanceof SopError && error.code === 'invalid' && 'deliveryId' in error.details
    ? new TransportError(422, error.message, error.details)
    : error

/** 202 with the runs, which are durable; 200 where nothing was to be started. */
export function acceptedAnswer(
  accepted: Accepted,
  baseUrl: string,
): { readonly status: number; readonly json: Accepted; readonly headers: Readonly<Record<string, string>> } {
  const { runId } = accepted
  return {
    status: runId === undefined ? 200 : 202,
    json: withUrls(accepted, baseUrl),
    headers: runId === undefined ? {} : { Location: pathOf(runId) },
  }
}

/** With the place of each run. */
export const withUrls = (accepted: Accepted, baseUrl: string): Accepted => ({
  ...(accepted.runId !== undefined && { runId: accepted.runId, url: baseUrl + pathOf(accepted.runId) }),
  ...accepted,
  runs: accepted.runs.map((run) => ({ ...run, url: baseUrl + pathOf(run.runId) })),
})

const pathOf = (runId: string): string => `/api/v1/runs/${encodeURIComponent(runId)}`
