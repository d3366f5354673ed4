import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditListener, RunHeader, RunIndex } from '../activities/deps.ts'
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
import { applyToSummary, summaryOf } from '../core/run/summary.ts'
import type { SummaryState } from '../core/run/summary-state.ts'
import { createRowWriter, followRows, recordFiles, takeLines } from './shared/projection-file.ts'

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

type Warn = NonNullable<FileRunIndexOptions['warn']>

const indexPath = (dataDir: string): string => join(dataDir, 'runs', 'index.jsonl')

/** The file is written anew once it has this many rows for each run. */
const ROWS_PER_RUN = 20
const MIN_COMPACTION_ROWS = 5000
/** Opens the list for its one writer: reads it, checks it against the record, and writes it anew. */
export const openFileRunIndex = async ({ dataDir, warn = () => {} }: FileRunIndexOptions): Promise<FileRunIndex> => {
  const path = indexPath(dataDir)
  await mkdir(join(dataDir, 'runs'), { recursive: true, mode: 0o700 })
  const table = createRunList()
  takeLines(await readFile(path).catch(() => Buffer.alloc(0)), (line) => takeRow(line, table, path, warn))
  await reconcile(dataDir, table, warn)
  await compact(path, table)
  const epoch = newEpoch()
  let rows = table.size
  const writer = createRowWriter(
    async (batch) => {
      rows += batch.length
      if (rows > MIN_COMPACTION_ROWS && rows > ROWS_PER_RUN * table.size) {
        await compact(path, table)
        rows = table.size
      } else await appendFile(path, batch.join(''), { mode: 0o600 })
    },
    (error) => warn('the list of runs cannot be written', { path, error }),
  )

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
      writer.add(rowOf(state))
    },
    remove: async (runId) => {
      if (table.get(runId) === undefined) return
      table.remove(runId)
      writer.add(`${JSON.stringify({ runId, removed: true })}\n`)
    },
    flush: () => writer.flush(),
  }
}

/** Follows the list that another process writes; each question first reads what is new. */
export const followFileRunIndex = ({ dataDir, warn = () => {} }: FileRunIndexOptions): RunIndex => {
  const path = indexPath(dataDir)
  let table = createRunList()
  let epoch = newEpoch()
  const once = followRows(
    path,
    () => {
      table = createRunList()
      epoch = newEpoch()
    },
    (line) => takeRow(line, table, path, warn),
  )
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

const takeRow = (line: string, table: RunList, path: string, warn: Warn): void => {
  const state = parseRow(line)
  if (state !== undefined && 'removed' in state) table.remove(state.runId)
  else if (state === undefined) warn('a row of the list of runs is damaged and was passed over', { path })
  else table.put(state)
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
const reconcile = async (dataDir: string, table: RunList, warn: Warn): Promise<void> => {
  const known = new Set([...table.values()].map(({ runId }) => runId))
  for await (const { path, folder, runId, isOlder } of recordFiles(dataDir, indexPath(dataDir))) {
    if (known.has(runId ?? '') && (await isOlder())) continue
    const state = summaryOf(await readRecord(path))
    if (state === undefined) continue
    if (state.sequence !== table.get(state.runId)?.sequence)
      warn('the list of runs was behind the record', { record: path })
    table.put(state.sopName === '' ? { ...state, sopName: folder } : state)
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
