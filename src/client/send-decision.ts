import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import { ulid } from 'ulid'
import type { Actor } from '../core/access.ts'
import type { Decision, DecisionReply } from '../core/run/decision.ts'
import type { RunEvent } from '../core/run/event.ts'
import { sealedText } from '../core/seal.ts'
import { SopError } from '../core/errors.ts'
import { isClosed } from '../core/run/state.ts'
import type { ApproveRequest, CancelRequest, CompleteRequest, RetryRequest } from './client.ts'
import { type FindDeps, readRun, unavailable } from './find-run.ts'
import { type ReopenDeps, reopenRun } from './reopen-run.ts'
import type { InstallationKey } from './signing.ts'
import type { Turns } from './turns.ts'

/** How long a decision waits for a worker before it is stored as a signal (engine.md 2). */
const UPDATE_DEADLINE_MS = 5_000

/** What any of the verbs may bring along. */
export type DecisionBody = ApproveRequest & CompleteRequest & CancelRequest & RetryRequest

export interface SendDeps extends FindDeps, ReopenDeps {
  readonly turns: Turns
}

/**
 * Sends one decision and gives its answer. First as an update, which is answered at once; where no worker answers, as a
 * signal with the same decisionId, which is durable, and whichever of the two comes second counts as the duplicate.
 */
export const sendDecision = async (
  deps: SendDeps,
  actor: Actor,
  runId: string,
  kind: Decision['kind'],
  request: DecisionBody,
  keepSecrets: () => Promise<void>,
): Promise<DecisionReply> => {
  const decision = await addressed(deps, runId, kind, { ...request, decisionId: request.decisionId ?? ulid() })
  const sealed = seal(deps.key, runId, { ...decision, kind, principal: actor.principal, via: actor.via })
  if (kind === 'retry') return sendRetry(deps, runId, sealed, keepSecrets)
  return send(deps, runId, sealed)
}

/** Until when a retry waits for a run that is closing, in milliseconds, and the pause between two looks. */
const CLOSING_MS = 5_000
const CLOSING_PAUSE_MS = 100

/** A retry is also for a closed run. One that is just closing, or just opened by somebody else, answers for itself. */
const sendRetry = async (
  deps: SendDeps,
  runId: string,
  sealed: Decision,
  keepSecrets: () => Promise<void>,
): Promise<DecisionReply> => {
  for (const end = Date.now() + CLOSING_MS; ; ) {
    const summary = await deps.records.index.get(runId)
    if (summary !== undefined && isClosed(summary.status)) {
      const answer = (await repeated(deps, runId, sealed)) ?? (await reopenRun(deps, runId, sealed, keepSecrets))
      if ('reply' in answer) return answer.reply
    }
    await keepSecrets()
    const reply = await send(deps, runId, sealed)
    const isClosing = !reply.accepted && isClosed(reply.status) && reply.status !== 'completed'
    if (!isClosing || Date.now() > end) return reply
    await new Promise((resolve) => setTimeout(resolve, CLOSING_PAUSE_MS))
  }
}

/** Sent again because its answer was lost: it counted once. */
const repeated = async (
  deps: SendDeps,
  runId: string,
  { decisionId }: Decision,
): Promise<{ readonly reply: DecisionReply } | undefined> => {
  const events = await deps.records.audit.read(runId)
  const own = events.find(({ details }) => 'decisionId' in details && details.decisionId === decisionId)
  if (own === undefined || own.eventType === 'decision_refused') return undefined
  const { status } = await readRun(deps, runId)
  return { reply: { accepted: true, duplicate: true, runId, status, ...place(own) } }
}

const send = async (deps: SendDeps, runId: string, sealed: Decision): Promise<DecisionReply> => {
  try {
    return await deps.turns.take(runId, () => byUpdate(deps.temporal, runId, sealed))
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return bySignal(deps, runId, sealed)
    if (error instanceof WorkflowNotFoundError) return alreadyClosed(deps, runId, sealed)
    if (error instanceof WorkflowUpdateFailedError) return cutOff(deps, runId, sealed, error)
    if (error instanceof SopError) throw error
    return bySignal(deps, runId, sealed)
  }
}

