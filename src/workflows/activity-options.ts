import type { ActivityOptions } from '@temporalio/workflow'

// activity-options.ts: named groups of timeouts. The times are measured ones (engine.md 2, "timing").

/** Time that a worker has between two signs of life, before its step counts as lost. */
const HEARTBEAT_MS = 10_000

/** Time that a command has to end after its own timeout or a cancel, before Temporal gives it up. */
const END_GRACE_MS = 120_000

/** Temporal wants a limit; a step without one gets ten years. */
const NO_LIMIT_MS = 10 * 365 * 86_400_000

/** A command of a step: never repeated by Temporal, since only the rules know whether it may be. */
export const commandOptions = (timeoutMs: number | null, summary: string): ActivityOptions => ({
  startToCloseTimeout: timeoutMs === null ? NO_LIMIT_MS : timeoutMs + END_GRACE_MS,
  heartbeatTimeout: HEARTBEAT_MS,
  retry: { maximumAttempts: 1 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  summary,
})

/** Short work that may be repeated: writing the record, looking up facts. */
export const bookkeepingOptions = (summary: string): ActivityOptions => ({
  startToCloseTimeout: 60_000,
  retry: { initialInterval: 500, maximumInterval: 10_000 },
  cancellationType: 'TRY_CANCEL',
  summary,
})
