import type { Step } from '../definition.ts'
import type { Run, StepRun } from './run.ts'

// steps.ts: a step of a run has two halves: what its definition says, and how it stands.

/** The step of the run's definition that has this number. */
export const stepOf = (run: Run, number: number | undefined): Step | undefined =>
  run.seed.pinned.definition.steps.find((step) => step.number === number)

/** The step with that number, as it stands. */
export const stepRunOf = (run: Run, number: number | undefined): StepRun | undefined =>
  run.steps.find((step) => step.number === number)
