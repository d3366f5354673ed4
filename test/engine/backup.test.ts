import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createFileHeads } from '../../src/adapters/file-heads.ts'
import { newSigner } from '../client/support/verified-store.ts'
import { backUp, type BackupOptions } from '../../src/engine/backup/backup.ts'
import { BACKUP_FORMAT } from '../../src/engine/backup/manifest.ts'
import { restore } from '../../src/engine/backup/restore.ts'
import { readRestored } from '../../src/engine/backup/restored.ts'
import { TAR_END, tarHeader, tarPadding } from '../../src/engine/backup/tar.ts'
import { tryLock } from '../../src/engine/file-lock.ts'

// backup.test.ts: the archive of a data directory whose engine does not run, and everything that may be wrong with one.

const NOW = new Date('2026-11-21T03:00:00.000Z')
const LONG = `audit/${'x'.repeat(90)}/${'ü'.repeat(60)}.jsonl`

const FILES: Readonly<Record<string, string>> = {
  'installation.key': 'private',
  'tokens.json': '[]',
  token: 'of this machine',
  'engine.json': '{}',
  'engine.lock.claim': '',
  'audit/deploy/sop_run_1.jsonl': '{"sequence":1}\n',
  [LONG]: 'long\n',
  'heads/heads.jsonl': 'heads\n',
  'logs/sop_run_1/step.1-1.log': 'printed\n',
  'logs/sop_run_1/empty.log': '',
  'temporal/temporal.db': 'database'.repeat(5000),
  'temporal/temporal.db-wal': 'journal',
  'temporal/version.json': '{"server":"1.31.2","state":"ready"}',
  'temporal/server.json': '{}',
  'temporal/server.log': 'said',
  'scratch/.spool/entry': 'of this host',
  'scratch/run/file': 'of a run',
  'runs/index.jsonl.tmp': 'half',
}
const LEFT_OUT = [
  'token',
  'engine.json',
  'engine.lock.claim',
  'temporal/server.json',
  'temporal/server.log',
  'scratch/.spool/entry',
  'runs/index.jsonl.tmp',
]

interface World {
  readonly folder: string
  readonly dataDir: string
  readonly file: string
  options(more?: Partial<BackupOptions> & { readonly env?: Record<string, string> }): BackupOptions
}

const world = async (): Promise<World> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-backup-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'data')
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(join(dataDir, path, '..'), { recursive: true })
    await writeFile(join(dataDir, path), text)
  }
  await chmod(join(dataDir, 'logs/sop_run_1/step.1-1.log'), 0o400)
  return {
    folder,
    dataDir,
    file: join(folder, 'b.tar.gz'),
    options: ({ env = {}, ...more } = {}) => {
      const all = { SOP_DATA_DIR: dataDir, ...env }
      const { config } = readConfig({ env: all, cwd: folder })
      return { config, env: all, out: join(folder, 'b.tar.gz'), version: '1.2.3', now: () => NOW, ...more }
    },
  }
}

const made = async (): Promise<World> => {
  const found = await world()
  await backUp(found.options())
  return found
}
const restoring = ({ folder, file }: World, to = join(folder, 'copy')) => restore({ file, to, now: () => NOW })

