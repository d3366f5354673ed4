import type { RunFilter, RunIndex } from '../../activities/deps.ts'
import { type RunChanges, RUN_LIST_DEFAULT, RUN_LIST_RESET } from '../../core/run/run-list.ts'
import { type SummaryState, summaryOfState } from '../../core/run/summary.ts'
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
  const list = async ({ sop, states = [], limit = RUN_LIST_DEFAULT }: RunFilter): Promise<readonly RunSummary[]> =>
    summariesOf(
      await db.query<Row>(
        `SELECT summary FROM sop_runs
           WHERE summary IS NOT NULL AND ($1::text IS NULL OR sop = $1) AND ($2::text[] = '{}' OR status = ANY($2))
           ORDER BY created_at DESC, run_id DESC LIMIT $3`,
        [sop ?? null, states, limit],
      ),
    )

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
    get: async (runId) => {
      const rows = await db.query<Row>('SELECT summary FROM sop_runs WHERE run_id = $1 AND summary IS NOT NULL', [
        runId,
      ])
      return summariesOf(rows)[0]
    },
    changes: async (cursor) => {
      if (cursor === undefined) return { runs: [], cursor: await begin() }
      const known = CURSOR.test(cursor) ? await since(cursor).catch(orUndefined) : undefined
      if (known !== undefined) return known
      const now = await begin()
      return { runs: [...(await list({ limit: RUN_LIST_RESET }))].reverse(), cursor: now, reset: true }
    },
  }
}

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
