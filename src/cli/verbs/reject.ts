import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'
import { readStep } from '../params.ts'

export const reject: Verb<DecisionOptions> = async (context, [ref = '', stepText], options) => {
  const step = readStep(stepText, options.step)
  const client = await context.client()
  return showReply(context, 'reject', await client.rejectStep(ref, step, decisionRequest(options)))
}
