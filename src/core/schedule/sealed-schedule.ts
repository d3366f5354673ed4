import { canonicalJson } from '../canonical.ts'
import type { Json } from '../definition.ts'

// sealed-schedule.ts: what stands in a Temporal Schedule as the argument of its runs. Whoever reaches the cluster can read
// and copy it, so it gives no more than the rights of a trigger: it starts, and never forces, skips or loosens anything.

/** The part of a start's argument that says which schedule started it. Wire format. */
export interface StartedBySchedule {
  readonly id: string
  /** What the ids of its runs begin with; `-` and the nominal time follow. */
  readonly runPrefix: string
  /** Which cron trigger of the SOP it is, counted from 1. */
  readonly number: number
}

/** What the seal of a schedule covers. */
export const sealedSchedule = (
  sop: string,
  { id, runPrefix, number }: StartedBySchedule,
  params: Readonly<Record<string, Json>> | undefined,
): string => canonicalJson({ kind: 'schedule', id, runPrefix, number, sop, params: params ?? {} })

/**
 * The nominal time that Temporal put into the id of a schedule's run; undefined where the id is not one of its runs.
 * Of the same schedule and time there is one run, whoever starts it.
 */
export const nominalTime = (runId: string, runPrefix: string): string | undefined => {
  if (!runId.startsWith(`${runPrefix}-`)) return undefined
  const time = runId.slice(runPrefix.length + 1)
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(time)) return undefined
  const at = Date.parse(time)
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}
