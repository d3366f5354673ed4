import type { ClosedState } from './state.ts'
import type { RunSummary } from './view.ts'

/** A summary and what the next event needs to know besides. */
export interface SummaryState extends RunSummary {
  /** Numbers of the steps that are under way, wait for a person, or will be tried again by themselves. */
  readonly active: readonly number[]
  /** Those of them that failed and have yet to be tried again. */
  readonly retrying?: readonly number[]
  /** Numbers of the steps that the run came to and that are not settled: what stands between it and the next one. */
  readonly unsettled: readonly number[]
  /** Highest number that is settled: done, skipped, or failed and passed over; with branches, of those without a gap. */
  readonly settledTo: number
  /** With branches: the numbers beyond the gap that are settled. */
  readonly beyond?: readonly number[]
  /** Numbers of the steps that the open gates stand at. */
  readonly gateSteps: Readonly<Record<string, number>>
  /** Works that wait for a worker, by work id. */
  readonly waits?: Readonly<Record<string, { readonly step: number; readonly pool: string }>>
  /** Numbers of steps that asked a person for something; those of them that are still active wait for it. */
  readonly asked?: readonly number[]
  /** It waits for a slot. */
  readonly queued?: true
  readonly paused?: true
  /** The step that the run is paused at; 0 where it is none. */
  readonly pausedAt?: number
  /** Numbers of the steps that are still to be rolled back, the next one first. */
  readonly undo?: readonly number[]
  /** With branches: gates whose command is running. */
  readonly verifying?: readonly string[]
  readonly outcome?: ClosedState
}
