import type { Json, SopDefinition } from '../definition.ts'
import { isClosed } from '../run/state.ts'
import type { RunSummary, RunView } from '../run/view.ts'
import type { Occurrence } from './occurrence.ts'

// run-end.ts: the end of a run as something that begins others.

/** Ends that led to one another before a run is not begun any more: circles through edits, and through sub-SOPs. */
export const MAX_CHAIN = 20

/**
 * What tells one end of a run from another: a run that is retried after its end ends again. The event's instant is in the
 * record, so it is the same whoever looks, and whenever.
 */
export const endKey = ({ runId, completedAt = '' }: Pick<RunSummary, 'runId' | 'completedAt'>): string =>
  `${runId}@${completedAt}`

/** Whether the run has ended, as far as the list of runs knows. */
export const hasEnded = ({ status, completedAt }: Pick<RunSummary, 'status' | 'completedAt'>): boolean =>
  isClosed(status) && completedAt !== undefined

/** The SOPs whose ends led to this run, the first one first, itself the last. */
export const chainOf = ({ sopName, trigger }: Pick<RunView, 'sopName' | 'trigger'>): readonly string[] => {
  const { payload } = trigger
  const before = isTable(payload) ? payload['chain'] : undefined
  const names = trigger.type === 'sop' && Array.isArray(before) ? (before as readonly Json[]) : []
  return [...names.filter((name) => typeof name === 'string').slice(-MAX_CHAIN), sopName]
}

const isTable = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Why a run of this SOP is not begun by the end; undefined where it is. */
export const barredByChain = (sop: SopDefinition['name'], chain: readonly string[]): string | undefined => {
  if (chain.includes(sop)) {
    return `Cannot start SOP "${sop}": SOPs would start each other without end (${[...chain, sop].join(' starts ')})`
  }
  return chain.length > MAX_CHAIN
    ? `Cannot start SOP "${sop}": ${chain.length} ends of runs led to it, and at most ${MAX_CHAIN} may`
    : undefined
}

/** The occurrence that the end of this run is. */
export const occurrenceOfEnd = (view: RunView, at: string): Occurrence => {
  const { runId, sopName, status, completedAt = '', startedAt, reason, params, outputs } = view
  return {
    source: 'sop',
    subject: sopName,
    action: status,
    at,
    payload: {
      run_id: runId,
      sop: sopName,
      status,
      ...(startedAt !== undefined && { started_at: startedAt }),
      completed_at: completedAt,
      ...(reason !== undefined && { reason }),
      params,
      outputs,
      chain: chainOf(view),
    },
    key: endKey(view),
    principal: { id: `sop:${sopName}`, kind: 'service' },
  }
}
