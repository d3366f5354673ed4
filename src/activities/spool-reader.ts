import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'

// spool-reader.ts: follows the output of one command while it grows.

export interface SpoolReaderOptions {
  readonly path: string
  /** Where to begin, in bytes. */
  readonly from: number
  readonly onOutput: (bytes: Uint8Array) => Promise<void>
  /** Settles when nothing more is written. */
  readonly drained: Promise<void>
  /** Told every few MiB how far it has come. */
  readonly onProgress: (offset: number) => void
}

export interface SpoolReader {
  /** True: everything was read. False: somebody still holds the output, and it was given up after some silence. */
  finish(): Promise<boolean>
}

const CHUNK_BYTES = 256 * 1024
const SMALL_BYTES = 64 * 1024
const PROGRESS_BYTES = 8 * 2 ** 20
const SHORTEST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 100
/** Silence after which an output that somebody still holds is given up. */
const QUIET_MS = 250
const DRAIN_LIMIT_MS = 5000

/** Begins to read. What `onOutput` throws ends it. */
export const readSpool = (options: SpoolReaderOptions): SpoolReader => {
  const state = {
    isDrained: false,
    isGivenUp: false,
    busySince: undefined as number | undefined,
    lastAt: performance.now(),
  }
  const drained = options.drained.then(() => {
    state.isDrained = true
  })
  const take = async (bytes: Uint8Array): Promise<void> => {
    state.busySince = performance.now()
    await options.onOutput(bytes)
    state.busySince = undefined
    state.lastAt = performance.now()
  }
  const follow = async (fd: number): Promise<boolean> => {
    let offset = options.from
    let told = offset
    for (let pauseMs = SHORTEST_PAUSE_MS; ; ) {
      // Asked before the read: what came in between is read the next time.
      const { isDrained, isGivenUp } = state
      const bytes = await readNext(fd, offset)
      if (bytes !== undefined) {
        offset += bytes.length
        await take(bytes)
        pauseMs = SHORTEST_PAUSE_MS
        if (offset - told < PROGRESS_BYTES) continue
        told = offset
        options.onProgress(offset)
        continue
      }
      if (isDrained) return true
      if (isGivenUp) return false
      await pause(pauseMs, drained)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }
  const done = (async () => {
    const fd = openSync(options.path, 'r')
    try {
      return await follow(fd)
    } finally {
      closeSync(fd)
    }
  })()
  done.catch(() => {})
  return {
    finish: async () => {
      const from = performance.now()
      state.lastAt = Math.max(state.lastAt, from)
      for (;;) {
        if (state.isDrained) return done
        const ended = await Promise.race([done, pause(20, drained).then(() => undefined)])
        if (ended !== undefined) return ended
        const now = performance.now()
        const isQuiet = state.busySince === undefined && now - state.lastAt >= QUIET_MS
        if (isQuiet || now - from >= DRAIN_LIMIT_MS) state.isGivenUp = true
      }
    },
  }
}

const readLater = promisify(read)

/** What is there from `offset`, at most a chunk. A turn through the thread pool costs more than a small read. */
const readNext = async (fd: number, offset: number): Promise<Uint8Array | undefined> => {
  const length = Math.min(CHUNK_BYTES, fstatSync(fd).size - offset)
  if (length <= 0) return undefined
  const bytes = Buffer.allocUnsafe(length)
  const count =
    length <= SMALL_BYTES
      ? readSync(fd, bytes, 0, length, offset)
      : (await readLater(fd, bytes, 0, length, offset)).bytesRead
  return count === 0 ? undefined : bytes.subarray(0, count)
}

const pause = async (ms: number, wake: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([over, wake])
  clearTimeout(timer)
}
