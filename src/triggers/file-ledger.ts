import { mkdir, open, readFile, rename } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FILE_ACTIONS, type FileAction, type FileChange, type FileMark } from '../core/trigger/file-change.ts'

// file-ledger.ts: what was told of watched files, on disk, so that a restart neither tells it again nor forgets it.
// One line a change, the last line of a file counts. Invariants:
//   L1 before a change is delivered, it stands here as `i` with all that its key is made of, and on the disk: delivered
//      again after a crash it has the same key.
//   L2 after it was delivered, the file's new state stands here as `k`.
//   L3 a file that was seen to change while the engine was on stands here as `d` until then: after a restart its change
//      counts, whatever the trigger says of changes while the engine was off.

/** What the ledger knows of one file. */
export interface LedgerFile {
  readonly known?: FileMark
  /** Its change was about to be told. */
  readonly intent?: FileChange
  /** A change of it was seen and not told. */
  readonly isDirty?: true
}

/** One pattern's files by path. */
export type LedgerWatch = ReadonlyMap<string, LedgerFile>

export interface FileLedger {
  /** Undefined for a pattern that was never watched. */
  watch(pattern: string): LedgerWatch | undefined
  begin(pattern: string): void
  dirty(pattern: string, path: string): void
  /** Fulfilled when it is on the disk. @throws what the system says */
  intend(pattern: string, path: string, change: FileChange): Promise<void>
  /** `undefined`: the file is not there. */
  know(pattern: string, path: string, mark: FileMark | undefined): void
  /** Writes what is waiting, and closes. */
  close(): Promise<void>
}

export interface FileLedgerOptions {
  readonly path: string
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  /** Patterns that nobody watched for this long are forgotten when it is opened. Default 30 days. */
  readonly forgetAfterMs?: number
  readonly now?: () => number
}

type MutableWatch = Map<string, LedgerFile>

const MIN_COMPACTION_ROWS = 5_000
const FORGET_AFTER_MS = 30 * 86_400_000
/** When writing failed, in milliseconds. */
const RETRY_MS = 1_000

/** Opens the ledger, and writes it anew where it has grown. Damaged lines are passed over and told. */
export const openFileLedger = async (options: FileLedgerOptions): Promise<FileLedger> => {
  const { path, warn, now = Date.now, forgetAfterMs = FORGET_AFTER_MS } = options
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const { watches, begun } = await load(path, warn)
  for (const [pattern, at] of begun) {
    if (now() - at > forgetAfterMs) {
      watches.delete(pattern)
      begun.delete(pattern)
    }
  }
  await rewrite(path, watches, begun)
  let file = await open(path, 'a', 0o600)
  let rows = count(watches)
  let waiting: string[] = []
  let writing: Promise<void> | undefined
  let isClosed = false

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        rows += batch.length
        if (rows > MIN_COMPACTION_ROWS && rows > 3 * count(watches)) {
          const old = file
          await rewrite(path, watches, begun)
          file = await open(path, 'a', 0o600)
          await old.close()
          rows = count(watches)
        } else {
          await file.appendFile(batch.join(''))
          await file.datasync()
        }
      } catch (error) {
        waiting = [...batch, ...waiting]
        throw error
      }
    }
  }
  const flush = (): Promise<void> =>
    (writing ??= write().finally(() => {
      writing = undefined
    }))
  const later = (): void => {
    if (isClosed) return
    flush().catch((error: unknown) => {
      warn('The ledger of watched files cannot be written. It is tried again', { path, error })
      setTimeout(later, RETRY_MS).unref()
    })
  }
  const put = (pattern: string, at: string, entry: LedgerFile | undefined): void => {
    const watch = watches.get(pattern) ?? new Map<string, LedgerFile>()
    watches.set(pattern, watch)
    if (entry === undefined) watch.delete(at)
    else watch.set(at, entry)
    waiting.push(rowOf(pattern, at, entry))
  }
  const entryOf = (pattern: string, at: string): LedgerFile => watches.get(pattern)?.get(at) ?? {}

  return {
    watch: (pattern) => watches.get(pattern),
    begin: (pattern) => {
      if (!watches.has(pattern)) watches.set(pattern, new Map())
      begun.set(pattern, now())
      waiting.push(beginRow(pattern, now()))
      later()
    },
    dirty: (pattern, at) => {
      const entry = entryOf(pattern, at)
      if (entry.isDirty === true || entry.intent !== undefined) return
      put(pattern, at, { ...entry, isDirty: true })
      later()
    },
    intend: async (pattern, at, change) => {
      const { known } = entryOf(pattern, at)
      put(pattern, at, { ...(known && { known }), intent: change })
      // A write under way may have begun before this line.
      await writing?.catch(() => {})
      await flush()
    },
    know: (pattern, at, mark) => {
      put(pattern, at, mark && { known: mark })
      later()
    },
    close: async () => {
      isClosed = true
      await writing?.catch(() => {})
      await flush().catch((error: unknown) => warn('The ledger of watched files cannot be written', { path, error }))
      await file.close()
    },
  }
}

