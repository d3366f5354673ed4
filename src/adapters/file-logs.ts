import { type FileHandle, chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LogKey, LogPiece, LogRemoval, LogStore, LogWriter, RunLogUsage } from '../activities/deps.ts'
import { decodeFileName, encodeFileName } from '../core/file-name.ts'
import { compareLogs, EXECUTABLE_KINDS } from '../core/log-order.ts'
import type { ExecutableId } from '../core/run/task.ts'
import { orUndefined } from './shared/missing-file.ts'

// file-logs.ts: logs as files, `logs/<run-id>/<kind>.<name>-<attempt>.log`; bytes are appended and never change.
//   A closed log is read-only: its mode says so, which costs no file more and is in the answer to `stat`.
//   `….cut` beside it tells how much of the output it does not hold.
//   `logs/.removed/<run-id>.json` is what stays of logs that were removed.

const OPEN_MODE = 0o600
const CLOSED_MODE = 0o400
const OWNER_WRITES = 0o200
/** No run id makes a folder of this name: dots of ids are encoded. */
const REMOVED = '.removed'

/** The log store on files below the data directory. */
export const createFileLogs = ({ dataDir }: { readonly dataDir: string }): LogStore => {
  const root = join(dataDir, 'logs')
  const folderOf = (runId: string): string => join(root, encodeFileName(runId))
  const removalPath = (runId: string): string => join(root, REMOVED, `${encodeFileName(runId)}.json`)
  const pathOf = ({ runId, executableId, attempt }: LogKey): string => {
    const colon = executableId.indexOf(':')
    const name = `${executableId.slice(0, colon)}.${encodeFileName(executableId.slice(colon + 1))}`
    return join(folderOf(runId), `${name}-${attempt}.log`)
  }
  const readRemoval = async (runId: string): Promise<LogRemoval | undefined> => {
    const text = await readFile(removalPath(runId), 'utf8').catch(orUndefined)
    return text === undefined ? undefined : (JSON.parse(text) as LogRemoval)
  }
  return {
    open: (key) => openWriter(pathOf(key)),
    read: (key, offset, limit) => readPiece(pathOf(key), offset, limit),
    list: async (runId) => {
      const names = (await readdir(folderOf(runId)).catch(orUndefined)) ?? []
      return names.flatMap((name) => keyOf(runId, name)).sort(compareLogs)
    },
    usage: async () => {
      const found: RunLogUsage[] = []
      for (const folder of (await readdir(root).catch(orUndefined)) ?? []) {
        const runId = decodeFileName(folder)
        if (runId === undefined) continue
        const usage = await usageOf(runId, join(root, folder))
        if (usage !== undefined) found.push(usage)
      }
      return found
    },
    remove: async (runId, removal) => {
      // First the line, then the files: after a crash in between the next sweep finishes.
      if ((await readRemoval(runId)) === undefined) await writeWhole(removalPath(runId), JSON.stringify(removal))
      await rm(folderOf(runId), { recursive: true, force: true })
    },
    removal: readRemoval,
  }
}

const cutPath = (path: string): string => path.replace(/\.log$/, '.cut')

const readPiece = async (path: string, offset: number, limit: number): Promise<LogPiece> => {
  const handle = await open(path, 'r').catch(orUndefined)
  if (handle === undefined) return { bytes: new Uint8Array(0), end: 0 }
  try {
    const { size: end, mode } = await handle.stat()
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(limit, end - offset)))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
    const cut = await readFile(cutPath(path), 'utf8').catch(orUndefined)
    return {
      bytes: bytes.subarray(0, bytesRead),
      end,
      ...((mode & OWNER_WRITES) === 0 && { isClosed: true as const }),
      ...(cut !== undefined && { cutBytes: Number(cut) }),
    }
  } finally {
    await handle.close()
  }
}

const openToAppend = async (path: string): Promise<FileHandle> => {
  for (;;) {
    try {
      return await open(path, 'a', OPEN_MODE)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      else if (code === 'EACCES' && (await isOurs(path))) await chmod(path, OPEN_MODE)
      else throw error
    }
  }
}

/** Whether it is a closed log, which its owner may open again, rather than a file that somebody else made. */
const isOurs = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(orUndefined)
  return found !== undefined && found.uid === process.getuid?.() && (found.mode & OWNER_WRITES) === 0
}

const openWriter = async (path: string): Promise<LogWriter> => {
  const handle = await openToAppend(path)
  const { size, mode } = await handle.stat()
  // For root a read-only file is no obstacle.
  if ((mode & OWNER_WRITES) === 0) await handle.chmod(OPEN_MODE)
  return {
    size,
    write: (bytes) => handle.appendFile(bytes),
    cut: (bytes) => writeWhole(cutPath(path), String(bytes)),
    close: async () => {
      try {
        // A file system without modes never says that a log is closed; its run's record does.
        await handle.chmod(CLOSED_MODE).catch(() => undefined)
        return { bytes: (await handle.stat()).size }
      } finally {
        await handle.close()
      }
    },
    release: () => handle.close(),
  }
}

/** A reader never sees half of it. */
const writeWhole = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle = await open(`${path}.tmp`, 'w', OPEN_MODE)
  try {
    await handle.writeFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.tmp`, path)
}

const usageOf = async (runId: string, folder: string): Promise<RunLogUsage | undefined> => {
  const names = (await readdir(folder).catch(orUndefined)) ?? []
  const files = await Promise.all(names.map((name) => stat(join(folder, name)).catch(orUndefined)))
  const found = files.filter((each) => each !== undefined)
  if (found.length === 0) return undefined
  return {
    runId,
    bytes: found.reduce((sum, { size }) => sum + size, 0),
    writtenAt: new Date(Math.max(...found.map(({ mtimeMs }) => mtimeMs))).toISOString(),
  }
}

const keyOf = (runId: string, fileName: string): readonly LogKey[] => {
  const [, kind, encoded, attempt] = /^([a-z]+)\.(.+)-(\d+)\.log$/.exec(fileName) ?? []
  const name = encoded === undefined ? undefined : decodeFileName(encoded)
  if (name === undefined || !EXECUTABLE_KINDS.some((each) => each === kind)) return []
  return [{ runId, executableId: `${kind}:${name}` as ExecutableId, attempt: Number(attempt) }]
}
