import type { AuditListener, AuditStore, HeadStore, RunHeader, RunIndex } from '../activities/deps.ts'
import type { HeadDraft } from '../core/heads.ts'
import { isClosedAfter } from '../core/run-document.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { Log } from '../log.ts'

// head-keeper.ts: writes the heads of records. Invariants:
//   K1 no append waits for a head: what is heard is noted, and written a moment later.
//   K2 a head tells only of events that are durable, since listeners hear of no others.
//   K3 what a crash kept from being written is written by the next sweep, marked `late`; of several processes each heals
//      what the others left.

export interface HeadKeeperOptions {
  readonly heads: HeadStore
  readonly index: Pick<RunIndex, 'list' | 'changes'>
  readonly log: Pick<Log, 'warn' | 'info'>
  /** This process alone writes the store, so what has no head when it begins never will have one but by it. */
  readonly isOnlyWriter: boolean
  readonly writeAfterMs?: number
  readonly sweepEveryMs?: number
}

export interface HeadKeeper extends AuditListener {
  /** Heals, and then sweeps once a minute. `audit` is the store that it listens to. */
  start(audit: Pick<AuditStore, 'read'>): void
  /** Fulfilled when all that was heard so far is written, or could not be. */
  flush(): Promise<void>
  /** Writes heads that are missing. @returns how many runs it found behind */
  heal(): Promise<number>
  close(): Promise<void>
}

/** Of a run that goes on, several events have one head. */
const WRITE_AFTER_MS = 500
const RETRY_MS = 5_000
const SWEEP_MS = 60_000
/** Drafts that are appended at once. */
const MAX_DRAFTS = 1_000
/** More than any list of runs. */
const ALL = 10_000_000

interface Heard {
  readonly sop: string
  readonly first?: RecordedEvent
  readonly last: RecordedEvent
  readonly isClosed: boolean
}

/** The keeper of a store's heads; deaf until it is among the listeners of the record. */
export const createHeadKeeper = (options: HeadKeeperOptions): HeadKeeper => {
  const { heads, index, log, writeAfterMs = WRITE_AFTER_MS, sweepEveryMs = SWEEP_MS } = options
  let heard = new Map<string, Heard>()
  let timer: NodeJS.Timeout | undefined
  let sweeps: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  /** Until the first sweep is over, nothing else is written: a chain that goes on has no one left behind. */
  let ready: Promise<unknown> = Promise.resolve()
  let audit: Pick<AuditStore, 'read'> | undefined
  let cursor: string | undefined
  let behind: readonly string[] = []
  let isFailing = false
  let isClosed = false

  const write = async (): Promise<void> => {
    await ready.catch(() => {})
    if (heard.size === 0) return
    const taken = heard
    heard = new Map()
    try {
      const drafts = [...taken].flatMap(([runId, each]) => draftsOf(runId, each))
      for (let from = 0; from < drafts.length; from += MAX_DRAFTS)
        await heads.append(drafts.slice(from, from + MAX_DRAFTS))
      if (isFailing) log.info('The chain of heads can be written again')
      isFailing = false
    } catch (error) {
      // What was told twice is taken once, so all of it is told again.
      for (const [runId, each] of taken) heard.set(runId, joined(each, heard.get(runId)))
      if (!isFailing)
        log.warn(`The heads of records cannot be written, and are kept meanwhile: ${String((error as Error).message)}`)
      isFailing = true
      schedule(RETRY_MS)
    }
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(write)
    return writing
  }
  const schedule = (afterMs: number): void => {
    if (isClosed) return
    timer ??= setTimeout(() => void flush(), afterMs)
    timer.unref()
  }

  /** Runs whose heads are behind their records. */
  const findBehind = async (): Promise<readonly RunSummary[]> => {
    const changes = await index.changes(cursor)
    const runs = cursor === undefined || changes.reset === true ? await index.list({ limit: ALL }) : changes.runs
    const known = new Map(await heads.known(runs.map(({ runId }) => runId)))
    cursor = changes.cursor
    return runs.filter(({ runId, sequence }) => {
      const head = known.get(runId)
      return head?.kind !== 'removed' && (head?.sequence ?? 0) < sequence && !heard.has(runId)
    })
  }
  const heal = async (isFirst: boolean): Promise<number> => {
    if (audit === undefined) return 0
    const found = await findBehind()
    // Another process may be about to write them: only what was behind a sweep ago is nobody's.
    const now = found.map(({ runId }) => runId)
    const isOurs = isFirst && options.isOnlyWriter
    const lost = isOurs ? now : behind
    behind = isOurs ? [] : now
    const drafts: HeadDraft[] = []
    for (const runId of lost) {
      const record = await audit.read(runId)
      const last = record.at(-1)
      if (last === undefined || heard.has(runId)) continue
      const [first] = record
      const sop = first?.eventType === 'run_created' ? first.details.sop : ''
      const kind = isClosedAfter(false, record) ? 'closed' : 'checkpoint'
      drafts.push({ kind, runId, sop, sequence: last.sequence, eventHash: last.hash, late: true })
    }
    const added = drafts.length === 0 ? [] : await heads.append(drafts)
    if (added.length > 0) log.info(`Heads of ${added.length} records were missing and are written now`)
    return added.length
  }
  const sweep = (isFirst: boolean): Promise<unknown> =>
    heal(isFirst).catch((error: unknown) => {
      cursor = undefined
      log.warn(`Cannot look for records without heads: ${String((error as Error).message)}`)
    })

  return {
    appended: async (run, events) => {
      const last = events.at(-1)
      if (last === undefined) return
      heard.set(run.runId, joined(heard.get(run.runId), heardOf(run, events, last)))
      schedule(writeAfterMs)
    },
    start: (store) => {
      audit = store
      ready = sweep(true)
      sweeps = setInterval(() => void sweep(false), sweepEveryMs)
      sweeps.unref()
    },
    flush,
    heal: () => heal(true),
    close: async () => {
      isClosed = true
      clearInterval(sweeps)
      await flush()
    },
  }
}

const heardOf = (run: RunHeader, events: readonly RecordedEvent[], last: RecordedEvent): Heard => {
  const first = events.find(({ sequence }) => sequence === 1)
  return { sop: run.sop, last, isClosed: isClosedAfter(false, events), ...(first && { first }) }
}

/** What was heard before, with what came after. */
const joined = (before: Heard | undefined, after: Heard | undefined): Heard => {
  if (before === undefined || after === undefined) return (before ?? after) as Heard
  if (after.last.sequence < before.last.sequence) return joined(after, before)
  const first = before.first ?? after.first
  return { ...after, ...(first && { first }) }
}

const draftsOf = (runId: string, { sop, first, last, isClosed }: Heard): readonly HeadDraft[] => {
  const at = ({ sequence, hash: eventHash }: RecordedEvent) => ({ runId, sop, sequence, eventHash })
  const opened: readonly HeadDraft[] = first === undefined ? [] : [{ kind: 'opened', ...at(first) }]
  if (isClosed) return [...opened, { kind: 'closed', ...at(last) }]
  return last === first ? opened : [...opened, { kind: 'checkpoint', ...at(last) }]
}
