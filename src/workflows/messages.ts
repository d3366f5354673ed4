import { defineSearchAttributeKey } from '@temporalio/common'
import { defineQuery } from '@temporalio/workflow'
import type { Json } from '../core/definition.ts'
import type { RunEvent } from '../core/run/event.ts'
import type { Inbox } from '../core/run/inbox.ts'
import type { ChildResult } from '../core/run/input.ts'
import type { Reopening } from '../core/run/reopening.ts'
import type { PinnedSop, Run } from '../core/run/run.ts'
import type { StartInput } from '../core/run/seed.ts'
import type { RunView } from '../core/run/view.ts'

// messages.ts: the names and shapes that cross the border of a workflow. Names are wire format
// (docs/decisions/0004-event-names.md). Signals and updates are named for the decisions in core/run/decision.ts.

export const RUN_WORKFLOW = 'runSop'

/**
 * The argument of `runSop`. Our client gives it whole; from the Temporal UI or CLI `{"sop": "name"}` is enough, and the
 * first activity pins the definition.
 */
export interface RunSopInput extends StartInput {
  readonly sop: string
  readonly pinned?: PinnedSop
  readonly snapshot?: Snapshot
  /** A closed run that is retried: this execution carries it on. */
  readonly reopen?: Reopening
}

/** What one execution hands to the next: the folded state and the events that the record has not confirmed yet. */
export interface Snapshot {
  readonly run: Run
  readonly tail: readonly RunEvent[]
  readonly inbox: Inbox
  readonly executions: number
  /** Run ids of the SOPs that it runs as steps and that go on meanwhile, by the work that they are. */
  readonly children?: Readonly<Record<string, string>>
}

export interface RunSopResult {
  readonly runId: string
  readonly status: 'completed'
  readonly outputs: Readonly<Record<string, Json>>
}

/** Events that the workflow still holds; the store has all. */
export interface AuditTail {
  readonly runId: string
  readonly sequence: number
  readonly acknowledged: number
  readonly events: readonly RunEvent[]
}

export const statusQuery = defineQuery<RunView | { readonly runId: string; readonly status: 'pending' }>('status')
export const auditQuery = defineQuery<AuditTail>('audit')

/** Search attributes of Temporal's own list. 10 Keywords a namespace, so they are few (engine.md 2). */
export const SEARCH_ATTRIBUTES = {
  SopName: 'KEYWORD',
  SopState: 'KEYWORD',
  SopTrigger: 'KEYWORD',
  SopDigest: 'KEYWORD',
  SopPriority: 'INT',
  SopDeadline: 'DATETIME',
  SopWaitingOn: 'KEYWORD_LIST',
} as const

export const ATTRIBUTE_KEYS = {
  SopName: defineSearchAttributeKey('SopName', 'KEYWORD'),
  SopState: defineSearchAttributeKey('SopState', 'KEYWORD'),
  SopTrigger: defineSearchAttributeKey('SopTrigger', 'KEYWORD'),
  SopDigest: defineSearchAttributeKey('SopDigest', 'KEYWORD'),
  SopPriority: defineSearchAttributeKey('SopPriority', 'INT'),
  SopDeadline: defineSearchAttributeKey('SopDeadline', 'DATETIME'),
  SopWaitingOn: defineSearchAttributeKey('SopWaitingOn', 'KEYWORD_LIST'),
}

/** What a run that is a step of another sends to that one's workflow id when it is over. */
export const CHILD_ENDED = 'child_ended'
export interface ChildEnded {
  readonly runId: string
  readonly workId: string
  readonly result: ChildResult
}

/** Type of the failure that a failed run closes with. */
export const RUN_FAILED = 'RunFailed'

/** The workflow that keeps slots and cooldowns, and what passes between it and the runs. */
export const ADMISSION_WORKFLOW = 'sopAdmission'
/** One for each installation: those that share a namespace differ in their task queue, and none serves another's. */
export const admissionId = (taskQueue: string): string =>
  taskQueue === 'sop' ? 'sop_admission' : `sop_admission-${taskQueue}`
export const ADMISSION_REQUEST = 'request'
/** An update: the same request, whose answer comes back to whoever asks instead of by signal to the run. */
export const ADMISSION_ASK = 'ask'
export const ADMISSION_RELEASE = 'release'
export const ADMISSION_VERDICT = 'admission_verdict'
/** The run gives its slot away while it waits at a gate. */
export const ADMISSION_YIELD = 'yield'
/** An update: a person moves, drops or admits a run that waits. */
export const ADMISSION_COMMAND = 'command'
/** A query: the state of admission. */
export const ADMISSION_QUEUE = 'queue'
