import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow'

// activity-options.ts: named groups of timeouts. The times are measured ones (engine.md 2, "timing").

/** Time that a worker has between two signs of life, before its step counts as lost. */
const HEARTBEAT_MS = 8_000

/** Time that a command has to end after its own timeout or a cancel, before Temporal gives it up. */
const END_GRACE_MS = 120_000

/** Temporal wants a limit; a step without one gets ten years. */
const NO_LIMIT_MS = 10 * 365 * 86_400_000

/** Where a command runs that is not for the engine's own worker. */
export interface PoolPlace {
  readonly queue: string
  /** Its id among the run's activities, by which it is asked after. */
  readonly activityId: string
  /** How long it may wait for a worker, in milliseconds; absent: for ever. */
  readonly waitMs?: number
}

/** A command that waits in the queue of its pool. */
export const poolOptions = ({ queue, activityId, waitMs }: PoolPlace): ActivityOptions => ({
  taskQueue: queue,
  activityId,
  ...(waitMs !== undefined && { scheduleToStartTimeout: waitMs }),
})

/** A command of a step: never repeated by Temporal, since only the rules know whether it may be. */
export const commandOptions = (timeoutMs: number | null, summary: string): ActivityOptions => ({
  startToCloseTimeout: timeoutMs === null ? NO_LIMIT_MS : timeoutMs + END_GRACE_MS,
  heartbeatTimeout: HEARTBEAT_MS,
  retry: { maximumAttempts: 1 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  summary,
})

/** Short work that may be repeated: writing the record, asking admission. Its limit is what a dead worker costs a run. */
export const bookkeepingOptions = (summary: string): ActivityOptions => ({
  startToCloseTimeout: 15_000,
  retry: { initialInterval: 500, maximumInterval: 10_000 },
  cancellationType: 'TRY_CANCEL',
  summary,
})

/** A signal to another workflow, sent within the workflow task. */
export const SIGNAL_OPTIONS: LocalActivityOptions = {
  startToCloseTimeout: 5_000,
  retry: { initialInterval: 200, maximumInterval: 5_000 },
}

/** Facts ask commands and URLs of the installation, which may take their time. */
export const factOptions = (summary: string): ActivityOptions => ({
  ...bookkeepingOptions(summary),
  startToCloseTimeout: 60_000,
})

/**
 * A question to the host of a command whose worker was lost. `waitMs`: how long the host may take to come back. A task that
 * goes to a poller that is dead already is given out again after the second limit.
 */
export const probeOptions = (queue: string, waitMs: number, summary: string): ActivityOptions => ({
  taskQueue: queue,
  scheduleToStartTimeout: waitMs,
  startToCloseTimeout: 10_000,
  scheduleToCloseTimeout: waitMs + 25_000,
  retry: { initialInterval: 500, maximumInterval: 2_000 },
  cancellationType: 'TRY_CANCEL',
  summary: summary.slice(0, 200),
})

/** Looks again and again until there is news; each look is a retry, which the history does not show. */
export const lookOptions = (summary: string): ActivityOptions => ({
  startToCloseTimeout: 30_000,
  retry: { initialInterval: 1_000, backoffCoefficient: 1.5, maximumInterval: 20_000 },
  cancellationType: 'TRY_CANCEL',
  summary: summary.slice(0, 200),
})
