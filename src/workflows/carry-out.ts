// carry-out.ts — turns effects into activities. A command's failure becomes a result, so nothing here rejects for it.

import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import type { AdmissionAnswer } from '../core/admission.ts'
import type { SopDefinition } from '../core/definition.ts'
import { formatDuration } from '../core/duration.ts'
import { poolQueue } from '../core/pool.ts'
import { admissionRequest, priorityOf } from '../core/run/admission.ts'
import { type CommandWork, commandTask, runsOnOf, workSummary } from '../core/run/command-task.ts'
import type { RunEvent } from '../core/run/event.ts'
import { BLACKOUT_FACT } from '../core/run/evolve-entry.ts'
import type { LostResult } from '../core/run/input.ts'
import type { PinnedSop, Run } from '../core/run/run.ts'
import type { CommandResult, FactsResult, FactsTask, RecordResult } from '../core/run/task.ts'
import {
  bookkeepingOptions,
  commandOptions,
  factOptions,
  type PoolPlace,
  poolOptions,
  SIGNAL_OPTIONS,
} from './activity-options.ts'
import { findLost } from './find-lost.ts'

const bookkeeping = (summary: string) => proxyActivities<Activities>(bookkeepingOptions(summary))

export const pinSop = (name: string): Promise<PinnedSop> =>
  proxyActivities<Activities>({
    startToCloseTimeout: 60_000,
    retry: { initialInterval: 500, maximumAttempts: 5 },
    summary: `Pin SOP ${name}`.slice(0, 200),
  }).pinSop({ name })

/** Runs a command; the events ride along and are on record before it starts. */
export const runCommand = async (
  run: Run,
  work: CommandWork,
  events: readonly RunEvent[],
): Promise<CommandResult | LostResult> => {
  const task = commandTask(run, work, events)
  const pool = poolOf(run, work)
  const options = {
    ...commandOptions(task.timeoutMs, workSummary(run, work)),
    priority: priorityOf(run.seed.pinned.definition),
    ...(pool !== undefined && poolOptions(pool)),
  }
  for (;;) {
    try {
      return await proxyActivities<Activities>(options).runCommand(task)
    } catch (error) {
      const known = neverTaken(error, pool)
      if (known !== undefined) return known
      const found = await findLost(error, { task, options, isRepeatable: isRepeatable(run, work) })
      if (found.kind === 'result') return found.result
      if (found.kind === 'lost') return { outcome: 'lost', error: found.reason }
      if (found.kind === 'nothing') return resultOf(error)
      // It never began, so it is begun for the first time.
    }
  }
}

/** A check only looks, and a step may say of itself that running it again does no harm. */
const isRepeatable = (run: Run, work: CommandWork): boolean =>
  work.kind !== 'action' ||
  run.seed.pinned.definition.steps.find((step) => step.number === work.step)?.idempotent === true

/** Where a command runs whose step names a pool; undefined: on the engine's own worker, as most. */
export const poolOf = (run: Run, work: CommandWork): (PoolPlace & { readonly pool: string }) | undefined => {
  const pool = runsOnOf(run, work)
  if (pool === undefined) return undefined
  const { poolWaitMs } = run.seed.pinned.policy
  return {
    pool,
    queue: poolQueue(workflowInfo().taskQueue, pool),
    activityId: `pool:${work.id}`,
    ...(poolWaitMs !== undefined && { waitMs: poolWaitMs }),
  }
}

/** No worker took it in time: it never began, so whoever tries again repeats nothing. */
const neverTaken = (error: unknown, place: ReturnType<typeof poolOf>): CommandResult | undefined => {
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (place === undefined || !(cause instanceof TimeoutFailure) || cause.timeoutType !== 'SCHEDULE_TO_START')
    return undefined
  const limit = formatDuration(place.waitMs ?? 0)
  return { ...NOTHING, outcome: 'timed_out', error: `no worker of pool "${place.pool}" took it within ${limit}` }
}

const NOTHING = { durationMs: 0, output: '', outputs: {}, logBytes: 0, ackedSeq: 0 } as const

