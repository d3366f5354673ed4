import { open, readFile } from 'node:fs/promises'
import type { AuditStore } from '../../activities/deps.ts'
import { parseRecord } from '../../core/record-lines.ts'
import { orEmpty } from './missing-file.ts'

// record-tail.ts: reading records that are files. Whoever follows a long one is not made to read all of it each time.

/** Runs of which it is kept in mind how far they were read. */
const MAX_MARKS = 500

interface Mark {
  readonly path: string
  /** Events up to this sequence end at this byte. */
  readonly sequence: number
  readonly bytes: number
}

/** Reads a record from where the last reader of it came to: what is stored stays as it is (A3 in file-audit.ts). */
export const createTailReader = (
  find: (runId: string) => Promise<string | undefined>,
): Pick<AuditStore, 'read'> & { forget(runId: string): void } => {
  const marks = new Map<string, Mark>()
  const remember = (runId: string, mark: Mark): void => {
    marks.delete(runId)
    marks.set(runId, mark)
    for (const first of marks.keys()) {
      if (marks.size <= MAX_MARKS) break
      marks.delete(first)
    }
  }
  return {
    forget: (runId) => void marks.delete(runId),
    read: async (runId, after = 0) => {
      const known = marks.get(runId)
      const path = known?.path ?? (await find(runId))
      if (path === undefined) return []
      const from = known !== undefined && known.sequence <= after ? known : { bytes: 0, sequence: 0 }
      const { events, wholeBytes } = parseRecord(await readFrom(path, from.bytes))
      const sequence = events.at(-1)?.sequence ?? from.sequence
      if (after > 0) remember(runId, { path, sequence, bytes: from.bytes + wholeBytes })
      return after === 0 ? events : events.filter((event) => event.sequence > after)
    },
  }
}

const readFrom = async (path: string, offset: number): Promise<Buffer> => {
  if (offset === 0) return readFile(path).catch(orEmpty)
  const handle = await open(path, 'r').catch(orEmpty)
  if (Buffer.isBuffer(handle)) return handle
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.max(0, size - offset))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
