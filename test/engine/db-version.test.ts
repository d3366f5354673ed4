import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertUsable, type DbFound, planDb, prepareDb, recordDb } from '../../src/engine/db-version.ts'

const made = (server: string, state: 'creating' | 'ready' = 'ready'): DbFound => ({
  exists: true,
  record: { server, state },
})

describe('planDb()', () => {
  test.each([
    ['no file', { exists: false }, '1.31.2', 'create'],
    ['a record without a file', { ...made('1.31.2'), exists: false }, '1.31.2', 'create'],
    ['a file that was never ready', made('1.31.2', 'creating'), '1.31.2', 'create'],
    ['a file that a later server never got ready', made('1.40.0', 'creating'), '1.31.2', 'create'],
    ['the same version', made('1.31.2'), '1.31.2', 'keep'],
    ['an earlier patch', made('1.31.1'), '1.31.2', 'backup'],
    ['a file of unknown origin', { exists: true }, '1.31.2', 'refuse'],
    ['a later patch', made('1.31.3'), '1.31.2', 'refuse'],
    ['a later minor version', made('1.32.0'), '1.31.2', 'refuse'],
    ['an earlier minor version', made('1.31.2'), '1.32.0', 'refuse'],
    ['an earlier major version', made('1.31.2'), '2.31.2', 'refuse'],
  ] as const)('of %s', (_, found, server, kind) => {
    expect(planDb(found, server).kind).toBe(kind)
  })
})

describe('assertUsable()', () => {
  const look = (found: DbFound) => () => assertUsable('data', found)

  test('refuses, before any binary is looked for, what no server that we accept can open', () => {
    expect(look(made('1.29.1'))).toThrow(/server 1\.29\.1 made it, this version needs 1\.31\.0 or later.*SOP_DATA_DIR/)
    expect(look({ exists: true })).toThrow(/nothing says which server made the database.*SOP_DATA_DIR/)
  })

  test.each([
    ['a later server', made('1.32.0')],
    ['a file that was never ready', made('1.29.1', 'creating')],
    ['a file that is not there', { exists: false }],
  ])('leaves %s to the binary that is found', (_, found) => {
    expect(look(found)).not.toThrow()
  })
})

describe('prepareDb()', () => {
  let folder: string
  const now = new Date('2026-01-02T03:04:05.678Z')
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sop db-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const write = (name: string, text: string) => writeFile(join(folder, name), text)
  const read = (name: string) => readFile(join(folder, name), 'utf8')

  test('copies database and log of writes aside before a later patch opens them', async () => {
    await write('temporal.db', 'db')
    await write('temporal.db-wal', 'wal')
    await recordDb(folder, '1.31.1')
    const backup = await prepareDb(folder, '1.31.2', now)
    expect(backup).toBe(join(folder, 'backup-1.31.1-2026-01-02T03-04-05-678Z'))
    expect((await readdir(backup ?? '')).sort()).toEqual(['temporal.db', 'temporal.db-wal'])
    expect(await read('temporal.db')).toBe('db')
    // Until the new server is ready on it, the file counts as the old one's.
    expect(JSON.parse(await read('version.json'))).toEqual({ server: '1.31.1', state: 'ready' })
  })

  test('never lets an earlier server or an unknown schema touch the file', async () => {
    await write('temporal.db', 'db')
    await recordDb(folder, '1.32.0')
    await expect(prepareDb(folder, '1.31.2', now)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        /^Cannot open ".*temporal\.db" with Temporal server 1\.31\.2: the database was made by the later server 1\.32\.0\. .*SOP_DATA_DIR/,
      ),
    })
    await recordDb(folder, '1.30.0')
    await expect(prepareDb(folder, '1.31.2', now)).rejects.toThrow(
      'made by server 1.30.0, whose schema it does not migrate',
    )
    expect((await readdir(folder)).sort()).toEqual(['temporal.db', 'version.json'])
  })

  test.each(['1.29.1', '1.30.4', '1.32.0', '2.0.0'])(
    'of a file that server %s made leaves every byte as it was, and says both versions',
    async (server) => {
      await write('temporal.db', 'db')
      await write('temporal.db-wal', 'wal')
      await recordDb(folder, server)
      const before = await read('version.json')
      await expect(prepareDb(folder, '1.31.2', now)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(new RegExp(`1\\.31\\.2.*${server.replaceAll('.', '\\.')}`)),
      })
      expect((await readdir(folder)).sort()).toEqual(['temporal.db', 'temporal.db-wal', 'version.json'])
      expect([await read('temporal.db'), await read('temporal.db-wal'), await read('version.json')]).toEqual([
        'db',
        'wal',
        before,
      ])
    },
  )

  test('removes what a first start that was cut off left half made, and nothing else', async () => {
    await write('temporal.db', 'half')
    await write('temporal.db-wal', 'half')
    await write('server.log', 'log')
    await write('version.json', '{"server":"1.31.2","state":"creating"}')
    expect(await prepareDb(folder, '1.31.2', now)).toBeUndefined()
    expect((await readdir(folder)).sort()).toEqual(['server.log', 'version.json'])
  })

  test.each([
    ['is damaged', '{"server":'],
    ['is missing', undefined],
  ])('never lets any server touch a file whose record %s, and says how to go on', async (_, record) => {
    await write('temporal.db', 'db')
    if (record !== undefined) await write('version.json', record)
    await expect(prepareDb(folder, '1.31.2', now)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/nothing says which server made the database.*version\.json.*SOP_DATA_DIR/),
    })
    expect(await read('temporal.db')).toBe('db')
    expect((await readdir(folder)).filter((name) => name.startsWith('backup'))).toEqual([])
  })
})
