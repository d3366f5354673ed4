import type { AuditListener, AuditStore, RecordRemoval, RunHeader, SopSource } from '../../activities/deps.ts'
import { chainEvent, GENESIS_HASH } from '../../core/audit-chain.ts'
import { createInTurn } from '../shared/in-turn.ts'
import { sha256Hex } from '../shared/native-hash.ts'
import { type Counted, countOn, follows, replay } from '../../core/metrics/replay.ts'
import type { RunTrace } from '../../core/metrics/open-run.ts'
import type { RecordedEvent, RunEvent } from '../../core/run/event.ts'
import type { PinnedSop } from '../../core/run/run.ts'
import { applyToSummary, summaryOf } from '../../core/run/summary.ts'
import type { SummaryState } from '../../core/run/summary-state.ts'
import type { Database, Query } from './database.ts'
import { reasonOf } from './failures.ts'

// audit.ts: the record in PostgreSQL (docs/decisions/0013-team-stores.md). Invariants:
//   A1 many processes append; whoever does holds the row of the run, so its chain has one writer at a time.
//   A2 a sequence is acknowledged after its transaction was committed.
//   A3 what is stored stays: events are only ever inserted.
//   A4 the line in the list of runs changes in the transaction that appends, so that neither is ahead of the other.

export interface PostgresAuditOptions {
  readonly db: Database
  /** Those of this process: they hear of what this process appends. */
  readonly listeners?: readonly AuditListener[]
  /** Hears of trouble that must not fail a run. */
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** Runs of which it is kept in mind how far their record came. */
const MAX_KNOWN = 10_000

interface Chain {
  readonly lastSequence: number
  readonly lastHash: string
  readonly summary: SummaryState | undefined
  /** How far the run was counted; behind the record where an engine of before wrote it. */
  readonly countedTo: number
  readonly trace: RunTrace | undefined
}

interface Appended {
  readonly stored: number
  readonly fresh: readonly RecordedEvent[]
  readonly troubles: readonly Parameters<NonNullable<PostgresAuditOptions['warn']>>[]
}

/** The audit store on PostgreSQL. */
export const createPostgresAudit = ({ db, listeners = [], warn = () => {} }: PostgresAuditOptions): AuditStore => {
  const known = new Map<string, number>()
  const remember = (runId: string, sequence: number): void => {
    known.delete(runId)
    known.set(runId, sequence)
    for (const first of known.keys()) {
      if (known.size <= MAX_KNOWN) break
      known.delete(first)
    }
  }
  const inTurn = createInTurn()
  const read = (runId: string, after = 0): Promise<readonly RecordedEvent[]> => readEvents(db.query, runId, after)

  const tell = async (run: RunHeader, events: readonly RecordedEvent[]): Promise<void> => {
    const last = events.at(-1)?.sequence ?? 0
    const history = async (): Promise<readonly RecordedEvent[]> =>
      (await read(run.runId)).filter(({ sequence }) => sequence <= last)
    for (const listener of listeners) {
      await listener
        .appended(run, events, history)
        .catch((error: unknown) => warn('a listener of the record failed', { runId: run.runId, error }))
    }
  }

  const append = async (run: RunHeader, events: readonly RunEvent[]): Promise<number> => {
    try {
      const { stored, fresh, troubles } =
        events.length === 0
          ? { stored: await lastSequence(db.query, run.runId), fresh: [], troubles: [] }
          : await db.transaction((query) => appendAll(query, run, events))
      remember(run.runId, stored)
      for (const trouble of troubles) warn(...trouble)
      if (fresh.length > 0) await tell(run, fresh)
      return stored
    } catch (error) {
      // Whether a lost commit was one is not known: the next append finds out.
      warn('the record cannot be written', { runId: run.runId, reason: reasonOf(error) })
      return known.get(run.runId) ?? 0
    }
  }

  return {
    append: (run, events) => inTurn(run.runId, () => append(run, events)),
    read,
    keepDefinition: async (pinned) => {
      // Whoever asks again says that it is still used; once a day is enough of that.
      await db.query(
        `INSERT INTO sop_definitions (digest, pinned) VALUES ($1, $2) ON CONFLICT (digest)
           DO UPDATE SET kept_at = now() WHERE sop_definitions.kept_at < now() - interval '12 hours'`,
        [pinned.digest, JSON.stringify(pinned)],
      )
    },
    readDefinition: async (digest) => {
      const [row] = await db.query<{ pinned: PinnedSop }>('SELECT pinned FROM sop_definitions WHERE digest = $1', [
        digest,
      ])
      return row?.pinned
    },
    keepSource: async (digest, source) => {
      await db.query('INSERT INTO sop_sources (digest, source) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        digest,
        JSON.stringify(source),
      ])
    },
    readSource: async (digest) => {
      const [row] = await db.query<{ source: SopSource }>('SELECT source FROM sop_sources WHERE digest = $1', [digest])
      return row?.source
    },
    remove: (removal) => inTurn(removal.runId, () => db.transaction((query) => removeRecord(query, removal))),
    removal: async (runId) => {
      const [row] = await db.query<{ removal: RecordRemoval }>('SELECT removal FROM sop_removals WHERE run_id = $1', [
        runId,
      ])
      return row?.removal
    },
    removeDefinitions: async (isUsed, before) => {
      const old = await db.query<{ digest: string }>('SELECT digest FROM sop_definitions WHERE kept_at < $1', [before])
      const unused = old.map(({ digest }) => digest).filter((digest) => !isUsed(digest))
      if (unused.length === 0) return 0
      return db.transaction(async (query) => {
        // Somebody may have asked to keep it since.
        const gone = await query<{ digest: string }>(
          'DELETE FROM sop_definitions WHERE digest = ANY($1) AND kept_at < $2 RETURNING digest',
          [unused, before],
        )
        await query('DELETE FROM sop_sources WHERE digest = ANY($1)', [gone.map(({ digest }) => digest)])
        return gone.length
      })
    },
  }
}

