import type { TraceCursors } from '../../core/trace/cursors.ts'
import type { Database } from './database.ts'

/** The name under which it is kept since when traces are told. */
const BEGUN = 'traces-begun'

/** The cursors on PostgreSQL. */
export const createPostgresTraceCursors = ({ db }: { readonly db: Database }): TraceCursors => ({
  get: async (runIds) => {
    const rows = await db.query<{ run_id: string; sequence: number }>(
      'SELECT run_id, sequence FROM sop_traces WHERE run_id = ANY($1)',
      [runIds],
    )
    return new Map(rows.map(({ run_id, sequence }) => [run_id, sequence]))
  },
  set: async (told) => {
    if (told.length === 0) return
    await db.query(
      `INSERT INTO sop_traces (run_id, sequence) SELECT * FROM unnest($1::text[], $2::int[])
         ON CONFLICT (run_id) DO UPDATE SET sequence = excluded.sequence`,
      [told.map(({ runId }) => runId), told.map(({ sequence }) => sequence)],
    )
  },
  keep: async (runIds) => {
    await db.query('DELETE FROM sop_traces WHERE run_id NOT IN (SELECT unnest($1::text[]))', [runIds])
  },
  begun: async (now) => {
    await db.query('INSERT INTO sop_state (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      BEGUN,
      JSON.stringify(now),
    ])
    const [row] = await db.query<{ value: string }>('SELECT value FROM sop_state WHERE name = $1', [BEGUN])
    return row?.value ?? now
  },
})
