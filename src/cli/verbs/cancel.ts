import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'

export const cancel: Verb<DecisionOptions> = async (context, [ref = ''], options) => {
  const client = await context.client()
  return showReply(context, 'cancel', await client.cancelRun(ref, decisionRequest(options)))
}
