// evidence.d.ts: what a chaos run leaves behind, as the checker takes it. Everything in it was read from outside of the
// engine: a ledger that commands appended to, answers that a person got, files, histories, /proc.

import type { RunEvent, RecordedEvent } from '../../src/core/run/event.ts'
import type { RunView } from '../../src/core/run/view.ts'

/** What the checker looks for; a planted bug of each kind is found by its tests. */
export type ViolationKind =
  | 'effect'
  | 'order'
  | 'decision'
  | 'record'
  | 'history'
  | 'view'
  | 'list'
  | 'log'
  | 'start'
  | 'child'
  | 'answer'
  | 'stuck'
  | 'process'
  | 'admission'

export interface Violation {
  readonly kind: ViolationKind
  readonly runId?: string
  readonly message: string
}

/** One line of the ledger: a side effect that took place. */
export interface Effect {
  readonly runId: string
  /** `step:3`, `verify:3`, `rollback:3`, and the item behind it for an item of a `for_each`: `step:3[b]`. */
  readonly work: string
  readonly attempt: number
  /** Milliseconds since 1970, by the clock of the machine. */
  readonly at: number
}

/** An answer that a decision got, or that none came. */
export interface Answer {
  readonly status: number
  readonly accepted: boolean
  readonly stored?: boolean
}

/** A decision of the person, with every answer that it got under its one decisionId. */
export interface SentDecision {
  readonly runId: string
  readonly kind: string
  readonly decisionId: string
  readonly step?: number
  readonly gate?: string
  readonly attempt?: number
  /** Attempts to send that got no answer are not in here. */
  readonly answers: readonly Answer[]
}

/** What history says of one command: `lost` where Temporal has no result of it. */
export interface CommandTrace {
  readonly work: string
  readonly attempt: number
  readonly outcome: string
}

/** What Temporal's history of all executions of a run says. */
export interface RunHistory {
  /** Batches of events that left the workflow as inputs of activities, in the order of history. */
  readonly carried: readonly (readonly RunEvent[])[]
  readonly commands: readonly CommandTrace[]
  /** Ids of the decisions that reached the run, by signal or update. */
  readonly decisionIds: readonly string[]
  readonly timersFired: number
  /** How often the host of a lost command was looked for or asked. */
  readonly probes: number
  /** Status of the last execution. */
  readonly status: string
}

export interface StepFacts {
  readonly number: number
  readonly kind: string
  readonly idempotent: boolean
  /** The step appends to the ledger once in each execution. */
  readonly marks: boolean
  /** Its rollback commands append to the ledger once. */
  readonly undoMarks?: boolean
  readonly hasGate: boolean
  /** Runs once for each item of a list. */
  readonly isEach?: boolean
  readonly needs: readonly number[]
}

export interface StepLog {
  readonly work: string
  readonly attempt: number
  readonly text: string
}

export interface RunEvidence {
  readonly runId: string
  readonly sop: string
  readonly steps: readonly StepFacts[]
  readonly record: readonly RecordedEvent[]
  /** Lines of the file that keeps events which contradict the record. */
  readonly forks: number
  /** What the record folds to, and what the engine answers when it is asked. */
  readonly folded: RunView | undefined
  readonly shown: RunView | undefined
  /** The run's line in the list. */
  readonly listed: { readonly status: string; readonly sequence: number } | undefined
  readonly history: RunHistory | undefined
  readonly logs: readonly StepLog[]
}

export interface Start {
  readonly key: string
  readonly sop: string
  /** Every run id that a start with this key was answered with. */
  readonly runIds: readonly string[]
}

export interface Evidence {
  readonly ledger: readonly Effect[]
  readonly starts: readonly Start[]
  readonly decisions: readonly SentDecision[]
  readonly runs: readonly RunEvidence[]
  /** Processes that are there after everything was stopped: `pid command`. */
  readonly processes: readonly string[]
  /** Answers 500: the engine met a defect of its own. */
  readonly failures: readonly string[]
  /** Runs that hold or await a slot after all of them ended. */
  readonly slots: readonly string[]
}
