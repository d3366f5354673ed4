import { chmod, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SopError } from '../core/errors.ts'
import { readEngineFile } from './engine-file.ts'
import { tryLock } from './file-lock.ts'

/** A data directory that belongs to this process until it is closed. */
export interface DataDir {
  readonly path: string
  /** Everything of the embedded Temporal server: database, log, records. */
  readonly temporalDir: string
  /** The local token (mode 0600), made by the API at its first start. */
  readonly tokenPath: string
  close(): Promise<void>
}

const FOLDERS = {
  dataDir: { name: 'data directory', wayOut: 'Give the engine another directory with SOP_DATA_DIR' },
  workerDir: { name: 'worker folder', wayOut: 'Give this worker a folder of its own with SOP_WORKER_DIR' },
} as const

/** What to do instead of a second worker on one data directory, which has one writer. */
export const MORE_HANDS =
  'For more hands beside it start a worker of a pool, which needs no data directory: sop worker --pool NAME'

/**
 * Makes the directory if needed (readable by its owner only) and takes it for this process alone.
 *
 * @param wayOut what to do where another engine has it
 * @throws SopError `conflict` when another engine uses it; `unavailable` when it cannot be written
 */
export async function openDataDir(path: string, wayOut: string = FOLDERS.dataDir.wayOut): Promise<DataDir> {
  const temporalDir = join(path, 'temporal')
  const release = await take(path, wayOut)
  try {
    await mkdir(temporalDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    await release()
    throw cannotWrite(path, error)
  }
  return { path, temporalDir, tokenPath: join(path, 'token'), close: release }
}

/** The data directory beside the process that owns it: an API whose worker runs elsewhere. */
export async function shareDataDir(path: string): Promise<DataDir> {
  const temporalDir = join(path, 'temporal')
  try {
    await makeFolder(temporalDir)
  } catch (error) {
    throw cannotWrite(path, error)
  }
  return { path, temporalDir, tokenPath: join(path, 'token'), close: async () => {} }
}

/** What a worker of a pool keeps on its host, and nobody else uses. */
export interface WorkerDir {
  readonly path: string
  close(): Promise<void>
}

/**
 * Takes the folder of a worker of a pool for this process alone.
 * @throws SopError `conflict` when another worker, or an engine, uses it; `unavailable` when it cannot be written
 */
export async function openWorkerDir(path: string): Promise<WorkerDir> {
  const { wayOut } = FOLDERS.workerDir
  if (await exists(join(path, 'installation.key'))) {
    throw new SopError(
      'conflict',
      `Cannot use "${path}" as the folder of a worker: it is the data directory of an engine. ${wayOut}`,
    )
  }
  const attempt = await makeAndLock(path).catch((error: unknown) => {
    throw cannotWrite(path, error, 'workerDir')
  })
  if (attempt.held) return { path, close: attempt.release }
  const pid = attempt.holder === undefined ? '' : ` with pid ${attempt.holder.pid}`
  throw new SopError('conflict', `Cannot use worker folder "${path}": a worker${pid} uses it. ${wayOut}`, {
    workerDir: path,
  })
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function take(path: string, wayOut: string): Promise<() => Promise<void>> {
  const attempt = await makeAndLock(path).catch((error: unknown) => {
    throw cannotWrite(path, error)
  })
  if (attempt.held) return attempt.release
  const found = await readEngineFile(path)
  const pid = attempt.holder === undefined ? '' : ` with pid ${attempt.holder.pid}`
  const where = found.state === 'running' ? ` and answers at ${found.engine.url}` : ''
  throw new SopError(
    'conflict',
    `Cannot use data directory "${path}": the engine${pid} uses it${where}. Stop that engine first. ${wayOut}`,
    { dataDir: path, ...(attempt.holder === undefined ? {} : { pid: attempt.holder.pid, host: attempt.holder.host }) },
  )
}

async function makeAndLock(path: string): ReturnType<typeof tryLock> {
  // One that was there keeps the mode that its owner gave it.
  if (await makeFolder(path)) await chmod(path, 0o700)
  return tryLock(join(path, 'engine.lock'))
}

/**
 * Makes the folder and those above it; false when it is there already. Node's own way with `recursive` never ends, and
 * takes a core, where a file system takes no new folder and says ENOENT of it (/proc, an automounter).
 */
async function makeFolder(path: string): Promise<boolean> {
  const above = dirname(path)
  try {
    return await makeOne(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
  }
  await makeFolder(above)
  return makeOne(path)
}

/** False when it is there already. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await isFolder(path))) return false
    throw error
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory()

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it lies on a read-only file system',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'no folder can be made there',
}

function cannotWrite(path: string, error: unknown, kind: keyof typeof FOLDERS = 'dataDir'): SopError {
  const { name, wayOut } = FOLDERS[kind]
  const { code = '', message } = error as NodeJS.ErrnoException
  return new SopError(
    'unavailable',
    `Cannot write ${name} "${path}": ${REASONS[code] ?? message}. Make it writable. ${wayOut}`,
    { [kind]: path, code },
    error,
  )
}
