import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { appendFile, mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditListener, RunHeader, RunIndex } from '../activities/deps.ts'
import { decodeFileName } from '../core/file-name.ts'
import { censusOf } from '../core/run/census.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import {
  changesSince,
  createRunList,
  findRun,
  type RunList,
  runVersions,
  selectPage,
  selectRuns,
} from '../core/run/run-list.ts'
import { applyToSummary, type SummaryState, summaryOf } from '../core/run/summary.ts'

// file-run-index.ts: the list of runs, a projection of the record. `runs/index.jsonl` has a row for each change, and the
// last row of a run counts; the writer appends, any other process follows by offset. Nothing here is a source of
// truth: what is missing or damaged is made again of the record.

export interface FileRunIndexOptions {
  readonly dataDir: string
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** The writer's side: hears of the appends, and answers from memory. */
export interface FileRunIndex extends RunIndex, AuditListener {
  /** Waits until the file has all rows. */
  flush(): Promise<void>
}

const indexPath = (dataDir: string): string => join(dataDir, 'runs', 'index.jsonl')

/** The file is written anew once it has this many rows for each run. */
const ROWS_PER_RUN = 20
const MIN_COMPACTION_ROWS = 5000
/** Records touched this long before the index was may have rows missing: clocks of file systems are coarse. */
const RECHECK_MS = 5000

/** Opens the list for its one writer: reads it, checks it against the record, and writes it anew. */
export const openFileRunIndex = async ({ dataDir, warn = () => {} }: FileRunIndexOptions): Promise<FileRunIndex> => {
  const path = indexPath(dataDir)
  await mkdir(join(dataDir, 'runs'), { recursive: true, mode: 0o700 })
  const table = createRunList()
  await load(path, table, warn)
  await reconcile(dataDir, table, warn)
  await compact(path, table)
  const epoch = newEpoch()
  let rows = table.size
  let waiting: string[] = []
  let writing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      rows += batch.length
      if (rows > MIN_COMPACTION_ROWS && rows > ROWS_PER_RUN * table.size) {
        await compact(path, table)
        rows = table.size
      } else await appendFile(path, batch.join(''), { mode: 0o600 })
    }
  }
  const kick = (): void => {
    writing ??= write()
      .catch((error: unknown) => warn('the list of runs cannot be written', { path, error }))
      .finally(() => {
        writing = undefined
        // A row may have come when the writing was over and was not yet known to be.
        if (waiting.length > 0) kick()
      })
  }

  return {
    list: async (filter) => selectRuns(table, filter),
    page: async (filter) => selectPage(table, filter),
    versions: async (sop) => runVersions(table, sop),
    census: async () => censusOf(table.values()),
    get: async (runId) => findRun(table, runId),
    changes: async (cursor) => changesSince(table, epoch, cursor),
    appended: async (run, events, history) => {
      const state = await advance(table.get(run.runId), run, events, history)
      if (state === undefined) return
      table.put(state)
      waiting.push(rowOf(state))
      kick()
    },
    remove: async (runId) => {
      if (table.get(runId) === undefined) return
      table.remove(runId)
      waiting.push(`${JSON.stringify({ runId, removed: true })}\n`)
      kick()
    },
    flush: async () => {
      while (writing !== undefined) await writing
    },
  }
}

/** Follows the list that another process writes; each question first reads what is new. */
export const followFileRunIndex = ({ dataDir, warn = () => {} }: FileRunIndexOptions): RunIndex => {
  const path = indexPath(dataDir)
  let table = createRunList()
  let epoch = newEpoch()
  let at = { ino: 0n, offset: 0 }
  let reading: Promise<void> | undefined
  const refresh = async (): Promise<void> => {
    const handle = await open(path, constants.O_RDONLY).catch(() => undefined)
    if (handle === undefined) return
    try {
      const { ino, size } = await handle.stat({ bigint: true })
      // Written anew by a compaction: another file, or a shorter one.
      if (ino !== at.ino || Number(size) < at.offset) {
        table = createRunList()
        epoch = newEpoch()
        at = { ino, offset: 0 }
      }
      const bytes = Buffer.alloc(Number(size) - at.offset)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, at.offset)
      at = { ino, offset: at.offset + takeRows(bytes.subarray(0, bytesRead), table, path, warn) }
    } finally {
      await handle.close()
    }
  }
  const once = (): Promise<void> =>
    (reading ??= refresh().finally(() => {
      reading = undefined
    }))
  return {
    list: async (filter) => {
      await once()
      return selectRuns(table, filter)
    },
    page: async (filter) => {
      await once()
      return selectPage(table, filter)
    },
    versions: async (sop) => {
      await once()
      return runVersions(table, sop)
    },
    census: async () => {
      await once()
      return censusOf(table.values())
    },
    get: async (runId) => {
      await once()
      return findRun(table, runId)
    },
    changes: async (cursor) => {
      await once()
      return changesSince(table, epoch, cursor)
    },
    remove: () => Promise.reject(new Error('only the writer of the list takes runs off it')),
  }
}