/** The row of the run is held, so that nobody appends meanwhile; its line in the list goes with it. */
const removeRecord = async (query: Query, removal: RecordRemoval): Promise<boolean> => {
  const { runId, events } = removal
  const [row] = await query<{ last_sequence: number }>(
    'SELECT last_sequence FROM sop_runs WHERE run_id = $1 FOR UPDATE',
    [runId],
  )
  if (row !== undefined && row.last_sequence !== events) return false
  await query('INSERT INTO sop_removals (run_id, removal) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    runId,
    JSON.stringify(removal),
  ])
  for (const table of ['sop_events', 'sop_forks', 'sop_runs'])
    await query(`DELETE FROM ${table} WHERE run_id = $1`, [runId])
  return true
}

const readEvents = async (query: Query, runId: string, after: number): Promise<readonly RecordedEvent[]> => {
  const rows = await query<{ event: RecordedEvent }>(
    'SELECT event FROM sop_events WHERE run_id = $1 AND sequence > $2 ORDER BY sequence',
    [runId, after],
  )
  return rows.map(({ event }) => event)
}

const lastSequence = async (query: Query, runId: string): Promise<number> => {
  const [row] = await query<{ last_sequence: number }>('SELECT last_sequence FROM sop_runs WHERE run_id = $1', [runId])
  return row?.last_sequence ?? 0
}

const appendAll = async (query: Query, run: RunHeader, events: readonly RunEvent[]): Promise<Appended> => {
  const chain = await lockChain(query, run)
  const { fresh, isGap, expected } = sortOut(chain, events)
  const forks = await findForks(query, chain, events)
  for (const { event, hash } of forks) await keepFork(query, event, hash)
  const last = fresh.at(-1)
  if (last !== undefined) await store(query, run, chain, fresh, last)
  return {
    stored: last?.sequence ?? chain.lastSequence,
    fresh,
    troubles: [
      ...(isGap
        ? [['an event does not follow the record and was not taken', { runId: run.runId, expected }] as const]
        : []),
      ...forks
        .filter(({ isNew }) => isNew)
        .map(
          ({ event: { runId, sequence } }) =>
            ['conflict: the record holds another event under this sequence', { runId, sequence }] as const,
        ),
    ].map(([message, details]) => [message, details]),
  }
}

/** Makes the row where there is none, and holds it until the transaction ends: in one statement, so that two cannot both make it. */
const lockChain = async (query: Query, { runId, sop }: RunHeader): Promise<Chain> => {
  const [row] = await query<{
    last_sequence: number
    last_hash: string
    summary: SummaryState | null
    metrics_sequence: number
    metrics_trace: RunTrace | null
  }>(
    `INSERT INTO sop_runs (run_id, sop) VALUES ($1, $2)
       ON CONFLICT (run_id) DO UPDATE SET run_id = excluded.run_id
       RETURNING last_sequence, last_hash, summary, metrics_sequence, metrics_trace`,
    [runId, sop],
  )
  if (row === undefined) throw new Error(`run "${runId}" has no row`)
  return {
    lastSequence: row.last_sequence,
    lastHash: row.last_hash,
    summary: row.summary ?? undefined,
    countedTo: row.metrics_sequence,
    trace: row.metrics_trace ?? undefined,
  }
}

