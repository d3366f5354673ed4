import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LogKey, LogStore, LogWriter } from '../activities/deps.ts'
import { decodeFileName, encodeFileName } from '../core/file-name.ts'
import type { ExecutableId } from '../core/run/task.ts'

// file-logs.ts: logs as files, `logs/<run-id>/<kind>.<name>-<attempt>.log`; bytes are appended and never change.

const KINDS = ['gate', 'step', 'verify', 'rollback'] as const

/** The log store on files below the data directory. */
export const createFileLogs = ({ dataDir }: { readonly dataDir: string }): LogStore => {
  const root = join(dataDir, 'logs')
  const pathOf = ({ runId, executableId, attempt }: LogKey): string => {
    const colon = executableId.indexOf(':')
    const name = `${executableId.slice(0, colon)}.${encodeFileName(executableId.slice(colon + 1))}`
    return join(root, encodeFileName(runId), `${name}-${attempt}.log`)
  }
  return {
    open: async (key) => createWriter(await openToAppend(pathOf(key))),
    read: async (key, offset, limit) => {
      const handle = await open(pathOf(key), 'r').catch(orUndefined)
      if (handle === undefined) return { bytes: new Uint8Array(0), end: 0 }
      try {
        const { size: end } = await handle.stat()
        const bytes = Buffer.alloc(Math.max(0, Math.min(limit, end - offset)))
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
        return { bytes: bytes.subarray(0, bytesRead), end }
      } finally {
        await handle.close()
      }
    },
    list: async (runId) => {
      const names = await readdir(join(root, encodeFileName(runId))).catch(() => [])
      return names.flatMap((name) => keyOf(runId, name)).sort(inOrder)
    },
  }
}

const openToAppend = async (path: string): Promise<FileHandle> => {
  const handle = await open(path, 'a', 0o600).catch(orUndefined)
  if (handle !== undefined) return handle
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return open(path, 'a', 0o600)
}

const orUndefined = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

const createWriter = (handle: FileHandle): LogWriter => ({
  write: (bytes) => handle.appendFile(bytes),
  close: async () => {
    try {
      return { bytes: (await handle.stat()).size }
    } finally {
      await handle.close()
    }
  },
})

const keyOf = (runId: string, fileName: string): readonly LogKey[] => {
  const [, kind, encoded, attempt] = /^([a-z]+)\.(.+)-(\d+)\.log$/.exec(fileName) ?? []
  const name = encoded === undefined ? undefined : decodeFileName(encoded)
  if (name === undefined || !KINDS.some((each) => each === kind)) return []
  return [{ runId, executableId: `${kind}:${name}` as ExecutableId, attempt: Number(attempt) }]
}

/** As the steps stand in the procedure; gates before the first step come first, other gates last. */
const inOrder = (a: LogKey, b: LogKey): number => {
  const [[stepA, kindA, nameA], [stepB, kindB, nameB]] = [rank(a), rank(b)]
  if (stepA !== stepB) return stepA < stepB ? -1 : 1
  // A step and its verification take turns with each attempt; gates stand one after the other.
  return a.attempt - b.attempt || kindA - kindB || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0)
}

const rank = ({ executableId }: LogKey): readonly [number, number, string] => {
  const [kind = '', name = ''] = executableId.split(/:(.*)/s)
  const number = kind !== 'gate' && /^\d+$/.test(name) ? Number(name) : name.startsWith('pre_') ? -1 : Infinity
  return [number, KINDS.findIndex((each) => each === kind), name]
}
