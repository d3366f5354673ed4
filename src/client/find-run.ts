import { type Client, QueryNotRegisteredError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { SopError } from '../core/errors.ts'
import { fold } from '../core/run/evolve.ts'
import type { Run } from '../core/run/run.ts'
import { isClosed } from '../core/run/state.ts'
import { type RunSummary, type RunView, viewOf } from '../core/run/view.ts'
import { statusQuery } from '../workflows/messages.ts'
import { recordedSeed } from '../core/run/recorded-seed.ts'
import type { Records } from './records.ts'

/** How long a worker may take to answer a question about a run before the record answers instead, in milliseconds. */
const QUERY_DEADLINE_MS = 3_000

/** Pause between two looks at a run that has not begun, in milliseconds. */
const PIN_PAUSE_MS = 50

/** How long a closed run may take to be on record, and the pause between two looks, in milliseconds. */
const RECORD_MS = 2_000
const RECORD_PAUSE_MS = 20

export interface FindDeps {
  readonly temporal: Client
  readonly records: Records
}

/**
 * The run that a reference means: a run id, or an SOP's name for its only open run (rulings 31).
 *
 * @param fallBack whether a name without open run means its newest one, as `status` wants it.
 * @throws SopError `conflict` with the list where a name has several open runs, `not_found` where it has none.
 */
export const findRun = async ({ temporal, records }: FindDeps, ref: string, fallBack = false): Promise<string> => {
  const known = await unlessDown(records.index.get(ref))
  if (known instanceof SopError) {
    // An open run can be looked at and decided about while the records are out of reach.
    if (await isInTemporal(temporal, ref)) return ref
    throw known
  }
  if (known !== undefined) return ref
  const runs = await records.index.list({ sop: ref, limit: 1000 })
  const open = runs.filter((run) => !isClosed(run.status))
  if (open.length > 1) {
    const ids = open.map((run) => run.runId)
    throw new SopError(
      'conflict',
      `Cannot tell which run of "${ref}" is meant: ${ids.length} are open; name one of ${ids.join(', ')}`,
      {
        runIds: ids,
      },
    )
  }
  const found = open[0] ?? (fallBack ? runs[0] : undefined)
  if (found !== undefined) return found.runId
  await refuseRemoved(records, ref)
  if (await isInTemporal(temporal, ref)) return ref
  const hint =
    runs.length > 0
      ? `SOP "${ref}" has no open run; sop history ${ref} lists the closed ones`
      : 'no run and no SOP with open runs has that name; sop runs lists them'
  throw new SopError('not_found', `Cannot find run "${ref}": ${hint}`)
}

/** @throws SopError `not_found` that says when and why, where the record of the run was removed */
const refuseRemoved = async ({ audit }: Records, runId: string): Promise<void> => {
  const removal = await audit.removal(runId)
  if (removal === undefined) return
  const { sop, removedAt, reason, events } = removal
  throw new SopError(
    'not_found',
    `Cannot find run "${runId}" of SOP "${sop}": its record of ${events} events was removed on ${removedAt}, because ${reason}. The chain of heads has a signed entry that says so`,
    { removedAt, reason, sop, events },
  )
}

/** What was asked for, or why the records are out of reach. */
const unlessDown = async <T>(asked: Promise<T>): Promise<T | SopError> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof SopError && error.code === 'unavailable') return error
    throw error
  }
}

/** Whether Temporal knows a run of that id, open or closed. */
export const isInTemporal = async (temporal: Client, runId: string): Promise<boolean> => {
  try {
    await temporal.workflow.getHandle(runId).describe()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw unavailable(error)
  }
}

/** Temporal out of reach, in our words. */
export const unavailable = (error: unknown): SopError =>
  new SopError(
    'unavailable',
    'Cannot reach Temporal: the engine is starting or its server is down; try again in a moment',
    {},
    error,
  )

