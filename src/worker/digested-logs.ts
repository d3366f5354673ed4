import { createHash, type Hash } from 'node:crypto'
import type { LogKey, LogStore, LogWriter } from '../activities/deps.ts'

// digested-logs.ts: a log store whose writers know the SHA-256 of what they wrote, so that the record can tell it.

/** Bytes of a log that goes on that are read at once. */
const PIECE_BYTES = 256 * 1024

/** The same store; a log that is closed has a digest. */
export const digestLogs = (logs: LogStore): LogStore => ({
  ...logs,
  open: async (key, stored) => {
    const writer = await logs.open(key, stored)
    return digestWriter(writer, await hashOf(logs, key, writer.size))
  },
})

const digestWriter = (inner: LogWriter, begun: Hash | undefined): LogWriter => {
  let hash = begun
  return {
    ...inner,
    write: async (bytes) => {
      // Before the wait: the caller may use its buffer again afterwards.
      hash?.update(bytes)
      try {
        await inner.write(bytes)
      } catch (error) {
        // Nobody knows how much of it is there.
        hash = undefined
        throw error
      }
    },
    close: async () => {
      const closed = await inner.close()
      return hash === undefined ? closed : { sha256: hash.digest('hex'), ...closed }
    },
  }
}

/** Of what a log has already. Undefined where it cannot be read: then nothing is said of it. */
const hashOf = async (logs: LogStore, key: LogKey, size: number): Promise<Hash | undefined> => {
  const hash = createHash('sha256')
  try {
    for (let at = 0; at < size; ) {
      const { bytes } = await logs.read(key, at, Math.min(PIECE_BYTES, size - at))
      if (bytes.length === 0) return undefined
      hash.update(bytes)
      at += bytes.length
    }
    return hash
  } catch {
    return undefined
  }
}
