import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogKey, LogPiece, LogStore, LogWriter } from '../activities/deps.ts'
import { createInTurn } from '../adapters/shared/in-turn.ts'
import { SopError } from '../core/errors.ts'
import type { StoreState } from './watched-stores.ts'

// held-logs.ts: a log store that may be down. What it does not take is kept on the disk of the worker, up to a limit for all
// logs together, and brought to it once it is back; a step that ends meanwhile does not wait. Past the limit, or where that
// disk is full, too, writing waits, and with it the step: its output stays in its spool. An entry is `<id>.json`, which log it
// is, from which byte on, and whether it has ended; and `<id>.log`, the bytes.

export interface HeldLogsOptions {
  readonly logs: LogStore
  readonly dir: string
  /** Of all logs together; absent: no limit. */
  readonly limitBytes?: number
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  readonly now?: () => number
  /** Pause between two tries, in milliseconds. Default 1,000. */
  readonly retryMs?: number
}

export interface HeldLogs {
  readonly store: LogStore
  /** What waits is bytes. */
  state(): StoreState
  /** Takes up what an earlier process has left. */
  resume(): Promise<void>
  /** What is left is brought after the next start. */
  close(): Promise<void>
}

interface Entry {
  readonly id: string
  readonly key: LogKey
  /** Byte of the log that the first one here is. */
  readonly base: number
  size: number
  cut?: number
  isEnded: boolean
  /** A writer that goes on: it gets the open log when everything was brought. */
  onBrought?: (writer: LogWriter) => void
}

const PIECE = 256 * 1024

