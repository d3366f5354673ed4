import type { LogName, LogWish } from '../core/log-name.ts'
import type { NextPart } from '../core/next.ts'
import type { Control } from '../core/run/controls.ts'
import type { QueueControl } from '../core/run/queue-controls.ts'
import type { WaitingItem } from '../core/run/waiting.ts'
import type { Timeline } from '../core/run/timeline.ts'

// run-screen-client.ts: what a screen about one run needs besides its view: the part of SopClient that page and programs
// draw a run with. All of it is bounded, however long the run is.

export type { Control, ControlBody, ControlName } from '../core/run/controls.ts'
export type { QueueControl } from '../core/run/queue-controls.ts'
export type { NextItem, NextPart } from '../core/next.ts'
export type { Timeline, TimelineRow, TimelineSpan } from '../core/run/timeline.ts'
export type { LogName } from '../core/log-name.ts'

/** The controls of a run for whoever asks. */
export interface RunControls {
  readonly runId: string
  /** Sequence of the last event that they know of. */
  readonly sequence: number
  readonly controls: readonly Control[]
  /** What of the run waits for a person, the most urgent first; at most 50. */
  readonly waiting: readonly WaitingItem[]
  /** The orders about its place in the queue, while it waits for admission. */
  readonly queue?: readonly QueueControl[]
  /** Where to see the execution in Temporal's own page, where the config names it. */
  readonly temporalUrl?: string
}

/** What is still to come. */
export interface RunNext extends NextPart {
  readonly runId: string
  readonly sequence: number
}

/** The logs that a run has, in the order of its steps. */
export interface LogList {
  readonly runId: string
  readonly logs: readonly LogName[]
  /** How many there are; `logs` holds the first 1,000. */
  readonly total: number
  /** Why there are none any more. */
  readonly removed?: { readonly at: string; readonly reason: string }
}

/** Rows of a log: lines, and pieces of lines that are longer than 8 KiB. */
export interface LogRows extends LogName {
  readonly runId: string
  /** Number of the first row, from 0. */
  readonly from: number
  readonly rows: readonly string[]
  /** Numbers of the rows here that go on in the next one. */
  readonly unfinished?: readonly number[]
  /** Rows of the whole log. */
  readonly total: number
  readonly bytes: number
  /** Nothing more will come. */
  readonly complete: boolean
  /** Output was left out, since a limit of the log store was reached. */
  readonly truncated?: true
  /** Since when the log store takes nothing: what is printed is kept beside it, and brought there once it is back. */
  readonly heldSince?: string
  /** The log is longer: it is still being counted. Ask again. */
  readonly counting?: true
}

export interface LogMatches extends LogName {
  readonly runId: string
  /** Numbers of the rows that hold the text, in order, at most 1,000. */
  readonly matches: readonly number[]
  /** Row to go on from; absent: that was all. */
  readonly next?: number
}

/** How large a log is: told whenever it grew, so that whoever shows it reads the rows that it needs. */
export interface LogSize extends LogName {
  readonly runId: string
  readonly bytes: number
  /** Nothing more will come. */
  readonly complete: boolean
}

export interface RunScreenClient {
  /** What was done and waited for, as bars over time. `not_found`. Needs: viewer, as all of these. */
  getRunTimeline(ref: string): Promise<Timeline>
  /** The steps and gates that are still to come, as the dry run tells them from where the run stands. */
  getRunNext(ref: string): Promise<RunNext>
  /** Everything that can be done about the run, and why not, for whoever asks. */
  getRunControls(ref: string): Promise<RunControls>
  /** Which logs there are. */
  listLogs(ref: string, wish?: LogWish): Promise<LogList>
  /** At most 1,000 rows from one on; `from` below 0 counts from the end. `not_found` if there is no such log. */
  readLogRows(ref: string, at: LogWish & { readonly from?: number; readonly limit?: number }): Promise<LogRows>
  /** The size of a log as it grows; waits for the log while the run is open, and ends with the log, or by the signal. */
  followLogSize(ref: string, wish: LogWish, options?: { readonly signal?: AbortSignal }): AsyncIterable<LogSize>
  /** Rows that hold a text, whatever the case of its letters. */
  searchLog(ref: string, at: LogWish & { readonly text: string; readonly from?: number }): Promise<LogMatches>
}
