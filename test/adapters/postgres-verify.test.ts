import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createPostgresAudit } from '../../src/adapters/postgres/audit.ts'
import { type Database, openDatabase } from '../../src/adapters/postgres/database.ts'
import { createPostgresHeads } from '../../src/adapters/postgres/heads.ts'
import { createPostgresLogs } from '../../src/adapters/postgres/logs.ts'
import { createPostgresRecords } from '../../src/adapters/postgres/records.ts'
import { createPostgresRunIndex } from '../../src/adapters/postgres/run-index.ts'
import type { VerifyDeps } from '../../src/client/verify.ts'
import { createHeadKeeper } from '../../src/worker/head-keeper.ts'
import { DIGEST, eventsOf, newSigner, PINNED, rehash, SOP, verifyWhole } from '../client/support/verified-store.ts'
import { createDatabase, needsPostgres } from '../support/postgres.ts'

// The check of records on a real PostgreSQL: what a database administrator may do.

beforeEach(needsPostgres)

let shared: Promise<Database> | undefined
afterAll(async () => (await shared)?.close())

const SIGNER = newSigner()
const QUIET = { warn: () => {}, info: () => {} }
const LONG_AGO = Date.UTC(2026, 0, 1)

const recorded = async () => {
  const db = await (shared ??= createDatabase().then((url) => openDatabase({ url })))
  await db.query('TRUNCATE sop_runs, sop_events, sop_definitions, sop_heads')
  const index = createPostgresRunIndex({ db })
  const heads = createPostgresHeads({ db, signer: SIGNER })
  const keeper = createHeadKeeper({ heads, index, log: QUIET, isOnlyWriter: false, writeAfterMs: 60_000 })
  const audit = createPostgresAudit({ db, listeners: [keeper] })
  keeper.start(audit)
  await audit.keepDefinition(PINNED)
  for (const runId of ['a', 'b']) {
    await audit.append({ runId, sop: SOP }, eventsOf(runId, LONG_AGO).slice(0, 4))
    await keeper.flush()
    await audit.append({ runId, sop: SOP }, eventsOf(runId, LONG_AGO))
  }
  await keeper.close()
  const deps: VerifyDeps = {
    records: {
      index,
      logs: createPostgresLogs({ db }),
      heads: createPostgresHeads({ db }),
      flushHeads: async () => {},
      raw: createPostgresRecords({ db }),
    },
    histories: { of: async () => 'gone', ids: async function* () {} },
    authority: SIGNER.authority,
    secondLookMs: 0,
  }
  return { db, audit, heads, verify: () => verifyWhole(deps) }
}
type Store = Awaited<ReturnType<typeof recorded>>

const rewritten = async ({ db, audit }: Store): Promise<void> => {
  const events = (await audit.read('b')).map((event, at) => (at === 3 ? { ...event, via: 'mcp' as const } : event))
  for (const [at, text] of rehash(events).entries()) {
    const { hash } = JSON.parse(text) as { hash: string }
    await db.query("UPDATE sop_events SET event = $1, hash = $2 WHERE run_id = 'b' AND sequence = $3", [
      text,
      hash,
      at + 1,
    ])
    await db.query("UPDATE sop_runs SET last_hash = $1 WHERE run_id = 'b'", [hash])
  }
}

const ROWS: readonly (readonly [string, (store: Store) => unknown, object])[] = [
  [
    'an event is edited',
    ({ db }) =>
      db.query(
        `UPDATE sop_events SET event = replace(event::text, '"alice"', '"mallory"')::json WHERE run_id = 'b' AND sequence = 4`,
      ),
    { kind: 'edited', sequence: 4, file: 'sop_events' },
  ],
  [
    'the hash of a row is edited',
    ({ db }) => db.query(`UPDATE sop_events SET hash = repeat('f', 64) WHERE run_id = 'b' AND sequence = 4`),
    { kind: 'edited', sequence: 4 },
  ],
  [
    'an event is deleted',
    ({ db }) => db.query(`DELETE FROM sop_events WHERE run_id = 'b' AND sequence = 4`),
    { kind: 'missing', sequence: 4 },
  ],
  [
    'the end is deleted',
    ({ db }) => db.query(`DELETE FROM sop_events WHERE run_id = 'b' AND sequence > 6`),
    { kind: 'cut_off', sequence: 7 },
  ],
  [
    'two events change places',
    ({ db }) =>
      db.query(
        `UPDATE sop_events x SET event = y.event FROM sop_events y WHERE x.run_id = 'b' AND y.run_id = 'b' AND (x.sequence, y.sequence) IN ((3, 4), (4, 3))`,
      ),
    { kind: 'edited' },
  ],
  [
    'a run is deleted',
    ({ db }) =>
      db.query(`WITH gone AS (DELETE FROM sop_runs WHERE run_id = 'b') DELETE FROM sop_events WHERE run_id = 'b'`),
    { kind: 'record_deleted', file: 'sop_heads' },
  ],
  ['all hashes of a run are made anew', rewritten, { kind: 'rewritten' }],
  [
    'a head is deleted',
    ({ db }) => db.query('DELETE FROM sop_heads WHERE index = 2'),
    { kind: 'head_missing', file: 'sop_heads' },
  ],
  [
    'a head is edited',
    ({ db }) =>
      db.query(`UPDATE sop_heads SET head = replace(head::text, '"closed"', '"removed"')::json WHERE index = 3`),
    { kind: 'head_edited', line: 3 },
  ],
  [
    'the definition is edited',
    ({ db }) => db.query(`UPDATE sop_definitions SET pinned = '{"definition":{}}' WHERE digest = $1`, [DIGEST]),
    { kind: 'definition_edited', file: 'sop_definitions' },
  ],
]

describe('verifyAudit() on PostgreSQL', () => {
  test('has nothing to say of what nobody touched', async () => {
    const { audit, runs } = await (await recorded()).verify()
    expect({ ...audit, runs }).toMatchObject({
      ok: true,
      runs: [],
      events: 16,
      notices: {},
      findings: [],
    })
  })

  test.each(ROWS)('finds it when %s', async (_, tamper, finding) => {
    const store = await recorded()
    await tamper(store)
    const { audit, runs } = await store.verify()
    expect(audit.ok).toBe(false)
    expect([...audit.findings, ...runs.flatMap(({ findings }) => findings)]).toContainEqual(
      expect.objectContaining({ severity: 'problem', ...finding }),
    )
    expect(runs.map(({ runId }) => runId).filter((runId) => runId === 'a' && !('file' in finding))).toEqual([])
  })

  test('lets the chain go on where its newest entries were deleted, with a gap', async () => {
    const { db, heads, audit, verify } = await recorded()
    await db.query('DELETE FROM sop_heads WHERE index > 4')
    const last = (await audit.read('b')).at(-1)
    await heads.append([{ kind: 'closed', runId: 'b', sop: SOP, sequence: 8, eventHash: last?.hash ?? '' }])
    expect((await verify()).audit.findings).toMatchObject([{ kind: 'head_missing' }])
  })
})
