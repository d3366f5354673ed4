import { stepRunOf } from './steps.ts'
import type { EventType, RunEvent } from './event.ts'
import { itemCompleted, itemFailed, itemSkipped, itemStarted, itemsOf } from './evolve-items.ts'
import { rollBack } from './evolve-rollback.ts'
import { cleared, unpaused } from './evolve-run.ts'
import { passedOverReason } from './failure.ts'
import { isWide, jumpBetween } from './graph.ts'
import { itemWords } from './items.ts'
import { patch, patchStep, without } from './patch.ts'
import type { Run, StepRun } from './run.ts'

// evolve-step.ts: what the end of a step means for a run.

/** Characters of a step's output that the state keeps for views; the record holds the long tail. */
const STATE_OUTPUT_CHARS = 1024

type Of<T extends EventType> = RunEvent<T>

export const stepStarted = (run: Run, event: Of<'step_started'>): Run => {
  const { attempt, untilAt, child, item } = event.details
  if (item !== undefined) return itemStarted(run, event, item)
  return patchStep(run, event.stepNumber, {
    state: 'running',
    attempt,
    startedAt: event.timestamp,
    endedAt: undefined,
    endedSequence: undefined,
    untilAt,
    then: undefined,
    retryAt: undefined,
    error: undefined,
    ticked: undefined,
    overdue: undefined,
    child,
    timedOut: undefined,
    items: itemsOf(stepRunOf(run, event.stepNumber ?? 0), event),
    itemBase: undefined,
  })
}

export const stepEnded = (run: Run, event: Of<'step_completed'>): Run => {
  const { details } = event
  if (details.item !== undefined) return itemCompleted(run, event, details.item)
  const outputs = details.outputs ?? {}
  return {
    ...patchStep(run, event.stepNumber, {
      state: 'success',
      endedAt: event.timestamp,
      endedSequence: event.sequence,
      durationMs: details.duration_ms,
      exitCode: details.exitCode,
      output: details.output?.slice(-STATE_OUTPUT_CHARS),
      outputs: details.outputs,
      verification: undefined,
      lost: undefined,
      error: undefined,
      deadlineAt: undefined,
      untilAt: undefined,
      timedOut: undefined,
      then: undefined,
      retryAt: undefined,
    }),
    outputs: { ...run.outputs, ...outputs },
    facts: without(run.facts, (question) => question.startsWith(`step:${event.stepNumber}:`)),
  }
}

export const stepFailed = (run: Run, event: Of<'step_failed'>): Run => {
  const { details } = event
  if (details.item !== undefined) return leaving(itemFailed(run, event, details.item), event)
  const before = stepRunOf(run, event.stepNumber)
  const failed = patchStep(run, event.stepNumber, {
    state: 'failed',
    endedAt: event.timestamp,
    endedSequence: event.sequence,
    durationMs: details.duration_ms,
    exitCode: details.exitCode,
    output: details.output?.slice(-STATE_OUTPUT_CHARS),
    outputs: details.outputs,
    verification: undefined,
    lost: undefined,
    error: details.error,
    deadlineAt: undefined,
    untilAt: undefined,
    timedOut: undefined,
    failures: (before?.failures ?? 0) + 1,
    then: details.then,
    retryAt: details.retryAt,
  })
  const withOutputs = { ...failed, outputs: { ...run.outputs, ...details.outputs } }
  return details.then === 'goto' && details.goto !== undefined
    ? jump(withOutputs, event.stepNumber ?? 0, details.goto)
    : leaving(withOutputs, event)
}

/** A failure that the run does not go on from. Where other executions may be under way, it ends them first. */
const leaving = (run: Run, event: Of<'step_failed'>): Run => {
  const { details, stepNumber = 0, principal, via } = event
  if (run.ending !== undefined || run.rollback !== undefined) return run
  const what = `${itemWords(stepRunOf(run, stepNumber), details.item)}step ${stepNumber} "${details.title}"`
  const reason = `${what} failed: ${details.error}`
  if (details.then === 'rollback') return rollBack(run, event, { because: 'failure', reason, then: 'failed' })
  if (details.then !== 'fail' || !isWide(run.seed.pinned.definition)) return run
  return { ...run, ending: { state: 'failed', reason, by: principal, via, stepNumber } }
}

/** Back: the steps between are done again, gates included. Forward: the steps between are passed over. */
const jump = (run: Run, from: number, to: number): Run => {
  const index = (number: number): number => run.steps.findIndex((step) => step.number === number)
  const here = index(from)
  const { direction, between } = jumpBetween(run.seed.pinned.definition, here, index(to))
  const positions = new Set(between)
  if (direction === 'forward') {
    return {
      ...run,
      steps: run.steps.map((step, at) =>
        at === here
          ? patch(step, { then: 'continue' })
          : positions.has(at)
            ? patch(step, { state: 'skipped', reason: passedOverReason(from, to) })
            : step,
      ),
    }
  }
  const again = new Set(between.map((at) => run.steps[at]?.number ?? 0))
  return {
    ...run,
    steps: run.steps.map((step) => (again.has(step.number) ? revisited(step) : step)),
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        again.has(gate.stepNumber) ? { ...gate, state: 'reset' } : gate,
      ]),
    ),
    facts: without(run.facts, (question) => [...again].some((number) => question.startsWith(`step:${number}:`))),
  }
}

const revisited = (step: StepRun): StepRun => ({ ...cleared(step), visits: step.visits + 1 })

export const skipped = (run: Run, event: Of<'step_skipped'>): Run => {
  const freed = run.paused?.stepNumber === event.stepNumber ? unpaused(run, event.timestamp) : run
  if (event.details.item !== undefined) return itemSkipped(freed, event, event.details.item)
  return {
    ...patchStep(freed, event.stepNumber, {
      state: 'skipped',
      endedAt: event.timestamp,
      reason: event.details.reason,
      cutOff: event.details.cutOff,
      untilAt: undefined,
      then: undefined,
      retryAt: undefined,
      deadlineAt: undefined,
      verification: undefined,
    }),
    gates: Object.fromEntries(
      Object.entries(freed.gates).map(([id, gate]) => [
        id,
        gate.stepNumber === event.stepNumber && (gate.state === 'open' || gate.state === 'rejected')
          ? patch(gate, {
              state: 'skipped',
              deadlineAt: undefined,
              closedAt: event.timestamp,
              decidedBy: event.principal.id,
            })
          : gate,
      ]),
    ),
    facts: without(freed.facts, (question) => question.startsWith(`step:${event.stepNumber}:`)),
  }
}