describe('backUp() and restore()', () => {
  test('bring back every file with its mode, and leave out what is of the machine or the process', async () => {
    const { folder, file, options } = await world()
    const report = await backUp(options())
    expect(report).toMatchObject({ file, at: NOW.toISOString(), files: Object.keys(FILES).length - LEFT_OUT.length })
    expect(report.pausedMs).toBeUndefined()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const to = join(folder, 'copy')
    expect(await restore({ file, to, now: () => NOW })).toMatchObject({
      dataDir: to,
      backupAt: NOW.toISOString(),
      madeBy: '1.2.3',
    })
    for (const [path, text] of Object.entries(FILES)) {
      const found = await readFile(join(to, path), 'utf8').catch(() => undefined)
      expect([path, found]).toEqual([path, LEFT_OUT.includes(path) ? undefined : text])
    }
    expect((await stat(join(to, 'logs/sop_run_1/step.1-1.log'))).mode & 0o777).toBe(0o400)
    expect((await stat(to)).mode & 0o777).toBe(0o700)
    expect(await readRestored(to)).toEqual({ backupAt: NOW.toISOString(), restoredAt: NOW.toISOString() })
  })

  test('make an archive that any tar reads', async () => {
    const { file } = await made()
    const { stdout } = await promisify(execFile)('tar', ['tzf', file], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['heads/heads.jsonl', 'temporal/temporal.db', 'manifest.json']),
    )
  })

  test('put the database first, then heads, then records', async () => {
    const { file } = await made()
    const { stdout } = await promisify(execFile)('tar', ['tzf', file])
    const at = (path: string): number => stdout.split('\n').indexOf(path)
    expect([at('temporal/temporal.db'), at('heads/heads.jsonl')]).toEqual([0, 2])
    expect(at('heads/heads.jsonl')).toBeLessThan(at('audit/deploy/sop_run_1.jsonl'))
    expect(at('audit/deploy/sop_run_1.jsonl')).toBeLessThan(at('logs/sop_run_1/step.1-1.log'))
  })

  test('name the file by the time in a folder that is there', async () => {
    const { folder, options } = await world()
    const { file } = await backUp(options({ out: folder }))
    expect(file).toBe(join(folder, 'sop-backup-2026-11-21T03-00-00.tar.gz'))
    // Another one within the same second.
    await expect(backUp(options({ out: folder }))).rejects.toMatchObject({ code: 'conflict' })
  })

  test('say where the chain of heads ends, so that it can be noted elsewhere', async () => {
    const { dataDir, options } = await world()
    expect(await backUp(options())).not.toHaveProperty('head')
    const heads = createFileHeads({ dataDir, signer: newSigner() })
    await rm(join(dataDir, 'heads'), { recursive: true })
    await heads.append([
      { kind: 'opened', runId: 'a', sop: 'deploy', sequence: 1, eventHash: 'a'.repeat(64) },
      { kind: 'closed', runId: 'a', sop: 'deploy', sequence: 2, eventHash: 'b'.repeat(64) },
    ])
    const report = await backUp(options({ out: join(dataDir, '..', 'c.tar.gz') }))
    expect(report.head).toEqual({ index: 2, hash: (await heads.end()).hash })
  })
})

describe('backUp() refuses', () => {
  test.each([
    ['records in PostgreSQL', { SOP_DATABASE_URL: 'postgresql://h/d' }, 'conflict', /pg_dump/],
    ['workflows of another Temporal', { TEMPORAL_ADDRESS: 'temporal:7233' }, 'conflict', /temporal:7233/],
    ['what is no data directory', { SOP_DATA_DIR: '/nowhere' }, 'not_found', /no data directory/],
  ])('%s', async (_, env, code, message) => {
    const { options } = await world()
    await expect(backUp(options({ env }))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a file that is there, and a place in the data directory', async () => {
    const found = await made()
    await expect(backUp(found.options())).rejects.toMatchObject({ code: 'conflict' })
    await expect(backUp(found.options({ out: join(found.dataDir, 'b.tar.gz') }))).rejects.toMatchObject({
      code: 'invalid',
    })
  })

  test('a second one at the same time', async () => {
    const { dataDir, options } = await world()
    const other = await tryLock(join(dataDir, 'backup.lock'))
    await expect(backUp(options())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another backup'),
    })
    if (other.held) await other.release()
    await backUp(options())
  })
})

describe('backUp() leaves nothing behind', () => {
  const isClean = async ({ folder, dataDir }: World): Promise<void> => {
    expect((await readdir(folder)).sort()).toEqual(['data'])
    expect((await readdir(join(dataDir, 'temporal'))).filter((name) => name.startsWith('backup'))).toEqual([])
    expect((await readdir(dataDir)).filter((name) => name.startsWith('backup.lock'))).toEqual([])
  }

  test('when it is interrupted', async () => {
    const found = await world()
    const signal = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(backUp(found.options({ signal }))).rejects.toThrow('Ctrl-C')
    await isClean(found)
  })

  test('when the disk is full', async (context) => {
    const found = await world()
    const full = join(found.folder, 'full')
    await mkdir(full)
    // Only root may make a small disk.
    if (process.getuid?.() !== 0) return context.skip()
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full])
    try {
      await writeFile(join(found.dataDir, 'large'), await noise(400_000))
      await expect(backUp(found.options({ out: full }))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/the disk is full\. Nothing is left of it/),
      })
      expect(await readdir(full)).toEqual([])
    } finally {
      await promisify(execFile)('umount', [full])
    }
    await rm(full, { recursive: true })
    await isClean(found)
  })
})

