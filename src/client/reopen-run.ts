import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'
import type { Decision, DecisionReply } from '../core/run/decision.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { type Reopening, sealedReopening } from '../core/run/reopening.ts'
import { judgeReopening, recordedRun } from '../core/run/reopening-verdict.ts'
import type { PinnedSop, Run, RunPolicy } from '../core/run/run.ts'
import { isClosed } from '../core/run/state.ts'
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
  const events = await deps.records.audit.read(runId)
  const run = recordedRun(runId, events, await pinnedOf(deps.records, events), {
    authority: deps.key.authority,
    policy: deps.pin.policy,
  })
  if (typeof run === 'string') return refuse(runId, 'pending', run)
  const verdict = judgeReopening(run, decision, await executionOf(deps.temporal, runId), new Date().toISOString())
  if (verdict.kind === 'open') return { open: true }
  if (verdict.kind === 'refused') return { reply: verdict.reply }
  const reopen = reopening(deps.key, run, decision)
  if (JSON.stringify(reopen).length > MAX_INPUT_CHARS)
    return refuse(
      runId,
      runState(run),
      `run "${runId}" has become too large to be carried over to a new execution: start a new run`,
    )
  await keepSecrets()
  try {
    await startExecution(deps, runId, { sop: run.seed.pinned.definition.name, reopen })
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { open: true }
    throw unavailable(error)
  }
  await untilSeen(deps.records, runId, run.sequence)
  return { reply: verdict.reply }
}

const refuse = (runId: string, status: DecisionReply['status'], reason: string): Answer => ({
  reply: { accepted: false, runId, status, reason, code: 'conflict' },
})

const reopening = (key: InstallationKey, run: Run, { kind: _, ...decision }: Decision): Reopening => ({
  run,
  decision,
  seal: key.seal(sealedReopening(run, decision)),
})

const pinnedOf = async ({ audit }: Records, [created]: readonly RecordedEvent[]): Promise<PinnedSop | undefined> =>
  created?.eventType === 'run_created' ? audit.readDefinition(created.details.digest) : undefined

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
