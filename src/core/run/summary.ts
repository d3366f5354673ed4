import type { RunEvent } from './event.ts'
import { effectiveEvents } from './fork.ts'
import type { ClosedState, RunState } from './state.ts'
import type { RunSummary } from './view.ts'
import {
  currentStepOf,
  cutOff,
  reached,
  begun,
  answered,
  asks,
  ended,
  waiting,
  waitsKept,
  settled,
  stepFailed,
  doneAgain,
} from './summary-steps.ts'
import type { SummaryState } from './summary-state.ts'

// summary.ts: the line of a run in a list, made of its events one by one, without its definition.

/**
 * The summary after the event; the same state where the event is older than it.
 * Total: a record that does not begin with `run_created` gives a line with gaps rather than none.
 */
export const applyToSummary = (state: SummaryState | undefined, event: RunEvent): SummaryState => {
  if (state !== undefined && event.sequence <= state.sequence) return state
  const changed = withInputs(change(state ?? blank(event), event))
  return { ...changed, status: statusOf(changed), currentStep: currentStepOf(changed), sequence: event.sequence }
}

/** The manual steps that wait, as everybody sees them. */
const withInputs = ({ asked, openInputs: _, ...state }: SummaryState): SummaryState => {
  const open = (asked ?? []).filter((step) => state.active.includes(step) && !(state.retrying ?? []).includes(step))
  return open.length === 0 ? state : { ...state, asked: open, openInputs: open.toSorted((a, b) => a - b) }
}

/** The summary of a whole record, also of one that was forked. */
export const summaryOf = (record: readonly RunEvent[]): SummaryState | undefined => {
  const state = effectiveEvents(record).reduce<SummaryState | undefined>(applyToSummary, undefined)
  const last = record.at(-1)?.sequence
  return state === undefined || last === undefined ? state : { ...state, sequence: last }
}

/** The summary that everybody sees. */
export const summaryOfState = (state: SummaryState): RunSummary => {
  const {
    active: _a,
    retrying: _t,
    unsettled: _u,
    settledTo: _s,
    beyond: _b,
    gateSteps: _g,
    waits: _w,
    asked: _i,
    paused: _p,
    pausedAt: _at,
    undo: _r,
    queued: _q,
    verifying: _v,
    outcome: _o,
    ...summary
  } = state
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
  unsettled: [],
  settledTo: 0,
  gateSteps: {},
})

const statusOf = (state: SummaryState): RunState => {
  if (state.outcome !== undefined) return state.outcome
  if (state.paused === true) return 'paused'
  if (state.queued === true && state.openGates.length === 0) return 'pending'
  if (state.active.length > 0 || (state.verifying ?? []).length > 0) return 'running'
  if (state.startedAt === undefined) return state.openGates.length > 0 ? 'waiting_approval' : 'pending'
  return state.openGates.length > 0 ? 'awaiting_approval' : 'running'
}

const created = (state: SummaryState, event: RunEvent<'run_created'>): SummaryState => ({
  ...state,
  sopName: event.details.sop,
  version: event.details.version,
  digest: event.details.digest,
  priority: event.details.priority as RunSummary['priority'],
  mode: event.details.effectiveMode as RunSummary['mode'],
  totalSteps: event.details.totalSteps ?? state.totalSteps,
  createdAt: event.timestamp,
  startedBy: event.principal.id,
  trigger: event.details.trigger.type,
  ...(event.details.parallel === true && { beyond: [] }),
})

const withoutReason = ({ reason: _, queued: _q, ...state }: SummaryState): SummaryState => state

const reopened = (state: SummaryState): SummaryState => {
  const { paused: _p, pausedAt: _a, outcome: _o, completedAt: _c, ...rest } = withoutReason(state)
  return rest
}

const closed = (state: SummaryState, event: RunEvent, outcome: ClosedState, reason?: string): SummaryState => {
  const {
    paused: _,
    pausedAt: _a,
    undo: _u,
    verifying: _v,
    retrying: _t,
    ...rest
  } = withoutReason(waitsKept(cutOff(state).reduce(settled, state), () => false))
  return {
    ...rest,
    // Numbers may have gaps; of a completed run nothing is left.
    ...(outcome === 'completed' &&
      rest.beyond !== undefined && { settledTo: rest.totalSteps, unsettled: [], beyond: [] }),
    outcome,
    completedAt: event.timestamp,
    openGates: [],
    gateSteps: {},
    active: [],
    ...(reason === undefined ? {} : { reason }),
  }
}

