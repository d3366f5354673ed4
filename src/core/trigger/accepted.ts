// accepted.ts: what the sender of an occurrence is told of its deliveries, on every face.

import { SopError } from '../errors.ts'
import type { Delivery } from './delivery.ts'

export interface AcceptedRun {
  readonly sop: string
  readonly runId: string
  /** An earlier delivery started it. */
  readonly duplicate: boolean
  /** Where the API shows it. */
  readonly url?: string
}

export const ACCEPTED_STATES = ['started', 'duplicate', 'unmatched'] as const

export interface Accepted {
  /** The first run; absent when nothing was started. */
  readonly runId?: string
  readonly url?: string
  readonly status: (typeof ACCEPTED_STATES)[number]
  /** One for each SOP that it is for. All of them are durable. */
  readonly runs: readonly AcceptedRun[]
  /** Why other SOPs that it is for do not run. */
  readonly others: readonly { readonly sop?: string; readonly verdict: string; readonly reason?: string }[]
  readonly deliveryIds: readonly string[]
}

/** Where one SOP takes the sender and refuses, that is told, and not that another one has another secret. */
const TOLD_FIRST = ['internal', 'unavailable', 'conflict', 'invalid', 'forbidden', 'unauthenticated'] as const

/** The refusal, where nothing was started by what came and something refused it. `details.deliveryId` finds the record. */
export const refusalOf = (deliveries: readonly Delivery[]): SopError | undefined => {
  if (deliveries.some(({ runId }) => runId !== undefined)) return undefined
  const refused = deliveries.filter(({ verdict }) => verdict === 'refused')
  const told = TOLD_FIRST.map((code) => refused.find((each) => each.code === code)).find((each) => each !== undefined)
  if (told === undefined) return undefined
  const { code = 'internal', reason = '', id: deliveryId } = told
  // Who may not send learns nothing of the SOP.
  if (code === 'unauthenticated')
    return new SopError(code, `Cannot accept the request: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`)
  if (code === 'unavailable') return new SopError(code, 'Cannot check the request now: try again later', { deliveryId })
  return new SopError(code, reason, { deliveryId })
}

/** What became of it, once something was started or nothing had to be. */
export const acceptedOf = (deliveries: readonly Delivery[]): Accepted => {
  const runs = deliveries.flatMap(({ sop = '', runId, verdict }): AcceptedRun[] =>
    runId === undefined ? [] : [{ sop, runId, duplicate: verdict === 'duplicate' }],
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
    ...(first && { runId: first.runId }),
    status: first === undefined ? 'unmatched' : runs.every(({ duplicate }) => duplicate) ? 'duplicate' : 'started',
    runs,
    others,
    deliveryIds: deliveries.map(({ id }) => id),
  }
}
