import type { RunFilter, RunIndex } from '../../activities/deps.ts'
import { pageOf, parseRunCursor, RUN_COUNT_MOST, searchWords, totalOf } from '../../core/run/run-filter.ts'
import { type RunChanges, RUN_LIST_DEFAULT, RUN_LIST_RESET, type RunVersion } from '../../core/run/run-list.ts'
import { summaryOfState } from '../../core/run/summary.ts'
import type { SummaryState } from '../../core/run/summary-state.ts'
import type { OpenRuns } from '../../core/run/census.ts'
import { CLOSED_STATES } from '../../core/run/state.ts'
import type { RunSummary } from '../../core/run/view.ts'
import type { Database } from './database.ts'

// run-index.ts: the list of runs. The audit store writes its rows, in the transactions that append.

interface Row {
  readonly summary: SummaryState
}

const summariesOf = (rows: readonly Row[]): readonly RunSummary[] => rows.map(({ summary }) => summaryOfState(summary))

/** A cursor is a snapshot: what a reader has seen is what its transaction could see, whoever commits later. */
const CURSOR = /^\d{1,19}:\d{1,19}:[\d,]*$/

/** The list of runs on PostgreSQL. */
export const createPostgresRunIndex = ({ db }: { readonly db: Database }): RunIndex => {
  const find = async (filter: RunFilter, limit: number): Promise<readonly RunSummary[]> => {
    const { where, values } = conditionsOf(filter)
    return summariesOf(
      await db.query<Row>(
        `SELECT summary FROM sop_runs WHERE ${where} ORDER BY created_at DESC, run_id DESC LIMIT ${limit}`,
        values,
      ),
    )
  }
  const list = (filter: RunFilter): Promise<readonly RunSummary[]> => find(filter, filter.limit ?? RUN_LIST_DEFAULT)

  const count = async (filter: RunFilter): Promise<number> => {
    const { where, values } = conditionsOf(filter)
    const [row] = await db.query<{ counted: number }>(
      `SELECT count(*)::int AS counted FROM (SELECT 1 FROM sop_runs WHERE ${where} LIMIT ${RUN_COUNT_MOST + 1}) AS fitting`,
      values,
    )
    return row?.counted ?? 0
  }

  const begin = async (): Promise<string> => {
    const [now] = await db.query<{ cursor: string }>('SELECT pg_current_snapshot()::text AS cursor')
    return now?.cursor ?? ''
  }

  const since = async (cursor: string): Promise<RunChanges | undefined> => {
    // One statement sees one snapshot, so nothing can fall between the rows and the next cursor.
    const rows = await db.query<Partial<Row> & { readonly cursor: string; readonly known: boolean }>(
      `WITH here AS (
         SELECT pg_current_snapshot() AS now,
           pg_snapshot_xmax($1::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) AS known)
       SELECT here.now::text AS cursor, here.known, changed.summary FROM here LEFT JOIN (
         SELECT summary, changed_in FROM sop_runs
           WHERE changed_in >= pg_snapshot_xmin($1::pg_snapshot)
             AND NOT pg_visible_in_snapshot(changed_in, $1::pg_snapshot)) changed ON true
       ORDER BY changed.changed_in`,
      [cursor],
    )
    const [first] = rows
    if (first === undefined || !first.known) return undefined
    return {
      runs: rows.flatMap(({ summary }) => (summary ? [summaryOfState(summary)] : [])),
      cursor: first.cursor,
    }
  }

  return {
    list,
    page: async (filter) => {
      const limit = filter.limit ?? RUN_LIST_DEFAULT
      const isFirst = filter.cursor === undefined
      const [found, counted] = await Promise.all([find(filter, limit + 1), isFirst ? count(filter) : 0])
      return { ...pageOf(found, limit), ...(isFirst && totalOf(counted)) }
    },
    versions: (sop) =>
      db.query<RunVersion>(
        `SELECT digest, (array_agg(version ORDER BY created_at DESC, run_id DESC))[1] AS version, count(*)::int AS runs,
             min(created_at) AS "firstAt", max(created_at) AS "lastAt"
           FROM (SELECT summary->>'digest' AS digest, summary->>'version' AS version, created_at, run_id
             FROM sop_runs WHERE sop = $1 AND summary IS NOT NULL) AS ran
           WHERE digest IS NOT NULL GROUP BY digest ORDER BY max(created_at) DESC, max(run_id) DESC`,
        [sop],
      ),
    census: async () =>
      db.query<OpenRuns>(
        `SELECT sop, status AS state, count(*)::int AS runs,
           coalesce(sum(json_array_length(summary->'openGates')), 0)::int AS gates,
           (count(*) FILTER (WHERE summary->>'queued' = 'true'))::int AS queued
         FROM sop_runs WHERE summary IS NOT NULL AND status <> ALL($1) GROUP BY sop, status`,
        [CLOSED_STATES],
      ),
    get: async (runId) => {
      const rows = await db.query<Row>('SELECT summary FROM sop_runs WHERE run_id = $1 AND summary IS NOT NULL', [
        runId,
      ])
      return summariesOf(rows)[0]
    },
    // The audit store has done it, in the transaction that removed the record.
    remove: async () => {},
    changes: async (cursor) => {
      if (cursor === undefined) return { runs: [], cursor: await begin() }
      const known = CURSOR.test(cursor) ? await since(cursor).catch(orUndefined) : undefined
      if (known !== undefined) return known
      const now = await begin()
      return { runs: [...(await list({ limit: RUN_LIST_RESET }))].reverse(), cursor: now, reset: true }
    },
  }
}

