import { secretsToGive } from './controls.ts'
import type { Decision, DecisionReply } from './decision.ts'
import type { RecordedEvent } from './event.ts'
import { fold } from './evolve.ts'
import { recordedSeed } from './recorded-seed.ts'
import { type PinnedSop, RULES_VERSION, type Run, type RunPolicy } from './run.ts'
import { transition } from './transition.ts'
import { runState } from './view.ts'

// reopening-verdict.ts: whether a closed run may be carried on by a retry, and why not. It is judged by its record, by the
// same rules that the workflow has, before anything is started.

/** What this installation is: whose signatures it makes, and by which policy its runs go. */
export interface Installation {
  readonly authority: string
  readonly policy: RunPolicy
}

/** The run as its record tells of it, with the rules and the policy of today; a text says why there is none. */
export const recordedRun = (
  runId: string,
  events: readonly RecordedEvent[],
  pinned: PinnedSop | undefined,
  { authority, policy }: Installation,
): Run | string => {
  const [created] = events
  if (created?.eventType !== 'run_created' || events.some(({ sequence }, index) => sequence !== index + 1))
    return `the record of run "${runId}" is not whole: see sop verify-audit, and start a new run`
  if (pinned === undefined) return `the definition of run "${runId}" is not on record: start a new run`
  if (pinned.authority !== authority)
    return `run "${runId}" was begun by an installation with another key, which signed its commands: start a new run`
  return fold(recordedSeed(runId, created, { ...pinned, policy, rulesVersion: RULES_VERSION }), events)
}

/** `open`: it is open already, so the retry is for its workflow. */
export type ReopeningVerdict =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused' | 'accepted'; readonly reply: DecisionReply }

/** @param execution the state of its newest execution in Temporal's words; undefined where Temporal knows none */
export const judgeReopening = (
  run: Run,
  decision: Decision,
  execution: string | undefined,
  at: string,
): ReopeningVerdict => {
  const { runId } = run.seed
  const status = runState(run)
  const refused = (reason: string, code: DecisionReply['code'] = 'conflict'): ReopeningVerdict => ({
    kind: 'refused',
    reply: { accepted: false, runId, status, reason, ...(code !== undefined && { code }) },
  })
  if (execution === 'RUNNING') return { kind: 'open' }
  if (run.outcome === undefined)
    return refused(`the end of run "${runId}" is not on record yet: try again in a moment`, 'unavailable')
  const { reply } = transition(run, { kind: 'reopen', decision }, at)
  if (reply === undefined) return refused('the rules gave no answer', 'internal')
  if (!reply.accepted) return { kind: 'refused', reply }
  if (execution === undefined)
    return refused(
      `run "${runId}" is beyond the retention of Temporal, which no longer knows it: its record stays, start a new run`,
    )
  const missing = secretsToGive(run, decision.params)
  if (missing.length > 0) {
    const values = `values of secret params (${missing.join(', ')}) go when a run closes`
    return refused(`${values}: give them again with the retry`, 'invalid')
  }
  return { kind: 'accepted', reply }
}