/** Failures of which it is known that the command never ran. */
const NEVER_RAN = ['NotSigned', 'StartFailed']

const resultOf = (error: unknown): CommandResult | LostResult => {
  if (isCancellation(error)) return { ...NOTHING, outcome: 'cancelled', error: 'cancelled before it began' }
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (cause instanceof ApplicationFailure && NEVER_RAN.includes(cause.type ?? '')) {
    return { ...NOTHING, outcome: 'failed', error: cause.message }
  }
  return { outcome: 'lost', error: lostReason(cause) }
}

const lostReason = (cause: unknown): string => {
  if (!(cause instanceof Error)) return 'the worker gave no answer'
  if (cause.name === 'TimeoutFailure') {
    const kind = (cause as TimeoutFailure).timeoutType
    return kind === 'HEARTBEAT' ? 'its worker died, or was cut off' : `no answer came in time (${kind})`
  }
  if (cause instanceof ApplicationFailure && cause.type === 'WorkerShutdown')
    return 'interrupted by the shutdown of its worker'
  return cause.message
}

export const askFacts = async (run: Run, names: readonly string[]): Promise<FactsResult> => {
  const { runId, pinned } = run.seed
  const timezone = pinned.definition.timezone ?? pinned.policy.timezone
  try {
    return await proxyActivities<Activities>(factOptions(`Ask for ${names.join(', ')}`.slice(0, 200))).resolveFacts({
      runId,
      names,
      timezone,
      ...(names.includes(BLACKOUT_FACT) && { calendar: calendarOf(pinned.definition) }),
    })
  } catch (error) {
    if (isCancellation(error)) throw error
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : 'no answer'
    return { values: {}, errors: Object.fromEntries(names.map((name) => [name, reason])) }
  }
}

const calendarOf = ({ name, blackout, holidays }: SopDefinition): NonNullable<FactsTask['calendar']> => ({
  sop: name,
  ...(blackout !== undefined && { blackout }),
  ...(holidays !== undefined && { holidays }),
})

/** `patiently`: the activity is tried again until the store takes something of it. */
export const record = (run: Run, events: readonly RunEvent[], patiently = false): Promise<RecordResult> => {
  const first = events[0]?.sequence ?? 0
  const last = events.at(-1)?.sequence ?? 0
  return bookkeeping(`Record events ${first} to ${last}`).recordAudit({
    runId: run.seed.runId,
    sop: run.seed.pinned.definition.name,
    events,
    ...(patiently && { patiently: true as const }),
  })
}

/**
 * What a run says to admission is a signal and no more, so it goes out within the workflow task: a round to the task queue
 * for each would halve the runs that a second can admit. A task that is repeated says it twice, which admission takes as once.
 */
const atAdmission = (
  run: Run,
  summary: string,
): Pick<Activities, 'requestAdmission' | 'yieldSlot' | 'releaseAdmission'> =>
  run.seed.rulesVersion >= 4 ? proxyLocalActivities<Activities>(SIGNAL_OPTIONS) : bookkeeping(summary)

/** Asks. Without an answer the verdict comes by signal, as it does to a run that has to wait. */
export const askAdmission = async (run: Run, phase: 'arrival' | 'slot'): Promise<AdmissionAnswer | undefined> =>
  (await atAdmission(run, `Ask for admission (${phase})`).requestAdmission(admissionRequest(run, phase))) ?? undefined

/** Gives the slot away and expects nothing. */
export const yieldSlot = (run: Run): Promise<void> =>
  atAdmission(run, 'Give the slot away at the gate').yieldSlot({ runId: run.seed.runId, turn: run.slots ?? 0 })

/** Has the run's own execution cancelled, from outside. */
export const requestCancel = (runId: string): Promise<void> =>
  bookkeeping('Close as cancelled').requestCancel({ runId })

export const releaseAdmission = (run: Run): Promise<void> =>
  atAdmission(run, 'Give the slot back').releaseAdmission({ runId: run.seed.runId })