/** The same store, which never fails for being away. */
export const holdLogs = ({
  logs,
  dir,
  limitBytes = Number.POSITIVE_INFINITY,
  warn,
  now = Date.now,
  retryMs = 1_000,
}: HeldLogsOptions): HeldLogs => {
  const entries = new Map<string, Entry>()
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = createInTurn(turns)
  const closing = new AbortController()
  let total = 0
  let downSince: string | undefined
  let timer: NodeJS.Timeout | undefined

  const down = (error: unknown): void => {
    // Another process writes it, or it was removed: waiting mends nothing.
    if (error instanceof SopError && error.code !== 'unavailable') throw error
    if (downSince === undefined) warn('the log store takes nothing: output is kept beside it', { error })
    downSince ??= new Date(now()).toISOString()
  }
  const up = (): void => {
    if (entries.size === 0) downSince = undefined
  }
  const fileOf = ({ id }: Entry): string => join(dir, `${id}.log`)
  const note = async ({ id, key, base, cut, isEnded }: Entry): Promise<void> => {
    const path = join(dir, `${id}.json`)
    await writeFile(`${path}.tmp`, JSON.stringify({ key, base, cut, isEnded }), { mode: 0o600, flush: true })
    await rename(`${path}.tmp`, path)
  }
  const hold = async (key: LogKey, base: number): Promise<Entry> => {
    const entry: Entry = { id: idOf(key), key, base, size: 0, isEnded: false }
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeFile(fileOf(entry), '', { mode: 0o600 })
    await note(entry)
    entries.set(entry.id, entry)
    later()
    return entry
  }
  const append = async (entry: Entry, bytes: Uint8Array): Promise<void> => {
    const handle = await open(fileOf(entry), 'r+', 0o600)
    try {
      // Where a try before was cut off by a full disk, its bytes are written over.
      await handle.write(bytes, 0, bytes.length, entry.size)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    entry.size += bytes.length
    total += bytes.length
  }

  const bring = async (entry: Entry): Promise<void> => {
    const writer = await logs.open(entry.key)
    try {
      await copyTo(writer, entry)
    } catch (error) {
      await writer.release().catch(() => {})
      throw error
    }
    if (entry.isEnded) await writer.close()
    else if (entry.onBrought !== undefined) entry.onBrought(writer)
    else await writer.release()
    entries.delete(entry.id)
    total -= entry.size
    for (const ending of ['json', 'log']) await rm(join(dir, `${entry.id}.${ending}`), { force: true })
  }
  const copyTo = async (writer: LogWriter, entry: Entry): Promise<void> => {
    const handle = await open(fileOf(entry), 'r')
    try {
      // A try before may have brought a part of it.
      for (let at = Math.max(0, writer.size - entry.base); at < entry.size; ) {
        const buffer = Buffer.alloc(Math.min(PIECE, entry.size - at))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) break
        await writer.write(buffer.subarray(0, bytesRead))
        at += bytesRead
      }
    } finally {
      await handle.close()
    }
    if (entry.cut !== undefined) await writer.cut(entry.cut)
  }
  const bringAll = async (): Promise<void> => {
    for (const entry of entries.values()) {
      if (closing.signal.aborted) return
      try {
        await inTurn(entry.id, async () => (entries.get(entry.id) === entry ? bring(entry) : undefined))
      } catch {
        // Still away; what is brought first shows that it is back.
        return later()
      }
    }
    up()
  }
  const later = (): void => {
    if (timer !== undefined || closing.signal.aborted) return
    timer = setTimeout(() => {
      timer = undefined
      void bringAll().finally(() => {
        if (entries.size > 0) later()
      })
    }, retryMs)
    timer.unref()
  }
  /** Tries until it is done; between two tries others get their turn. */
  const untilDone = async <T>(id: string, work: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const done = await inTurn(id, work)
      if (done !== undefined) return done
      await sleep(retryMs, undefined, { signal: closing.signal })
    }
  }

  const openLog = async (key: LogKey, stored: number): Promise<LogWriter> => {
    const id = idOf(key)
    const opened = await untilDone(id, async () => {
      const entry = entries.get(id)
      if (entry !== undefined) return { entry, size: entry.base + entry.size }
      try {
        const inner = await logs.open(key)
        return { inner, size: inner.size }
      } catch (error) {
        down(error)
        return hold(key, stored).then(
          (held) => ({ entry: held, size: stored }),
          () => undefined,
        )
      }
    })
    return writerOf(key, opened)
  }

  const writerOf = (
    key: LogKey,
    opened: { readonly inner?: LogWriter; readonly entry?: Entry; readonly size: number },
  ): LogWriter => {
    const id = idOf(key)
    let { inner, entry } = opened
    let position = opened.size
    const take = (held: Entry): Entry => {
      held.isEnded = false
      held.onBrought = (writer) => {
        inner = writer
        entry = undefined
      }
      return held
    }
    if (entry !== undefined) entry = take(entry)
    /** Leaves the store, whose log has `position` bytes at least, for the disk. */
    const leave = async (error: unknown): Promise<void> => {
      down(error)
      await inner?.release().catch(() => {})
      inner = undefined
    }
    const held = async (): Promise<Entry> => (entry ??= take(await hold(key, position)))
    const tryWrite = async (bytes: Uint8Array): Promise<true | undefined> => {
      if (inner !== undefined) {
        try {
          await inner.write(bytes)
          position += bytes.length
          return true
        } catch (error) {
          await leave(error)
        }
      }
      if (total + bytes.length > limitBytes) return undefined
      try {
        await append(await held(), bytes)
        position += bytes.length
        return true
      } catch {
        return undefined
      }
    }
    return {
      size: opened.size,
      write: async (bytes) => void (await untilDone(id, () => tryWrite(bytes))),
      cut: async (bytes) =>
        void (await untilDone(id, async () => {
          try {
            if (inner !== undefined) await inner.cut(bytes)
            else await note(Object.assign(await held(), { cut: bytes }))
            return true
          } catch (error) {
            if (inner !== undefined) await leave(error)
            return undefined
          }
        })),
      close: async () =>
        untilDone(id, async () => {
          try {
            if (inner !== undefined) return await inner.close()
            const last = await held()
            delete last.onBrought
            last.isEnded = true
            await note(last)
            later()
            return { bytes: position, isPending: true as const }
          } catch (error) {
            if (inner !== undefined) await leave(error)
            return undefined
          }
        }),
      release: () =>
        inTurn(id, async () => {
          delete entry?.onBrought
          await inner?.release()
        }),
    }
  }

  const read = async (key: LogKey, offset: number, limit: number): Promise<LogPiece> => {
    const entry = entries.get(idOf(key))
    if (entry === undefined) return logs.read(key, offset, limit)
    const end = entry.base + entry.size
    const cut = entry.cut === undefined ? {} : { cutBytes: entry.cut }
    if (offset < entry.base)
      return { bytes: (await logs.read(key, offset, Math.min(limit, entry.base - offset))).bytes, end, ...cut }
    const handle = await open(fileOf(entry), 'r')
    try {
      const buffer = Buffer.alloc(Math.max(0, Math.min(limit, end - offset)))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset - entry.base)
      return { bytes: buffer.subarray(0, bytesRead), end, ...cut }
    } finally {
      await handle.close()
    }
  }

  return {
    store: { ...logs, open: (key, stored = 0) => openLog(key, stored), read },
    state: () => ({
      ...(downSince !== undefined && { downSince }),
      runs: new Set([...entries.values()].map(({ key }) => key.runId)).size,
      waiting: total,
    }),
    resume: async () => {
      for (const name of await readdir(dir).catch(() => [])) {
        if (!name.endsWith('.json')) continue
        const id = name.slice(0, -'.json'.length)
        const text = await readFile(join(dir, name), 'utf8')
        const kept = JSON.parse(text) as Pick<Entry, 'key' | 'base' | 'cut' | 'isEnded'>
        const { size } = await stat(join(dir, `${id}.log`))
        entries.set(id, { id, ...kept, size })
        total += size
      }
      if (entries.size > 0) later()
    },
    close: async () => {
      closing.abort()
      clearTimeout(timer)
      await Promise.all([...turns.values()].map((turn) => turn.catch(() => {})))
    },
  }
}

const idOf = ({ runId, executableId, attempt }: LogKey): string =>
  createHash('sha256')
    .update(JSON.stringify([runId, executableId, attempt]))
    .digest('hex')
    .slice(0, 32)
