/** The eight run states of product.md 2, with these names on every surface. */
export const RUN_STATES = [
  'pending',
  'waiting_approval',
  'running',
  'awaiting_approval',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const
export type RunState = (typeof RUN_STATES)[number]

export const CLOSED_STATES = ['completed', 'failed', 'cancelled'] as const satisfies readonly RunState[]
export type ClosedState = (typeof CLOSED_STATES)[number]

export const isClosed = (state: RunState): state is ClosedState => (CLOSED_STATES as readonly string[]).includes(state)

export const STEP_STATES = [
  'pending',
  'awaiting_approval',
  'running',
  'awaiting_input',
  'success',
  'failed',
  'skipped',
  'unknown',
  'rolled_back',
] as const
export type StepState = (typeof STEP_STATES)[number]
