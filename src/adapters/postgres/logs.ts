import type { LogKey, LogPiece, LogRemoval, LogStore, RunLogUsage } from '../../activities/deps.ts'
import { compareLogs } from '../../core/log-order.ts'
import type { ExecutableId } from '../../core/run/task.ts'
import type { Database } from './database.ts'
import { CHUNK_BYTES, openLogWriter } from './log-writer.ts'

// logs.ts: logs of steps as chunks by offset. Masking is the worker's: what comes here is stored as it is.

/** The log store on PostgreSQL. `patienceMs`: how long a database that is down is waited for; default one minute. */
export const createPostgresLogs = ({
  db,
  patienceMs = 60_000,
  heldBytes,
}: {
  readonly db: Database
  readonly patienceMs?: number
  /** What one log holds in memory meanwhile; 0: what it takes is stored. */
  readonly heldBytes?: number
}): LogStore => ({
  open: (key) => openLogWriter(db, key, { patienceMs, ...(heldBytes !== undefined && { heldBytes }) }),
  read: (key, offset, limit) => readPiece(db, key, offset, limit),
  list: async (runId) => {
    const rows = await db.query<{ executable_id: ExecutableId; attempt: number }>(
      'SELECT executable_id, attempt FROM sop_logs WHERE run_id = $1',
      [runId],
    )
    return rows
      .map(({ executable_id: executableId, attempt }): LogKey => ({ runId, executableId, attempt }))
      .sort(compareLogs)
  },
  usage: async () => {
    const rows = await db.query<{ run_id: string; bytes: string; written_at: Date }>(
      'SELECT run_id, sum(size) AS bytes, max(written_at) AS written_at FROM sop_logs GROUP BY run_id',
    )
    return rows.map(
      ({ run_id: runId, bytes, written_at: at }): RunLogUsage => ({
        runId,
        bytes: Number(bytes),
        writtenAt: at.toISOString(),
      }),
    )
  },
  remove: (runId, removal) =>
    db.transaction(async (query) => {
      await query('INSERT INTO sop_log_removals (run_id, removal) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        runId,
        JSON.stringify(removal),
      ])
      await query('DELETE FROM sop_logs WHERE run_id = $1', [runId])
    }),
  removal: async (runId) => {
    const [row] = await db.query<{ removal: LogRemoval }>('SELECT removal FROM sop_log_removals WHERE run_id = $1', [
      runId,
    ])
    return row?.removal
  },
})

interface Stretch {
  readonly size: string
  readonly is_closed: boolean
  readonly cut_bytes: string | null
  readonly start_at: string | null
  readonly bytes: Buffer | null
}

/** One statement, so that size, end and bytes are of one moment. Chunks have a largest size, so the first one is near. */
const readPiece = async (
  { query }: Database,
  { runId, executableId, attempt }: LogKey,
  offset: number,
  limit: number,
): Promise<LogPiece> => {
  const rows = await query<Stretch>(
    `SELECT log.size, log.is_closed, log.cut_bytes, chunk.start_at, chunk.bytes
       FROM sop_logs log LEFT JOIN sop_log_chunks chunk
         ON chunk.log_id = log.id AND chunk.start_at > $4::bigint - ${CHUNK_BYTES} AND chunk.start_at < $4::bigint + $5::bigint
       WHERE log.run_id = $1 AND log.executable_id = $2 AND log.attempt = $3
       ORDER BY chunk.start_at`,
    [runId, executableId, attempt, offset, limit],
  )
  const [log] = rows
  if (log === undefined) return { bytes: new Uint8Array(0), end: 0 }
  const parts = rows.map(({ start_at: start, bytes }) => cutOut(bytes, Number(start), offset, offset + limit))
  return {
    bytes: new Uint8Array(Buffer.concat(parts)),
    end: Number(log.size),
    ...(log.is_closed && { isClosed: true as const }),
    ...(log.cut_bytes !== null && { cutBytes: Number(log.cut_bytes) }),
  }
}

const cutOut = (bytes: Buffer | null, start: number, from: number, to: number): Uint8Array =>
  bytes === null ? new Uint8Array(0) : bytes.subarray(Math.max(0, from - start), Math.max(0, to - start))
