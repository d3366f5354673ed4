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
  /** How many changes there were so far: where a reader of `changedAfter` goes on from. */
  readonly changes: number
  /** Runs that changed after so many changes, each once, in the order of their last change. */
  changedAfter(changes: number): readonly SummaryState[]
}

/** An empty list. */
export const createRunList = (): RunList => {
  let changes = 0
  /** One entry for each change, and at times thinned out to the last one of each run. */
  let changed: { readonly at: number; readonly runId: string }[] = []
  const thinOut = (): void => {
    const last = new Map(changed.map((each) => [each.runId, each]))
    changed = [...last.values()].sort((a, b) => a.at - b.at)
  }
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
      changed.push({ at: ++changes, runId })
      if (changed.length > 2 * byId.size + 1000) thinOut()
    },
    get changes() {
      return changes
    },
    changedAfter: (wanted) => {
      let from = changed.length
      while (from > 0 && (changed[from - 1] as { at: number }).at > wanted) from--
      const ids = [
        ...new Set(
          changed
            .slice(from)
            .map(({ runId }) => runId)
            .reverse(),
        ),
      ].reverse()
      return ids.map((runId) => byId.get(runId) as SummaryState)
    },
    *values() {
      for (let i = order.length - 1; i >= 0; i--) yield byId.get((order[i] as { runId: string }).runId) as SummaryState
    },
  }
}

/** Most runs that are listed unless more are asked for. */
export const RUN_LIST_DEFAULT = 50

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
  { sop, states, limit = RUN_LIST_DEFAULT }: RunSelection,
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

/** Most runs that a reader is given who has to begin anew. */
export const RUN_LIST_RESET = 1000

/** What changed in a list, for a reader who keeps a cursor. */
export interface RunChanges {
  /** Each run once, as it is now, in the order of the last changes. */
  readonly runs: readonly RunSummary[]
  /** Where to go on from. Nothing but the store that gave it can read it. */
  readonly cursor: string
  /** The cursor was of another list (an engine of before): `runs` are the newest ones instead, oldest first. */
  readonly reset?: true
}

/**
 * The runs that changed since the cursor; without one none, and where to begin. `epoch` tells this list from another
 * one, whose cursors mean nothing here.
 */
export const changesSince = (list: RunList, epoch: string, cursor: string | undefined): RunChanges => {
  const now = `${epoch}-${list.changes}`
  if (cursor === undefined) return { runs: [], cursor: now }
  const at = cursor.startsWith(`${epoch}-`) ? Number(cursor.slice(epoch.length + 1)) : Number.NaN
  if (Number.isInteger(at) && at >= 0 && at <= list.changes) {
    return { runs: list.changedAfter(at).map(summaryOfState), cursor: now }
  }
  return { runs: [...selectRuns(list, { limit: RUN_LIST_RESET })].reverse(), cursor: now, reset: true }
}
