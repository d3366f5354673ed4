import { Pool, type PoolClient } from 'pg'
import { SopError } from '../../core/errors.ts'
import { isLasting, isStarting, reasonOf, unavailable } from './failures.ts'
import { migrate } from './migrate.ts'

// database.ts: the connections to PostgreSQL that the adapters of this folder share.

export type Query = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

export interface Database {
  /** One statement on a connection of its own. @throws SopError `unavailable` where the database does not answer. */
  readonly query: Query
  /** All of `work`, or nothing. An error means that nothing is known to be stored. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `postgresql://user@host:5432/database?sslmode=…`. */
  readonly url: string
  /** Where the URL has none; a password of its own needs no percent signs. */
  readonly password?: string
  /** Most connections of this process. Default 8. */
  readonly connections?: number
  /** How long a database that does not answer is waited for at the start, in milliseconds. Default 30,000. */
  readonly patienceMs?: number
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

const CONNECTIONS = 8
const PATIENCE_MS = 30_000
const RETRY_MS = 500
/** `pg_snapshot` and `xid8`, which the list of runs stands on, came with 13. */
const LEAST_SERVER = 130_000

/**
 * Connects, and brings the tables up to date.
 *
 * @throws SopError `unavailable` when no server answers in time; `invalid` or `unauthenticated` when the address or its
 * user is wrong; `conflict` when a newer engine has made the tables
 */
export const openDatabase = async (options: DatabaseOptions): Promise<Database> => {
  const { warn = () => {} } = options
  const pool = new Pool({
    connectionString: withPassword(options),
    max: options.connections ?? CONNECTIONS,
    application_name: 'sop-engine',
    keepAlive: true,
    allowExitOnIdle: true,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 30_000,
    lock_timeout: 20_000,
    query_timeout: 35_000,
    // A process that hangs must not keep the record of a run for itself.
    idle_in_transaction_session_timeout: 30_000,
  })
  // A connection that breaks while nobody uses it is replaced by the next one that is asked for.
  pool.on('error', (error) => warn('a connection to the database was lost', { reason: reasonOf(error) }))
  const database = databaseOf(pool)
  try {
    await waitFor(database, options.patienceMs ?? PATIENCE_MS, warn)
    await migrate(database)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

const databaseOf = (pool: Pool): Database => ({
  query: async <Row extends object>(text: string, values: readonly unknown[] = []) => {
    try {
      return (await pool.query<Row>(text, [...values])).rows
    } catch (error) {
      throw unavailable(error)
    }
  },
  transaction: async (work) => {
    let client: PoolClient
    try {
      client = await pool.connect()
    } catch (error) {
      throw unavailable(error)
    }
    // Without a listener a broken connection would end the process; the statement under way fails, and tells.
    const ignore = (): void => {}
    client.on('error', ignore)
    let broken: Error | undefined
    try {
      return await inTransaction(client, work)
    } catch (error) {
      broken = await rollBack(client)
      throw unavailable(error)
    } finally {
      client.off('error', ignore)
      client.release(broken)
    }
  },
  close: () => pool.end(),
})

const inTransaction = async <T>(client: PoolClient, work: (query: Query) => Promise<T>): Promise<T> => {
  const query: Query = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row>(text, [...values])).rows
  await client.query('BEGIN')
  const result = await work(query)
  await client.query('COMMIT')
  return result
}

/** A connection that cannot even do that is given up. */
const rollBack = async (client: PoolClient): Promise<Error | undefined> => {
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** Engines and databases are started together as a rule. */
const waitFor = async (
  { query }: Database,
  patienceMs: number,
  warn: NonNullable<DatabaseOptions['warn']>,
): Promise<void> => {
  const giveUpAt = Date.now() + patienceMs
  let told = false
  for (;;) {
    try {
      const [server] = await query<{ version: number; encoding: string }>(
        `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding`,
      )
      return checkServer(server)
    } catch (error) {
      const cause = error instanceof SopError ? error.cause : error
      if (cause === undefined || (isLasting(cause) && !isStarting(cause)) || Date.now() >= giveUpAt) throw error
      if (!told) warn('waiting for the database', { reason: reasonOf(cause) })
      told = true
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

const checkServer = (server: { version: number; encoding: string } | undefined): void => {
  const { version = 0, encoding = '' } = server ?? {}
  const refuse = (reason: string): never => {
    throw new SopError('invalid', `Cannot use the database of SOP_DATABASE_URL: ${reason}`)
  }
  if (version < LEAST_SERVER) {
    refuse(`it is PostgreSQL ${Math.floor(version / 10_000)}, and 13 or later is needed. Upgrade the server`)
  }
  if (encoding !== 'UTF8') {
    refuse(`its encoding is ${encoding}, which cannot hold every text. Create it anew with --encoding=UTF8`)
  }
}

/** The address with the password. @throws SopError `invalid` where it has no place for one */
export const withPassword = ({ url, password }: DatabaseOptions): string => {
  if (password === undefined) return url
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.hostname === '') {
    throw new SopError(
      'invalid',
      'Cannot use SOP_DATABASE_PASSWORD: SOP_DATABASE_URL names no host. Write the password into the URL, or leave it out',
    )
  }
  parsed.password = encodeURIComponent(password)
  return parsed.href
}
