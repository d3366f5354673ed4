// delivery-answer.ts: what the sender of a webhook, an event or a message is told.

import { SopError } from '../core/errors.ts'
import type { Delivery } from '../core/trigger/delivery.ts'
import { TransportError } from './problem.ts'

/** Of several refusals the one that the sender can do most about. */
const ORDER = ['unauthenticated', 'forbidden', 'invalid', 'conflict', 'unavailable', 'internal'] as const

/** The refusal, where nothing was started by what came and something refused it. */
export function refusalOf(deliveries: readonly Delivery[]): SopError | undefined {
  if (deliveries.some(({ runId }) => runId !== undefined)) return undefined
  const refused = deliveries.filter(({ verdict }) => verdict === 'refused')
  const worst = ORDER.map((code) => refused.find((each) => each.code === code)).findLast((each) => each !== undefined)
  if (worst === undefined) return undefined
  const { code = 'internal', reason = '', id } = worst
  // Who may not send learns nothing of the SOP.
  if (code === 'unauthenticated') return new SopError(code, `Cannot accept the request: ${uncapitalized(reason)}`)
  if (code === 'unavailable')
    return new SopError(code, 'Cannot check the request now: try again later', { deliveryId: id })
  // What came can be read, and no run can be made of it.
  if (code === 'invalid') return new TransportError(422, reason, { deliveryId: id })
  return new SopError(code, reason, { deliveryId: id })
}

export interface StartedRun {
  readonly sop: string
  readonly runId: string
  readonly url: string
  /** An earlier delivery started it. */
  readonly duplicate: boolean
}

export interface AcceptedBody {
  /** Of the first run; absent when nothing was started. */
  readonly runId?: string
  readonly url?: string
  readonly status: 'started' | 'duplicate' | 'unmatched'
  readonly runs: readonly StartedRun[]
  /** Why other SOPs that it is for do not run. */
  readonly others: readonly { readonly sop?: string; readonly verdict: string; readonly reason?: string }[]
  readonly deliveryIds: readonly string[]
}

/** 202 with the runs, which are durable; 200 where nothing was to be started. */
export function acceptedAnswer(
  deliveries: readonly Delivery[],
  baseUrl: string,
): { readonly status: number; readonly json: AcceptedBody; readonly headers: Readonly<Record<string, string>> } {
  const runs = deliveries.flatMap(({ sop = '', runId, verdict }): StartedRun[] =>
    runId === undefined ? [] : [{ sop, runId, url: baseUrl + pathOf(runId), duplicate: verdict === 'duplicate' }],
  )
  const others = deliveries
    .filter(({ runId, code }) => runId === undefined && code !== 'unauthenticated' && code !== 'forbidden')
    .map(({ sop, verdict, reason }) => ({
      ...(sop !== undefined && { sop }),
      verdict,
      ...(reason !== undefined && { reason }),
    }))
  const [first] = runs
  return {
    status: first === undefined ? 200 : 202,
    json: {
      ...(first && { runId: first.runId, url: first.url }),
      status: first === undefined ? 'unmatched' : runs.every(({ duplicate }) => duplicate) ? 'duplicate' : 'started',
      runs,
      others,
      deliveryIds: deliveries.map(({ id }) => id),
    },
    headers: first === undefined ? {} : { Location: pathOf(first.runId) },
  }
}

const pathOf = (runId: string): string => `/api/v1/runs/${encodeURIComponent(runId)}`

const uncapitalized = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
