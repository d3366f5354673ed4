import type { AuditListener, MetricsStore } from '../../activities/deps.ts'
import { type Cell, type CellSelection, createLedger, dayBefore, KEPT_DAYS, TOTAL } from '../../core/metrics/ledger.ts'
import { replay } from '../../core/metrics/replay.ts'
import type { Delta } from '../../core/metrics/open-run.ts'
import type { RecordedEvent } from '../../core/run/event.ts'
import type { Database, Query } from './database.ts'
import { reasonOf } from './failures.ts'

// metrics.ts: what runs added to the metrics. The audit store inserts a row for each batch in the transaction that appends
// it, so that appends of different runs never wait for each other; every now and then some process folds those rows into
// the sums. Whoever asks gets both, of one snapshot.

export interface PostgresMetricsOptions {
  readonly db: Database
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
  /** In milliseconds; for tests. */
  readonly now?: () => number
  /** Batches of this process between two foldings. Default 500. */
  readonly foldEvery?: number
}

export interface PostgresMetrics extends MetricsStore, AuditListener {
  /** Folds the rows of batches into the sums. */
  fold(): Promise<void>
  /** Counts what engines that knew no metrics have appended. */
  heal(): Promise<void>
}

const FOLD_EVERY = 500
/** Rows of batches that one transaction folds. */
const FOLD_ROWS = 2000
/** One folds at a time, and the others do not wait for it: the rows that it deletes are locked. Any number of our own. */
const FOLD_LOCK = 7_105_004

interface CellRow {
  readonly day: string
  readonly sop: string
  readonly step: number
  readonly sign: 1 | -1
  readonly tally: Cell['tally']
}

/** The metrics on PostgreSQL. */
export const createPostgresMetrics = ({
  db,
  warn = () => {},
  now = () => Date.now(),
  foldEvery = FOLD_EVERY,
}: PostgresMetricsOptions): PostgresMetrics => {
  let batches = 0
  let folding: Promise<void> | undefined
  const foldAll = async (): Promise<void> => {
    while ((await db.transaction((query) => foldSome(query, now()))) === FOLD_ROWS);
  }
  const fold = (): Promise<void> =>
    (folding ??= foldAll().finally(() => {
      folding = undefined
    }))
  return {
    cells: (selection) => readCells(db.query, selection),
    appended: async () => {
      if (++batches % foldEvery !== 0) return
      void fold().catch((error: unknown) => warn('the metrics cannot be folded', { reason: reasonOf(error) }))
    },
    fold,
    heal: async () => {
      for (;;) {
        const rows = await db.query<{ run_id: string }>(
          'SELECT run_id FROM sop_runs WHERE metrics_sequence < last_sequence LIMIT 100',
        )
        for (const { run_id } of rows) await db.transaction((query) => healRun(query, run_id))
        if (rows.length === 0) break
      }
      await fold()
    },
  }
}

const readCells = async (query: Query, { from, sop }: CellSelection = {}): Promise<readonly Cell[]> => {
  const rows = await query<CellRow | { readonly deltas: readonly Delta[]; readonly day: null }>(
    `SELECT day, sop, step, sign, tally, NULL::json AS deltas FROM sop_metrics
       WHERE (CASE WHEN $1::text IS NULL THEN day = '${TOTAL}' ELSE day <> '${TOTAL}' AND day >= $1 END)
         AND ($2::text IS NULL OR sop = $2)
     UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, deltas FROM sop_metric_deltas`,
    [from ?? null, sop ?? null],
  )
  const ledger = createLedger()
  for (const row of rows) {
    if (row.day === null) for (const delta of row.deltas) ledger.add(delta)
    else ledger.put(cellOf(row))
  }
  return ledger.cells({ ...(from !== undefined && { from }), ...(sop !== undefined && { sop }) })
}

const cellOf = ({ day, sop, step, sign, tally }: CellRow): Cell => ({
  day,
  sop,
  ...(step > 0 && { step }),
  sign,
  tally,
})

/** @returns how many rows were folded; none while another process does it */
const foldSome = async (query: Query, nowMs: number): Promise<number> => {
  const [lock] = await query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [FOLD_LOCK])
  if (lock?.mine !== true) return 0
  const rows = await query<{ deltas: readonly Delta[] }>(
    `DELETE FROM sop_metric_deltas WHERE id IN (SELECT id FROM sop_metric_deltas ORDER BY id LIMIT ${FOLD_ROWS})
       RETURNING deltas`,
  )
  const ledger = createLedger()
  for (const { deltas } of rows) for (const delta of deltas) ledger.add(delta)
  const fresh = ledger.all()
  for (const cell of await readSums(query, fresh)) ledger.put(cell)
  const sums = ledger.all()
  await query(
    `INSERT INTO sop_metrics (day, sop, step, sign, tally)
       SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::json[])
       ON CONFLICT (day, sop, step, sign) DO UPDATE SET tally = excluded.tally`,
    [...columnsOf(sums), sums.map(({ tally }) => JSON.stringify(tally))],
  )
  await query(`DELETE FROM sop_metrics WHERE day <> '${TOTAL}' AND day < $1`, [dayBefore(nowMs, KEPT_DAYS)])
  return rows.length
}

const columnsOf = (cells: readonly Cell[]): readonly (readonly (string | number)[])[] => [
  cells.map(({ day }) => day),
  cells.map(({ sop }) => sop),
  cells.map(({ step = 0 }) => step),
  cells.map(({ sign }) => sign),
]

/** The sums so far of the cells that change. */
const readSums = async (query: Query, cells: readonly Cell[]): Promise<readonly Cell[]> => {
  const rows = await query<CellRow>(
    `SELECT day, sop, step, sign, tally FROM sop_metrics WHERE (day, sop, step, sign) IN
       (SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]))`,
    columnsOf(cells),
  )
  return rows.map(cellOf)
}

const healRun = async (query: Query, runId: string): Promise<void> => {
  const [run] = await query<{ sop: string; metrics_sequence: number; last_sequence: number }>(
    'SELECT sop, metrics_sequence, last_sequence FROM sop_runs WHERE run_id = $1 FOR UPDATE',
    [runId],
  )
  if (run === undefined || run.metrics_sequence >= run.last_sequence) return
  const rows = await query<{ event: RecordedEvent }>(
    'SELECT event FROM sop_events WHERE run_id = $1 ORDER BY sequence',
    [runId],
  )
  const { trace, deltas } = replay(
    rows.map(({ event }) => event),
    run.sop,
    run.metrics_sequence,
  )
  await query('UPDATE sop_runs SET metrics_sequence = last_sequence, metrics_trace = $2 WHERE run_id = $1', [
    runId,
    JSON.stringify(trace ?? null),
  ])
  if (deltas.length > 0) await query('INSERT INTO sop_metric_deltas (deltas) VALUES ($1)', [JSON.stringify(deltas)])
}
