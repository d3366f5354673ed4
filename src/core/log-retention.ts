import { formatSize } from './size.ts'

// log-retention.ts: which logs go, by age and when there are too many of them.

/** The logs of one run. */
export interface LogHolder {
  readonly runId: string
  readonly bytes: number
  /** When the run ended; ISO-8601 UTC. Absent: it has not, and its logs stay. */
  readonly endedAt?: string
}

export interface LogRetention {
  /** Logs of runs that ended longer ago go. */
  readonly days: number
  /** All logs together. Absent: no limit. */
  readonly totalBytes?: number
}

/** Logs to remove, and why: completes "they were removed because …". */
export interface ChosenRemoval {
  readonly runId: string
  readonly bytes: number
  readonly reason: string
}

const DAY_MS = 86_400_000
/** How full the store is left, so that it does not stand at its limit again with the next line. */
const LEFT_SHARE = 0.8

/** First those of runs that ended too long ago; where the rest is still too much, those of the runs that ended first. */
export const chooseRemovals = (
  holders: readonly LogHolder[],
  { days, totalBytes }: LogRetention,
  nowMs: number,
): readonly ChosenRemoval[] => {
  const ended = holders
    .filter((each): each is LogHolder & { readonly endedAt: string } => each.endedAt !== undefined)
    .sort((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt))
  const isOld = ({ endedAt }: { readonly endedAt: string }): boolean => Date.parse(endedAt) < nowMs - days * DAY_MS
  const old = ended.filter(isOld)
  const removed: ChosenRemoval[] = old.map(({ runId, bytes }) => ({
    runId,
    bytes,
    reason: `logs are kept for ${days} days after their run (log_retention_days)`,
  }))
  let left = sum(holders) - sum(removed)
  if (totalBytes === undefined || left <= totalBytes) return removed
  for (const { runId, bytes } of ended.slice(old.length)) {
    if (left <= totalBytes * LEFT_SHARE) break
    left -= bytes
    removed.push({ runId, bytes, reason: `all logs together had reached ${formatSize(totalBytes)} (log_limit_total)` })
  }
  return removed
}

const sum = (all: readonly { readonly bytes: number }[]): number => all.reduce((total, { bytes }) => total + bytes, 0)