/** Bytes that no gzip makes smaller. */
const noise = async (count: number): Promise<Buffer> => (await import('node:crypto')).randomBytes(count)

describe('restore() refuses, and makes nothing of', () => {
  const refused = async (found: World, message: RegExp, code = 'invalid'): Promise<void> => {
    const before = (await readdir(found.folder)).sort()
    await expect(restoring(found)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect((await readdir(found.folder)).sort()).toEqual(before)
  }
  const rewrite = async ({ file }: World, change: (tar: Buffer) => Buffer): Promise<void> =>
    writeFile(file, gzipSync(change(gunzipSync(await readFile(file)))))

  test('a file that is not there', async () => refused(await world(), /there is no such file/, 'not_found'))

  test('what is no archive', async () => {
    const found = await world()
    await writeFile(found.file, 'hello')
    await refused(found, /damaged or cut off/)
    await writeFile(found.file, gzipSync('x'.repeat(2000)))
    await refused(found, /no archive|damaged/)
  })

  test('an archive that is cut off anywhere', async () => {
    const found = await made()
    const { size } = await stat(found.file)
    for (const share of [0.999, 0.9, 0.5, 0.1]) {
      await truncate(found.file, Math.floor(size * share))
      await refused(found, /cut off|damaged/)
    }
  })

  test('an archive without its manifest', async () => {
    const found = await world()
    const header = tarHeader({ path: 'token', size: 1, mode: 0o600, mtimeMs: 0 })
    await writeFile(found.file, gzipSync(Buffer.concat([header, Buffer.from('x'), tarPadding(1), TAR_END])))
    await refused(found, /no manifest/)
  })

  test('one of a later format', async () => {
    const found = await made()
    await rewrite(found, (tar) => replaced(tar, `"format": ${BACKUP_FORMAT}`, `"format": ${BACKUP_FORMAT + 8}`))
    await refused(found, /format 9, made by version 1\.2\.3/)
  })

  test('one in which a byte of a file was changed', async () => {
    const found = await made()
    await rewrite(found, (tar) => replaced(tar, 'printed', 'printeD'))
    await refused(found, /"logs\/sop_run_1\/step\.1-1\.log" is not what was backed up/)
  })

  test('one that a file was taken out of, or put into', async () => {
    const without = await made()
    await rewrite(without, (tar) => tar.subarray(Math.ceil(40_000 / 512) * 512 + 512))
    await refused(without, /"temporal\/temporal\.db" is missing/)
    const withMore = await made()
    await rewrite(withMore, (tar) => Buffer.concat([entry('evil', 'x'), tar]))
    await refused(withMore, /"evil" was put into it afterwards/)
  })

  test.each(['../evil', '/evil', 'a/../../evil', 'a//evil'])('one with the path %s', async (path) => {
    const found = await made()
    await rewrite(found, (tar) => Buffer.concat([entry(path, 'x'), tar]))
    await refused(found, /leads elsewhere/)
  })

  test('a place that is not empty, and one where an engine runs', async () => {
    const found = await made()
    await expect(restoring(found, found.dataDir)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('not empty'),
    })
    await mkdir(join(found.folder, 'empty'))
    await restoring(found, join(found.folder, 'empty'))
  })

  test('a disk that is full', async (context) => {
    const found = await made()
    if (process.getuid?.() !== 0) return context.skip()
    const full = join(found.folder, 'full')
    await mkdir(full)
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', full])
    try {
      await expect(restoring(found, join(full, 'data'))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('the disk is full'),
      })
      expect(await readdir(full)).toEqual([])
    } finally {
      await promisify(execFile)('umount', [full])
    }
  })
})

const entry = (path: string, text: string): Buffer => {
  const size = Buffer.byteLength(text)
  return Buffer.concat([tarHeader({ path, size, mode: 0o600, mtimeMs: 0 }), Buffer.from(text), tarPadding(size)])
}

/** The first place of it, and as many bytes. */
const replaced = (bytes: Buffer, from: string, to: string): Buffer => {
  const at = bytes.indexOf(from)
  expect(at).toBeGreaterThan(0)
  const copy = Buffer.from(bytes)
  copy.write(to, at)
  return copy
}
