import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { reasonOf } from './failures.ts'

// leader-lock.ts: one of the processes that share a database, for what only one may do at a time. It is an advisory lock of
// a connection of its own: whoever holds it and dies, or loses the connection, has lost it, without anybody's doing.
// A pooler that hands connections on per transaction cannot carry it; the address has to lead to the server itself.

/** "SOPl" in ASCII: a number of our own beside that of the migrations. */
const LOCK = 0x53_4f_50_6c

/** "SOPt": who tells traces. */
export const TRACE_LOCK = 0x53_4f_50_74

/** How often the holder looks whether the connection still lives, and how long it waits for that, in milliseconds. */
const BEAT_MS = 2_000
const BEAT_LIMIT_MS = 5_000
/**
 * The server gives a holder up that it does not hear of for about so long: 5 s of silence, then three questions. The holder
 * itself finds out first, so that two never hold it for long.
 */
const KEEPALIVE = ['tcp_keepalives_idle = 5', 'tcp_keepalives_interval = 2', 'tcp_keepalives_count = 3']

export interface HeldLock {
  /** Fulfilled, with the reason, when it was lost. Never rejected. */
  readonly lost: Promise<string>
  release(): Promise<void>
}

export interface LeaderLock {
  /** Undefined while another process holds it. @throws Error where the database cannot be reached */
  take(): Promise<HeldLock | undefined>
}

export interface LeaderLockOptions {
  /** With the password. */
  readonly url: string
  readonly beatMs?: number
  /** Which of the things that only one process may do. Default: the sources of triggers. */
  readonly lock?: number
}

/** The lock that processes with this database share. */
export const createLeaderLock = ({ url, beatMs = BEAT_MS, lock = LOCK }: LeaderLockOptions): LeaderLock => ({
  take: async () => {
    const client = new Client({
      connectionString: url,
      application_name: 'sop-engine-leader',
      keepAlive: true,
      connectionTimeoutMillis: BEAT_LIMIT_MS,
      query_timeout: BEAT_LIMIT_MS,
    })
    let lose: (reason: string) => void = () => {}
    const lost = new Promise<string>((resolve) => {
      lose = resolve
    })
    // Without a listener a broken connection would end the process.
    client.on('error', (error) => lose(reasonOf(error)))
    client.on('end', () => lose('the connection was closed'))
    try {
      await client.connect()
      for (const setting of KEEPALIVE) await client.query(`SET ${setting}`)
      const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [lock])
      if (rows[0]?.held !== true) {
        await end(client)
        return undefined
      }
    } catch (error) {
      await end(client)
      throw error
    }
    const beat = setInterval(() => {
      client.query('SELECT 1').catch((error: unknown) => {
        lose(reasonOf(error))
        void end(client)
      })
    }, beatMs)
    beat.unref()
    void lost.then(() => clearInterval(beat))
    return {
      lost,
      release: async () => {
        clearInterval(beat)
        await end(client)
      },
    }
  },
})

/** A connection that does not answer is not waited for. */
const end = (client: Client): Promise<unknown> =>
  Promise.race([client.end().catch(() => {}), delay(1_000, undefined, { ref: false })])
