import type { PauseKind, Rollback, RollbackCause, Run } from './run.ts'

// view-pause.ts: what everybody sees of a run that stands still or walks back.

/** Why a run stands still; what ends it depends on the kind. */
export interface PauseView {
  readonly kind: PauseKind
  readonly since: string
  /** Who paused it; the engine where a step or a gate did. */
  readonly by: string
  readonly stepNumber?: number
  readonly gate?: string
}

/** A walk back, and how far it is. */
export interface RollbackView {
  readonly because: RollbackCause
  /** How the run ends after it. */
  readonly then: 'failed' | 'cancelled'
  readonly by: string
  /** Steps still to undo, the next one first; absent while something is under way that has to end first. */
  readonly left?: readonly number[]
  /** Why the undo of the next step failed. */
  readonly failed?: string
}

/** A run that waits for its record; it goes on by itself. */
export interface HoldView {
  /** When it began to wait. */
  readonly since: string
  /** When a write of the record first failed. */
  readonly storeDownSince: string
  /** Events that were not on record then. */
  readonly unrecorded: number
}

export const holdView = ({ at, since, unrecorded }: NonNullable<Run['held']>): HoldView => ({
  since: at,
  storeDownSince: since,
  unrecorded,
})

export const rollbackView = ({ because, then, by, steps, failed }: Rollback): RollbackView => ({
  because,
  then,
  by: by.id,
  ...(steps !== undefined && { left: steps }),
  ...(failed !== undefined && { failed }),
})

export const pauseView = ({ kind, at, by, stepNumber, gate }: NonNullable<Run['paused']>): PauseView => ({
  kind,
  since: at,
  by,
  ...(stepNumber !== undefined && { stepNumber }),
  ...(gate !== undefined && { gate }),
})
