import type { RunEvent } from '../../core/run/event.ts'
import { type RunView, runState } from '../../core/run/view.ts'
import { compareRecord, compareReplay, compareView, type Finding, type Findings, join, NOTHING } from './compare.ts'
import { type Cluster, hasWorker, listOpen, type OpenRun, type ReadRun, readRun } from './open-runs.ts'
import { prefetch } from './prefetch.ts'
import { type Replayable, type Replayed, replayAll } from './replay.ts'

// check-upgrade.ts: whether this build can take over the open runs of a live cluster. Nothing is changed there.

/** An open run and what was found. */
export interface CheckedRun {
  readonly runId: string
  readonly sop?: string
  readonly status?: string
  /** What the state that the replay came to was held against. */
  readonly comparedWith: 'run' | 'record' | 'nothing'
  readonly breaks: readonly Finding[]
  readonly notes: readonly Finding[]
}

export interface UpgradeReport {
  /** Open executions that were replayed. */
  readonly checked: number
  /** Runs that closed while the check went on. */
  readonly closed: number
  /** Executions whose history is played on by the same commands, with the same arguments and to the same view. */
  readonly fine: number
  readonly comparedWith: Readonly<Record<CheckedRun['comparedWith'], number>>
  /** Runs that would break, or act otherwise, under this build. */
  readonly broken: readonly CheckedRun[]
  /** Runs of which this build says more than the one that wrote their history; no break. */
  readonly noted: readonly CheckedRun[]
}

export interface CheckUpgradeOptions extends Cluster {
  readonly bundle: { readonly codePath: string }
  /** The record of a run as this build reads it; undefined where there is no record at hand. */
  readonly readRecord?: (runId: string) => Promise<readonly RunEvent[]>
  /** Histories that are fetched at the same time. */
  readonly concurrency: number
  readonly onProgress?: (done: number) => void
}

/** Runs in a row that did not answer, after which none is asked any more: their worker is gone. */
const PATIENCE = 4

/** How often a run that moved between the reading of its history and its answer is read again. */
const READINGS = 3

/** Replays all open runs against the bundle, and compares what it does with their histories, their views and records. */
export const checkUpgrade = async (options: CheckUpgradeOptions): Promise<UpgradeReport> => {
  let unanswered = (await hasWorker(options)) ? 0 : PATIENCE
  const read = async (run: OpenRun): Promise<ReadRun> => {
    const asks = unanswered < PATIENCE
    const found = await readRun(options, run, asks)
    if (asks && found.history !== undefined) unanswered = found.live === undefined ? unanswered + 1 : 0
    return found
  }
  const results: CheckedRun[] = []
  let closed = 0
  let again: readonly OpenRun[] = []
  const pass = async (runs: AsyncIterable<OpenRun>, isLast: boolean): Promise<void> => {
    const moved: OpenRun[] = []
    const source = skippingClosed(prefetch(runs, options.concurrency, read), () => {
      closed += 1
    })
    for await (const replayed of replayAll(options.bundle, source)) {
      if (!isLast && hasMoved(replayed)) moved.push(replayed.subject)
      else results.push(await check(replayed, options.readRecord))
      options.onProgress?.(results.length + closed)
    }
    again = moved
  }
  await pass(listOpen(options), false)
  for (let reading = 2; reading <= READINGS && again.length > 0; reading += 1) {
    await pass(each(again), reading === READINGS)
  }
  return reportOf(results, closed)
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

async function* skippingClosed(
  runs: AsyncIterable<ReadRun>,
  onClosed: () => void,
): AsyncGenerator<Replayable<ReadRun>> {
  for await (const run of runs) {
    if (run.history === undefined) onClosed()
    else yield { workflowId: run.workflowId, history: run.history, subject: run }
  }
}

/** The run went on after its history was read, or before it answered: the two do not speak of the same moment. */
const hasMoved = ({ state, subject }: Replayed<ReadRun>): boolean =>
  state?.of === 'run' && isView(subject.live) && subject.live.sequence !== state.run.sequence

const isView = (value: unknown): value is RunView =>
  typeof (value as Partial<RunView> | null | undefined)?.sequence === 'number'

const check = async (
  replayed: Replayed<ReadRun>,
  readRecord: CheckUpgradeOptions['readRecord'],
): Promise<CheckedRun> => {
  const { state, subject } = replayed
  const live = hasMoved(replayed) ? undefined : subject.live
  let comparedWith: CheckedRun['comparedWith'] = 'nothing'
  let found: Findings = NOTHING
  if (state !== undefined && live !== undefined && (state.of === 'admission' || isView(live))) {
    comparedWith = 'run'
    // The workflow that keeps slots moves with every run; only what it did is compared then.
    found = state.of === 'run' ? compareView(state, live) : NOTHING
  }
  const recorded = state?.of === 'run' ? await readRecord?.(subject.workflowId) : undefined
  if (state?.of === 'run' && recorded !== undefined && recorded.length > 0) {
    if (comparedWith === 'nothing') comparedWith = 'record'
    found = join(found, compareRecord(state, recorded))
  }
  const { breaks, notes } = join(compareReplay(replayed), found)
  const run = state?.of === 'run' ? state.run : undefined
  return {
    runId: subject.workflowId,
    ...(run && { sop: run.seed.pinned.definition.name, status: runState(run) }),
    comparedWith,
    breaks,
    notes,
  }
}

const reportOf = (results: readonly CheckedRun[], closed: number): UpgradeReport => {
  const count = (comparedWith: CheckedRun['comparedWith']): number =>
    results.filter((run) => run.comparedWith === comparedWith).length
  const broken = results.filter(({ breaks }) => breaks.length > 0)
  return {
    checked: results.length,
    closed,
    fine: results.length - broken.length,
    comparedWith: { run: count('run'), record: count('record'), nothing: count('nothing') },
    broken,
    noted: results.filter(({ breaks, notes }) => breaks.length === 0 && notes.length > 0),
  }
}
