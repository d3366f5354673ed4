import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { createGzip } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import { createFileHeads } from '../../adapters/file-heads.ts'
import type { Config } from '../../config.ts'
import { SopError } from '../../core/errors.ts'
import type { HeadMark } from '../../core/heads.ts'
import { tryLock } from '../file-lock.ts'
import type { Environment } from '../find-temporal.ts'
import { configuredTemporal } from '../temporal-address.ts'
import { BACKUP_FORMAT, type Manifest, MANIFEST } from './manifest.ts'
import { copyDatabase, type PausedCopy } from './paused-copy.ts'
import { TAR_END, tarHeader, tarPadding } from './tar.ts'

// backup.ts: one archive of a data directory, also while its engine runs. Order: Temporal's database, then heads, then records,
// then the rest. A record may so be ahead of its workflow, which is told as a fork; no head vouches for what is not there.

export interface BackupOptions {
  readonly config: Config
  readonly env: Environment
  /** A file, or a folder that is there. Default: the working directory. */
  readonly out: string
  readonly version: string
  readonly now: () => Date
  readonly signal?: AbortSignal
}

export interface BackupReport {
  readonly file: string
  readonly bytes: number
  readonly files: number
  readonly at: string
  /** How long Temporal's server stood still; absent where none ran. */
  readonly pausedMs?: number
  /** Where the chain of heads ended, which the copy has: to be noted elsewhere. Absent: there are none. */
  readonly head?: HeadMark
}

/**
 * Makes a backup.
 *
 * @throws SopError `conflict` where what has to be copied is not in the data directory, or another backup is under way;
 * `not_found` without a data directory; `unavailable` where it cannot be written
 */
export const backUp = async (options: BackupOptions): Promise<BackupReport> => {
  const { config, env, now } = options
  assertEmbedded(config, env)
  const { dataDir } = config
  if ((await stat(join(dataDir, 'installation.key')).catch(() => undefined)) === undefined)
    throw new SopError(
      'not_found',
      `Cannot back up "${dataDir}": it is no data directory of an engine. Set SOP_DATA_DIR`,
    )
  const file = await fileFor(options)
  const locks = await lock(dataDir)
  try {
    const database = await copyDatabase(join(dataDir, 'temporal'))
    const at = now().toISOString()
    try {
      const head = await createFileHeads({ dataDir }).end()
      const written = await write(file, options, database, at)
      return {
        file,
        at,
        ...written,
        ...(head.index > 0 && { head: { index: head.index, hash: head.hash } }),
        ...(database.pausedMs !== undefined && { pausedMs: Math.round(database.pausedMs) }),
      }
    } finally {
      await database.remove()
    }
  } catch (error) {
    throw readable(file, error)
  } finally {
    for (const release of locks) await release()
  }
}

const assertEmbedded = (config: Config, env: Environment): void => {
  if (config.store === 'postgres') {
    const way =
      'Back the database up with its own means (pg_dump), together with that of Temporal, and keep the installation key'
    throw new SopError('conflict', `Cannot back up: the records are in PostgreSQL, not in the data directory. ${way}`)
  }
  const external = configuredTemporal(config.temporal, env)
  if (external === undefined) return
  throw new SopError(
    'conflict',
    `Cannot back up: the workflows are in Temporal at ${external.address}, not in the data directory. Back that up with its own means, and copy the data directory while the worker is stopped`,
  )
}

const fileFor = async ({ out, config: { dataDir }, now }: BackupOptions): Promise<string> => {
  const path = resolve(out)
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const name = `sop-backup-${now().toISOString().slice(0, 19).replaceAll(':', '-')}.tar.gz`
  const file = isFolder ? join(path, name) : path
  if (!relative(resolve(dataDir), file).startsWith('..'))
    throw new SopError(
      'invalid',
      `Cannot back up to "${file}": it lies in the data directory itself. Give another place with --out`,
    )
  if ((await stat(file).catch(() => undefined)) !== undefined)
    throw new SopError('conflict', `Cannot back up to "${file}": it is there already. Give another name with --out`)
  return file
}

/** One backup at a time; and where no engine runs, none begins meanwhile. */
const lock = async (dataDir: string): Promise<readonly (() => Promise<void>)[]> => {
  const own = await tryLock(join(dataDir, 'backup.lock'))
  if (!own.held)
    throw new SopError('conflict', `Cannot back up "${dataDir}": another backup of it is under way. Wait for its end`)
  const engine = await tryLock(join(dataDir, 'engine.lock'))
  return engine.held ? [engine.release, own.release] : [own.release]
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'it lies on a read-only file system',
  EACCES: 'this user may not write there',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of the path is a file',
}