const count = (watches: ReadonlyMap<string, LedgerWatch>): number =>
  [...watches.values()].reduce((sum, { size }) => sum + size + 1, 0)

const beginRow = (pattern: string, at: number): string => `${JSON.stringify({ w: pattern, at })}\n`

const rowOf = (pattern: string, path: string, entry: LedgerFile | undefined): string => {
  const { known, intent, isDirty } = entry ?? {}
  return `${JSON.stringify({
    w: pattern,
    f: path,
    ...(known && { k: [known.content, known.changedNs] }),
    ...(intent && { i: [intent.action, intent.mark.content, intent.mark.changedNs] }),
    ...(isDirty && { d: 1 }),
  })}\n`
}

const rewrite = async (
  path: string,
  watches: ReadonlyMap<string, LedgerWatch>,
  begun: ReadonlyMap<string, number>,
): Promise<void> => {
  const file: FileHandle = await open(`${path}.tmp`, 'w', 0o600)
  try {
    for (const [pattern, files] of watches) {
      const rows = [...files].map(([at, entry]) => rowOf(pattern, at, entry))
      await file.appendFile(beginRow(pattern, begun.get(pattern) ?? 0) + rows.join(''))
    }
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
}

interface Loaded {
  readonly watches: Map<string, MutableWatch>
  readonly begun: Map<string, number>
}

const load = async (path: string, warn: FileLedgerOptions['warn']): Promise<Loaded> => {
  const loaded: Loaded = { watches: new Map(), begun: new Map() }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  let damaged = 0
  for (const line of text.split('\n')) {
    if (line !== '' && !takeRow(line, loaded)) damaged++
  }
  if (damaged > 0) warn('Lines of the ledger of watched files are damaged and were passed over', { path, damaged })
  return loaded
}

const takeRow = (line: string, { watches, begun }: Loaded): boolean => {
  const row = parse(line)
  if (typeof row?.['w'] !== 'string') return false
  const { w: pattern, f: path, at, k: known, i: intent, d: dirty } = row
  const watch: MutableWatch = watches.get(pattern) ?? new Map<string, LedgerFile>()
  watches.set(pattern, watch)
  if (typeof at === 'number') begun.set(pattern, at)
  if (typeof path !== 'string') return typeof at === 'number'
  const [mark, change] = [markOf(known), changeIn(intent)]
  const entry: LedgerFile = {
    ...(mark && { known: mark }),
    ...(change && { intent: change }),
    ...(dirty === 1 && { isDirty: true as const }),
  }
  if (Object.keys(entry).length === 0) watch.delete(path)
  else watch.set(path, entry)
  return true
}

const parse = (line: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const row: unknown = JSON.parse(line)
    return typeof row === 'object' && row !== null ? (row as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

const markOf = (value: unknown): FileMark | undefined => {
  const [content, changedNs] = (Array.isArray(value) ? value : []) as readonly unknown[]
  return typeof content === 'string' && typeof changedNs === 'string' ? { content, changedNs } : undefined
}

const changeIn = (value: unknown): FileChange | undefined => {
  const [action, ...rest] = (Array.isArray(value) ? value : []) as readonly unknown[]
  const mark = markOf(rest)
  const known = FILE_ACTIONS.find((each): each is FileAction => each === action)
  return known === undefined || mark === undefined ? undefined : { action: known, mark }
}
