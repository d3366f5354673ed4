import type { Run, StepRun } from './run.ts'

// room.ts: how many executions may be under way at once.

/** Executions of one run at once, unless its SOP says otherwise: items of `for_each` count one each. */
const DEFAULT_MAX_PARALLEL = 100

/** Items of one `for_each` step at once, unless it says otherwise. */
export const DEFAULT_MAX_ITEMS_AT_ONCE = 5

/** Whether one more execution may begin under the `max_parallel` of the SOP. */
export const hasRoom = (run: Run): boolean =>
  underWay(run) < (run.seed.pinned.definition.maxParallel ?? DEFAULT_MAX_PARALLEL)

const underWay = (run: Run): number => run.steps.reduce((count, step) => count + executions(step), 0)

const executions = (step: StepRun): number => {
  switch (step.state) {
    case 'running':
      return step.items === undefined ? 1 : itemsUnderWay(step)
    case 'awaiting_input':
      return 1
    case 'failed':
      // Between two tries it keeps its place.
      return step.then === 'retry' ? 1 : 0
    default:
      return 0
  }
}

/** Items that are running, or stand between two tries. */
const itemsUnderWay = ({ items }: StepRun): number =>
  (items?.runs ?? []).reduce(
    (count, item) =>
      item.state === 'running' || (item.state === 'failed' && item.then === 'retry') ? count + 1 : count,
    0,
  )
