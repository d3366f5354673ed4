import type { RunState, StepState } from '../../core/run/state.ts'
import type { Colours } from '../context.ts'

/** A run's or step's state in the colour of its kind: done, moving, waiting for somebody, gone wrong. */
export const renderState = (colours: Colours, state: RunState | StepState): string => {
  switch (state) {
    case 'completed':
    case 'success':
      return colours.green(state)
    case 'failed':
    case 'unknown':
      return colours.red(state)
    case 'running':
      return colours.cyan(state)
    case 'waiting_approval':
    case 'awaiting_approval':
    case 'awaiting_input':
    case 'paused':
      return colours.yellow(state)
    default:
      return colours.dim(state)
  }
}
