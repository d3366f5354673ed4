import { type Cell, type CellSelection, createLedger, dayBefore, KEPT_DAYS } from './ledger.ts'
import type { Delta, RunTrace } from './open-run.ts'

// table.ts: the sums with how far each run was counted, and the rows in which a file keeps both. A row of a batch says how
// far its run had been counted before: where a row is missing, those that follow it are not taken, and the run is counted
// again from its record.

/** A batch of events of one run, counted. */
export interface CountedBatch {
  readonly runId: string
  /** How far the run had been counted before; 0: not at all. */
  readonly before: number
  readonly trace: RunTrace
  readonly deltas: readonly Delta[]
}

export interface MetricsTable {
  /** How far the run was counted; 0 for an unknown one. */
  sequenceOf(runId: string): number
  /** Absent for a closed run: what is known of it stands in its record. */
  traceOf(runId: string): RunTrace | undefined
  /** Whether no row of the run was missing. */
  isSure(runId: string): boolean
  /** Adds the batch. @returns its row, with a line feed */
  take(batch: CountedBatch): string
  /** @returns false where the line is no row */
  takeRow(line: string): boolean
  cells(selection?: CellSelection): readonly Cell[]
  /** Rows that make the same table, each with a line feed. */
  rows(): readonly string[]
  /** Lets go of days that are kept no longer. */
  prune(nowMs: number): void
  /** Forgets how far other runs were counted; what they added stays. */
  keepRuns(isKept: (runId: string) => boolean): void
}

interface RunRow {
  readonly run: string
  readonly before?: number
  readonly sequence: number
  readonly trace?: RunTrace
  readonly deltas?: readonly Delta[]
}

export const createMetricsTable = (): MetricsTable => {
  const ledger = createLedger()
  const runs = new Map<string, { readonly sequence: number; readonly trace?: RunTrace }>()
  const unsure = new Set<string>()

  const put = ({ run, sequence, trace, deltas = [] }: RunRow): void => {
    runs.set(run, { sequence, ...(trace !== undefined && { trace }) })
    for (const delta of deltas) ledger.add(delta)
  }
  const takeBatch = (row: RunRow): void => {
    if (row.before !== undefined && row.before !== (runs.get(row.run)?.sequence ?? 0)) unsure.add(row.run)
    else put(row)
  }
  return {
    sequenceOf: (runId) => runs.get(runId)?.sequence ?? 0,
    traceOf: (runId) => runs.get(runId)?.trace,
    isSure: (runId) => !unsure.has(runId),
    take: ({ runId, before, trace, deltas }) => {
      const row: RunRow = { run: runId, before, ...kept(trace), deltas }
      put(row)
      unsure.delete(runId)
      return `${JSON.stringify(row)}\n`
    },
    takeRow: (line) => {
      const row = parseRow(line)
      if (row === undefined) return false
      if ('cell' in row) ledger.put(row.cell)
      else takeBatch(row)
      return true
    },
    cells: (selection) => ledger.cells(selection),
    rows: () => [
      ...ledger.all().map((cell) => `${JSON.stringify({ cell })}\n`),
      ...[...runs].map(([run, known]) => `${JSON.stringify({ run, ...known })}\n`),
    ],
    prune: (nowMs) => ledger.prune(dayBefore(nowMs, KEPT_DAYS)),
    keepRuns: (isKept) => {
      for (const runId of [...runs.keys()]) if (!isKept(runId)) runs.delete(runId)
    },
  }
}

/** Of a closed run only how far it was counted is kept. */
const kept = (trace: RunTrace): Pick<RunRow, 'sequence' | 'trace'> =>
  trace.end === undefined ? { sequence: trace.sequence, trace } : { sequence: trace.sequence }

const parseRow = (line: string): RunRow | { readonly cell: Cell } | undefined => {
  try {
    const row = JSON.parse(line) as (Partial<RunRow> & { readonly cell?: Partial<Cell> | null }) | null
    if (typeof row?.run === 'string' && typeof row.sequence === 'number') return row as RunRow
    const { cell } = row ?? {}
    const isCell = typeof cell?.day === 'string' && typeof cell.sop === 'string' && typeof cell.tally === 'object'
    return isCell ? { cell: cell as Cell } : undefined
  } catch {
    return undefined
  }
}
