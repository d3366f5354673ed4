import { stepRunOf } from './steps.ts'
import type { EventType, RunEvent } from './event.ts'
import { highestAttempt, isFinished, ITEM_ERROR_CHARS, type ItemRun, type ItemsRun } from './items.ts'
import { compact, type Patch, patch } from './patch.ts'
import type { Run, StepRun } from './run.ts'

// evolve-items.ts: what the events of one item of a `for_each` step mean for a run. What an item hands on becomes an
// output of the run only with the whole list, when the step is done.

type Of<T extends EventType> = RunEvent<T>

/** A step that begins with a list of items; what it had before is gone, but for the count of attempts and for what is kept. */
export const itemsOf = (step: StepRun | undefined, event: Of<'step_started'>): ItemsRun | undefined => {
  const { items, kept } = event.details
  if (items === undefined) return undefined
  if (kept !== undefined && step?.items !== undefined) return patch(step.items, { isKept: undefined })
  return { list: items, runs: [], base: step === undefined ? 0 : highestAttempt(step), outputBytes: 0 }
}

export const itemStarted = (run: Run, event: Of<'step_started'>, item: number): Run =>
  patchItem(run, event.stepNumber, item, {
    state: 'running',
    attempt: event.details.attempt,
    startedAt: event.timestamp,
    child: event.details.child,
    error: undefined,
    then: undefined,
    retryAt: undefined,
    reason: undefined,
    verification: undefined,
    timedOut: undefined,
  })

export const itemCompleted = (run: Run, event: Of<'step_completed'>, item: number): Run => {
  const { outputs } = event.details
  const done = patchItem(run, event.stepNumber, item, {
    state: 'success',
    durationMs: event.details.duration_ms,
    exitCode: undefined,
    outputs,
    error: undefined,
    then: undefined,
    startedAt: undefined,
    verification: undefined,
    timedOut: undefined,
  })
  return outputs === undefined
    ? done
    : patchItems(done, event.stepNumber, (items) => ({
        ...items,
        outputBytes: items.outputBytes + JSON.stringify(outputs).length,
      }))
}

export const itemFailed = (run: Run, event: Of<'step_failed'>, item: number): Run => {
  const { details } = event
  const failures = runOf(run, event.stepNumber, item)?.failures ?? 0
  return patchItem(run, event.stepNumber, item, {
    state: 'failed',
    durationMs: details.duration_ms,
    exitCode: details.exitCode,
    error: details.error.slice(0, ITEM_ERROR_CHARS),
    failures: failures + 1,
    outputs: undefined,
    startedAt: undefined,
    verification: undefined,
    timedOut: undefined,
    then: details.then,
    retryAt: details.retryAt,
  })
}

export const itemUnknown = (run: Run, event: Of<'step_unknown'>, item: number): Run =>
  patchItem(run, event.stepNumber, item, {
    state: 'unknown',
    error: event.details.error.slice(0, ITEM_ERROR_CHARS),
    verification: undefined,
  })

export const itemVerifying = (run: Run, event: Of<'verification_started'>, item: number): Run =>
  patchItem(run, event.stepNumber, item, {
    // One of which nobody knew is looked at, too, once somebody said that it ran.
    ...(run.seed.rulesVersion >= 8 && { state: 'running' as const, error: undefined, then: undefined }),
    verification: 'running',
    timedOut: undefined,
    lost: event.details.lost,
    durationMs: event.details.duration_ms,
    exitCode: event.details.exitCode,
    outputs: event.details.outputs,
  })

export const itemVerified = (run: Run, event: Of<'verification_passed' | 'verification_failed'>, item: number): Run => {
  if (event.eventType === 'verification_passed')
    return patchItem(run, event.stepNumber, item, { verification: 'passed', lost: undefined })
  const outputs = runOf(run, event.stepNumber, item)?.outputs
  const ran = outputs === undefined ? {} : { outputs }
  return patchItem(run, event.stepNumber, item, { verification: undefined, lost: undefined, ran })
}

export const itemSkipped = (run: Run, event: Of<'step_skipped'>, item: number): Run =>
  patchItem(run, event.stepNumber, item, {
    state: 'skipped',
    reason: event.details.reason.slice(0, ITEM_ERROR_CHARS),
    then: undefined,
    retryAt: undefined,
    outputs: undefined,
    verification: undefined,
  })

/** A person tries again: one item, or all that stopped the run in the same way, and no others. */
export const itemsRetried = (step: StepRun, what: 'failed' | 'unknown', only: number | undefined): StepRun =>
  step.state !== 'running' || step.items === undefined
    ? step
    : {
        ...step,
        items: {
          ...step.items,
          runs: step.items.runs.map((item, index) =>
            only === undefined ? retried(item, what) : only === index + 1 ? retried(item, item.state) : item,
          ),
        },
      }

const retried = (item: ItemRun, what: ItemRun['state']): ItemRun =>
  item.state === what && (what === 'unknown' || (what === 'failed' && item.then === 'pause'))
    ? patch(item, { state: 'pending', failures: 0, then: undefined, retryAt: undefined, startedAt: undefined })
    : item

/**
 * The items of a step of a closed run that is done again: those that are finished stay. Of one that was under way when the
 * run ended nobody knows whether it ran, unless the retry is about just that (`isAsked`).
 */
export const itemsKept = (items: ItemsRun, isAsked: boolean): ItemsRun => ({
  ...items,
  isKept: true,
  runs: items.runs.map((item) => leftOver(item, isAsked)),
})

const leftOver = (item: ItemRun, isAsked: boolean): ItemRun => {
  if (isFinished(item) || item.state === 'unknown') return patch(item, { isLeft: undefined })
  if (item.state === 'running' && !isAsked)
    return patch(item, { state: 'unknown', error: 'the run ended while it was under way', verification: undefined })
  const { attempt, ran, undos } = item
  return compact({ state: 'pending' as const, attempt, failures: 0, ran, undos }) as ItemRun
}

/** What a step keeps of its items when it is to be done anew: the count of their attempts. */
export const itemBaseOf = (step: StepRun): Pick<StepRun, 'itemBase'> => {
  const itemBase = highestAttempt(step)
  return itemBase > 0 ? { itemBase } : {}
}

const NEW: ItemRun = { state: 'pending', attempt: 0, failures: 0 }

const runOf = (run: Run, number: number | undefined, item: number): ItemRun | undefined =>
  stepRunOf(run, number)?.items?.runs[item - 1]

export const patchItem = (run: Run, number: number | undefined, item: number, changes: Patch<ItemRun>): Run =>
  patchItems(run, number, (items) => {
    const runs = [...items.runs]
    runs[item - 1] = compact({ ...(runs[item - 1] ?? NEW), ...changes }) as ItemRun
    return { ...items, runs }
  })

const patchItems = (run: Run, number: number | undefined, change: (items: ItemsRun) => ItemsRun): Run => ({
  ...run,
  steps: run.steps.map((step) =>
    step.number === number && step.items !== undefined ? { ...step, items: change(step.items) } : step,
  ),
})