const readable = (file: string, error: unknown): unknown => {
  const { code = '' } = error as NodeJS.ErrnoException
  const reason = REASONS[code]
  if (error instanceof SopError || reason === undefined) return error
  return new SopError(
    'unavailable',
    `Cannot write backup "${file}": ${reason}. Nothing is left of it; give another place with --out`,
    { code },
    error,
  )
}

const write = async (
  file: string,
  options: BackupOptions,
  database: PausedCopy,
  at: string,
): Promise<Pick<BackupReport, 'bytes' | 'files'>> => {
  const draft = `${file}.partial`
  await mkdir(dirname(file), { recursive: true })
  const files: Manifest['files'][number][] = []
  try {
    const target = createWriteStream(draft, { mode: 0o600, flush: true })
    const { signal } = options
    await pipeline(contents(options, database, at, files), createGzip({ level: 1 }), target, {
      ...(signal && { signal }),
    })
    const { size: bytes } = await stat(draft)
    await rename(draft, file)
    return { bytes, files: files.length }
  } catch (error) {
    await rm(draft, { force: true })
    options.signal?.throwIfAborted()
    throw error
  }
}

/** The bytes of the archive; what went into it is noted in `files`. */
async function* contents(
  { config: { dataDir }, version }: BackupOptions,
  database: PausedCopy,
  at: string,
  files: Manifest['files'][number][],
): AsyncGenerator<Buffer> {
  for (const name of database.files) yield* contentOf(`temporal/${name}`, join(database.folder, name), files)
  for await (const path of filesBelow(dataDir)) yield* contentOf(path, join(dataDir, path), files)
  const manifest: Manifest = { format: BACKUP_FORMAT, madeBy: version, at, pausedMs: database.pausedMs ?? 0, files }
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
  yield tarHeader({ path: MANIFEST, size: bytes.length, mode: 0o600, mtimeMs: Date.parse(at) })
  yield bytes
  yield tarPadding(bytes.length)
  yield TAR_END
}

const PIECE = 1024 * 1024

/** One file. It may grow meanwhile: what it had when it was opened is what goes in. */
async function* contentOf(path: string, from: string, files: Manifest['files'][number][]): AsyncGenerator<Buffer> {
  const source = await open(from, 'r').catch(orGone)
  if (source === undefined) return
  try {
    const { size, mode, mtimeMs } = await source.stat()
    yield tarHeader({ path, size, mode, mtimeMs })
    const sum = createHash('sha256')
    for (let at = 0; at < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, size - at))
      const { bytesRead } = await source.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0)
        throw new SopError('conflict', `Cannot back up "${path}": it became shorter while it was copied. Try again`)
      const piece = buffer.subarray(0, bytesRead)
      sum.update(piece)
      at += bytesRead
      yield piece
    }
    yield tarPadding(size)
    files.push({ path, size, sha256: sum.digest('hex'), mode: mode & 0o777 })
  } finally {
    await source.close()
  }
}

/** What is of this process or of this host: locks, where it listens, commands under way, the token of this machine. */
const LEFT_OUT: readonly RegExp[] = [
  /^(engine|backup)\.lock/,
  /^engine\.json$/,
  /^token$/,
  /\.tmp$/,
  /^temporal\/(?!version\.json$)/,
  /^scratch\/\.spool(-path)?(\/|$)/,
]

async function* filesBelow(dataDir: string): AsyncGenerator<string> {
  // Heads before records (docs/decisions/0025).
  const first = ['heads', 'audit']
  const names = (await readdir(dataDir)).sort()
  for (const name of [
    ...first.filter((each) => names.includes(each)),
    ...names.filter((each) => !first.includes(each)),
  ])
    yield* walk(dataDir, name)
}

const isLeftOut = (path: string): boolean => LEFT_OUT.some((pattern) => pattern.test(path))

async function* walk(root: string, path: string): AsyncGenerator<string> {
  if (isLeftOut(path)) return
  const found = await lstat(join(root, path)).catch(orGone)
  if (found?.isFile() === true) yield path
  if (found?.isDirectory() !== true) return
  for (const name of ((await readdir(join(root, path)).catch(orGone)) ?? []).sort())
    yield* walk(root, `${path}/${name}`)
}

/** Removed since its folder was read. */
const orGone = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}
