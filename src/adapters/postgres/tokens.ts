import type { Database } from './database.ts'

/** Records of tokens by name, as every process of the installation sees them. What a record must look like, its reader checks. */
export interface TokenRows {
  read(): Promise<readonly unknown[]>
  /** Replaces the records by `change(records)`, whole or not at all; changes take turns, across processes too. */
  change(change: (records: readonly unknown[]) => readonly { readonly name: string }[]): Promise<void>
}

/** Hashes of tokens on PostgreSQL. */
export const createPostgresTokens = ({ db }: { readonly db: Database }): TokenRows => ({
  read: async () => recordsOf(await db.query<Row>('SELECT record FROM sop_tokens ORDER BY name')),
  change: (change) =>
    db.transaction(async (query) => {
      // Readers go on; another change waits.
      await query('LOCK TABLE sop_tokens IN SHARE ROW EXCLUSIVE MODE')
      const next = change(recordsOf(await query<Row>('SELECT record FROM sop_tokens ORDER BY name')))
      await query('DELETE FROM sop_tokens WHERE name <> ALL($1)', [next.map(({ name }) => name)])
      for (const record of next) {
        await query(
          'INSERT INTO sop_tokens (name, record) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET record = excluded.record',
          [record.name, JSON.stringify(record)],
        )
      }
    }),
})

interface Row {
  readonly record: unknown
}
const recordsOf = (rows: readonly Row[]): readonly unknown[] => rows.map(({ record }) => record)
