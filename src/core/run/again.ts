import { stepRunOf } from './steps.ts'
import type { SopDefinition } from '../definition.ts'
import { coverOf } from './covers.ts'
import type { GateRun, Run } from './run.ts'
import type { StepState } from './state.ts'

// again.ts: what is done again where a person goes back in a run.

/** Numbers of the steps that the step waits for: its `needs`, else the one before it in document order. */
const needsOf = (definition: SopDefinition, index: number): readonly number[] => {
  const previous = definition.steps[index - 1]
  return definition.steps[index]?.needs ?? (previous === undefined ? [] : [previous.number])
}

/** The step and every one that depends on it, directly or through others, in document order. */
export const withDependents = (definition: SopDefinition, number: number): readonly number[] => {
  const found = new Set([number])
  // Needs may point forward, so it goes on until nothing is added.
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const [index, step] of definition.steps.entries()) {
      if (needsOf(definition, index).some((need) => found.has(need))) found.add(step.number)
    }
  }
  return definition.steps.map((step) => step.number).filter((each) => found.has(each))
}

const FINISHED: readonly StepState[] = ['success', 'skipped', 'rolled_back']

/** The gates that were asked and belong to these steps; with one of them, those behind the last step, too. */
export const gatesOf = (run: Run, steps: readonly number[]): readonly string[] => {
  const atEnd = (run.seed.pinned.definition.gates ?? []).filter((gate) => gate.position.at === 'end')
  return Object.values(run.gates)
    .filter(
      (gate) => steps.includes(gate.stepNumber) || (steps.length > 0 && atEnd.some((each) => each.key === gate.id)),
    )
    .map((gate) => gate.id)
}

/**
 * The gates whose answer was about something else than what `changed` would do now, as far as their step is not
 * finished: they are asked again. A gate whose condition was false is looked at again as well.
 */
export const gatesChanged = (run: Run, changed: Run, again: readonly number[]): readonly string[] =>
  Object.values(run.gates)
    .filter(
      (gate) =>
        isOpenStill(run, gate, again) &&
        (gate.covers === undefined || gate.covers !== coverOf(changed, gate.stepNumber)),
    )
    .map((gate) => gate.id)

const isOpenStill = (run: Run, gate: GateRun, again: readonly number[]): boolean => {
  if (gate.stepNumber === 0 || again.includes(gate.stepNumber)) return true
  const state = stepRunOf(run, gate.stepNumber)?.state
  return state !== undefined && !FINISHED.includes(state)
}
