import { SopError } from '../../core/errors.ts'
import type { LogKey, LogWriter } from '../../activities/deps.ts'
import type { Database } from './database.ts'
import { isLasting } from './failures.ts'
import { patiently } from './patiently.ts'

// log-writer.ts: appends to one log. While the database is down it keeps what comes, up to a limit, and then lets its caller
// wait: so the command waits as well, as it would for a slow disk, and no output is lost.

/** Largest chunk; a reader relies on it. */
export const CHUNK_BYTES = 256 * 1024
/** What one log holds in memory while the database is down. */
const HELD_BYTES = 8 * 1024 * 1024
const RETRY_MS = 500

/** How long a database that is down is waited for, and how much is held in memory meanwhile. */
export interface Patience {
  readonly patienceMs: number
  readonly heldBytes?: number
}

/** Opens the log of one execution. */
export const openLogWriter = async (db: Database, key: LogKey, patience: Patience): Promise<LogWriter> => {
  const { patienceMs } = patience
  const { id, size } = await patiently(() => openRow(db, key), patienceMs)
  const queue = createQueue((at, bytes) => storeChunk(db, { id, key }, at, bytes), size, patience)
  return {
    size,
    write: queue.push,
    cut: (bytes) =>
      patiently(async () => {
        await db.query('UPDATE sop_logs SET cut_bytes = $2 WHERE id = $1', [id, bytes])
      }, patienceMs),
    close: async () => {
      await queue.drain()
      await patiently(() => db.query('UPDATE sop_logs SET is_closed = true WHERE id = $1', [id]), patienceMs)
      return { bytes: queue.stored() }
    },
    release: () => queue.drain(),
  }
}

const openRow = async (
  { query }: Database,
  { runId, executableId, attempt }: LogKey,
): Promise<{ readonly id: string; readonly size: number }> => {
  const [row] = await query<{ id: string; size: string }>(
    `INSERT INTO sop_logs (run_id, executable_id, attempt) VALUES ($1, $2, $3)
       ON CONFLICT (run_id, executable_id, attempt) DO UPDATE SET is_closed = false
       RETURNING id, size`,
    [runId, executableId, attempt],
  )
  return { id: row?.id ?? '0', size: Number(row?.size ?? 0) }
}

interface OpenLog {
  readonly id: string
  readonly key: LogKey
}

/**
 * Adds a chunk where the log ends, once. Not waiting for the disk: a log that loses its last instant in a power loss is
 * what files have, too.
 *
 * @throws SopError `conflict` when another process has written there
 */
const storeChunk = async ({ query }: Database, { id, key }: OpenLog, at: number, bytes: Buffer): Promise<void> => {
  const [stored] = await query<{ size: string }>(
    `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
       grown AS (
         UPDATE sop_logs SET size = size + $3::bigint, written_at = now() FROM quick WHERE id = $1 AND size = $2
           RETURNING id, size),
       chunk AS (INSERT INTO sop_log_chunks (log_id, start_at, bytes) SELECT id, $2::bigint, $4::bytea FROM grown)
     SELECT size FROM grown`,
    [id, at, bytes.length, bytes],
  )
  if (stored !== undefined) return
  // An answer that was lost: the chunk is there already.
  const [there] = await query<{ bytes: Buffer }>(
    'SELECT bytes FROM sop_log_chunks WHERE log_id = $1 AND start_at = $2',
    [id, at],
  )
  if (there?.bytes.equals(bytes) === true) return
  throw new SopError(
    'conflict',
    `Cannot write the log of ${key.executableId}, attempt ${key.attempt}, of run "${key.runId}": another process writes it, or it was removed`,
  )
}

interface Queue {
  /** Fulfilled once the bytes are stored, or held for a database that is down. */
  push(bytes: Uint8Array): Promise<void>
  /** Fulfilled once all bytes are stored. */
  drain(): Promise<void>
  stored(): number
}

const createQueue = (
  store: (at: number, bytes: Buffer) => Promise<void>,
  size: number,
  { patienceMs, heldBytes = HELD_BYTES }: Patience,
): Queue => {
  let waiting: Buffer[] = []
  let [at, accepted] = [size, size]
  let fault: unknown
  let isDown = false
  let isSending = false
  let tell: () => void = () => {}
  let progress = new Promise<void>((resolve) => {
    tell = resolve
  })
  const told = (): void => {
    tell()
    progress = new Promise((resolve) => {
      tell = resolve
    })
  }
  const send = async (): Promise<void> => {
    if (isSending) return
    isSending = true
    while (at < accepted && fault === undefined) {
      const all = Buffer.concat(waiting)
      const chunk = all.subarray(0, CHUNK_BYTES)
      waiting = [all]
      try {
        await store(at, chunk)
        isDown = false
        at += chunk.length
        waiting = [all.subarray(chunk.length), ...waiting.slice(1)]
      } catch (error) {
        isDown = true
        if (isLasting(error)) fault = error
      }
      told()
      if (isDown && fault === undefined) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    // In the same turn as the last look at what is left, so that whoever comes next starts it again.
    isSending = false
  }
  const until = async (isDone: () => boolean): Promise<void> => {
    let giveUpAt = Date.now() + patienceMs
    for (let before = at; ; ) {
      if (fault !== undefined) throw fault as Error
      if (isDone()) return
      if (at > before) giveUpAt = Date.now() + patienceMs
      before = at
      if (Date.now() > giveUpAt) {
        // Whoever is told so may write it elsewhere: it must not be stored after all.
        fault = new SopError('unavailable', 'Cannot write a log: the database does not answer')
        continue
      }
      void send()
      await progress
    }
  }
  return {
    push: async (bytes) => {
      if (bytes.length === 0) return
      // The caller may use its buffer again, as soon as this one says that it has the bytes.
      waiting.push(Buffer.from(bytes))
      accepted += bytes.length
      const end = accepted
      await until(() => at >= end || (isDown && accepted - at <= heldBytes))
    },
    drain: () => until(() => at >= accepted),
    stored: () => at,
  }
}
