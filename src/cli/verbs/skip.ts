import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, readItem, showReply } from '../decision.ts'
import { readStep } from '../params.ts'

export const skip: Verb<DecisionOptions> = async (context, [ref = '', stepText], options) => {
  const step = readStep(stepText, options.step)
  const request = { ...decisionRequest(options), ...readItem(options) }
  const client = await context.client()
  return showReply(context, 'skip', await client.skipStep(ref, step, request))
}
