import { stepOf, stepRunOf } from './steps.ts'
import type { Step } from '../definition.ts'
import type { Work } from './effect.ts'
import { executionName, type ItemRun, itemWords } from './items.ts'
import type { Run, StepRun } from './run.ts'
import type { StepView } from './view.ts'

// rollback.ts: the walk back through the finished steps of a run (product.md 4 "Failure").
//
// A step is undone by its `rollback` commands if its own commands ran to their end: it succeeded, or only its verification
// failed; also once it is done again, until it is undone. One that failed or was cut off in its midst is not undone. The walk stands still, and asks a person, at a step
// that is a point of no return, at one of which nobody knows whether it ran, and at an undo that failed. Of a `for_each`
// step each item is undone by itself, the last one first.

export const hasUndo = (step: Step | undefined): boolean => (step?.rollback ?? []).length > 0

/** Whether the step did its work, and nobody has undone it. */
const isFinished = (state: StepRun): boolean => state.state === 'success' || state.ran !== undefined

const hasToUndo = ({ state, ran, isLeft }: ItemRun): boolean =>
  isLeft !== true && (state === 'success' || state === 'unknown' || (ran !== undefined && state !== 'rolled_back'))

/** The item of a `for_each` step that is undone next, from 1; none where it has no items left to undo. */
const itemToUndo = ({ items }: StepRun): number | undefined => {
  const index = items?.runs.findLastIndex(hasToUndo) ?? -1
  return index < 0 ? undefined : index + 1
}

const isItemUnknown = (state: StepRun, item: number | undefined): boolean =>
  item !== undefined && state.items?.runs[item - 1]?.state === 'unknown'

/** It was done for items that the run has no more, since it came by again: nobody can say for what to run their undo. */
const hasEarlierItems = (step: Step | undefined, state: StepRun | undefined): boolean =>
  step?.forEach !== undefined && state?.ran !== undefined

/** Numbers of the steps that the walk comes by, the one that finished last first. */
export const walkOf = (run: Run): readonly number[] => {
  const found = run.steps.flatMap((state, index) => {
    const step = stepOf(run, state.number)
    const isToUndo =
      step?.forEach === undefined ? isFinished(state) : itemToUndo(state) !== undefined || hasEarlierItems(step, state)
    const isOnTheWay =
      (hasUndo(step) && (isToUndo || state.state === 'unknown')) ||
      (isFinished(state) && step?.pointOfNoReturn === true)
    return isOnTheWay ? [{ state, index }] : []
  })
  return found
    .sort(
      (a, b) =>
        endOf(b.state).at.localeCompare(endOf(a.state).at) ||
        endOf(b.state).sequence - endOf(a.state).sequence ||
        b.index - a.index,
    )
    .map(({ state }) => state.number)
}

const endOf = ({ state, endedAt = '', endedSequence = 0, ran }: StepRun): NonNullable<StepRun['ran']> =>
  state === 'success' || ran === undefined ? { at: endedAt, sequence: endedSequence } : ran

/** Finished steps of a view in the order in which a walk back comes by them: the one that finished last first. */
export const finishedLastFirst = (steps: readonly StepView[]): readonly StepView[] =>
  steps
    .filter(({ status }) => status === 'success')
    .toReversed()
    .toSorted((a, b) => (b.completedAt ?? '').localeCompare(a.completedAt ?? ''))

/** Why the walk asks a person before it goes past the step; `undefined` where it may, or where somebody said so. */
export const stopReason = (run: Run, number: number): string | undefined => {
  const { rollback } = run
  const step = stepOf(run, number)
  const state = stepRunOf(run, number)
  const item = state && itemToUndo(state)
  const name = `step ${number} "${step?.title ?? ''}"`
  const what = hasUndo(step) ? `${itemWords(state, item)}${name}` : name
  if (rollback?.failed !== undefined) return `the undo of ${what} failed: ${rollback.failed}`
  if (state !== undefined && isItemUnknown(state, item) && rollback?.allowedItem !== item)
    return `nobody knows whether ${what} ran, so nobody knows whether to undo it`
  if (rollback?.allowed === number) return undefined
  if (state?.state === 'unknown' && state.items === undefined)
    return `nobody knows whether ${name} ran, so nobody knows whether to undo it`
  if (step?.pointOfNoReturn === true) return `${name} is a point of no return`
  return hasEarlierItems(step, state)
    ? `${name} was done before for items that the run no longer knows, since it came back to it: undo those by hand`
    : undefined
}

/** The item that the walk stands still for; `undefined` where it is the step as a whole. */
export const stoppedItem = (run: Run, number: number): number | undefined => {
  const state = stepRunOf(run, number)
  const item = state && itemToUndo(state)
  return state !== undefined && (run.rollback?.failed !== undefined || isItemUnknown(state, item)) ? item : undefined
}

/** Whether nothing of the step is undone once that item is left as it is, and nothing is left to undo. */
export const isAllLeft = (run: Run, number: number, item: number): boolean =>
  stepRunOf(run, number)?.items?.runs.every(
    (each, index) => each.state !== 'rolled_back' && (index === item - 1 || !hasToUndo(each)),
  ) === true

/** Every item of the step that the walk is at is undone, or left as it is. */
export const areItemsUndone = (run: Run, number: number): boolean => {
  const step = stepOf(run, number)
  const state = stepRunOf(run, number)
  return step?.forEach !== undefined && hasUndo(step) && state !== undefined && itemToUndo(state) === undefined
}

/** The undo that is under way; none while the walk stands still. */
export const undoWork = (run: Run): readonly Work[] => {
  const number = run.rollback?.steps?.[0]
  if (number === undefined || run.paused !== undefined || stopReason(run, number) !== undefined) return []
  const state = stepRunOf(run, number)
  if (state !== undefined && stepOf(run, number)?.forEach !== undefined) return itemUndo(state)
  const attempt = (state?.undos ?? 0) + 1
  return [{ id: `rollback:${number}#${attempt}`, kind: 'rollback', step: number, attempt }]
}

const itemUndo = (state: StepRun): readonly Work[] => {
  const item = itemToUndo(state)
  if (item === undefined) return []
  const attempt = (state.items?.runs[item - 1]?.undos ?? 0) + 1
  const id = `rollback:${executionName(state.number, item)}#${attempt}`
  return [{ id, kind: 'rollback', step: state.number, attempt, item }]
}
