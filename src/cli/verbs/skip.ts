import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'
import { readStep } from '../params.ts'

export const skip: Verb<DecisionOptions> = async (context, [ref = '', stepText], options) => {
  const step = readStep(stepText, options.step)
  const client = await context.client()
  return showReply(context, 'skip', await client.skipStep(ref, step, decisionRequest(options)))
}
