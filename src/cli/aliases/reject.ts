import { isClosed } from '../../core/run/state.ts'
import { START_GATE } from '../../core/run/gates.ts'
import type { Verb } from '../command.ts'
import { decisionRequest, showReply } from '../decision.ts'

/**
 * Rejects and cancels (rulings 18). The rejection of the start cancels by itself, and is on record as what it is; at any
 * other gate a rejection may only pause the run, so it is cancelled with the reason.
 */
export const rejectAndCancel: Verb<{ readonly reason?: string }> = async (context, [ref = ''], options) => {
  const client = await context.client()
  const view = await client.getRunStatus(ref)
  const start = view.openGates.find(({ gate }) => gate === START_GATE)
  if (start !== undefined) {
    const reply = await client.rejectStep(view.runId, undefined, {
      ...decisionRequest(options),
      gate: start.gate,
      attempt: start.attempt,
    })
    if (!reply.accepted || reply.stored === true || isClosed(reply.status)) return showReply(context, 'reject', reply)
  }
  const reason = options.reason ?? 'rejected'
  return showReply(context, 'cancel', await client.cancelRun(view.runId, decisionRequest({ reason })))
}
