import type { RunState, StepState } from '../../core/run/state.ts'

/** What a state looks like: never by colour alone, its name stands there. */
const TONES: Readonly<Record<RunState | StepState, string>> = {
  pending: 'quiet',
  waiting_approval: 'wait',
  awaiting_approval: 'wait',
  awaiting_input: 'wait',
  running: 'active',
  paused: 'warn',
  unknown: 'warn',
  completed: 'good',
  success: 'good',
  failed: 'bad',
  cancelled: 'quiet',
  skipped: 'quiet',
  rolled_back: 'quiet',
}

/** The state of a run or a step. */
export function StateBadge({ state }: { readonly state: RunState | StepState }) {
  return <span className={`badge badge-${TONES[state]}`}>{state.replaceAll('_', ' ')}</span>
}
