import { applyParams } from './changed-params.ts'
import type { EventType, RunEvent } from './event.ts'
import { itemBaseOf, itemsKept, itemsRetried } from './evolve-items.ts'
import { compact, patch, patchGate } from './patch.ts'
import type { Run, StepRun } from './run.ts'
import { undoWork } from './rollback.ts'
import type { StepState } from './state.ts'
import { stepWork } from './works.ts'

// evolve-run.ts: what pauses, retries and the end mean for a whole run.

type Of<T extends EventType> = RunEvent<T>

export const paused = (run: Run, event: Of<'run_paused'>): Run => {
  const { pauseRequested: _, ...rest } = run
  return {
    ...rest,
    paused: compact({
      kind: event.details.kind,
      reason: event.details.reason,
      at: event.timestamp,
      by: event.principal.id,
      stepNumber: event.stepNumber,
      gate: event.details.gate,
    }) as NonNullable<Run['paused']>,
  }
}

/** Without its pause: the deadlines that stood still move on by its length (rulings 18). */
export const unpaused = (run: Run, at: string): Run => {
  const { paused: pause, ...rest } = run
  if (pause === undefined) return run
  const byMs = Date.parse(at) - Date.parse(pause.at)
  const later = (time: string | undefined): string | undefined =>
    time === undefined ? undefined : new Date(Date.parse(time) + byMs).toISOString()
  return {
    ...rest,
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        gate.state === 'open'
          ? patch(gate, { deadlineAt: later(gate.deadlineAt), remindAt: later(gate.remindAt) })
          : gate,
      ]),
    ),
    steps: run.steps.map((step) =>
      step.state === 'awaiting_input'
        ? patch(step, { deadlineAt: later(step.deadlineAt), dueAt: later(step.dueAt) })
        : step,
    ),
  }
}

export const retried = (run: Run, event: Of<'run_retried'>): Run => {
  const { fromStep, also = [], item, gate, again = [], keeps = [], gates = [], params } = event.details
  const rest = unpaused(event.details.reopens === true ? reopened(run, event) : run, event.timestamp)
  const asked = [...(gate === undefined ? [] : [gate]), ...gates].reduce(
    (now, id) => patchGate(now, id, { state: 'reset', then: undefined, deadlineAt: undefined, remindAt: undefined }),
    rest,
  )
  const from = new Set([...(fromStep === undefined ? [] : [fromStep]), ...also])
  const what = run.paused?.kind === 'unknown' ? 'unknown' : 'failed'
  const ready = {
    ...asked,
    steps: asked.steps.map((step) =>
      from.has(step.number) ? itemsRetried(readyAgain(step, from, gates), what, item) : readyAgain(step, from, gates),
    ),
    facts: {},
  }
  const keep = new Map(keeps.map((number) => [number, { isAsked: number === fromStep }]))
  const done = again.length === 0 ? ready : doneAgain(ready, again, keep)
  return params === undefined
    ? done
    : { ...done, seed: { ...done.seed, params: applyParams(done.seed.params, params) } }
}

/** Open again: what it had been let in for stays, its slot does not. */
const reopened = (run: Run, event: RunEvent): Run => {
  const { outcome: _o, closedAt: _c, away: _a, admitted, ...rest } = run
  return {
    ...rest,
    admitted: { ...(admitted.arrival === true && { arrival: true }) },
    reopened: { at: event.timestamp, by: event.principal.id },
  }
}

/** The step that failed, or of which nobody knows, is to begin; one whose gate is asked again no longer waits there. */
const readyAgain = (step: StepRun, from: ReadonlySet<number>, gates: readonly string[]): StepRun => {
  if (from.has(step.number) && (step.state === 'failed' || step.state === 'unknown'))
    return patch(step, { state: 'pending', failures: 0, then: undefined, retryAt: undefined })
  return step.state === 'awaiting_approval' && gates.length > 0 ? patch(step, { state: 'pending' }) : step
}

/** The step before it began. That it ran once stays, since nobody has undone that. */
export const cleared = (step: StepRun): StepRun => {
  const { number, attempt, visits, undos, ran, state, outputs, endedAt, endedSequence = 0 } = step
  const once =
    state === 'success' && endedAt !== undefined
      ? { at: endedAt, sequence: endedSequence, ...(outputs && { outputs }) }
      : ran
  const kept = { number, attempt, visits, undos, ran: once, ...itemBaseOf(step) }
  return compact({ ...kept, state: 'pending' as const, failures: 0 }) as StepRun
}

/** The steps as they were before they began, but for their attempts; what they had handed on is gone with them. */
const doneAgain = (
  run: Run,
  numbers: readonly number[],
  keeps: ReadonlyMap<number, { readonly isAsked: boolean }>,
): Run => {
  const again = new Set(numbers)
  const steps = run.steps.map((step): StepRun => {
    if (!again.has(step.number)) return step
    const keep = keeps.get(step.number)
    return keep === undefined || step.items === undefined
      ? cleared(step)
      : patch(cleared(step), { itemBase: undefined, items: itemsKept(step.items, keep.isAsked) })
  })
  const before = steps.filter((step) => step.outputs !== undefined)
  before.sort((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? ''))
  return { ...run, steps, outputs: Object.assign({}, ...before.map((step) => step.outputs)) as Run['outputs'] }
}

const UNDER_WAY: readonly StepState[] = ['running', 'awaiting_input']

export const closed = (run: Run, event: RunEvent, outcome: NonNullable<Run['outcome']>): Run => {
  const { ending: _e, paused: _p, pauseRequested: _r, queued: _q, rollback: _w, ...rest } = run
  return {
    ...rest,
    closedAt: event.timestamp,
    outcome: compact(outcome),
    facts: {},
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        gate.state === 'open' || gate.state === 'verifying'
          ? patch(gate, { state: 'closed', deadlineAt: undefined, remindAt: undefined })
          : gate,
      ]),
    ),
    steps: run.steps.map((step) => atEnd(run, step, outcome.state)),
  }
}

/** How far the undo of that item came, nobody knows. */
const undoCutOff = (step: StepRun, item: number): StepRun => {
  const error = 'the run ended while it was under way'
  const runs = step.items?.runs.map((each, at) => (at === item - 1 ? patch(each, { state: 'unknown', error }) : each))
  return patch(step, { state: 'unknown', error, ...(step.items && runs && { items: { ...step.items, runs } }) })
}

/** Whatever was under way is not any more. A command that nobody ended may have run, as when the execution was terminated. */
const atEnd = (run: Run, step: StepRun, state: string): StepRun => {
  const undo = undoWork(run).find((work) => 'step' in work && work.step === step.number)
  if (undo !== undefined && 'item' in undo && undo.item !== undefined) return undoCutOff(step, undo.item)
  if (stepWork(run, step).length > 0 || undo !== undefined)
    return patch(step, { state: 'unknown', error: 'the run ended while it was under way' })
  if (step.state === 'awaiting_approval') return patch(step, { state: 'pending', deadlineAt: undefined })
  return UNDER_WAY.includes(step.state)
    ? patch(step, {
        state: 'skipped',
        reason: `the run was ${state}`,
        cutOff: true,
        deadlineAt: undefined,
        untilAt: undefined,
      })
    : step
}