const gateOpened = (state: SummaryState, gate: string, step: number): SummaryState => ({
  ...reached(state, step),
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
const skipped = (state: SummaryState, event: RunEvent<'step_skipped'>): SummaryState => {
  // Rows from before the upgrade do not say where the run is paused.
  const freed = (state.pausedAt ?? event.stepNumber) === event.stepNumber ? reopened(state) : state
  if (event.details.item !== undefined) return freed
  const done = settled(ended(freed, event.stepNumber), event.stepNumber)
  return gatesClosed(done, (gate) => done.gateSteps[gate] === event.stepNumber)
}

/** What happens to one item matters for the step as a whole only where the run walks back for it. */
const ofItem = (state: SummaryState, event: RunEvent): SummaryState =>
  event.eventType === 'step_failed' && event.details.then === 'rollback'
    ? walksBack(state, `item ${event.details.item} of step ${event.stepNumber} failed: ${event.details.error}`)
    : state

/** Events that say something of the run though they name an item. */
const OF_STEP: readonly RunEvent['eventType'][] = [
  'step_skipped',
  'run_retried',
  'run_resumed',
  'input_received',
  'rollback_failed',
]

/** Events of one item say nothing of the step as a whole. */
const isOfItem = ({ details, eventType }: RunEvent): boolean => !OF_STEP.includes(eventType) && 'item' in details

const verifying = (state: SummaryState, gate: string | undefined, isRunning: boolean): SummaryState => {
  if (state.beyond === undefined || gate === undefined) return state
  const others = (state.verifying ?? []).filter((id) => id !== gate)
  return { ...state, verifying: isRunning ? [...others, gate] : others }
}

/** The run walks back: no gate is open any more, and a pause is over. */
const walksBack = (state: SummaryState, reason: string): SummaryState => {
  const { paused: _, pausedAt: _a, ...rest } = gatesClosed(state, () => true)
  return { ...rest, reason: `is rolled back: ${reason}` }
}

/** The walk is past the step. */
const undone = ({ undo = [], ...state }: SummaryState): SummaryState => ({ ...state, undo: undo.slice(1) })

const passesStep = ({ leaves, item, passes }: RunEvent<'run_resumed'>['details']): boolean =>
  leaves !== undefined && (item === undefined || passes === true)

const retried = (state: SummaryState, { details }: RunEvent<'run_retried'>): SummaryState => {
  const { again = [], gates = [] } = details
  const rest = reopened(gatesClosed(state, (gate) => gates.includes(gate)))
  if (again.length === 0) return rest
  if (rest.beyond !== undefined) {
    return { ...doneAgain(rest, again), active: rest.active.filter((step) => !again.includes(step)) }
  }
  return {
    ...rest,
    active: rest.active.filter((step) => !again.includes(step)),
    unsettled: rest.unsettled.filter((step) => !again.includes(step)),
    settledTo: Math.min(rest.settledTo, Math.min(...again) - 1),
  }
}

const change = (state: SummaryState, event: RunEvent): SummaryState => {
  if (isOfItem(event)) return ofItem(state, event)
  switch (event.eventType) {
    case 'run_created':
      return created(state, event)
    case 'run_queued':
      return { ...state, queued: true, reason: event.details.reason }
    case 'run_refused':
      return { ...state, reason: event.details.reason }
    case 'run_admitted':
      return withoutReason(state)
    case 'run_started':
      return { ...withoutReason(state), startedAt: event.timestamp, totalSteps: event.details.totalSteps }
    case 'approval_requested':
      return gateOpened(state, event.details.gate, event.stepNumber ?? 0)
    case 'approval_rejected':
      return event.details.action === 'rollback'
        ? walksBack(state, `gate "${event.details.gate}" was rejected`)
        : gateClosed(state, event.details.gate)
    case 'approval_granted':
    case 'gate_skipped':
      return gateClosed(state, event.details.gate)
    case 'approval_timeout':
      if (event.details.then === 'rollback') return walksBack(state, `gate "${event.details.gate}" was rejected`)
      return event.details.action === 'escalate' ? state : gateClosed(state, event.details.gate)
    case 'step_waiting':
      return waiting(state, {
        ...state.waits,
        [event.details.workId]: { step: event.stepNumber ?? 0, pool: event.details.pool },
      })
    case 'step_taken':
      return waitsKept(state, (workId) => workId !== event.details.workId)
    case 'input_requested':
      return asks(begun(state, event.stepNumber), event.stepNumber)
    case 'step_started':
      return begun(state, event.stepNumber)
    case 'step_completed':
      return settled(ended(state, event.stepNumber), event.stepNumber)
    case 'rollback_started':
      return { ...state, undo: event.details.steps }
    case 'rollback_failed':
      return waitsKept(state, (_, wait) => wait.step !== event.stepNumber)
    case 'step_rolled_back':
      return undone(settled(ended(state, event.stepNumber), event.stepNumber))
    case 'step_failed':
      return event.details.then === 'rollback'
        ? walksBack(stepFailed(state, event), event.details.error)
        : stepFailed(state, event)
    case 'verification_started':
      return verifying(
        waitsKept(
          // Of a step that was unknown, a person said that it ran: it is under way once more until that is checked.
          event.details.gate === undefined ? answered(begun(state, event.stepNumber), event.stepNumber) : state,
          (_, wait) => wait.step !== event.stepNumber,
        ),
        event.details.gate,
        true,
      )
    case 'step_unknown':
      return ended(state, event.stepNumber)
    case 'cancel_requested':
      return event.details.rollback === true
        ? walksBack(state, event.details.reason)
        : { ...state, reason: event.details.reason, ...(state.undo && { undo: state.undo.slice(0, 1) }) }
    case 'run_timeout':
      return event.details.then === 'rollback'
        ? walksBack(state, event.details.reason)
        : { ...state, reason: event.details.reason }
    case 'step_skipped':
      return skipped(state, event)
    case 'verification_passed':
    case 'verification_failed':
      return verifying(state, event.details.gate, false)
    case 'run_paused':
      return { ...state, paused: true, pausedAt: event.stepNumber ?? 0, reason: event.details.reason }
    case 'run_resumed':
      return passesStep(event.details) ? undone(reopened(state)) : reopened(state)
    case 'run_retried':
      return retried(state, event)
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
