import type { Verb } from '../command.ts'
import { showReply } from '../decision.ts'
import { showAccepted } from '../render/accepted.ts'

export interface MessageOptions {
  readonly key?: string
}

export const message: Verb<MessageOptions> = async (context, words, { key }) => {
  const text = words.join(' ')
  const client = await context.client()
  const reply = await client.sendMessage({ message: text, ...(key !== undefined && { key }) })
  if (!('decision' in reply)) return showAccepted(context, reply)
  return showReply(context, /^\s*\/reject\b/i.test(text) ? 'reject' : 'approve', reply.decision)
}
