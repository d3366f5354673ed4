import {
  pageOf,
  parseRunCursor,
  RUN_COUNT_MOST,
  type RunPage,
  type RunPlace,
  type RunSelection,
  runMatcher,
  totalOf,
} from './run-filter.ts'
import { summaryOfState } from './summary.ts'
import type { SummaryState } from './summary-state.ts'
import type { RunSummary } from './view.ts'

// run-list.ts: summaries of many runs, in the order in which lists show them.

/** Summaries by id, and in the order of lists: newest first. */
export interface RunList {
  readonly size: number
  get(runId: string): SummaryState | undefined
  put(state: SummaryState): void
  remove(runId: string): void
  /** Newest first. */
  values(): Iterable<SummaryState>
  /** How many changes there were so far: where a reader of `changedAfter` goes on from. */
  readonly changes: number
  /** Runs that changed after so many changes, each once, in the order of their last change. */
  changedAfter(changes: number): readonly SummaryState[]
}

const isBefore = (a: RunPlace, b: RunPlace): boolean =>
  a.createdAt === b.createdAt ? a.runId < b.runId : a.createdAt < b.createdAt

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
  const order: RunPlace[] = []
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
    remove: (runId) => {
      const state = byId.get(runId)
      if (state === undefined) return
      byId.delete(runId)
      const at = order.findIndex((place) => place.runId === runId)
      if (at >= 0) order.splice(at, 1)
      changed = changed.filter((each) => each.runId !== runId)
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
/** Most runs that one page of a list has. */
export const RUN_LIST_MOST = 1000

/** The summary of one run, as everybody sees it. */
export const findRun = (list: RunList, runId: string): RunSummary | undefined => {
  const state = list.get(runId)
  return state === undefined ? undefined : summaryOfState(state)
}

/** The runs that fit, newest first. @throws SopError `invalid` for a bad cursor */
export const selectRuns = (list: RunList, selection: RunSelection): readonly RunSummary[] =>
  collect(list, selection, 0).found.slice(0, selection.limit ?? RUN_LIST_DEFAULT)

/** A page of the runs that fit; the first one says how many there are. @throws SopError `invalid` for a bad cursor */
export const selectPage = (list: RunList, selection: RunSelection): RunPage => {
  const isFirst = selection.cursor === undefined
  const { found, counted } = collect(list, selection, isFirst ? RUN_COUNT_MOST : 0)
  return { ...pageOf(found, selection.limit ?? RUN_LIST_DEFAULT), ...(isFirst && totalOf(counted)) }
}

/** One run more than the limit, if there is one; runs are counted on until there are more than `countMost`. */
const collect = (
  list: RunList,
  selection: RunSelection,
  countMost: number,
): { readonly found: readonly RunSummary[]; readonly counted: number } => {
  const { limit = RUN_LIST_DEFAULT, cursor, from } = selection
  const after = cursor === undefined ? undefined : parseRunCursor(cursor)
  const fits = runMatcher(selection)
  const found: RunSummary[] = []
  let counted = 0
  for (const state of list.values()) {
    if (found.length > limit && counted > countMost) break
    if (from !== undefined && state.createdAt < from) break
    if ((after !== undefined && !isBefore(state, after)) || !fits(state)) continue
    counted += 1
    if (found.length <= limit) found.push(summaryOfState(state))
  }
  return { found, counted }
}

/** A definition that runs of an SOP ran by. */
export interface RunVersion {
  readonly digest: string
  /** As the SOP calls it. */
  readonly version: string
  readonly runs: number
  /** When the first and the last of them were created; ISO-8601 UTC. */
  readonly firstAt: string
  readonly lastAt: string
}

/** The definitions that the runs of an SOP ran by, the one of the newest run first. */
export const runVersions = (list: RunList, sop: string): readonly RunVersion[] => {
  const byDigest = new Map<string, RunVersion>()
  for (const { sopName, digest, version, createdAt } of list.values()) {
    if (sopName !== sop || digest === undefined) continue
    const known = byDigest.get(digest)
    // Newest first, so each one that comes is the earliest so far.
    byDigest.set(
      digest,
      known === undefined
        ? { digest, version, runs: 1, firstAt: createdAt, lastAt: createdAt }
        : { ...known, runs: known.runs + 1, firstAt: createdAt },
    )
  }
  return [...byDigest.values()]
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
