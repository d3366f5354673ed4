import type { Step } from '../definition.ts'
import type { Work } from './effect.ts'
import type { Run, StepRun } from './run.ts'

// rollback.ts: the walk back through the finished steps of a run (product.md 4 "Failure").
//
// A step is undone by its `rollback` commands if its own commands ran to their end: it succeeded, or only its verification
// failed; also once it is done again, until it is undone. One that failed or was cut off in its midst is not undone. The walk stands still, and asks a person, at a step
// that is a point of no return, at one of which nobody knows whether it ran, and at an undo that failed.

const stepOf = (run: Run, number: number): Step | undefined =>
  run.seed.pinned.definition.steps.find((step) => step.number === number)

export const hasUndo = (step: Step | undefined): boolean => (step?.rollback ?? []).length > 0

/** Whether the step did its work, and nobody has undone it. */
const isFinished = (state: StepRun): boolean => state.state === 'success' || state.ran !== undefined

/** Numbers of the steps that the walk comes by, the one that finished last first. */
export const walkOf = (run: Run): readonly number[] => {
  const found = run.steps.flatMap((state, index) => {
    const step = stepOf(run, state.number)
    const isOnTheWay =
      (isFinished(state) && (hasUndo(step) || step?.pointOfNoReturn === true)) ||
      (state.state === 'unknown' && hasUndo(step))
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

/** Why the walk asks a person before it goes past the step; `undefined` where it may, or where somebody said so. */
export const stopReason = (run: Run, number: number): string | undefined => {
  const { rollback } = run
  const step = stepOf(run, number)
  const name = `step ${number} "${step?.title ?? ''}"`
  if (rollback?.failed !== undefined) return `the undo of ${name} failed: ${rollback.failed}`
  if (rollback?.allowed === number) return undefined
  if (run.steps.some((state) => state.number === number && state.state === 'unknown'))
    return `nobody knows whether ${name} ran, so nobody knows whether to undo it`
  return step?.pointOfNoReturn === true ? `${name} is a point of no return` : undefined
}

/** The undo that is under way; none while the walk stands still. */
export const undoWork = (run: Run): readonly Work[] => {
  const number = run.rollback?.steps?.[0]
  if (number === undefined || run.paused !== undefined || stopReason(run, number) !== undefined) return []
  const attempt = (run.steps.find((state) => state.number === number)?.undos ?? 0) + 1
  return [{ id: `rollback:${number}#${attempt}`, kind: 'rollback', step: number, attempt }]
}
