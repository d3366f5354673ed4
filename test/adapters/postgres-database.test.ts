import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { createPostgresAudit } from '../../src/adapters/postgres/audit.ts'
import { type Database, openDatabase } from '../../src/adapters/postgres/database.ts'
import { claimInstallation } from '../../src/adapters/postgres/installation.ts'
import { createPostgresLogs } from '../../src/adapters/postgres/logs.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { createPostgresRunIndex, settleRestoredRows } from '../../src/adapters/postgres/run-index.ts'
import { createPostgresTokens } from '../../src/adapters/postgres/tokens.ts'
import { createPostgresVault } from '../../src/adapters/postgres/vault.ts'
import { openTokenStore } from '../../src/client/tokens.ts'
import { verifyChain } from '../../src/core/audit-chain.ts'
import { sha256Hex } from '../../src/core/canonical.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { createDatabase, execute, needsPostgres } from '../support/postgres.ts'
import { tempDir, wholeRun } from './support/records.ts'

// What a database has to keep that files do not know: several processes at once, upgrades, and going away for a while.

beforeEach(needsPostgres)

const open = async (url: string, options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<Database> => {
  const db = await openDatabase({ url, patienceMs: 0, ...options })
  onTestFinished(() => db.close())
  return db
}
const tablesOf = (url: string) =>
  execute<{ number: number; name: string }>(url, 'SELECT number, name FROM sop_migrations ORDER BY number')

describe('openDatabase()', () => {
  test('makes the tables once, though many processes start at once', async () => {
    const url = await createDatabase()
    await Promise.all(Array.from({ length: 8 }, () => open(url, { connections: 2 })))
    expect(await tablesOf(url)).toEqual(MIGRATIONS.map(({ number, name }) => ({ number, name })))
    expect(MIGRATIONS.map(({ number }) => number)).toEqual(MIGRATIONS.map((_, index) => index + 1))
  })

  test('applies what is missing, and nothing of a migration that fails', async () => {
    const db = await open(await createDatabase())
    const next = MIGRATIONS.length + 1
    const good = { number: next, name: 'more', sql: ['CREATE TABLE more (id int)'] }
    const bad = { number: next + 1, name: 'broken', sql: ['CREATE TABLE half (id int)', 'CREATE TABLE more (id int)'] }
    await expect(migrate(db, [...MIGRATIONS, good, bad])).rejects.toThrow(/already exists/)
    const there = (name: string) => db.query<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [name])
    expect([await there('half'), await there('more')]).toEqual([[{ is: false }], [{ is: false }]])
    await migrate(db, [...MIGRATIONS, good])
    expect(await there('more')).toEqual([{ is: true }])
  })

  test('refuses tables of a newer engine, in a sentence', async () => {
    const url = await createDatabase()
    await open(url)
    await execute(url, `INSERT INTO sop_migrations (number, name) VALUES (99, 'from the future')`)
    await expect(openDatabase({ url })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/tables are of version 99, made by a newer engine.*Upgrade this process/),
    })
  })

  test('needs no right to make tables where they are up to date', async () => {
    const url = await createDatabase()
    const owner = await open(url)
    const role = `plain_${randomBytes(4).toString('hex')}`
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`)
    const own = new URL(url)
    own.username = role
    own.password = ''
    const db = await open(own.href, { password: 'plain' })
    expect(await createPostgresAudit({ db }).append({ runId: 'r', sop: 's' }, wholeRun('r'))).toBe(8)
    const empty = new URL(await createDatabase())
    Object.assign(empty, { username: role, password: 'plain' })
    await expect(openDatabase({ url: empty.href })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('the right to create tables'),
    })
  })

  test.each<[string, (url: URL) => void, string, RegExp]>([
    ['a wrong password', (url) => (url.password = 'wrong'), 'unauthenticated', /SOP_DATABASE_PASSWORD/],
    ['a user that is not there', (url) => (url.username = 'nobody'), 'unauthenticated', /Check its user/],
    ['a database that is not there', (url) => (url.pathname = '/nope'), 'invalid', /createdb --encoding=UTF8/],
    ['a port where nobody listens', (url) => (url.port = '1'), 'unavailable', /ECONNREFUSED/],
  ])('says what is wrong with %s', async (_, damage, code, words) => {
    const url = new URL(await createDatabase())
    damage(url)
    const error: unknown = await openDatabase({ url: url.href, patienceMs: 600 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) })
    expect(String((error as Error).message)).not.toContain(decodeURIComponent(url.password))
  })

  test('refuses a database that cannot hold every text', async () => {
    const url = await createDatabase()
    await execute(url, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    await expect(openDatabase({ url: url.replace(/[^/]+$/, 'latin') })).rejects.toThrow(/its encoding is LATIN1/)
  })

  test('takes a password beside the URL as it is', async () => {
    const url = new URL(await createDatabase())
    const password = decodeURIComponent(url.password)
    url.password = ''
    expect(await (await open(url.href, { password })).query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await expect(openDatabase({ url: 'postgresql:///sop', password })).rejects.toThrow(/names no host/)
  })
})

describe('several processes', () => {
  test('that append to the same runs leave one whole chain for each', async () => {
    const url = await createDatabase()
    const writers = await Promise.all(Array.from({ length: 4 }, () => open(url, { connections: 3 })))
    const stores = writers.map((db) => createPostgresAudit({ db }))
    const runs = Array.from({ length: 6 }, (_, i) => ({ runId: `run-${i}`, sop: 'deploy' }))
    await Promise.all(
      runs.flatMap((run) =>
        stores.map(async (store, i) => {
          for (let length = i + 1; length <= 8; length += 1 + (i % 2)) {
            const stored = await store.append(run, wholeRun(run.runId).slice(0, length))
            expect(stored).toBeGreaterThanOrEqual(length)
          }
          await store.append(run, wholeRun(run.runId))
        }),
      ),
    )
    for (const { runId } of runs) {
      const events = await stores[0]?.read(runId)
      expect(verifyChain(events ?? [], sha256Hex, { runId, lastSequence: 8 })).toEqual([])
    }
    const [writer] = writers
    expect(await writer?.query('SELECT count(*)::int AS forks FROM sop_forks')).toEqual([{ forks: 0 }])
    expect((await createPostgresRunIndex({ db: writer as Database }).list({ states: ['completed'] })).length).toBe(6)
  })

  test('lose no change of the list of runs, though one that began earlier ends later', async () => {
    const url = await createDatabase()
    const [slow, quick] = [await open(url), await open(url)]
    const index = createPostgresRunIndex({ db: quick })
    await createPostgresAudit({ db: quick }).append({ runId: 'slow', sop: 's' }, wholeRun('slow').slice(0, 1))
    const begin = await index.changes()
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let isHeld: () => void = () => {}
    const holding = new Promise<void>((resolve) => {
      isHeld = resolve
    })
    const late = slow.transaction(async (query) => {
      await query(`UPDATE sop_runs SET changed_in = pg_current_xact_id() WHERE run_id = 'slow'`)
      isHeld()
      await held
    })
    await holding
    await createPostgresAudit({ db: quick }).append({ runId: 'quick', sop: 's' }, wholeRun('quick'))
    const first = await index.changes(begin.cursor)
    expect(first.runs.map(({ runId }) => runId)).toEqual(['quick'])
    release()
    await late
    const second = await index.changes(first.cursor)
    expect(second.runs.map(({ runId }) => runId)).toEqual(['slow'])
    expect((await index.changes(second.cursor)).runs).toEqual([])
  })

  test('create and revoke tokens together, and see them at once', async () => {
    const url = await createDatabase()
    const stores = await Promise.all(
      [1, 2, 3].map(async () =>
        openTokenStore({ dataDir: tempDir(), rows: createPostgresTokens({ db: await open(url) }) }),
      ),
    )
    const create = async (i: number) => stores[i % 3]?.create({ name: `t${i}`, role: 'viewer' })
    const created = await Promise.all(Array.from({ length: 12 }, (_, i) => create(i)))
    for (const store of stores) expect(await store.list()).toHaveLength(12)
    await stores[0]?.revoke('t5')
    expect(await stores[1]?.principalOf(created[5]?.token ?? '')).toBeUndefined()
    expect(await stores[2]?.principalOf(created[6]?.token ?? '')).toMatchObject({ id: 't6', role: 'viewer' })
    await expect(stores[1]?.create({ name: 't6', role: 'admin' })).rejects.toMatchObject({ code: 'conflict' })
    const rows = await execute<{ record: object }>(url, 'SELECT record FROM sop_tokens')
    expect(JSON.stringify(rows)).not.toContain(created[6]?.token)
    await execute(url, `UPDATE sop_tokens SET record = '{"name": "t6", "role": "god"}' WHERE name = 't6'`)
    await expect(stores[2]?.principalOf('x')).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('have one key, or are refused', async () => {
    const url = await createDatabase()
    const db = await open(url)
    const claims = await Promise.allSettled(['one', 'two', 'one', 'two'].map((key) => claimInstallation(db, key)))
    expect(claims.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
    const refused = claims.find((each) => each.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('SOP_INSTALLATION_KEY'),
    })
  })

  test('cannot write one log at the same time: the second is told, and no byte is mixed in', async () => {
    const db = await open(await createDatabase())
    const key = { runId: 'r', executableId: 'step:1', attempt: 1 } as const
    const logs = createPostgresLogs({ db, patienceMs: 1_000 })
    const [one, two] = [await logs.open(key), await logs.open(key)]
    await one.write(Buffer.from('one'))
    await expect(two.write(Buffer.from('two'))).rejects.toThrow(/another process writes it/)
    await one.write(Buffer.from(' more'))
    expect(Buffer.from((await logs.read(key, 0, 100)).bytes).toString()).toBe('one more')
  })
})

describe('createPostgresVault()', () => {
  test('stores nothing that the database could read, nor move to another run', async () => {
    const db = await open(await createDatabase())
    const key = randomBytes(32)
    const vault = createPostgresVault({ db, key })
    await vault.put('r', 'pin', 'hunter2')
    const [row] = await db.query<{ sealed: Buffer }>('SELECT sealed FROM sop_vault')
    expect(row?.sealed.includes('hunter2')).toBe(false)
    await expect(createPostgresVault({ db, key: randomBytes(32) }).get('r', 'pin')).rejects.toThrow(
      /another installation/,
    )
    await db.query(`INSERT INTO sop_vault SELECT 'other', name, sealed FROM sop_vault`)
    await expect(vault.get('other', 'pin')).rejects.toMatchObject({ code: 'invalid' })
    await db.query(`UPDATE sop_vault SET sealed = substr(sealed, 1, 20)`)
    await expect(vault.get('r', 'pin')).rejects.toMatchObject({ code: 'invalid' })
  })
})

test('after a restore from a dump, rows of transactions that are yet to come count as changed now', async () => {
  const db = await open(await createDatabase())
  await createPostgresAudit({ db }).append({ runId: 'r', sop: 's' }, wholeRun('r'))
  await db.query(`UPDATE sop_runs SET changed_in = '9999999999'::xid8`)
  await settleRestoredRows(db)
  const index = createPostgresRunIndex({ db })
  const { cursor } = await index.changes()
  expect((await index.changes(cursor)).runs).toEqual([])
})

describe('while the database is down', () => {
  let server: PostgresServer
  beforeAll(async () => {
    const postgres = inject('postgres')
    if ('folder' in postgres) server = await startPostgres(postgres.folder)
  })
  afterAll(() => server?.remove())
  const down = async (): Promise<void> => {
    await server.stop()
    onTestFinished(() => server.start())
  }

  test('an append answers the old sequence, and goes on afterwards; reads say unavailable', async () => {
    const db = await open(await createDatabase(server.url))
    const warnings: string[] = []
    const audit = createPostgresAudit({ db, warn: (message) => warnings.push(message) })
    const run = { runId: 'r', sop: 'deploy' }
    expect(await audit.append(run, wholeRun('r').slice(0, 3))).toBe(3)
    await server.stop()
    expect(await audit.append(run, wholeRun('r').slice(0, 5))).toBe(3)
    expect(await audit.append({ ...run, runId: 'other' }, wholeRun('other'))).toBe(0)
    await expect(audit.read('r')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(createPostgresRunIndex({ db }).list({})).rejects.toMatchObject({ code: 'unavailable' })
    expect(warnings).toContain('the record cannot be written')
    await server.start()
    expect(await audit.append(run, wholeRun('r').slice(3))).toBe(8)
    expect(verifyChain(await audit.read('r'), sha256Hex, { lastSequence: 8 })).toEqual([])
  })

  test('a log keeps what comes, and loses nothing', async () => {
    const db = await open(await createDatabase(server.url))
    const logs = createPostgresLogs({ db })
    const key = { runId: 'r', executableId: 'step:1', attempt: 1 } as const
    const writer = await logs.open(key)
    await writer.write(Buffer.from('before '))
    await server.stop()
    await writer.write(Buffer.from('during '))
    const bytes = Buffer.alloc(600_000, 'x')
    await writer.write(bytes)
    // It is the caller's again.
    bytes.fill(0)
    const closed = writer.close()
    const reopened = createPostgresVault({ db, key: randomBytes(32) }).get('r', 'pin')
    await server.start()
    expect(await closed).toEqual({ bytes: 14 + 600_000 })
    expect(await reopened).toBeUndefined()
    const all = await logs.read(key, 0, 1_000_000)
    expect(Buffer.from(all.bytes).toString()).toBe(`before during ${'x'.repeat(600_000)}`)
    expect(all.isClosed).toBe(true)
    expect((await logs.read(key, 599_000, 1_000_000)).bytes).toHaveLength(1_014)
  })

  test('a log that is held up for too long says so instead of waiting for ever', async () => {
    const db = await open(await createDatabase(server.url))
    const writer = await createPostgresLogs({ db, patienceMs: 1_200 }).open({
      runId: 'r',
      executableId: 'step:1',
      attempt: 1,
    })
    await down()
    await writer.write(Buffer.from('held'))
    await expect(writer.close()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(writer.write(Buffer.alloc(9 * 1024 * 1024))).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('an engine that starts waits for it', async () => {
    const url = await createDatabase(server.url)
    await server.stop()
    const warnings: string[] = []
    const opening = openDatabase({ url, patienceMs: 20_000, warn: (message) => warnings.push(message) })
    await server.start()
    await (await opening).close()
  })
})