/** The events that are new, chained. A gap ends the batch, since a chain has none. */
const sortOut = (
  { lastSequence: before, lastHash }: Chain,
  events: readonly RunEvent[],
): { readonly fresh: readonly RecordedEvent[]; readonly isGap: boolean; readonly expected: number } => {
  const fresh: RecordedEvent[] = []
  for (const event of events) {
    const expected = before + fresh.length + 1
    if (event.sequence > expected) return { fresh, isGap: true, expected }
    if (event.sequence === expected) fresh.push(chainEvent(event, fresh.at(-1)?.hash ?? lastHash, sha256Hex))
  }
  return { fresh, isGap: false, expected: before + fresh.length + 1 }
}

interface Fork {
  readonly event: RunEvent
  readonly hash: string
  readonly isNew: boolean
}

/** Other events under known sequences: the stored ones stay, the others are kept beside for whoever looks into it. */
const findForks = async (
  query: Query,
  { lastSequence: last }: Chain,
  events: readonly RunEvent[],
): Promise<readonly Fork[]> => {
  const old = events.filter(({ sequence }) => sequence <= last)
  const [first] = old
  if (first === undefined) return []
  const rows = await query<{ sequence: number; hash: string }>(
    'SELECT sequence, hash FROM sop_events WHERE run_id = $1 AND sequence BETWEEN $2 AND $3',
    [first.runId, Math.min(...old.map(({ sequence }) => sequence)) - 1, last],
  )
  const hashes = new Map([[0, GENESIS_HASH], ...rows.map(({ sequence, hash }) => [sequence, hash] as const)])
  const found = old.flatMap((event) => {
    const [stored, previous] = [hashes.get(event.sequence), hashes.get(event.sequence - 1)]
    // In a damaged record nothing is left to compare with.
    if (stored === undefined || previous === undefined) return []
    const { hash } = chainEvent(event, previous, sha256Hex)
    return hash === stored ? [] : [{ event, hash }]
  })
  const seen = await query<{ hash: string }>('SELECT hash FROM sop_forks WHERE run_id = $1 AND hash = ANY($2)', [
    first.runId,
    found.map(({ hash }) => hash),
  ])
  return found.map((fork) => ({ ...fork, isNew: !seen.some(({ hash }) => hash === fork.hash) }))
}

const keepFork = async (query: Query, event: RunEvent, hash: string): Promise<void> => {
  await query('INSERT INTO sop_forks (run_id, sequence, hash, event) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
    event.runId,
    event.sequence,
    hash,
    JSON.stringify(event),
  ])
}

const store = async (
  query: Query,
  { runId, sop }: RunHeader,
  chain: Chain,
  fresh: readonly RecordedEvent[],
  last: RecordedEvent,
): Promise<void> => {
  const summary = fresh.some(({ eventType }) => eventType === 'run_forked')
    ? summaryOf([...(await readEvents(query, runId, 0)), ...fresh])
    : fresh.reduce<SummaryState | undefined>(applyToSummary, chain.summary)
  if (summary === undefined) return
  const named = summary.sopName === '' ? { ...summary, sopName: sop } : summary
  const { trace, deltas } = await counted(query, runId, chain, fresh, named.sopName)
  await query(
    `WITH stored AS (
       INSERT INTO sop_events (run_id, sequence, hash, event)
         SELECT $1, * FROM unnest($2::int[], $3::text[], $4::json[])),
     counted AS (INSERT INTO sop_metric_deltas (deltas) SELECT $12::json WHERE $12 IS NOT NULL)
     UPDATE sop_runs SET sop = $5, last_sequence = $6, last_hash = $7, status = $8, created_at = $9, summary = $10,
       changed_in = pg_current_xact_id(), metrics_sequence = $6, metrics_trace = $11
       WHERE run_id = $1`,
    [
      runId,
      fresh.map(({ sequence }) => sequence),
      fresh.map(({ hash }) => hash),
      fresh.map((event) => JSON.stringify(event)),
      named.sopName,
      last.sequence,
      last.hash,
      named.status,
      named.createdAt,
      JSON.stringify(named),
      JSON.stringify(trace ?? null),
      deltas.length === 0 ? null : JSON.stringify(deltas),
    ],
  )
}

/** What the events add to the metrics, with all that was not counted before them. */
const counted = async (
  query: Query,
  runId: string,
  { lastSequence: before, countedTo, trace }: Chain,
  fresh: readonly RecordedEvent[],
  sop: string,
): Promise<Counted> =>
  countedTo === before && follows(trace, fresh)
    ? countOn(trace, fresh, sop)
    : replay([...(await readEvents(query, runId, 0)), ...fresh], sop, countedTo)
