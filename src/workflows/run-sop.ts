// run-sop.ts — interprets one run. Invariants:
//   R1 `run` changes only in apply().  R2 every await is an effect, a timer or a condition.
//   R3 handlers are registered before the first await.  R4 no continue-as-new until all handlers have finished and
//   no work is under way.  R5 nothing closes the run before the record has every event.

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  makeContinueAsNewFunc,
  patched,
  workflowInfo,
} from '@temporalio/workflow'
import { readReopening } from '../core/run/reopening.ts'
import { seedOf } from '../core/run/seed.ts'
import { unreadableReason } from './converter.ts'
import { Interpreter } from './interpreter.ts'
import { pinSop, requestCancel } from './carry-out.ts'
import { registerHandlers } from './handlers.ts'
import { observe } from './observed.ts'
import { RUN_FAILED, type RunSopInput, type RunSopResult, type Snapshot } from './messages.ts'

/**
 * Carries out one SOP as a durable run.
 *
 * @throws ApplicationFailure of type `RunFailed` when the run failed, CancelledFailure when it was cancelled: Temporal
 * then shows the execution as Failed or Canceled.
 */
export async function runSop(input: RunSopInput): Promise<RunSopResult> {
  const interpreter = new Interpreter(workflowInfo().workflowId)
  registerHandlers(interpreter)
  observe(() => interpreter.observed())
  const root = CancellationScope.current()
  root.cancelRequested.catch(() => interpreter.cancelFromTemporal())
  return CancellationScope.nonCancellable(async () => {
    await begin(interpreter, input)
    const ended = await interpreter.untilClosedOrLong()
    await condition(allHandlersFinished)
    if (ended === 'long') return handOver({ sop: input.sop, snapshot: interpreter.snapshot() })
    return close(interpreter, root)
  })
}

/** The next execution goes on with this build, or with the current one where the run moves there. */
const handOver = (next: RunSopInput & { readonly snapshot: Snapshot }): Promise<never> => {
  if (next.snapshot.run.seed.pinned.policy.movesToNewBuild !== true) return continueAsNew<typeof runSop>(next)
  return makeContinueAsNewFunc<typeof runSop>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(next)
}

const begin = async (interpreter: Interpreter, input: RunSopInput): Promise<void> => {
  const bad =
    unreadableReason(input) ?? (typeof input?.sop === 'string' ? undefined : 'it names no SOP, as in {"sop":"name"}')
  if (bad !== undefined) throw ApplicationFailure.nonRetryable(`Cannot start run: ${bad}`, 'InvalidStart')
  const { snapshot, reopen } = input
  if (reopen !== undefined) return orInvalid(() => interpreter.reopen(readReopening(workflowInfo().workflowId, reopen)))
  if (snapshot !== undefined) return orInvalid(() => interpreter.goOn(ownSnapshot(snapshot)))
  // A schedule names its SOP alone: what it would bring along, its seal does not cover.
  const given = input.schedule === undefined ? input.pinned : undefined
  const pinned = given ?? (await pinDefinition(input.sop))
  orInvalid(() => interpreter.create(seedOf(workflowInfo().workflowId, input, pinned)))
}

/** Only the execution before hands a run over: one that somebody made up would have gates passed that nobody answered. */
const ownSnapshot = (snapshot: NonNullable<RunSopInput['snapshot']>): NonNullable<RunSopInput['snapshot']> => {
  if (workflowInfo().continuedFromExecutionRunId !== undefined) return snapshot
  throw new Error('a snapshot comes only from the execution before it')
}

/** An input that nobody foresaw fails the run at once; a workflow task that fails would be tried again for ever. */
const orInvalid = (begin: () => void): void => {
  try {
    begin()
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'its input cannot be read'
    throw ApplicationFailure.nonRetryable(`Cannot start run: ${reason}`, 'InvalidStart')
  }
}

/** A run that was started with only a name pins its definition first; an SOP that cannot start fails the run at once. */
const pinDefinition = async (sop: string) => {
  try {
    return await pinSop(sop)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    const message = cause instanceof Error ? cause.message : `Cannot start SOP "${sop}"`
    throw ApplicationFailure.nonRetryable(message, 'InvalidStart')
  }
}

/** Marks histories in which a cancelled run was closed by an activity. Wire format. */
const CANCEL_FROM_OUTSIDE = 'cancel-from-outside'

const close = async (interpreter: Interpreter, root: CancellationScope): Promise<RunSopResult> => {
  const { seed, outcome, outputs } = interpreter.closedRun()
  switch (outcome.state) {
    case 'completed':
      return { runId: seed.runId, status: 'completed', outputs }
    case 'failed':
      throw ApplicationFailure.nonRetryable(outcome.reason ?? 'the run failed', RUN_FAILED)
    case 'cancelled':
      await askForCancellation(root)
      throw new CancelledFailure(outcome.reason ?? 'the run was cancelled')
  }
}

/** Temporal closes an execution as Canceled only where its cancellation was requested, so the run has it requested. */
const askForCancellation = async (root: CancellationScope): Promise<void> => {
  if (root.consideredCancelled) return
  try {
    if (patched(CANCEL_FROM_OUTSIDE)) await requestCancel(workflowInfo().workflowId)
    // Runs that ended so before asked themselves, which the server always refuses: they closed as Failed.
    else await getExternalWorkflowHandle(workflowInfo().workflowId).cancel()
    await root.cancelRequested
  } catch (error) {
    if (!isCancellation(error)) throw ApplicationFailure.nonRetryable('the run was cancelled', 'RunCancelled')
  }
}
