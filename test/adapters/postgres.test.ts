import { randomBytes } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuditListener } from '../../src/activities/deps.ts'
import { createPostgresAudit } from '../../src/adapters/postgres/audit.ts'
import { type Database, openDatabase } from '../../src/adapters/postgres/database.ts'
import { createPostgresDeliveries } from '../../src/adapters/postgres/deliveries.ts'
import { createPostgresHeads } from '../../src/adapters/postgres/heads.ts'
import { createPostgresLogs } from '../../src/adapters/postgres/logs.ts'
import { createPostgresMetrics } from '../../src/adapters/postgres/metrics.ts'
import { createPostgresRunIndex } from '../../src/adapters/postgres/run-index.ts'
import { createPostgresTraceCursors } from '../../src/adapters/postgres/trace-cursors.ts'
import { createPostgresVault } from '../../src/adapters/postgres/vault.ts'
import { createDatabase, needsPostgres } from '../support/postgres.ts'
import { describeAuditStore } from './contract/audit-store.ts'
import { describeDeliveryStore } from './contract/delivery-store.ts'
import { describeHeadStore, SIGNER } from './contract/head-store.ts'
import { describeLogStore } from './contract/log-store.ts'
import { describeMetricsStore } from './contract/metrics-store.ts'
import { describeRunIndex } from './contract/run-index.ts'
import { describeTraceCursors } from './contract/trace-cursors.ts'
import { describeVault } from './contract/vault.ts'
import { wholeRun } from './support/records.ts'

// The same laws as for files, on a real PostgreSQL. Each test begins with empty tables.

beforeEach(needsPostgres)

let shared: Promise<Database> | undefined
afterAll(async () => (await shared)?.close())

const TABLES =
  'sop_runs, sop_events, sop_forks, sop_removals, sop_definitions, sop_sources, sop_logs, sop_log_chunks, sop_log_removals, sop_vault, sop_tokens, sop_deliveries, sop_heads, sop_metrics, sop_metric_deltas, sop_traces, sop_state'

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

describeMetricsStore('createPostgresMetrics()', async () => {
  const db = await freshTables()
  let nowMs = 0
  const open = () => {
    const metrics = createPostgresMetrics({ db, now: () => nowMs, foldEvery: 3 })
    return { metrics, audit: createPostgresAudit({ db, listeners: [metrics] }) }
  }
  const { metrics, audit } = open()
  return {
    metrics,
    audit,
    follow: () => createPostgresMetrics({ db }),
    settle: async () => {},
    tidy: async (now = 0) => {
      nowMs = now
      await metrics.fold()
    },
    restart: async () => open(),
  }
})

describe('createPostgresMetrics()', () => {
  const START = Date.UTC(2026, 1, 20)
  const created = async (metrics: { cells: ReturnType<typeof createPostgresMetrics>['cells'] }) =>
    (await metrics.cells())[0]?.tally.counts['created']

  test('counts what an engine of before appended', async () => {
    const db = await freshTables()
    const metrics = createPostgresMetrics({ db })
    const audit = createPostgresAudit({ db })
    for (const runId of ['a', 'b', 'c'])
      await audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START).slice(0, 5))
    const before = await metrics.cells({ from: '2026-01-01' })
    await db.query('TRUNCATE sop_metric_deltas, sop_metrics')
    await db.query('UPDATE sop_runs SET metrics_sequence = 0, metrics_trace = NULL')
    // One of them goes on before all are counted.
    await audit.append({ runId: 'b', sop: 'deploy' }, wholeRun('b', START).slice(0, 5))
    await metrics.heal()
    expect(await metrics.cells({ from: '2026-01-01' })).toEqual(before)
    await metrics.heal()
    expect(await created(metrics)).toBe(3)
  })

  test('folds once, though several processes do it at once beside appends', async () => {
    const db = await freshTables()
    const all = Array.from({ length: 6 }, () => createPostgresMetrics({ db }))
    const audit = createPostgresAudit({ db })
    // Each batch is there for some folding that others are in the midst of.
    await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const runId = `r${at}`
        await audit.append({ runId, sop: 'deploy' }, wholeRun(runId, START))
        await Promise.all([all[at % 6]?.fold(), all[(at + 1) % 6]?.cells()])
      }),
    )
    await Promise.all(all.map((each) => each.fold()))
    expect(await created(all[0] as (typeof all)[0])).toBe(60)
    expect(await db.query('SELECT 1 FROM sop_metric_deltas')).toEqual([])
  })
})

describeLogStore('createPostgresLogs()', async () => {
  const db = await freshTables()
  return { logs: createPostgresLogs({ db }), again: () => createPostgresLogs({ db }) }
})

describeTraceCursors('createPostgresTraceCursors()', async () => {
  const db = await freshTables()
  return { cursors: createPostgresTraceCursors({ db }), again: async () => createPostgresTraceCursors({ db }) }
})

describeVault('createPostgresVault()', async () => {
  const db = await freshTables()
  const key = randomBytes(32)
  return { vault: createPostgresVault({ db, key }), again: () => createPostgresVault({ db, key }) }
})
