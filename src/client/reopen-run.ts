import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'
import type { Decision, DecisionReply } from '../core/run/decision.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { secretsToGive } from '../core/run/controls.ts'
import { fold } from '../core/run/evolve.ts'
import { recordedSeed } from '../core/run/recorded-seed.ts'
import { type Reopening, sealedReopening } from '../core/run/reopening.ts'
import { type Run, RULES_VERSION, type RunPolicy } from '../core/run/run.ts'
import { isClosed } from '../core/run/state.ts'
import { transition } from '../core/run/transition.ts'
import { runState } from '../core/run/view.ts'
import { unavailable } from './find-run.ts'
import type { Records } from './records.ts'
import type { InstallationKey } from './signing.ts'
import { startExecution } from './start-run.ts'

// reopen-run.ts: retry of a closed run. Its record is folded to the run that it was, the retry is judged by the same rules
// that the workflow has, and a new execution under the same id carries it on. Temporal lets only one begin.

export interface ReopenDeps {
  readonly temporal: Client
  readonly taskQueue: string
  readonly records: Records
  readonly key: InstallationKey
  readonly pin: { readonly policy: RunPolicy }
}

/** How long an answer waits until readers of the record see the run open again, in milliseconds, and the pause between two looks. */
const SEEN_MS = 5_000
const SEEN_PAUSE_MS = 20

/** Temporal takes no input of more than 2 MB. */
const MAX_INPUT_CHARS = 1_900_000

type Answer = { readonly reply: DecisionReply } | { readonly open: true }

/**
 * Opens the run again, or says why not. `open`: it is open already, or about to be, so the retry is for its workflow.
 *
 * @param keepSecrets puts values of secret params that change where they belong; called once it is clear that they count
 */
export const reopenRun = async (
  deps: ReopenDeps,
  runId: string,
  decision: Decision,
  keepSecrets: () => Promise<void>,
): Promise<Answer> => {
  const refuse = (
    reason: string,
    status: DecisionReply['status'],
    code: DecisionReply['code'] = 'conflict',
  ): Answer => ({
    reply: { accepted: false, runId, status, reason, ...(code !== undefined && { code }) },
  })
  const events = await deps.records.audit.read(runId)
  const run = await closedRun(deps, runId, events)
  if (typeof run === 'string') return refuse(run, 'pending')
  const status = runState(run)
  const execution = await executionOf(deps.temporal, runId)
  if (execution === 'RUNNING') return { open: true }
  if (run.outcome === undefined)
    return refuse(`the end of run "${runId}" is not on record yet: try again in a moment`, status, 'unavailable')
  const planned = transition(run, { kind: 'reopen', decision }, new Date().toISOString())
  if (planned.reply?.accepted !== true) return { reply: planned.reply ?? noAnswer(runId, status) }
  if (execution === undefined)
    return refuse(
      `run "${runId}" is beyond the retention of Temporal, which no longer knows it: its record stays, start a new run`,
      status,
    )
  const missing = secretsToGive(run, decision.params)
  if (missing.length > 0) {
    const values = `values of secret params (${missing.join(', ')}) go when a run closes`
    return refuse(`${values}: give them again with the retry`, status, 'invalid')
  }
  const reopen = reopening(deps.key, run, decision)
  if (JSON.stringify(reopen).length > MAX_INPUT_CHARS)
    return refuse(`run "${runId}" has become too large to be carried over to a new execution: start a new run`, status)
  await keepSecrets()
  try {
    await startExecution(deps, runId, { sop: run.seed.pinned.definition.name, reopen })
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { open: true }
    throw unavailable(error)
  }
  await untilSeen(deps.records, runId, run.sequence)
  return { reply: planned.reply }
}

const noAnswer = (runId: string, status: DecisionReply['status']): DecisionReply => ({
  accepted: false,
  runId,
  status,
  code: 'internal',
  reason: 'the rules gave no answer',
})

const reopening = (key: InstallationKey, run: Run, { kind: _, ...decision }: Decision): Reopening => ({
  run,
  decision,
  seal: key.seal(sealedReopening(run, decision)),
})

/** The run as its record tells of it, with the rules and the policy of today; a text says why there is none. */
const closedRun = async (
  { records, key, pin }: ReopenDeps,
  runId: string,
  events: readonly RecordedEvent[],
): Promise<Run | string> => {
  const [created] = events
  if (created?.eventType !== 'run_created' || events.some(({ sequence }, index) => sequence !== index + 1))
    return `the record of run "${runId}" is not whole: see sop verify-audit, and start a new run`
  const pinned = await records.audit.readDefinition(created.details.digest)
  if (pinned === undefined) return `the definition of run "${runId}" is not on record: start a new run`
  if (pinned.authority !== key.authority)
    return `run "${runId}" was begun by an installation with another key, which signed its commands: start a new run`
  return fold(recordedSeed(runId, created, { ...pinned, policy: pin.policy, rulesVersion: RULES_VERSION }), events)
}

/** The state of the newest execution in Temporal's words; undefined where Temporal knows none. */
export const executionOf = async (temporal: Client, runId: string): Promise<string | undefined> => {
  try {
    return (await temporal.workflow.getHandle(runId).describe()).status.name
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw unavailable(error)
  }
}

/** Whoever asks next finds the run open. */
const untilSeen = async ({ index }: Records, runId: string, sequence: number): Promise<void> => {
  for (const end = Date.now() + SEEN_MS; Date.now() < end; ) {
    const summary = await index.get(runId)
    if (summary !== undefined && summary.sequence > sequence && !isClosed(summary.status)) return
    if (summary !== undefined && summary.sequence > sequence + 1) return
    await new Promise((resolve) => setTimeout(resolve, SEEN_PAUSE_MS))
  }
}
