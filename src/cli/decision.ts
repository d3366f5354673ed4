import type { DecisionRequest } from '../client/client.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import { isClosed } from '../core/run/state.ts'
import type { Context } from './context.ts'
import { UsageError, exitCode } from './exit-codes.ts'
import { readNumber } from './params.ts'
import { sopCommand } from './render/shell-word.ts'
import { renderState } from './render/state.ts'
import { cleanText } from './render/clean.ts'

/** Options of every verb that decides something. */
export interface DecisionOptions {
  readonly step?: string
  readonly item?: string
  readonly gate?: string
  readonly comment?: string
  readonly reason?: string
}

/**
 * What goes along with a decision. `--reason` and `--comment` mean the same where both exist; the id makes a repeated
 * send of this decision count once.
 */
export const decisionRequest = ({ gate, comment, reason }: DecisionOptions): DecisionRequest => {
  if (comment !== undefined && reason !== undefined && comment !== reason) {
    throw new UsageError('Cannot read --comment and --reason: they mean the same here. Give only one of them')
  }
  const text = comment ?? reason
  return {
    ...(gate === undefined ? {} : { gate }),
    ...(text === undefined ? {} : { comment: text, ...(reason === undefined ? {} : { reason }) }),
    decisionId: globalThis.crypto.randomUUID(),
  }
}

/** The item of a `for_each` step that is meant. @throws UsageError */
export const readItem = ({ item }: DecisionOptions): { readonly item?: number } => {
  const number = readNumber('--item', item, { least: 1 })
  return number === undefined ? {} : { item: number }
}

/** Shows the answer to a decision. A refusal goes to stderr with the exit code of its code. */
export const showReply = (context: Context, verb: string, reply: DecisionReply): number => {
  if (!reply.accepted) {
    context.show(reply, () => '')
    const by =
      reply.decidedBy === undefined || reply.reason?.includes(reply.decidedBy) === true
        ? ''
        : ` (decided by ${reply.decidedBy})`
    context.io.err.write(
      `${cleanText(`${context.name}: ${reply.reason ?? `Cannot ${verb} run "${reply.runId}": it was refused`}${by}`)}\n`,
    )
    return exitCode(reply.code ?? 'failed')
  }
  context.show(reply, (clean) => renderAccepted(context, verb, clean))
  if (!isClosed(reply.status)) context.hint(`Follow it: ${sopCommand('status', reply.runId, '--wait')}`)
  return exitCode('ok')
}

const DONE: Readonly<Record<string, string>> = {
  approve: 'Approved',
  reject: 'Rejected',
  complete: 'Completed',
  tick: 'Ticked',
  untick: 'Unticked',
  fail: 'Reported as failed',
  skip: 'Skipped',
  cancel: 'Cancelled',
  rollback: 'Undoing the finished steps, then ending',
  pause: 'Paused',
  resume: 'Resumed',
  retry: 'Retried',
}

const renderAccepted = (context: Context, verb: string, reply: DecisionReply): string => {
  const what =
    reply.gate !== undefined
      ? ` gate ${reply.gate}`
      : reply.stepNumber !== undefined && reply.stepNumber > 0
        ? ` step ${reply.stepNumber}`
        : ''
  const again = reply.duplicate === true ? ' (it was so already)' : ''
  const stored = reply.stored === true ? ', stored: no worker is up, it takes effect as soon as one is' : ''
  // A pause takes effect at a boundary; the answer says whether there is one now.
  const done = reply.action === 'pause requested' ? 'Asked for a pause at the next boundary of' : DONE[verb]
  const check = reply.action === 'checking' ? '; its check runs now, and the step is completed once that passes' : ''
  return `${done ?? verb}${what}${what === '' ? ' run' : ' of run'} ${reply.runId}${again}${stored}${check}: ${renderState(context.colours, reply.status)}`
}
