import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogKey, LogPiece, LogWriter } from '../activities/deps.ts'

// held-files.ts: logs that wait on the disk of a worker. Each is `<id>.json`, which log it is, from which byte on, and whether it has
// ended; and `<id>.log`, the bytes.

/** One log that waits. */
export interface HeldFile {
  readonly id: string
  readonly key: LogKey
  /** Byte of the log that the first one here is. */
  readonly base: number
  size: number
  cut?: number
  isEnded: boolean
}

export interface HeldFiles {
  create(key: LogKey, base: number): Promise<HeldFile>
  /** Writes down what is known of it besides its bytes. */
  note(file: HeldFile): Promise<void>
  /** Adds the bytes durably. */
  append(file: HeldFile, bytes: Uint8Array): Promise<void>
  /** Writes what the log does not have yet. */
  copyTo(writer: LogWriter, file: HeldFile): Promise<void>
  /** A piece from an offset of the log that is not below `base`. */
  read(file: HeldFile, offset: number, limit: number): Promise<LogPiece>
  remove(file: HeldFile): Promise<void>
  /** What an earlier process has left. */
  load(): AsyncIterable<HeldFile>
}

const PIECE = 256 * 1024

/** The same for the same log, whichever process asks. */
export const idOf = ({ runId, executableId, attempt }: LogKey): string =>
  createHash('sha256')
    .update(JSON.stringify([runId, executableId, attempt]))
    .digest('hex')
    .slice(0, 32)

export const createHeldFiles = (dir: string): HeldFiles => {
  const pathOf = (id: string, ending: 'json' | 'log'): string => join(dir, `${id}.${ending}`)

  const note = async ({ id, key, base, cut, isEnded }: HeldFile): Promise<void> => {
    const path = pathOf(id, 'json')
    await writeFile(`${path}.tmp`, JSON.stringify({ key, base, cut, isEnded }), { mode: 0o600, flush: true })
    await rename(`${path}.tmp`, path)
  }

  return {
    note,
    create: async (key, base) => {
      const file: HeldFile = { id: idOf(key), key, base, size: 0, isEnded: false }
      await mkdir(dir, { recursive: true, mode: 0o700 })
      await writeFile(pathOf(file.id, 'log'), '', { mode: 0o600 })
      await note(file)
      return file
    },
    append: async (file, bytes) => {
      const handle = await open(pathOf(file.id, 'log'), 'r+', 0o600)
      try {
        // Where a try before was cut off by a full disk, its bytes are written over.
        await handle.write(bytes, 0, bytes.length, file.size)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      file.size += bytes.length
    },
    copyTo: async (writer, file) => {
      const handle = await open(pathOf(file.id, 'log'), 'r')
      try {
        // A try before may have brought a part of it.
        for (let at = Math.max(0, writer.size - file.base); at < file.size; ) {
          const buffer = Buffer.alloc(Math.min(PIECE, file.size - at))
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
          if (bytesRead === 0) break
          await writer.write(buffer.subarray(0, bytesRead))
          at += bytesRead
        }
      } finally {
        await handle.close()
      }
      if (file.cut !== undefined) await writer.cut(file.cut)
    },
    read: async ({ id, base, size, cut }, offset, limit) => {
      const end = base + size
      const handle = await open(pathOf(id, 'log'), 'r')
      try {
        const buffer = Buffer.alloc(Math.max(0, Math.min(limit, end - offset)))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset - base)
        return { bytes: buffer.subarray(0, bytesRead), end, ...(cut !== undefined && { cutBytes: cut }) }
      } finally {
        await handle.close()
      }
    },
    remove: async ({ id }) => {
      for (const ending of ['json', 'log'] as const) await rm(pathOf(id, ending), { force: true })
    },
    load: async function* () {
      for (const name of await readdir(dir).catch(() => [])) {
        if (!name.endsWith('.json')) continue
        const id = name.slice(0, -'.json'.length)
        const kept = JSON.parse(await readFile(pathOf(id, 'json'), 'utf8')) as Omit<HeldFile, 'id' | 'size'>
        yield { id, ...kept, size: (await stat(pathOf(id, 'log'))).size }
      }
    },
  }
}
