import { setTimeout as delay } from 'node:timers/promises'
import type { HealthCheck } from '../client/client.ts'
import type { TraceCursor, TraceCursors } from '../core/trace/cursors.ts'
import { replaySpans, tellSpans } from '../core/trace/run-spans.ts'
import type { TraceState } from '../core/trace/teller.ts'
import type { Span } from '../core/trace/span.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { isClosed } from '../core/run/state.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { Log } from '../log.ts'
import type { Stores } from '../worker/stores.ts'
import { type SendSpans, TracesRefused } from './send-spans.ts'

// trace-exporter.ts: tells a collector of traces what runs did. The record is its queue: it keeps how far it told of each run,
// so no run waits for it, a collector that is away loses nothing for a week, and a crash between sending and keeping tells
// the same spans, under the same ids, once more. Invariants:
//   T1 a cursor moves only after the collector has taken what lies before it.
//   T2 of an installation one process tells at a time (engine/leader.ts).

export interface TraceExporterDeps {
  readonly index: Pick<Stores['index'], 'list' | 'changes' | 'get'>
  readonly audit: Pick<Stores['audit'], 'read'>
  readonly cursors: TraceCursors
  readonly send: SendSpans
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly now?: () => number
  /** Pause between two looks, in milliseconds. Default 2,000. */
  readonly lookMs?: number
}

export interface TraceExporter {
  start(): void
  /** Tells all that there is now. @throws what the collector, or a store, says */
  tell(): Promise<void>
  /** Fails where nothing can be told. */
  health(): HealthCheck
  /** Tells what there is once more, if that is quick, and ends. */
  close(): Promise<void>
}

const LOOK_MS = 2_000
/** Pauses after failures double up to this. */
const MAX_PAUSE_MS = 60_000
/** What is older when the collector comes back is not told of any more. */
const MAX_AGE_MS = 7 * 86_400_000
/** Spans of one request. */
const MAX_SPANS = 512
/** Open runs of which it is kept in mind what is open. */
const MAX_STATES = 1_000
const CHUNK = 500
const CLOSE_MS = 3_000
/** More than any list of runs. */
const ALL = 10_000_000

/** What goes out together, and how far that brings which runs. */
interface Batch {
  spans: Span[]
  readonly states: Map<string, TraceState>
  /** Runs of which there are spans in it. */
  readonly told: Set<string>
}

