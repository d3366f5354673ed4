import { randomBytes } from 'node:crypto'
import { afterAll, beforeEach } from 'vitest'
import type { AuditListener } from '../../src/activities/deps.ts'
import { createPostgresAudit } from '../../src/adapters/postgres/audit.ts'
import { type Database, openDatabase } from '../../src/adapters/postgres/database.ts'
import { createPostgresDeliveries } from '../../src/adapters/postgres/deliveries.ts'
import { createPostgresHeads } from '../../src/adapters/postgres/heads.ts'
import { createPostgresLogs } from '../../src/adapters/postgres/logs.ts'
import { createPostgresRunIndex } from '../../src/adapters/postgres/run-index.ts'
import { createPostgresVault } from '../../src/adapters/postgres/vault.ts'
import { createDatabase, needsPostgres } from '../support/postgres.ts'
import { describeAuditStore } from './contract/audit-store.ts'
import { describeDeliveryStore } from './contract/delivery-store.ts'
import { describeHeadStore, SIGNER } from './contract/head-store.ts'
import { describeLogStore } from './contract/log-store.ts'
import { describeRunIndex } from './contract/run-index.ts'
import { describeVault } from './contract/vault.ts'

// The same laws as for files, on a real PostgreSQL. Each test begins with empty tables.

beforeEach(needsPostgres)

let shared: Promise<Database> | undefined
afterAll(async () => (await shared)?.close())

const TABLES =
  'sop_runs, sop_events, sop_forks, sop_definitions, sop_sources, sop_logs, sop_log_chunks, sop_log_removals, sop_vault, sop_tokens, sop_deliveries, sop_heads'

const freshTables = async (): Promise<Database> => {
  const db = await (shared ??= createDatabase().then((url) => openDatabase({ url })))
  await db.query(`TRUNCATE ${TABLES}`)
  return db
}

describeAuditStore('createPostgresAudit()', async () => {
  const db = await freshTables()
  const warnings: string[] = []
  const open = (listeners: readonly AuditListener[] = []) =>
    createPostgresAudit({ db, listeners, warn: (message) => warnings.push(message) })
  return {
    audit: open(),
    open,
    warnings,
    forks: async (runId) => {
      const rows = await db.query<{ event: unknown }>('SELECT event FROM sop_forks WHERE run_id = $1', [runId])
      return rows.map(({ event }) => event)
    },
  }
})

describeDeliveryStore('createPostgresDeliveries()', async () => {
  const db = await freshTables()
  return { deliveries: createPostgresDeliveries({ db }), again: () => createPostgresDeliveries({ db }) }
})

describeHeadStore('createPostgresHeads()', async () => {
  const db = await freshTables()
  const again = () => createPostgresHeads({ db, signer: SIGNER })
  return { heads: again(), again, follow: () => createPostgresHeads({ db }) }
})

describeRunIndex('createPostgresRunIndex()', async () => {
  const db = await freshTables()
  return {
    index: createPostgresRunIndex({ db }),
    audit: createPostgresAudit({ db }),
    follow: () => createPostgresRunIndex({ db }),
    settle: async () => {},
  }
})

describeLogStore('createPostgresLogs()', async () => {
  const db = await freshTables()
  return { logs: createPostgresLogs({ db }), again: () => createPostgresLogs({ db }) }
})

describeVault('createPostgresVault()', async () => {
  const db = await freshTables()
  const key = randomBytes(32)
  return { vault: createPostgresVault({ db, key }), again: () => createPostgresVault({ db, key }) }
})
