import {
  ActivityFailure,
  type ActivityOptions,
  CancellationScope,
  isCancellation,
  patched,
  proxyActivities,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities, HostActivities } from '../activities/index.ts'
import { hostQueue } from '../core/host.ts'
import type { CommandResult, CommandTask, ProbeAnswer, ProbeTask } from '../core/run/task.ts'
import { probeOptions } from './activity-options.ts'

// find-lost.ts: a command whose worker gave no sign of life is looked for before it counts as lost. Its host knows whether it
// began, whether it still runs and how it ended; a worker that was only cut off has it as well. Nothing of this is in
// the history of a run whose workers all lived.

/** Histories from before commands were looked for have no trace of it, and go on without. */
const PATCH = 'find-lost-commands'

/** How long a host may take to come back before its command counts as lost: a worker that restarts, or a server that did. */
const WAIT_MS = 30_000
/** A command that may be repeated is better begun elsewhere than waited for. */
const REPEATABLE_WAIT_MS = 5_000
/** Workers that are lost one after the other while they hold the same command; then a person has a look. */
const MAX_HOLDERS = 100

export interface LostCommand {
  readonly task: CommandTask
  /** Those of the activity that was lost. */
  readonly options: ActivityOptions
  readonly isRepeatable: boolean
}

/** `never`: it did not begin and never will. `nothing`: nobody lost it, the failure says what happened. */
export type Found =
  | { readonly kind: 'result'; readonly result: CommandResult }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'never' | 'nothing' }

/** What became of the command of an activity that failed. */
export const findLost = async (error: unknown, command: LostCommand): Promise<Found> => {
  const timeout = timeoutOf(error)
  if (timeout === undefined || !patched(PATCH)) return { kind: 'nothing' }
  const lost = { runId: command.task.runId, executionId: workflowInfo().runId, activityId: timeout.activityId }
  // A cancel does not end the search: what still runs has to be found, to be ended.
  const told = (timeout.details ?? {}) as Told
  const hostId = await CancellationScope.nonCancellable(() => hostOf(lost, told))
  if (hostId === undefined) return { kind: 'nothing' }
  for (let holders = 0; holders < MAX_HOLDERS; holders++) {
    const answer = await CancellationScope.nonCancellable(() => probe(hostId, lost, command))
    if (answer === undefined) {
      return { kind: 'lost', reason: 'its worker died or was cut off, and its host gave no answer' }
    }
    if (answer.state === 'lost') return { kind: 'lost', reason: answer.reason }
    if (answer.state === 'none' && told.pid !== undefined) {
      return { kind: 'lost', reason: 'its worker died, and its host has lost all trace of it' }
    }
    // It was given to this host and there is no trace of it, so it did not begin.
    if (answer.state !== 'adoptable') return { kind: 'never' }
    const result = await adopt(hostId, lost, command)
    if (result !== undefined) return result
  }
  return { kind: 'lost', reason: `its workers died, ${MAX_HOLDERS} times in a row` }
}

/** What a heartbeat tells; see watch.ts. */
interface Told {
  readonly hostId?: unknown
  readonly pid?: unknown
}

interface LostActivity {
  readonly activityId: string
  /** Of its last heartbeat that arrived. */
  readonly details: unknown
}

/** A command that was begun and of which nothing more was heard. */
const timeoutOf = (error: unknown): LostActivity | undefined => {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return undefined
  const { timeoutType, lastHeartbeatDetails } = error.cause
  if (timeoutType === 'SCHEDULE_TO_START' || error.activityId === undefined) return undefined
  return { activityId: error.activityId, details: lastHeartbeatDetails }
}

/** By its last heartbeat; one that was lost at once had none, and Temporal's history names its worker. */
const hostOf = async (lost: ProbeTask, { hostId }: Told): Promise<string | undefined> => {
  if (typeof hostId === 'string') return hostId
  try {
    const { findHost } = proxyActivities<Activities>({
      startToCloseTimeout: 10_000,
      scheduleToCloseTimeout: 300_000,
      retry: { initialInterval: 500, maximumInterval: 5_000 },
      summary: 'Find the host of a lost command',
    })
    return (await findHost(lost)).hostId
  } catch {
    return undefined
  }
}

const waitOf = (isRepeatable: boolean): number => (isRepeatable ? REPEATABLE_WAIT_MS : WAIT_MS)

/** Undefined: the host gave no answer. */
const probe = async (
  hostId: string,
  lost: ProbeTask,
  { task, isRepeatable }: LostCommand,
): Promise<ProbeAnswer | undefined> => {
  const options = probeOptions(hostQueue(hostId), waitOf(isRepeatable), `Ask the host for ${task.executableId}`)
  try {
    return await proxyActivities<HostActivities>(options).probeCommand(lost)
  } catch {
    return undefined
  }
}

/** Undefined: the worker that had it was lost again. */
const adopt = async (hostId: string, lost: ProbeTask, command: LostCommand): Promise<Found | undefined> => {
  const { task, options, isRepeatable } = command
  const { adoptCommand } = proxyActivities<HostActivities>({
    ...hostOptions(options),
    taskQueue: hostQueue(hostId),
    scheduleToStartTimeout: waitOf(isRepeatable),
  })
  try {
    return { kind: 'result', result: await adoptCommand({ task, lost }) }
  } catch (error) {
    if (!isCancellation(error)) return failed(error)
  }
  // Cancelled before anybody had it: it is adopted to be ended.
  try {
    return await CancellationScope.nonCancellable(async () => ({
      kind: 'result' as const,
      result: await adoptCommand({ task, lost, end: true }),
    }))
  } catch (error) {
    return failed(error)
  }
}

const failed = (error: unknown): Found | undefined => {
  if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure) return undefined
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const reason = cause instanceof Error ? cause.message : 'its host could not take it over'
  return { kind: 'lost', reason }
}

/** The same command for the same time; its place among the run's activities belongs to the one that was lost. */
const hostOptions = ({ summary, ...options }: ActivityOptions): ActivityOptions => {
  const { activityId: _, ...rest } = options
  return { ...rest, ...(summary !== undefined && { summary: `Adopt: ${summary}`.slice(0, 200) }) }
}
