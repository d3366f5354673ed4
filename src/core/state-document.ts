import type { Json } from './definition.ts'
import { isOfItem } from './run-document.ts'
import type { RunEvent } from './run/event.ts'
import { applyToSummary } from './run/summary.ts'
import type { SummaryState } from './run/summary-state.ts'

// state-document.ts: the state file of seed 004 (`STATE_DIR/<run-id>.json`), kept by events one by one.

/** The state file of seed 004, with exactly its keys. */
export interface StateDocument {
  readonly run_id: string
  readonly sop_name: string
  /** One of our eight run states (rulings 34). */
  readonly status: string
  /** Step that the run stands at, or stood at last; 0 before the first. */
  readonly current_step: number
  readonly started_at: string
  readonly payload: Json
  readonly history: readonly StateEntry[]
}

export interface StateEntry {
  readonly step: number
  readonly status: 'completed' | 'failed' | 'skipped' | 'pending_approval'
  readonly output: string
  readonly timestamp: string
}

/** Characters of a step's output in the state file: it is rewritten whole with every event. */
export const STATE_FILE_OUTPUT_CHARS = 4096

export interface StateFold {
  readonly summary: SummaryState
  readonly payload: Json
  /** By step; the start gate is step 0. */
  readonly history: ReadonlyMap<number, StateEntry>
  /** The step of the last event that had one. */
  readonly lastStep: number
}

/** The fold after the event; the same where the event is older than it. */
export const applyToState = (fold: StateFold | undefined, event: RunEvent): StateFold => {
  if (fold !== undefined && event.sequence <= fold.summary.sequence) return fold
  const before = fold ?? { payload: null, history: new Map<number, StateEntry>(), lastStep: 0 }
  return {
    summary: applyToSummary(fold?.summary, event),
    payload: event.eventType === 'run_created' ? payloadOf(event) : before.payload,
    history: historyAfter(before.history, event),
    lastStep: event.stepNumber ?? before.lastStep,
  }
}

export const stateDocument = ({ summary, payload, history, lastStep }: StateFold): StateDocument => ({
  run_id: summary.runId,
  sop_name: summary.sopName,
  status: summary.status,
  current_step: summary.currentStep ?? lastStep,
  started_at: summary.createdAt,
  payload,
  history: [...history.values()],
})

const payloadOf = ({ details }: RunEvent<'run_created'>): Json => details.trigger.payload ?? { ...details.params }

/** Map keeps the order of first insertion; an entry that comes again moves to the end, as a history does. */
const historyAfter = (history: ReadonlyMap<number, StateEntry>, event: RunEvent): ReadonlyMap<number, StateEntry> => {
  if (isOfItem(event)) return history
  const next = new Map(history)
  const step = event.stepNumber ?? 0
  const put = (status: StateEntry['status'], output: string): ReadonlyMap<number, StateEntry> => {
    next.delete(step)
    return next.set(step, { step, status, output: tail(output), timestamp: event.timestamp })
  }
  const settle = (): ReadonlyMap<number, StateEntry> => {
    if (next.get(step)?.status === 'pending_approval') next.delete(step)
    return next
  }
  switch (event.eventType) {
    case 'approval_requested':
      return put('pending_approval', event.details.title)
    case 'approval_granted':
    case 'gate_skipped':
      return settle()
    case 'approval_timeout':
      return event.details.action === 'escalate'
        ? history
        : event.details.action === 'approve'
          ? settle()
          : put('failed', 'no decision in time')
    case 'approval_rejected':
      return put('failed', `rejected by ${event.principal.id}${said(event.details.comment)}`)
    case 'step_started':
      next.delete(step)
      return next
    case 'step_completed':
      return put('completed', event.details.output ?? event.details.comment ?? '')
    case 'step_failed':
      return put('failed', event.details.output || event.details.error)
    case 'step_unknown':
      return put('failed', event.details.error)
    case 'step_skipped':
      return put('skipped', event.details.reason)
    case 'step_rolled_back':
      return put('skipped', 'rolled back')
    default:
      return history
  }
}

const said = (comment: string | undefined): string => (comment === undefined || comment === '' ? '' : `: ${comment}`)

/** Never begins inside a surrogate pair. */
const tail = (text: string): string =>
  text.length <= STATE_FILE_OUTPUT_CHARS ? text : text.slice(-STATE_FILE_OUTPUT_CHARS).replace(/^[\uDC00-\uDFFF]/, '')
