import { constants } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeFileName } from '../../core/file-name.ts'

// projection-file.ts: what a file of rows that is made of the records needs. One writer appends to it, off the path of
// whoever adds a row; any other process follows it by offset. The records stay the truth: rows that are not sure are made anew.

/** Records touched this long before the file was may have rows missing: clocks of file systems are coarse. */
const RECHECK_MS = 5000

export interface RowWriter {
  /** Takes a row with its line end, and writes it soon. */
  add(row: string): void
  /** Waits until the file has all rows. */
  flush(): Promise<void>
}

/** @param write appends a batch of rows, or writes the file anew. A batch that fails is told and passed over: the record has it */
export const createRowWriter = (
  write: (rows: readonly string[]) => Promise<void>,
  onError: (error: unknown) => void,
): RowWriter => {
  let waiting: string[] = []
  let writing: Promise<void> | undefined
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await write(batch)
    }
  }
  const kick = (): void => {
    writing ??= writeAll()
      .catch(onError)
      .finally(() => {
        writing = undefined
        // A row may have come when the writing was over and was not yet known to be.
        if (waiting.length > 0) kick()
      })
  }
  return {
    add: (row) => {
      waiting.push(row)
      kick()
    },
    flush: async () => {
      while (writing !== undefined) await writing
    },
  }
}

/** Takes the whole lines of the bytes; answers how many bytes those were. */
export const takeLines = (bytes: Buffer, take: (line: string) => void): number => {
  const end = bytes.lastIndexOf(10) + 1
  for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') take(line)
  return end
}

/**
 * Follows a file that another process writes.
 *
 * @param begin is called where the file was written anew: what was taken counts no more
 * @returns reads what is new; calls of one moment are one reading
 */
export const followRows = (path: string, begin: () => void, take: (line: string) => void): (() => Promise<void>) => {
  let at = { ino: 0n, offset: 0 }
  let reading: Promise<void> | undefined
  const read = async (): Promise<void> => {
    const handle = await open(path, constants.O_RDONLY).catch(() => undefined)
    if (handle === undefined) return
    try {
      const { ino, size } = await handle.stat({ bigint: true })
      // Written anew by a compaction: another file, or a shorter one.
      if (ino !== at.ino || Number(size) < at.offset) {
        begin()
        at = { ino, offset: 0 }
      }
      const bytes = Buffer.alloc(Number(size) - at.offset)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, at.offset)
      at = { ino, offset: at.offset + takeLines(bytes.subarray(0, bytesRead), take) }
    } finally {
      await handle.close()
    }
  }
  return () =>
    (reading ??= read().finally(() => {
      reading = undefined
    }))
}

/** The file of a run's events. */
export interface RecordFile {
  readonly path: string
  /** The name of its folder. */
  readonly folder: string
  /** Undefined where the name is none that we write. */
  readonly runId: string | undefined
  /** It was last written to so long before the rows that they have all of it. */
  isOlder(): Promise<boolean>
}

/** All records of a data directory, to be held against the file of rows. */
export async function* recordFiles(dataDir: string, rowsPath: string): AsyncGenerator<RecordFile> {
  const root = join(dataDir, 'audit')
  const writtenAt = await stat(rowsPath).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  )
  for (const folder of await readdir(root).catch(() => [])) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      if (!name.endsWith('.jsonl') || name.endsWith('.forks.jsonl')) continue
      const path = join(root, folder, name)
      const runId = decodeFileName(name.slice(0, -'.jsonl'.length))
      yield { path, folder, runId, isOlder: async () => (await stat(path)).mtimeMs < writtenAt - RECHECK_MS }
    }
  }
}
