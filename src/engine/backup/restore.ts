import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createGunzip } from 'node:zlib'
import { SopError } from '../../core/errors.ts'
import { readEngineFile } from '../engine-file.ts'
import { type Manifest, MANIFEST, readManifest } from './manifest.ts'
import { writeRestored } from './restored.ts'
import { readTar, type TarContent } from './tar.ts'

// restore.ts: makes a data directory of a backup. It is put together beside its place and checked whole, so that what stands
// there in the end is what was backed up, or nothing.

export interface RestoreOptions {
  readonly file: string
  /** The data directory to make; not there, or empty. */
  readonly to: string
  readonly now: () => Date
}

export interface RestoreReport {
  readonly dataDir: string
  readonly backupAt: string
  readonly madeBy: string
  readonly files: number
}

/**
 * Restores a backup.
 *
 * @throws SopError `not_found` without the file, `conflict` where the place is taken, `invalid` where the archive is damaged, cut
 * off, or of a later format, `unavailable` where the place cannot be written
 */
export const restore = async ({ file, to, now }: RestoreOptions): Promise<RestoreReport> => {
  const dataDir = resolve(to)
  if ((await stat(file).catch(() => undefined))?.isFile() !== true)
    throw new SopError('not_found', `Cannot restore "${file}": there is no such file`)
  await assertFree(dataDir)
  const stage = `${dataDir}.restoring-${process.pid}`
  try {
    await mkdir(stage, { recursive: true, mode: 0o700 })
    const manifest = await unpack(file, stage)
    await writeRestored(stage, { backupAt: manifest.at, restoredAt: now().toISOString() })
    await rmdir(dataDir).catch(() => {})
    await rename(stage, dataDir)
    return { dataDir, backupAt: manifest.at, madeBy: manifest.madeBy, files: manifest.files.length }
  } catch (error) {
    await rm(stage, { recursive: true, force: true })
    throw readable(file, dataDir, error)
  }
}

const assertFree = async (dataDir: string): Promise<void> => {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') return ['a file']
    throw error
  })
  if (names.length === 0) return
  const way = 'Give a directory with --to that is not there yet, or is empty'
  const engine = await readEngineFile(dataDir)
  if (engine.state === 'running')
    throw new SopError(
      'conflict',
      `Cannot restore to "${dataDir}": an engine with pid ${engine.engine.pid} runs there. ${way}`,
    )
  throw new SopError('conflict', `Cannot restore to "${dataDir}": it is not empty, and nothing is written over. ${way}`)
}

const damaged = (file: string, reason: string): SopError =>
  new SopError('invalid', `Cannot restore "${file}": ${reason}. Nothing was restored; take another backup`)

const unpack = async (file: string, stage: string): Promise<Manifest> => {
  const found = new Map<string, { readonly sha256: string; readonly size: number }>()
  let text: string | undefined
  const source = createReadStream(file)
  const unzipped = createGunzip()
  source.on('error', (error) => unzipped.destroy(error))
  for await (const entry of readTar(source.pipe(unzipped) as AsyncIterable<Buffer>)) {
    if (entry.path === MANIFEST) {
      const pieces: Buffer[] = []
      for await (const piece of entry.bytes) pieces.push(piece)
      text = Buffer.concat(pieces).toString('utf8')
    } else found.set(entry.path, await extract(file, stage, entry))
  }
  if (text === undefined) throw damaged(file, 'it has no manifest: it is cut off, or no backup')
  const manifest = readManifest(text)
  if ('problem' in manifest) throw damaged(file, manifest.problem)
  for (const { path, sha256, size } of manifest.files) {
    const got = found.get(path)
    if (got === undefined) throw damaged(file, `"${path}" is missing in it`)
    if (got.sha256 !== sha256 || got.size !== size)
      throw damaged(file, `"${path}" is not what was backed up: it was changed`)
    found.delete(path)
  }
  const [foreign] = found.keys()
  if (foreign !== undefined) throw damaged(file, `"${foreign}" was put into it afterwards`)
  return manifest
}

const extract = async (
  file: string,
  stage: string,
  { path, mode, bytes }: TarContent,
): Promise<{ readonly sha256: string; readonly size: number }> => {
  if (
    path.startsWith('/') ||
    path.includes('\\') ||
    path.split('/').some((part) => part === '..' || part === '.' || part === '')
  )
    throw damaged(file, `the path "${path}" in it leads elsewhere`)
  const target = join(stage, path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const handle = await open(target, 'wx', (mode & 0o700) | 0o400)
  const sum = createHash('sha256')
  let size = 0
  try {
    for await (const piece of bytes) {
      sum.update(piece)
      size += piece.length
      await handle.appendFile(piece)
    }
    await handle.datasync()
  } finally {
    await handle.close()
  }
  return { sha256: sum.digest('hex'), size }
}

const FULL = ['ENOSPC', 'EDQUOT']

const readable = (file: string, dataDir: string, error: unknown): unknown => {
  if (error instanceof SopError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (error instanceof RangeError || code.startsWith('Z_'))
    return damaged(file, error instanceof RangeError ? message : 'it is damaged or cut off')
  if (code === 'EEXIST') return damaged(file, 'it has a file twice')
  const reason = FULL.includes(code) ? 'the disk is full' : message
  return new SopError(
    'unavailable',
    `Cannot restore to "${dataDir}": ${reason}. Nothing was restored; make room, or give another place with --to`,
    { code },
    error,
  )
}
