import type { EventType, RunEvent } from './event.ts'
import type { ClosedState, RunState } from './state.ts'
import type { RunSummary } from './view.ts'

// summary.ts: the line of a run in a list, made of its events one by one, without its definition.

/** A summary and what the next event needs to know besides. */
export interface SummaryState extends RunSummary {
  /** Numbers of the steps that are under way or wait for a person. */
  readonly active: readonly number[]
  /** Numbers of the steps that the open gates stand at. */
  readonly gateSteps: Readonly<Record<string, number>>
  readonly paused?: true
  readonly outcome?: ClosedState
}

/**
 * The summary after the event; the same state where the event is older than it.
 * Total: a record that does not begin with `run_created` gives a line with gaps rather than none.
 */
export const applyToSummary = (state: SummaryState | undefined, event: RunEvent): SummaryState => {
  if (state !== undefined && event.sequence <= state.sequence) return state
  const changed = change(state ?? blank(event), event)
  return { ...changed, status: statusOf(changed), sequence: event.sequence }
}

/** The summary that everybody sees. */
export const summaryOfState = (state: SummaryState): RunSummary => {
  const { active: _a, gateSteps: _g, paused: _p, outcome: _o, ...summary } = state
  return summary
}

const blank = (event: RunEvent): SummaryState => ({
  runId: event.runId,
  sopName: '',
  version: '',
  status: 'pending',
  priority: 'normal',
  mode: 'supervised',
  currentStep: null,
  totalSteps: 0,
  createdAt: event.timestamp,
  startedBy: event.principal.id,
  trigger: 'manual',
  openGates: [],
  sequence: 0,
  active: [],
  gateSteps: {},
})

const statusOf = (state: SummaryState): RunState => {
  if (state.outcome !== undefined) return state.outcome
  if (state.paused === true) return 'paused'
  if (state.active.length > 0) return 'running'
  if (state.openGates.includes('start')) return 'waiting_approval'
  if (state.openGates.length > 0) return 'awaiting_approval'
  return state.startedAt === undefined ? 'pending' : 'running'
}

type Of<T extends EventType> = RunEvent<T>

const created = (state: SummaryState, event: Of<'run_created'>): SummaryState => ({
  ...state,
  sopName: event.details.sop,
  version: event.details.version,
  priority: event.details.priority as RunSummary['priority'],
  mode: event.details.effectiveMode as RunSummary['mode'],
  createdAt: event.timestamp,
  startedBy: event.principal.id,
  trigger: event.details.trigger.type,
})

const withoutReason = ({ reason: _, ...state }: SummaryState): SummaryState => state

const reopened = (state: SummaryState): SummaryState => {
  const { paused: _p, outcome: _o, completedAt: _c, ...rest } = withoutReason(state)
  return rest
}

const closed = (state: SummaryState, event: RunEvent, outcome: ClosedState, reason?: string): SummaryState => {
  const { paused: _, ...rest } = withoutReason(state)
  return {
    ...rest,
    outcome,
    completedAt: event.timestamp,
    openGates: [],
    gateSteps: {},
    active: [],
    ...(outcome === 'completed' ? { currentStep: null } : {}),
    ...(reason === undefined ? {} : { reason }),
  }
}

const at = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined || step === 0 ? state : { ...state, currentStep: step }

const begun = (state: SummaryState, step: number | undefined): SummaryState =>
  step === undefined
    ? state
    : { ...at(state, step), active: [...state.active.filter((other) => other !== step), step].sort((a, b) => a - b) }

const ended = (state: SummaryState, step: number | undefined): SummaryState => ({
  ...state,
  active: state.active.filter((other) => other !== step),
})

const gateOpened = (state: SummaryState, gate: string, step: number): SummaryState => ({
  ...at(state, step),
  openGates: [...state.openGates.filter((id) => id !== gate), gate],
  gateSteps: { ...state.gateSteps, [gate]: step },
})

const gatesClosed = (state: SummaryState, isClosing: (gate: string) => boolean): SummaryState => ({
  ...state,
  openGates: state.openGates.filter((gate) => !isClosing(gate)),
  gateSteps: Object.fromEntries(Object.entries(state.gateSteps).filter(([gate]) => !isClosing(gate))),
})

const gateClosed = (state: SummaryState, gate: string): SummaryState => gatesClosed(state, (id) => id === gate)

/** A skip also closes the gate of its step and frees the run that was paused there. */
const skipped = (state: SummaryState, event: Of<'step_skipped'>): SummaryState => {
  const { paused: _, ...rest } = withoutReason(ended(state, event.stepNumber))
  return gatesClosed(rest, (gate) => rest.gateSteps[gate] === event.stepNumber)
}

const change = (state: SummaryState, event: RunEvent): SummaryState => {
  switch (event.eventType) {
    case 'run_created':
      return created(state, event)
    case 'run_queued':
    case 'run_refused':
      return { ...state, reason: event.details.reason }
    case 'run_admitted':
      return withoutReason(state)
    case 'run_started':
      return { ...withoutReason(state), startedAt: event.timestamp, totalSteps: event.details.totalSteps }
    case 'approval_requested':
      return gateOpened(state, event.details.gate, event.stepNumber ?? 0)
    case 'approval_granted':
    case 'approval_rejected':
    case 'gate_skipped':
      return gateClosed(state, event.details.gate)
    case 'approval_timeout':
      return event.details.action === 'escalate' ? state : gateClosed(state, event.details.gate)
    case 'step_started':
    case 'input_requested':
      return begun(state, event.stepNumber)
    case 'step_completed':
    case 'step_failed':
    case 'step_unknown':
      return ended(state, event.stepNumber)
    case 'step_skipped':
      return skipped(state, event)
    case 'run_paused':
      return { ...state, paused: true, reason: event.details.reason }
    case 'run_resumed':
    case 'run_retried':
      return reopened(state)
    case 'run_completed':
      return closed(state, event, 'completed')
    case 'run_failed':
      return closed(state, event, 'failed', event.details.reason)
    case 'run_cancelled':
      return closed(state, event, 'cancelled', event.details.reason)
    default:
      return state
  }
}