const seal = (key: InstallationKey, runId: string, decision: Decision): Decision => ({
  ...decision,
  seal: key.seal(sealedText(runId, decision)),
})

/** Our faces say which gate they mean, so that an answer to an old question is refused (rulings 14). */
const addressed = async (
  deps: SendDeps,
  runId: string,
  kind: Decision['kind'],
  request: DecisionBody,
): Promise<DecisionBody> => {
  const isAboutGate = kind === 'approve' || kind === 'reject'
  if (!isAboutGate || request.gate !== undefined || request.step !== undefined) return request
  const { openGates } = await readRun(deps, runId)
  const [only] = openGates
  return openGates.length === 1 && only
    ? { ...request, gate: only.gate, attempt: request.attempt ?? only.attempt }
    : request
}

const byUpdate = (temporal: Client, runId: string, sealed: Decision): Promise<DecisionReply> => {
  const { kind, ...argument } = sealed
  return temporal.connection.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
    temporal.workflow.getHandle(runId).executeUpdate<DecisionReply, [typeof argument]>(kind, {
      args: [argument],
      updateId: sealed.decisionId ?? ulid(),
    }),
  )
}

const bySignal = async (deps: SendDeps, runId: string, { kind, ...argument }: Decision): Promise<DecisionReply> => {
  try {
    await deps.temporal.workflow.getHandle(runId).signal(kind, argument)
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return alreadyClosed(deps, runId, { kind, ...argument })
    throw unavailable(error)
  }
  const summary = await deps.records.index.get(runId)
  return {
    accepted: true,
    runId,
    status: summary?.status ?? 'pending',
    stored: true,
    reason: 'it is stored and takes effect when a worker sees it; none answered yet',
    ...(argument.gate !== undefined && { gate: argument.gate }),
    ...(argument.step !== undefined && { stepNumber: argument.step }),
  }
}

const alreadyClosed = async (deps: SendDeps, runId: string, decision: Decision): Promise<DecisionReply> => {
  const { gate, step } = decision
  const again = await repeated(deps, runId, decision)
  if (again !== undefined) return again.reply
  const view = await readRun(deps, runId)
  const events = await deps.records.audit.read(runId)
  const by = events.findLast((event) => isDecided(event, gate, step))?.principal.id
  return {
    accepted: false,
    code: 'conflict',
    runId,
    status: view.status,
    reason: isClosed(view.status)
      ? `run "${runId}" is already ${view.status}`
      : `run "${runId}" takes no decisions now: it was ended in Temporal, and its record does not say so yet`,
    ...(by !== undefined && { decidedBy: by }),
  }
}

const place = ({ stepNumber, details }: RunEvent): Pick<DecisionReply, 'gate' | 'stepNumber'> => ({
  ...('gate' in details && details.gate !== undefined && { gate: details.gate }),
  ...(stepNumber !== undefined && { stepNumber }),
})

const isDecided = (
  event: { eventType: string; stepNumber?: number; details: object },
  gate?: string,
  step?: number,
): boolean =>
  ['approval_granted', 'approval_rejected', 'approval_timeout', 'cancel_requested'].includes(event.eventType) &&
  (gate === undefined || ('gate' in event.details && event.details.gate === gate)) &&
  (step === undefined || step === 0 || event.stepNumber === step)

/** The run ended while the update was on its way. */
const cutOff = async (deps: SendDeps, runId: string, sealed: Decision, error: Error): Promise<DecisionReply> => {
  const view = await readRun(deps, runId)
  if (isClosed(view.status)) return alreadyClosed(deps, runId, sealed)
  throw new SopError('internal', `Cannot ${sealed.kind} run "${runId}": the engine could not answer`, {}, error)
}