/** Cursors of one reading of the list mean nothing to another. */
const newEpoch = (): string => randomBytes(6).toString('hex')

/** The run's state after the events; undefined where nothing is new. */
const advance = async (
  before: SummaryState | undefined,
  run: RunHeader,
  events: readonly RecordedEvent[],
  history: () => Promise<readonly RecordedEvent[]>,
): Promise<SummaryState | undefined> => {
  const follows =
    events[0]?.sequence === (before?.sequence ?? 0) + 1 && events.every(({ eventType }) => eventType !== 'run_forked')
  const state = follows ? fold(before, events) : summaryOf(await history())
  if (state === undefined) return undefined
  return state.sopName === '' ? { ...state, sopName: run.sop } : state
}

const fold = (before: SummaryState | undefined, events: readonly RecordedEvent[]): SummaryState | undefined =>
  events.reduce<SummaryState | undefined>(applyToSummary, before)

const rowOf = (state: SummaryState): string => `${JSON.stringify(state)}\n`

const load = async (path: string, table: RunList, warn: NonNullable<FileRunIndexOptions['warn']>): Promise<void> => {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  takeRows(bytes, table, path, warn)
}

/** Takes the whole lines of the bytes; answers how many bytes those were. */
const takeRows = (
  bytes: Buffer,
  table: RunList,
  path: string,
  warn: NonNullable<FileRunIndexOptions['warn']>,
): number => {
  const end = bytes.lastIndexOf(10) + 1
  for (const line of bytes.toString('utf8', 0, end).split('\n')) {
    if (line === '') continue
    const state = parseRow(line)
    if (state !== undefined && 'removed' in state) table.remove(state.runId)
    else if (state === undefined) warn('a row of the list of runs is damaged and was passed over', { path })
    else table.put(state)
  }
  return end
}

interface RemovedRow {
  readonly runId: string
  readonly removed: true
}

const parseRow = (line: string): SummaryState | RemovedRow | undefined => {
  try {
    const row = JSON.parse(line) as (Partial<SummaryState> & { readonly removed?: boolean }) | null
    if (typeof row?.runId === 'string' && row.removed === true) return { runId: row.runId, removed: true }
    const isRow =
      typeof row?.runId === 'string' &&
      typeof row.createdAt === 'string' &&
      typeof row.sequence === 'number' &&
      Array.isArray(row.openGates) &&
      Array.isArray(row.active) &&
      Array.isArray(row.unsettled) &&
      typeof row.gateSteps === 'object'
    return isRow ? (row as SummaryState) : undefined
  } catch {
    return undefined
  }
}

const compact = async (path: string, table: RunList): Promise<void> => {
  await writeFile(`${path}.tmp`, [...table.values()].reverse().map(rowOf).join(''), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

/** Reads again what the rows cannot be sure of: records without a row, and those written after the last row was. */
const reconcile = async (
  dataDir: string,
  table: RunList,
  warn: NonNullable<FileRunIndexOptions['warn']>,
): Promise<void> => {
  const root = join(dataDir, 'audit')
  const writtenAt = await stat(indexPath(dataDir)).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  )
  const known = new Set([...table.values()].map(({ runId }) => runId))
  for (const folder of await readdir(root).catch(() => [])) {
    const names = await readdir(join(root, folder)).catch(() => [])
    for (const name of names) {
      if (!name.endsWith('.jsonl') || name.endsWith('.forks.jsonl')) continue
      const record = join(root, folder, name)
      const isSure =
        known.has(decodeFileName(name.slice(0, -'.jsonl'.length)) ?? '') &&
        (await stat(record)).mtimeMs < writtenAt - RECHECK_MS
      if (isSure) continue
      const state = summaryOf(await readRecord(record))
      if (state === undefined) continue
      if (state.sequence !== table.get(state.runId)?.sequence)
        warn('the list of runs was behind the record', { record })
      table.put(state.sopName === '' ? { ...state, sopName: folder } : state)
    }
  }
}

const readRecord = async (path: string): Promise<readonly RecordedEvent[]> => {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as RecordedEvent]
    } catch {
      return []
    }
  })
}
