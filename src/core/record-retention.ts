import { isClosed, type RunState } from './run/state.ts'

// record-retention.ts: which records go by age (product.md 8). Open runs keep theirs, however old they are.

const DAY_MS = 86_400_000

/** Records of runs that ended before this instant go; ISO-8601 UTC. Undefined: `days` is 0, and they are kept for ever. */
export const keptSince = (days: number, now: Date): string | undefined =>
  days === 0 ? undefined : new Date(now.getTime() - days * DAY_MS).toISOString()

/** Whether the record of the run goes. */
export const isOutOfTime = (
  { status, completedAt }: { readonly status: RunState; readonly completedAt?: string },
  since: string,
): boolean => isClosed(status) && completedAt !== undefined && Date.parse(completedAt) < Date.parse(since)
