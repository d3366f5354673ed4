import { setTimeout as sleep } from 'node:timers/promises'
import type { LogKey, LogPiece, LogStore, LogWriter } from '../activities/deps.ts'
import { createInTurn } from '../adapters/shared/in-turn.ts'
import { SopError } from '../core/errors.ts'
import { compareLogs } from '../core/log-order.ts'
import { createHeldFiles, type HeldFile, idOf } from './held-files.ts'
import type { StoreState } from './watched-stores.ts'

// held-logs.ts: a log store that may be down. What it does not take is kept on the disk of the worker, up to a limit for all
// logs together, and brought to it once it is back; a step that ends meanwhile does not wait. Past the limit, or where that
// disk is full, too, writing waits, and with it the step: its output stays in its spool.

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

/** A log that waits. */
interface Entry extends HeldFile {
  /** A writer that goes on: it gets the open log when everything was brought. */
  onBrought?: (writer: LogWriter) => void
}

/** The same store, which never fails for being away. */
export const holdLogs = ({
  logs,
  dir,
  limitBytes = Number.POSITIVE_INFINITY,
  warn,
  now = Date.now,
  retryMs = 1_000,
}: HeldLogsOptions): HeldLogs => {
  const files = createHeldFiles(dir)
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
  const hold = async (key: LogKey, base: number): Promise<Entry> => {
    const entry: Entry = await files.create(key, base)
    entries.set(entry.id, entry)
    later()
    return entry
  }
  const append = async (entry: Entry, bytes: Uint8Array): Promise<void> => {
    await files.append(entry, bytes)
    total += bytes.length
  }

  const bring = async (entry: Entry): Promise<void> => {
    const writer = await logs.open(entry.key)
    try {
      await files.copyTo(writer, entry)
    } catch (error) {
      await writer.release().catch(() => {})
      throw error
    }
    if (entry.isEnded) await writer.close()
    else if (entry.onBrought !== undefined) entry.onBrought(writer)
    else await writer.release()
    entries.delete(entry.id)
    total -= entry.size
    await files.remove(entry)
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
            else await files.note(Object.assign(await held(), { cut: bytes }))
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
            await files.note(last)
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
    const held = downSince !== undefined && { heldSince: downSince }
    if (offset >= entry.base) return { ...(await files.read(entry, offset, limit)), ...held }
    // What the store has is there; how long the log is, is known here.
    const { bytes } = await logs.read(key, offset, Math.min(limit, entry.base - offset))
    return { bytes, end: entry.base + entry.size, ...(entry.cut !== undefined && { cutBytes: entry.cut }), ...held }
  }

  const heldOf = (runId: string): readonly LogKey[] =>
    [...entries.values()].map(({ key }) => key).filter((key) => key.runId === runId)
  /** What is printed while the store is away was not removed before. */
  const removal: LogStore['removal'] = async (runId) => (heldOf(runId).length > 0 ? undefined : logs.removal(runId))
  /** A log of which the store has nothing yet is a log all the same. */
  const list = async (runId: string): Promise<readonly LogKey[]> => {
    const held = heldOf(runId)
    const stored = await logs.list(runId).catch((error: unknown) => {
      if (held.length === 0) throw error
      return []
    })
    const known = new Set(stored.map(idOf))
    return [...stored, ...held.filter((key) => !known.has(idOf(key)))].sort(compareLogs)
  }

  return {
    store: { ...logs, open: (key, stored = 0) => openLog(key, stored), read, list, removal },
    state: () => ({
      ...(downSince !== undefined && { downSince }),
      runs: new Set([...entries.values()].map(({ key }) => key.runId)).size,
      waiting: total,
    }),
    resume: async () => {
      for await (const entry of files.load()) {
        entries.set(entry.id, entry)
        total += entry.size
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