/** The condition of a filter with its values. Only what is asked for stands in it, so that an index fits. */
const conditionsOf = (filter: RunFilter): { readonly where: string; readonly values: readonly unknown[] } => {
  const { sop, states = [], priorities = [], triggers = [], waiting, from, to, text, cursor } = filter
  const after = cursor === undefined ? undefined : parseRunCursor(cursor)
  const values: unknown[] = []
  const given = (value: unknown): string => `$${values.push(value)}`
  const conditions = [
    'summary IS NOT NULL',
    ...(sop === undefined ? [] : [`sop = ${given(sop)}`]),
    ...(states.length === 0 ? [] : [`status = ANY(${given(states)})`]),
    ...(priorities.length === 0 ? [] : [`priority = ANY(${given(priorities)})`]),
    ...(triggers.length === 0 ? [] : [`trigger_type = ANY(${given(triggers)})`]),
    ...(waiting === true ? [waitsForPerson(given(CLOSED_STATES))] : []),
    ...(from === undefined ? [] : [`created_at >= ${given(from)}`]),
    ...(to === undefined ? [] : [`created_at < ${given(to)}`]),
    ...(after === undefined ? [] : [`(created_at, run_id) < (${given(after.createdAt)}, ${given(after.runId)})`]),
    ...searchWords(text).map((word) => `position(lower(${given(word)}) IN searched) > 0`),
  ]
  return { where: conditions.join(' AND '), values }
}

/** As core/run/run-filter.ts says it. */
const waitsForPerson = (closed: string): string =>
  `status <> ALL(${closed}) AND (status = 'paused' OR json_array_length(summary->'openGates') > 0 OR json_array_length(summary->'openInputs') > 0)`

/** A text that looks like a snapshot and is none (SQLSTATE 22P02) is a cursor of something else. */
const orUndefined = (error: unknown): undefined => {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } }
  if (typeof cause?.code !== 'string' || !cause.code.startsWith('22')) throw error
}

/** After a restore from a dump, rows may name transactions that this server has yet to begin: they count as changed now. */
export const settleRestoredRows = async ({ query }: Pick<Database, 'query'>): Promise<void> => {
  await query(
    'UPDATE sop_runs SET changed_in = pg_current_xact_id() WHERE changed_in >= pg_snapshot_xmax(pg_current_snapshot())',
  )
}