/** The view of a run: from the record when it is closed, else from its worker, else from the record and marked stale. */
export const readRun = async (deps: FindDeps, runId: string): Promise<RunView> => {
  const found = await unlessDown(deps.records.index.get(runId))
  const down = found instanceof SopError ? found : undefined
  const summary = found instanceof SopError ? undefined : found
  if (summary !== undefined && isClosed(summary.status)) {
    const recorded = await fromRecord(deps.records, runId)
    if (recorded !== undefined) return recorded
  }
  try {
    const view = await askWorker(deps.temporal, runId)
    if (view !== undefined) {
      if (isClosed(view.status) && down === undefined) await untilRecorded(deps.records, runId)
      return view
    }
  } catch (error) {
    if (down !== undefined) throw down
    if (error instanceof WorkflowNotFoundError && summary === undefined) {
      throw new SopError('not_found', `Cannot find run "${runId}": sop runs lists them`)
    }
  }
  if (down !== undefined) throw down
  const recorded = await fromRecord(deps.records, runId)
  if (recorded !== undefined) return isClosed(recorded.status) ? recorded : { ...recorded, stale: true }
  const reason = await unbegunReason(deps.temporal, runId)
  if (reason !== undefined) {
    throw new SopError(
      'not_found',
      `Cannot read run "${runId}": it ended before it began, so it has no record. ${reason}`,
    )
  }
  throw new SopError(
    'unavailable',
    `Cannot read run "${runId}": it is not on record yet and no worker answers; is a worker running?`,
  )
}

/** Why an execution that is over left no record: one started in Temporal may name an SOP that is not there. Undefined of an open one. */
const unbegunReason = async (temporal: Client, runId: string): Promise<string | undefined> => {
  try {
    const handle = temporal.workflow.getHandle(runId)
    const { status } = await handle.describe()
    if (status.name === 'RUNNING') return undefined
    return await handle.result().then(
      () => 'Temporal has it as completed',
      (error: unknown) =>
        error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure
          ? error.cause.message
          : `Temporal has it as ${status.name.toLowerCase()}`,
    )
  } catch {
    return undefined
  }
}

/** Whoever reads that a run is over finds its whole record: the last events are on their way to it. */
const untilRecorded = (records: Records, runId: string): Promise<void> =>
  untilSummary(records, runId, Date.now() + RECORD_MS, (summary) => isClosed(summary.status))

/**
 * Whoever was told that a run began finds it by its SOP's name and in every list: its first events are on their way to
 * the record. `until`: when the waiting is over, in milliseconds since 1970; it is at once while the records are out of reach.
 */
export const untilListed = (records: Records, runId: string, until: number): Promise<void> =>
  untilSummary(records, runId, until, () => true)

const untilSummary = async (
  records: Records,
  runId: string,
  end: number,
  is: (summary: RunSummary) => boolean,
): Promise<void> => {
  while (Date.now() < end) {
    const summary = await unlessDown(records.index.get(runId))
    if (summary instanceof SopError || (summary !== undefined && is(summary))) return
    await new Promise((resolve) => setTimeout(resolve, RECORD_PAUSE_MS))
  }
}

/** Undefined where the run was about to take a step and could not be looked at (workflows/interceptors.ts). */
const query = async (temporal: Client, runId: string) => {
  try {
    return await temporal.workflow.getHandle(runId).query(statusQuery)
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return undefined
    throw error
  }
}

/** A run that was started in Temporal has no view before its definition is pinned, so it gets a moment. */
const askWorker = async (temporal: Client, runId: string): Promise<RunView | undefined> => {
  const deadline = Date.now() + QUERY_DEADLINE_MS
  for (;;) {
    const view = await temporal.connection.withDeadline(deadline, () => query(temporal, runId))
    if (view !== undefined && 'sopName' in view) return view
    if (Date.now() + PIN_PAUSE_MS > deadline) return undefined
    await new Promise((resolve) => setTimeout(resolve, PIN_PAUSE_MS))
  }
}

const fromRecord = async (records: Records, runId: string): Promise<RunView | undefined> => {
  const run = await recordedRun(records, runId)
  return run && viewOf(run)
}

/** The run that the record tells of; undefined where it has none, or not the definition. */
export const recordedRun = async (records: Pick<Records, 'audit'>, runId: string): Promise<Run | undefined> => {
  const events = await records.audit.read(runId)
  const [created] = events
  if (created?.eventType !== 'run_created') return undefined
  const pinned = await records.audit.readDefinition(created.details.digest)
  if (pinned === undefined) return undefined
  return fold(recordedSeed(runId, created, pinned), events)
}
