import type { DecisionReply } from './decision.ts'

/** The answers to the last decisions, oldest first: a decision that comes twice counts once (engine.md 2). */
export type Inbox = readonly { readonly decisionId: string; readonly reply: DecisionReply }[]

/** How many decision ids a run remembers, also across continue-as-new. */
const INBOX_SIZE = 1000

/** The first answer to that decision, if it was seen before. */
export const seenReply = (inbox: Inbox, decisionId: string | undefined): DecisionReply | undefined => {
  const seen = decisionId === undefined ? undefined : inbox.find((entry) => entry.decisionId === decisionId)
  return seen && { ...seen.reply, duplicate: true }
}

export const remember = (inbox: Inbox, decisionId: string | undefined, reply: DecisionReply): Inbox =>
  decisionId === undefined ? inbox : [...inbox, { decisionId, reply }].slice(-INBOX_SIZE)
