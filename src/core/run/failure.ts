import { stepRunOf } from './steps.ts'
import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { AfterFailure, EventDraft, Outcome } from './event.ts'
import { hasBranches, jumpBetween } from './graph.ts'
import { logSummary } from './log-summary.ts'
import { ENGINE, type Principal, type Surface } from './principal.ts'
import type { Run, StepRun } from './run.ts'
import type { CommandResult } from './task.ts'

/** How a step failed, and who says so. */
export interface FailureReport {
  readonly outcome: Exclude<Outcome, 'ok'>
  readonly error: string
  readonly durationMs: number
  readonly exitCode?: number
  readonly output?: string
  readonly outputs?: CommandResult['outputs']
  readonly logBytes?: number
  readonly logSha256?: string
  readonly logStored?: true
  /** See `CommandResult.adopted`. */
  readonly adopted?: string
  readonly principal: Principal
  readonly via: Surface
  readonly comment?: string
  /** For one item of a `for_each` step. */
  readonly item?: number
}

/** What follows a failure (product.md 4 "Failure"). */
interface Consequence {
  readonly then: AfterFailure
  readonly retryAt?: string
  readonly goto?: number
  readonly note?: string
}

type Failing = Pick<StepRun, 'attempt' | 'failures'>

/** How often a lost command that may be repeated is begun again by itself: one that kills its worker must not go on for ever. */
export const MAX_LOST = 5

/** How often the engine tries again by itself: `retries`, else the N of `on_failure: retry:N`. */
const retriesOf = (step: Step): number => step.retries ?? (step.onFailure?.kind === 'retry' ? step.onFailure.times : 0)

const consequence = (run: Run, step: Step, state: Failing, report: FailureReport, at: string): Consequence => {
  const byMode: AfterFailure = run.mode === 'auto' ? 'fail' : 'pause'
  if (run.ending !== undefined || run.rollback !== undefined) return { then: 'fail' }
  if (report.outcome === 'lost' && state.failures < Math.max(MAX_LOST, retriesOf(step))) return { then: 'retry' }
  if (state.failures < retriesOf(step)) {
    const delayMs = step.retryDelayMs ?? 0
    return { then: 'retry', ...(delayMs > 0 && { retryAt: new Date(Date.parse(at) + delayMs).toISOString() }) }
  }
  if (step.onFailure === undefined) return { then: byMode }
  switch (step.onFailure.kind) {
    case 'retry':
      return { then: byMode }
    case 'rollback':
      return { then: run.seed.rulesVersion < 2 ? 'pause' : 'rollback' }
    case 'goto':
      return jumpOr(run, step.onFailure.step, byMode)
    default:
      return { then: step.onFailure.kind }
  }
}

const jumpOr = (run: Run, target: number, otherwise: AfterFailure): Consequence => {
  const visits = stepRunOf(run, target)?.visits ?? 0
  const { maxStepVisits } = run.seed.pinned.policy
  return visits < maxStepVisits
    ? { then: 'goto', goto: target }
    : { then: otherwise, note: `; step ${target} was visited ${visits} times, which is the limit` }
}

/** The key of a failure that leads back, where the graph and not the document says what is done again. */
export const doneAgain = (run: Run, from: number, to: number): { readonly again?: readonly number[] } => {
  const { definition } = run.seed.pinned
  if (!hasBranches(definition)) return {}
  const at = (number: number): number => definition.steps.findIndex((step) => step.number === number)
  const { direction, between } = jumpBetween(definition, at(from), at(to))
  return direction === 'forward' ? {} : { again: between.map((index) => definition.steps[index]?.number ?? 0) }
}

/**
 * Events for the steps that a failure makes the run pass over: what was not done is on record too. Before the rules of
 * version 3 they were passed over without an event.
 */
export const passedOver = (
  run: Run,
  { stepNumber: from = 0, details }: EventDraft<'step_failed'>,
): readonly EventDraft[] => {
  const { goto: to } = details
  if (to === undefined || run.seed.rulesVersion < 3) return []
  const { definition } = run.seed.pinned
  const at = (number: number): number => definition.steps.findIndex((step) => step.number === number)
  const { direction, between } = jumpBetween(definition, at(from), at(to))
  if (direction === 'back') return []
  return between.flatMap((index) => {
    const step = definition.steps[index]
    return step === undefined
      ? []
      : [
          {
            eventType: 'step_skipped' as const,
            stepNumber: step.number,
            principal: ENGINE,
            via: 'engine' as const,
            details: { title: step.title, reason: passedOverReason(from, to) },
          },
        ]
  })
}

/** Why a step was not done that a jump went over. */
export const passedOverReason = (from: number, to: number): string => `step ${from} failed and went on at step ${to}`

/** The `step_failed` event, with what it leads to decided. */
export const failure = (
  run: Run,
  step: Step,
  state: Failing,
  report: FailureReport,
  at: string,
): EventDraft<'step_failed'> => {
  const { note, ...then } = consequence(run, step, state, report, at)
  return {
    eventType: 'step_failed',
    stepNumber: step.number,
    principal: report.principal,
    via: report.via,
    details: {
      title: step.title,
      attempt: state.attempt,
      ...(report.item !== undefined && { item: report.item }),
      duration: formatDuration(report.durationMs),
      duration_ms: report.durationMs,
      error: `${report.error}${note ?? ''}`,
      outcome: report.outcome,
      ...(report.exitCode !== undefined && { exitCode: report.exitCode }),
      ...(report.output !== undefined && report.output !== '' && { output: report.output }),
      ...(report.outputs !== undefined && Object.keys(report.outputs).length > 0 && { outputs: report.outputs }),
      ...logSummary(report),
      ...(report.adopted !== undefined && { adopted: report.adopted }),
      ...(report.comment !== undefined && { comment: report.comment }),
      ...then,
      ...(then.goto !== undefined && report.item === undefined && doneAgain(run, step.number, then.goto)),
    },
  }
}
