import type { AuditStore, HeadStore, LogStore, RunIndex, Vault } from '../activities/deps.ts'
import { isOutOfTime, keptSince } from '../core/record-retention.ts'
import { CLOSED_STATES, isClosed } from '../core/run/state.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { Log } from '../log.ts'

// record-keeper.ts: removes records of closed runs once they are older than the installation keeps them. Never silently: first
// a signed tombstone goes into the chain of heads, then what hangs on the record (logs, values of secret params), then the
// record itself, and last its line in the list, which is what a sweep goes by: after a crash the next one finishes.

export interface RecordKeeperOptions {
  readonly audit: Pick<AuditStore, 'read' | 'readDefinition' | 'remove' | 'removeDefinitions'>
  readonly index: Pick<RunIndex, 'list' | 'page' | 'get' | 'remove'>
  readonly heads: Pick<HeadStore, 'append'>
  readonly logs: Pick<LogStore, 'usage' | 'remove'>
  readonly vault: Pick<Vault, 'drop'>
  /** Files for other programs, and folders, that belong to a run. */
  readonly removeFiles?: (runId: string) => Promise<void>
  /** Records of runs that ended longer ago go; 0: they are kept for ever. */
  readonly days: number
  readonly now: () => Date
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Pause between two sweeps, and before the first one, in milliseconds. */
  readonly everyMs?: number
  readonly firstMs?: number
}

export interface RecordKeeper {
  start(): void
  /** Removes what has to go. @returns the runs whose records it removed */
  sweep(): Promise<readonly string[]>
  close(): Promise<void>
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Once the engine is up: nothing that people wait for waits for it. */
const FIRST_MS = 30_000
/** Runs that are looked at together; between two batches others get their turn. */
const BATCH = 200
/** A definition may be kept moments before the first event of its run is. */
const DEFINITION_REST_MS = DAY_MS
const ALL = 10_000_000

export const createRecordKeeper = (options: RecordKeeperOptions): RecordKeeper => {
  const { index, log, days, now, everyMs = HOUR_MS, firstMs = FIRST_MS } = options
  let sweeping: Promise<readonly string[]> | undefined
  let [first, timer]: (NodeJS.Timeout | undefined)[] = []
  let isClosing = false

  const removeOld = async (since: string): Promise<readonly string[]> => {
    const removed: string[] = []
    let cursor: string | undefined
    do {
      const page = await index.page({
        states: CLOSED_STATES,
        // Whatever ended before it began before it.
        to: since,
        limit: BATCH,
        ...(cursor !== undefined && { cursor }),
      })
      for (const run of page.runs) {
        if (isClosing) return removed
        if (isOutOfTime(run, since) && (await removeRun(options, run))) removed.push(run.runId)
      }
      cursor = page.next
    } while (cursor !== undefined)
    return removed
  }
  const sweep = async (): Promise<readonly string[]> => {
    const since = keptSince(days, now())
    if (since === undefined) return []
    const removed = await removeOld(since)
    if (removed.length === 0) return removed
    const definitions = await removeUnused(options)
    log.info(`Removed the records of ${removed.length} runs that ended more than ${days} days ago`, { definitions })
    return removed
  }
  const once = (): Promise<readonly string[]> =>
    (sweeping ??= sweep().finally(() => {
      sweeping = undefined
    }))
  const quietly = (): void =>
    void once().catch((error: unknown) => {
      log.warn('Old records cannot be removed now; it is tried again', { error })
    })
  return {
    start: () => {
      first ??= setTimeout(quietly, firstMs).unref()
      timer ??= setInterval(quietly, everyMs).unref()
    },
    sweep: once,
    close: async () => {
      isClosing = true
      clearTimeout(first)
      clearInterval(timer)
      await sweeping?.catch(() => {})
    },
  }
}

/** @returns false where the run went on meanwhile */
const removeRun = async (options: RecordKeeperOptions, { runId, sopName: sop }: RunSummary): Promise<boolean> => {
  const { audit, index, heads, logs, vault, removeFiles, days, now } = options
  const events = await audit.read(runId)
  const [opened, last] = [events[0], events.at(-1)]
  // A retry may have opened it again since the list was read.
  const present = await index.get(runId)
  if (present !== undefined && !isClosed(present.status)) return false
  const reason = `records are kept for ${days} days after their run (audit_retention_days)`
  const times = {
    ...(opened !== undefined && { openedAt: opened.timestamp }),
    ...(present?.completedAt !== undefined && { closedAt: present.completedAt }),
  }
  const removedAt = now().toISOString()
  if (last !== undefined) {
    const { sequence, hash: eventHash } = last
    await heads.append([
      { kind: 'removed', runId, sop, sequence, eventHash, removal: { reason, by: 'engine', ...times } },
    ])
  }
  await logs.remove(runId, { removedAt, bytes: 0, reason: `the record of their run was removed: ${reason}` })
  await vault.drop(runId)
  const isRemoved = await audit.remove({
    runId,
    sop,
    removedAt,
    reason,
    events: events.length,
    lastHash: last?.hash ?? '',
    ...times,
  })
  if (!isRemoved) return false
  await removeFiles?.(runId)
  await index.remove(runId)
  return true
}

/** Definitions that no run on the list began with, nor runs as a step. */
const removeUnused = async ({ audit, index, now }: RecordKeeperOptions): Promise<number> => {
  const runs = await index.list({ limit: ALL })
  const used = new Set<string>()
  for (const { digest } of runs) {
    // A line of an engine of before does not say it: rather keep all.
    if (digest === undefined) return 0
    used.add(digest)
  }
  for (const digest of [...used]) {
    const pinned = await audit.readDefinition(digest)
    for (const child of Object.values(pinned?.children ?? {})) used.add(child.digest)
  }
  return audit.removeDefinitions((digest) => used.has(digest), new Date(now().getTime() - DEFINITION_REST_MS))
}
