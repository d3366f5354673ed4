import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditListener, MetricsStore } from '../activities/deps.ts'
import { type Counted, countOn, follows, replay } from '../core/metrics/replay.ts'
import { createMetricsTable, type MetricsTable } from '../core/metrics/table.ts'
import { parseRecord } from '../core/record-lines.ts'
import { createRowWriter, followRows, recordFiles, takeLines } from './shared/projection-file.ts'

// file-metrics.ts: what runs added to the metrics, a projection of the record. `metrics/journal.jsonl` begins with the
// sums so far and goes on with a row for each batch of events; the writer appends, any other process follows by offset.
// What is missing is counted again from the record; sums of days whose records were removed live on here alone.

export interface FileMetricsOptions {
  readonly dataDir: string
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
  /** In milliseconds; for tests. */
  readonly now?: () => number
}

/** The writer's side: hears of the appends, and answers from memory. */
export interface FileMetrics extends MetricsStore, AuditListener {
  /** Waits until the file has all rows. */
  flush(): Promise<void>
}

type Warn = NonNullable<FileMetricsOptions['warn']>

const journalPath = (dataDir: string): string => join(dataDir, 'metrics', 'journal.jsonl')

/** The file is written anew once it has grown by so many rows, and by as many as it began with. */
const MIN_COMPACTION_ROWS = 5000
/** Opens the sums for their one writer: reads them, checks them against the record, and writes them anew. */
export const openFileMetrics = async (options: FileMetricsOptions): Promise<FileMetrics> => {
  const { dataDir, warn = () => {}, now = () => Date.now() } = options
  const path = journalPath(dataDir)
  await mkdir(join(dataDir, 'metrics'), { recursive: true, mode: 0o700 })
  const table = createMetricsTable()
  takeLines(await readFile(path).catch(() => Buffer.alloc(0)), (line) => takeRow(line, table, path, warn))
  await reconcile(dataDir, table, warn)
  let rows = 0
  let base = await compact(path, table, now())
  const writer = createRowWriter(
    async (batch) => {
      rows += batch.length
      if (rows > MIN_COMPACTION_ROWS && rows > base) {
        base = await compact(path, table, now())
        rows = 0
      } else await appendFile(path, batch.join(''), { mode: 0o600 })
    },
    (error) => warn('the metrics cannot be written', { path, error }),
  )
  return {
    cells: async (selection) => table.cells(selection),
    appended: async (run, events, history) => {
      const known = table.sequenceOf(run.runId)
      const trace = table.traceOf(run.runId)
      const isKnown = known === 0 || trace !== undefined
      const counted: Counted =
        isKnown && follows(trace, events) ? countOn(trace, events, run.sop) : replay(await history(), run.sop, known)
      if (counted.trace === undefined || counted.trace.sequence <= known) return
      writer.add(table.take({ runId: run.runId, before: known, trace: counted.trace, deltas: counted.deltas }))
    },
    flush: () => writer.flush(),
  }
}

/** Follows the sums that another process writes; each question first reads what is new. */
export const followFileMetrics = ({ dataDir, warn = () => {} }: FileMetricsOptions): MetricsStore => {
  const path = journalPath(dataDir)
  let table = createMetricsTable()
  const refresh = followRows(
    path,
    () => {
      table = createMetricsTable()
    },
    (line) => takeRow(line, table, path, warn),
  )
  return {
    cells: async (selection) => {
      await refresh()
      return table.cells(selection)
    },
  }
}

const takeRow = (line: string, table: MetricsTable, path: string, warn: Warn): void => {
  if (!table.takeRow(line)) warn('a row of the metrics is damaged and was passed over', { path })
}

/** Writes the sums in place of the rows that made them. @returns how many rows that are */
const compact = async (path: string, table: MetricsTable, nowMs: number): Promise<number> => {
  table.prune(nowMs)
  const rows = table.rows()
  await writeFile(`${path}.tmp`, rows.join(''), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
  return rows.length
}

/** Counts what the rows cannot be sure of: records without a row, and those written after the last row was. */
const reconcile = async (dataDir: string, table: MetricsTable, warn: Warn): Promise<void> => {
  const found = new Set<string>()
  for await (const { path, folder, runId, isOlder } of recordFiles(dataDir, journalPath(dataDir))) {
    if (runId === undefined) continue
    found.add(runId)
    const known = table.sequenceOf(runId)
    if (known > 0 && table.isSure(runId) && (await isOlder())) continue
    const { trace, deltas } = replay(parseRecord(await readFile(path)).events, folder, known)
    if (trace === undefined || trace.sequence <= known) continue
    if (known > 0) warn('the metrics were behind the record', { record: path })
    table.take({ runId, before: known, trace, deltas })
  }
  // A run whose record was removed will not go on, so nothing need be known of it but what it added.
  table.keepRuns((runId) => found.has(runId))
}
