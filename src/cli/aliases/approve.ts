import type { Verb } from '../command.ts'
import { decisionRequest, showReply } from '../decision.ts'
import { readNumber } from '../params.ts'
import { showRun } from './execute.ts'
import { waitForRest } from './rest.ts'

export interface ApproveOptions {
  readonly step?: string
  readonly comment?: string
  readonly wait?: boolean
}

export const approveAndWait: Verb<ApproveOptions> = async (context, [ref = ''], { step: stepText, comment, wait }) => {
  const step = readNumber('--step', stepText)
  const client = await context.client()
  const reply = await client.approveStep(ref, step, decisionRequest(comment === undefined ? {} : { comment }))
  if (!reply.accepted || reply.stored === true || wait === false) return showReply(context, 'approve', reply)
  const decided = reply.gate === undefined ? undefined : { gate: reply.gate, attempt: reply.attempt ?? 1 }
  const { view, code } = await waitForRest(context, await client.getRunStatus(reply.runId), decided)
  showRun(context, view)
  return code
}
