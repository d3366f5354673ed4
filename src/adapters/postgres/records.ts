import type { RawRecords } from '../../activities/deps.ts'
import type { Database } from './database.ts'

// records.ts: the rows of audit.ts as they stand there.

/** Rows that a reader gets at once. */
const PIECE = 1_000
/** Where they stand, as a finding names it. */
const EVENTS = 'sop_events'

/** Reads the records of a database. */
export const createPostgresRecords = ({ db }: { readonly db: Database }): RawRecords => ({
  ids: async function* () {
    // Also those whose row in the list of runs is gone.
    const rows = await db.query<{ run_id: string }>(
      'SELECT run_id FROM sop_runs WHERE last_sequence > 0 UNION SELECT run_id FROM sop_events',
    )
    for (let from = 0; from < rows.length; from += PIECE)
      yield rows.slice(from, from + PIECE).map(({ run_id }) => run_id)
  },
  read: async (runId) => {
    const rows = await db.query<{ sequence: number; hash: string; event: unknown }>(
      `SELECT sequence, hash, event FROM ${EVENTS} WHERE run_id = $1 ORDER BY sequence`,
      [runId],
    )
    if (rows.length === 0) return undefined
    return { file: EVENTS, lines: rows.map(({ event, ...columns }) => ({ event, columns })) }
  },
  definition: async (digest) => {
    const [row] = await db.query<{ pinned: unknown }>('SELECT pinned FROM sop_definitions WHERE digest = $1', [digest])
    return row === undefined ? undefined : { file: 'sop_definitions', pinned: row.pinned }
  },
})
