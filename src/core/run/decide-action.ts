import { stepRunOf } from './steps.ts'
import { formatDuration } from '../duration.ts'
import { childCommandResult, childRunId } from './child.ts'
import { isEnding, isToVerify } from './done.ts'
import type { EventDraft } from './event.ts'
import { failure } from './failure.ts'
import { runningWorks } from './works.ts'
import { findExecution, ofItem, outputExcess, readChildWork } from './items.ts'
import type { ChildResult, LostResult, RunInput } from './input.ts'
import { logSummary } from './log-summary.ts'
import { ENGINE } from './principal.ts'
import type { Run } from './run.ts'
import type { CommandResult } from './task.ts'

// decide-action.ts: what the end of a step's action leads to: its commands', or that of the SOP that it runs.

/** How a child run ended is how its step ended; how long it took, the parent measures. */
export const childEnded = (
  run: Run,
  { workId, result }: Extract<RunInput, { kind: 'child_ended' }>,
  at: string,
): readonly EventDraft[] => {
  const work = runningWorks(run).find((each) => each.id === workId)
  if (work?.kind !== 'child') return result.outcome === 'ok' ? childMended(run, workId, result, at) : []
  const { step, state } = findExecution(run, work.step, work.item)
  if (step === undefined || state === undefined) return []
  return actionEnded(run, work, childCommandResult(step, childRunId(run.seed.runId, work), state, result, at), at)
}

/** The rules from which on a run takes what a child of it came to that was opened again. */
const MENDED_CHILDREN = 8

/**
 * A child that failed was opened again by itself, and completed: a run that stands still for it goes on with what it came to,
 * where a retry of the step would do all of it a second time.
 */
const childMended = (run: Run, workId: string, result: ChildResult, at: string): readonly EventDraft[] => {
  if (run.seed.rulesVersion < MENDED_CHILDREN || run.paused === undefined || isEnding(run)) return []
  const work = readChildWork(workId)
  if (work === undefined) return []
  const { step, state } = findExecution(run, work.step, work.item)
  if (step?.action.kind !== 'sop' || state?.state !== 'failed' || state.then !== 'pause') return []
  if (state.attempt !== work.attempt) return []
  const runId = childRunId(run.seed.runId, work)
  const drafts = actionEnded(run, work, childCommandResult(step, runId, state, result, at), at)
  const goesOn: EventDraft = {
    eventType: 'run_resumed',
    principal: ENGINE,
    via: 'engine',
    details: { comment: `run ${runId} was retried, and completed` },
  }
  return run.paused.kind === 'failed' && run.paused.stepNumber === work.step ? [...drafts, goesOn] : drafts
}

type OfExecution = { readonly step: number; readonly item?: number }

/** How the step ends by the result of its action: done, failed, unknown, or its check begins. */
export const actionEnded = (
  run: Run,
  { step: number, item }: OfExecution,
  result: CommandResult | LostResult,
  at: string,
): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step === undefined || state === undefined) return []
  const engine = { principal: ENGINE, via: 'engine' } as const
  if (result.outcome === 'lost') {
    if (step.idempotent !== true) {
      return [
        {
          eventType: 'step_unknown',
          stepNumber: number,
          ...engine,
          details: { title: step.title, attempt: state.attempt, ...ofItem(item), error: result.error },
        },
      ]
    }
    return [failure(run, step, state, { ...result, durationMs: 0, ...engine, ...ofItem(item) }, at)]
  }
  if (result.outcome !== 'ok') {
    const error = result.error ?? `exit code ${result.exitCode}`
    return [failure(run, step, state, { ...result, outcome: result.outcome, error, ...engine, ...ofItem(item) }, at)]
  }
  const excess = item === undefined ? undefined : outputExcess(stepRunOf(run, number)?.items, result.outputs)
  if (excess !== undefined) {
    const { outputs: _, ...rest } = result
    return [failure(run, step, state, { ...rest, outcome: 'failed', error: excess, ...engine, ...ofItem(item) }, at)]
  }
  const facts = resultDetails(result)
  if (!isToVerify(run, step)) {
    return [
      {
        eventType: 'step_completed',
        stepNumber: number,
        ...engine,
        details: {
          title: step.title,
          attempt: state.attempt,
          ...ofItem(item),
          duration: formatDuration(result.durationMs),
          ...facts,
        },
      },
    ]
  }
  return [
    {
      eventType: 'verification_started',
      stepNumber: number,
      ...engine,
      details: { title: step.title, attempt: state.attempt, ...ofItem(item), ...facts },
    },
  ]
}

const resultDetails = ({ durationMs, exitCode, output, outputs, adopted, ...log }: CommandResult) => ({
  duration_ms: durationMs,
  ...(exitCode !== undefined && { exitCode }),
  ...(output !== '' && { output }),
  ...(Object.keys(outputs).length > 0 && { outputs }),
  ...logSummary(log),
  ...(adopted !== undefined && { adopted }),
})
