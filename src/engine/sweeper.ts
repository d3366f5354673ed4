import type { ActivityDeps } from '../activities/deps.ts'
import type { ClosedExecution, EndedRuns } from '../client/ended-runs.ts'
import { recordedRun } from '../client/find-run.ts'
import { endedOutside } from '../core/run/ended-outside.ts'
import type { Run } from '../core/run/run.ts'
import { needsAdmission } from '../core/run/admission.ts'
import { RUN_STATES, isClosed } from '../core/run/state.ts'
import type { Log } from '../log.ts'
import type { Stores } from '../worker/stores.ts'

// sweeper.ts: ends the record of runs that were ended in Temporal and not by their rules: a terminated workflow says
// nothing any more. It runs beside the one writer of the stores; what it says depends on the record and on Temporal's
// history alone, so that a second sweep, also by another process, says the same and the store takes it once.

export interface SweeperOptions {
  readonly stores: Pick<Stores, 'audit' | 'index' | 'vault'>
  readonly ended: EndedRuns
  readonly admission: Pick<ActivityDeps['admission'], 'release'>
  /** Tells a run that an SOP which runs as its step has ended; one that is over itself is passed over. */
  readonly tellParent: (run: Run) => Promise<void>
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly now: () => number
}

export interface Sweeper {
  /** Sweeps now, and then three times a minute. */
  start(): void
  /** Ends what has to be ended. @returns the runs of which it wrote the end */
  sweep(): Promise<readonly string[]>
  close(): Promise<void>
}

const PAUSE_MS = 20_000
/** A younger run may not be in Temporal's list yet. */
const YOUNG_MS = 5_000
const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))
/** More than any list of open runs. */
const ALL = 10_000_000

/** The sweeper of a store. It does nothing by itself before `start`. */
export const createSweeper = (options: SweeperOptions): Sweeper => {
  const { stores, ended, log, now } = options
  let sweeping: Promise<readonly string[]> | undefined
  let timer: NodeJS.Timeout | undefined
  const unknown = new Set<string>()

  const sweep = async (): Promise<readonly string[]> => {
    const listed = await stores.index.list({ states: OPEN_STATES, limit: ALL })
    const old = listed.filter(({ createdAt }) => now() - Date.parse(createdAt) > YOUNG_MS)
    if (old.length === 0) return []
    const open = await ended.open()
    const swept: string[] = []
    for (const { runId } of old) {
      if (open.has(runId)) continue
      const closed = await ended.endOf(runId)
      if (closed !== undefined && (await finish(options, runId, closed))) swept.push(runId)
    }
    return swept
  }
  const once = (): Promise<readonly string[]> =>
    (sweeping ??= sweep().finally(() => {
      sweeping = undefined
    }))
  const quietly = (): void =>
    void once().catch((error: unknown) => {
      // Temporal or the store is down: the next sweep comes soon.
      const reason = error instanceof Error ? error.message : String(error)
      if (!unknown.has(reason)) log.warn(`Cannot look for runs that were ended in Temporal: ${reason}`)
      unknown.add(reason)
    })
  return {
    start: () => {
      quietly()
      timer = setInterval(quietly, PAUSE_MS)
      timer.unref()
    },
    sweep: once,
    close: async () => {
      clearInterval(timer)
      await sweeping?.catch(() => {})
    },
  }
}

/** First what history holds and the record lacks, then the end. @returns whether it wrote one */
const finish = async (
  { stores, admission, tellParent, log }: SweeperOptions,
  runId: string,
  { end, events }: ClosedExecution,
): Promise<boolean> => {
  const before = await recordedRun(stores, runId)
  if (before === undefined || before.outcome !== undefined) return false
  const header = { runId, sop: before.seed.pinned.definition.name }
  const left = events.filter(({ sequence }) => sequence > before.sequence)
  if (left.length > 0) await stores.audit.append(header, left)
  const run = await recordedRun(stores, runId)
  if (run === undefined) return false
  if (run.outcome === undefined && end !== undefined) await stores.audit.append(header, endedOutside(run, end))
  const after = await recordedRun(stores, runId)
  if (after?.outcome === undefined) {
    if (end !== undefined) log.warn('A run was ended in Temporal, and its end cannot be recorded', { runId })
    return false
  }
  await clear(stores, admission, after)
  await tellParent(after)
  log.info(`Run ${runId} was ended in Temporal, and its record says so now: ${after.outcome.reason ?? ''}`, { runId })
  return true
}

const clear = async (
  { vault }: SweeperOptions['stores'],
  admission: SweeperOptions['admission'],
  { seed }: Run,
): Promise<void> => {
  await vault.drop(seed.runId)
  if (needsAdmission(seed)) await admission.release(seed.runId)
}
