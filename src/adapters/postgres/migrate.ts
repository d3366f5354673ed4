import { SopError } from '../../core/errors.ts'
import type { Database, Query } from './database.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

// migrate.ts: brings the tables up to date. Several processes may start at once: one migrates, the others wait for it.

/** A number of our own for pg_advisory_xact_lock: "SOPe" in ASCII. */
const LOCK = 0x53_4f_50_65

const newest = (migrations: readonly Migration[]): number => migrations.at(-1)?.number ?? 0

/**
 * Applies what the database lacks, all of it or nothing. Where nothing is missing, no right to create tables is needed.
 *
 * @throws SopError `conflict` when the tables are of a later version than this engine knows
 */
export const migrate = async (
  { query, transaction }: Pick<Database, 'query' | 'transaction'>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> => {
  if ((await versionOf(query, migrations)) === newest(migrations)) return
  await transaction(async (inside) => {
    await inside('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await inside(
      `CREATE TABLE IF NOT EXISTS sop_migrations
         (number int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    )
    const version = await versionOf(inside, migrations)
    for (const { number, name, sql } of migrations.filter((each) => each.number > version)) {
      for (const statement of sql) await inside(statement)
      await inside('INSERT INTO sop_migrations (number, name) VALUES ($1, $2)', [number, name])
    }
  })
}

/** The number of the last migration; 0 where there are no tables. */
const versionOf = async (query: Query, migrations: readonly Migration[]): Promise<number> => {
  const [table] = await query<{ there: boolean }>(`SELECT to_regclass('sop_migrations') IS NOT NULL AS there`)
  if (table?.there !== true) return 0
  const [row] = await query<{ number: number }>('SELECT coalesce(max(number), 0) AS number FROM sop_migrations')
  const version = row?.number ?? 0
  if (version <= newest(migrations)) return version
  throw new SopError(
    'conflict',
    `Cannot use the database of SOP_DATABASE_URL: its tables are of version ${version}, made by a newer engine, and this one ` +
      `knows them up to ${newest(migrations)}. Upgrade this process, or give it another database`,
    { version, known: newest(migrations) },
  )
}
