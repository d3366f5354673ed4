import { type SummaryState, summaryOfState } from './summary.ts'
import type { RunSummary } from './view.ts'

// run-list.ts: summaries of many runs, in the order in which lists show them.

/** Summaries by id, and in the order of lists: newest first. */
export interface RunList {
  readonly size: number
  get(runId: string): SummaryState | undefined
  put(state: SummaryState): void
  /** Newest first. */
  values(): Iterable<SummaryState>
}

/** An empty list. */
export const createRunList = (): RunList => {
  const byId = new Map<string, SummaryState>()
  /** Oldest first, so that a new run is put at the end as a rule. */
  const order: { readonly runId: string; readonly createdAt: string }[] = []
  const isBefore = (a: { createdAt: string; runId: string }, b: { createdAt: string; runId: string }): boolean =>
    a.createdAt === b.createdAt ? a.runId < b.runId : a.createdAt < b.createdAt
  return {
    get size() {
      return byId.size
    },
    get: (runId) => byId.get(runId),
    put: (state) => {
      const { runId, createdAt } = state
      if (!byId.has(runId)) {
        let at = order.length
        while (at > 0 && isBefore(state, order[at - 1] as SummaryState)) at--
        order.splice(at, 0, { runId, createdAt })
      }
      byId.set(runId, state)
    },
    *values() {
      for (let i = order.length - 1; i >= 0; i--) yield byId.get((order[i] as { runId: string }).runId) as SummaryState
    },
  }
}

const DEFAULT_LIMIT = 50

export interface RunSelection {
  readonly sop?: string
  readonly states?: readonly string[]
  /** Default 50. */
  readonly limit?: number
}

/** The summary of one run, as everybody sees it. */
export const findRun = (list: RunList, runId: string): RunSummary | undefined => {
  const state = list.get(runId)
  return state === undefined ? undefined : summaryOfState(state)
}

/** The runs that fit, newest first. No states means every state. */
export const selectRuns = (
  list: RunList,
  { sop, states, limit = DEFAULT_LIMIT }: RunSelection,
): readonly RunSummary[] => {
  const found: RunSummary[] = []
  for (const state of list.values()) {
    if (found.length >= limit) break
    if (sop !== undefined && state.sopName !== sop) continue
    if (states !== undefined && states.length > 0 && !states.includes(state.status)) continue
    found.push(summaryOfState(state))
  }
  return found
}
