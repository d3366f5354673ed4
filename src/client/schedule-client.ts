import type { Json } from '../core/definition.ts'
import type { DueFire } from '../core/schedule/simulate.ts'
import type { ScheduleState } from '../core/schedule/state.ts'

export type { DueFire } from '../core/schedule/simulate.ts'
export type { ScheduleState } from '../core/schedule/state.ts'

// schedule-client.ts: what can be asked of an engine about its schedules.

/** A fire that started a run. */
export interface ScheduleFire {
  /** The nominal time, ISO-8601. */
  readonly scheduledAt: string
  readonly runId: string
  /** State of the run; absent where it is not on record, or long past. */
  readonly status?: string
}

/** One cron trigger of an SOP, as its file has it and as it stands in Temporal. */
export interface ScheduleView {
  readonly id: string
  readonly sop: string
  readonly expression: string
  /** IANA zone in which the expression is read. */
  readonly timezone: string
  readonly state: ScheduleState
  /** Who paused it: a principal and its surface, `the engine`, or `somebody in Temporal`. */
  readonly pausedBy?: string
  readonly pauseReason?: string
  /** Why no run of its SOP can start; its last good schedule stands paused. */
  readonly broken?: string
  readonly overlap?: string
  readonly catchUpMs?: number
  readonly jitterMs?: number
  readonly params?: Readonly<Record<string, Json>>
  /** The next times, ISO-8601, jitter aside; also of one that is paused, for which they are what it misses. */
  readonly next: readonly string[]
  /** The last fires, newest first. */
  readonly recent: readonly ScheduleFire[]
}

export interface SchedulePauseRequest {
  readonly comment?: string
}

/** A span of time, ISO-8601; `to` is not part of it. */
export interface ScheduleRange {
  readonly from: string
  readonly to: string
}

export interface UpcomingRequest extends ScheduleRange {
  readonly sop?: string
  /** Default 200, at most 1,000. */
  readonly limit?: number
}

/**
 * The schedules of an engine. `ref` is the id of one, or the name of an SOP that has only one (`conflict` with the list
 * otherwise, `not_found` without any).
 */
export interface ScheduleClient {
  /** By SOP and number. Needs: viewer. */
  listSchedules(filter?: { readonly sop?: string }): Promise<readonly ScheduleView[]>
  /** What would be started in that time, and what would not and why; starts nothing. Needs: viewer. */
  listUpcoming(request: UpcomingRequest): Promise<readonly DueFire[]>
  /** It stays so through every edit of the file. `conflict` where somebody paused it already. Needs: admin, as all below. */
  pauseSchedule(ref: string, request?: SchedulePauseRequest): Promise<ScheduleView>
  /** `conflict` where it is not paused, or its SOP cannot start. What it missed meanwhile is not made up for. */
  resumeSchedule(ref: string): Promise<ScheduleView>
  /** Fires now, also while it is paused. `runId` is absent where its overlap policy holds the fire back. */
  triggerSchedule(ref: string): Promise<{ readonly schedule: string; readonly runId?: string }>
  /** Fires at each of its times in the past range, at most 1,000, as its overlap policy has it. `invalid` for another range. */
  backfillSchedule(
    ref: string,
    range: ScheduleRange,
  ): Promise<{ readonly schedule: string; readonly fires: readonly string[] }>
}