export const createTraceExporter = (deps: TraceExporterDeps): TraceExporter => {
  const { index, audit, cursors, send, log, now = Date.now, lookMs = LOOK_MS } = deps
  const closing = new AbortController()
  const { signal } = closing
  /** Runs that have something to tell of, by the last event that is known of them. */
  const waiting = new Map<string, RunSummary>()
  const states = new Map<string, TraceState>()
  let cursor: string | undefined
  let begun: string | undefined
  let failure: { readonly since: string; readonly reason: string } | undefined
  let running: Promise<void> = Promise.resolve()
  let telling: Promise<void> | undefined

  const look = async (): Promise<void> => {
    begun ??= await cursors.begun(new Date(now()).toISOString())
    const { runs, cursor: next, reset } = await index.changes(cursor)
    if (cursor === undefined || reset === true) await lookAtAll()
    for (const run of runs) waiting.set(run.runId, run)
    cursor = next
  }
  /** What was told of is known to the cursors alone: after a start, and where the list begins anew. */
  const lookAtAll = async (): Promise<void> => {
    const listed = await index.list({ limit: ALL })
    await cursors.keep(listed.map(({ runId }) => runId))
    const all = listed.filter((run) => isConcerned(run))
    for (let at = 0; at < all.length; at += CHUNK) {
      const chunk = all.slice(at, at + CHUNK)
      const told = await cursors.get(chunk.map(({ runId }) => runId))
      for (const run of chunk) if ((told.get(run.runId) ?? 0) < run.sequence) waiting.set(run.runId, run)
    }
  }
  /** A run that had ended before traces were asked for, or long ago, is left alone. */
  const isConcerned = ({ status, completedAt = '' }: RunSummary): boolean =>
    !isClosed(status) || (completedAt >= (begun ?? '') && Date.parse(completedAt) > now() - MAX_AGE_MS)

  const remember = (runId: string, state: TraceState): void => {
    states.delete(runId)
    states.set(runId, state)
    for (const first of states.keys()) {
      if (states.size <= MAX_STATES) break
      states.delete(first)
    }
  }
  const flush = async (batch: Batch): Promise<void> => {
    if (batch.spans.length > 0) {
      try {
        await send(batch.spans)
      } catch (error) {
        if (!(error instanceof TracesRefused)) throw error
        log.warn('the collector of traces refused spans, which are left out', {
          spans: batch.spans.length,
          reason: error.message,
        })
      }
      const moved: TraceCursor[] = [...batch.told].map((runId) => ({
        runId,
        sequence: batch.states.get(runId)?.sequence ?? 0,
      }))
      await cursors.set(moved)
    }
    for (const [runId, state] of batch.states) remember(runId, state)
    batch.spans = []
    batch.states.clear()
    batch.told.clear()
  }
  const add = async (batch: Batch, runId: string, state: TraceState, spans: readonly Span[]): Promise<void> => {
    const fresh = spans.filter(({ endMs }) => endMs > now() - MAX_AGE_MS)
    batch.states.set(runId, state)
    batch.spans.push(...fresh)
    if (fresh.length > 0) batch.told.add(runId)
    if (batch.spans.length >= MAX_SPANS) await flush(batch)
  }
  const tellRun = async (batch: Batch, { runId, sopName }: RunSummary): Promise<void> => {
    const told = (await cursors.get([runId])).get(runId) ?? 0
    const known = states.get(runId)
    const fresh = known === undefined ? undefined : await audit.read(runId, known.sequence)
    if (known === undefined || fresh?.some(isFork) === true) {
      const record = await audit.read(runId)
      const before = replaySpans(
        record.filter(({ sequence }) => sequence <= told),
        sopName,
        told,
      )
      if (record.some(({ sequence, eventType }) => sequence > told && eventType === 'run_forked')) {
        const all = replaySpans(record, sopName, told)
        if (all !== undefined) await add(batch, runId, all.state, all.spans)
        return
      }
      await tellEvents(batch, before?.state, record, { runId, sopName, told })
    } else await tellEvents(batch, known, fresh ?? [], { runId, sopName, told })
  }
  const tellEvents = async (
    batch: Batch,
    before: TraceState | undefined,
    events: readonly RecordedEvent[],
    { runId, sopName, told }: { readonly runId: string; readonly sopName: string; readonly told: number },
  ): Promise<void> => {
    let state = before
    for (const event of events) {
      const next = tellSpans(state, event, sopName)
      state = next.state
      await add(batch, runId, state, event.sequence > told ? next.spans : [])
    }
  }
  const tellAll = async (): Promise<void> => {
    await look()
    const batch: Batch = { spans: [], states: new Map(), told: new Set() }
    const runs = [...waiting.values()]
    for (const run of runs) if (isConcerned(run)) await tellRun(batch, run)
    await flush(batch)
    // What came meanwhile waits for the next look.
    for (const run of runs) if (waiting.get(run.runId) === run) waiting.delete(run.runId)
  }
  const tell = (): Promise<void> =>
    (telling ??= tellAll().finally(() => {
      telling = undefined
    }))

  const run = async (): Promise<void> => {
    let pauseMs = lookMs
    while (!signal.aborted) {
      try {
        await tell()
        if (failure !== undefined) log.info('traces are told again', { since: failure.since })
        failure = undefined
        pauseMs = lookMs
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (failure === undefined) log.warn('traces cannot be told; it is tried again', { reason })
        failure = { since: failure?.since ?? new Date(now()).toISOString(), reason }
        pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)
      }
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
  return {
    start: () => {
      running = run()
    },
    tell,
    health: () =>
      failure === undefined
        ? { ok: true }
        : {
            ok: false,
            detail: `traces cannot be told: ${failure.reason}`,
            since: failure.since,
            help: 'Look at the collector of OTEL_EXPORTER_OTLP_ENDPOINT. Runs do not wait for it; it is told of the last seven days once it answers',
            figures: { runs: waiting.size },
          },
    close: async () => {
      closing.abort()
      await running
      await Promise.race([tell().catch(() => {}), delay(CLOSE_MS, undefined, { ref: false })])
    },
  }
}

const isFork = ({ eventType }: RecordedEvent): boolean => eventType === 'run_forked'
