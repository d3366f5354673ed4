import type { Json, OnTimeout } from '../definition.ts'
import type { DecisionKind, RetryOutcome } from './decision.ts'
import type { Principal, Surface, TriggerInfo } from './principal.ts'
import type { ParentRun, PauseKind, RollbackCause } from './run.ts'

/**
 * Everything that can happen to a run, in past tense. The ordered list of a run's events *is* its audit log, and
 * `fold` makes the run of it again. The names are wire format: docs/decisions/0004-event-names.md.
 */
export const EVENT_TYPES = [
  // seed 002
  'run_created',
  'run_started',
  'step_started',
  'step_completed',
  'step_failed',
  'approval_requested',
  'approval_granted',
  'approval_rejected',
  'approval_timeout',
  'run_paused',
  'run_resumed',
  'run_completed',
  'run_cancelled',
  'run_retried',
  // product.md 2
  'run_failed',
  'run_queued',
  'run_refused',
  'step_skipped',
  'step_unknown',
  'step_rolled_back',
  'input_requested',
  'input_received',
  'approval_escalated',
  'approval_reminded',
  'decision_refused',
  'notification_sent',
  'notification_failed',
  'definition_amended',
  'run_forked',
  // rulings 18
  'verification_started',
  'verification_passed',
  'verification_failed',
  // ours: what `fold` needs besides
  'run_admitted',
  'gate_skipped',
  'facts_resolved',
  'pause_requested',
  'cancel_requested',
  'run_timeout',
  'rollback_started',
  'rollback_failed',
  'step_waiting',
  'step_taken',
  'step_timeout',
  'slot_released',
  'run_held',
  'run_released',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

export type Outcome = 'ok' | 'failed' | 'timed_out' | 'cancelled' | 'lost'

/** What follows a failed step. `retry` means that the engine tries again by itself. */
export type AfterFailure = 'retry' | 'pause' | 'fail' | 'continue' | 'goto' | 'rollback'

/** What follows a rejection. */
export type AfterRejection = 'pause' | 'fail' | 'cancel' | 'continue' | 'rollback'

export interface GateDetails {
  readonly gate: string
  readonly attempt: number
}

/**
 * Events of a step that carry `item` (from 1) are about that item of a `for_each` step; those without it are about the
 * step as a whole.
 */
export interface OfItem {
  readonly item?: number
}

interface UndoDetails extends OfItem {
  readonly title: string
  readonly attempt: number
  readonly duration: string
  readonly duration_ms: number
  readonly exitCode?: number
  readonly output?: string
  readonly log?: LogSummary
}

/** What the log of a command is known by. */
export interface LogSummary {
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
  /** The store had all of it when the command ended. Absent: it may still be on its way from another host. */
  readonly stored?: true
}

/** The details of each event type. Optional keys are absent when they do not apply. */
export interface EventDetails {
  run_created: {
    readonly sop: string
    readonly version: string
    readonly digest: string
    readonly mode: string
    readonly effectiveMode: string
    readonly priority: string
    readonly params: Readonly<Record<string, Json>>
    readonly trigger: TriggerInfo
    readonly totalSteps?: number
    readonly warnings?: readonly string[]
    /** Steps can be under way beside each other, so they need not be settled in order. */
    readonly parallel?: true
    /** The run whose step this one is. */
    readonly parent?: ParentRun
    /** Started past preconditions and cooldown by somebody who may. */
    readonly forced?: true
  }
  /** `again`: it had a slot and gave it back, since a blackout had begun. */
  run_queued: {
    readonly reason: string
    readonly notBefore?: string
    readonly again?: true
    readonly comment?: string
  }
  /** `overLimit`: somebody let it in before its turn. */
  run_admitted: { readonly phase: 'arrival' | 'slot'; readonly overLimit?: true; readonly comment?: string }
  /** `replacedBy`: the newer run that coalesces with it. */
  run_refused: {
    readonly reason: string
    readonly notBefore?: string
    readonly replacedBy?: string
    readonly comment?: string
  }
  /** It waits at these gates, and others may have its slot meanwhile. */
  slot_released: { readonly gates: readonly string[] }
  /** The record could not be written since `since`, and this much waited for it: nothing new began any more. */
  run_held: {
    readonly reason: string
    readonly since: string
    readonly unrecorded: number
    readonly limit: 'events' | 'age' | 'bytes'
  }
  /** Everything was on record again after this long, and the run went on. */
  run_released: { readonly duration: string; readonly duration_ms: number }
  run_started: { readonly totalSteps: number }
  facts_resolved: {
    readonly question: string
    readonly values: Readonly<Record<string, Json>>
    readonly errors?: Readonly<Record<string, string>>
  }
  approval_requested: GateDetails & {
    readonly title: string
    /** Why the gate is there: `mode`, `requires_approval`, `approve_if`, `gates`, `start`. */
    readonly because: string
    readonly deadlineAt?: string
    readonly timeoutMs?: number
    readonly onTimeout?: OnTimeout
    readonly remindMs?: number
    readonly approvers?: readonly string[]
    readonly exclude?: readonly string[]
    /** What the approval covers: digest of definition, params and resolved commands. */
    readonly covers?: string
  }
  approval_granted: GateDetails & {
    readonly comment?: string
    readonly decisionId?: string
    readonly implied?: true
    /** What was approved: `covers` of the request. */
    readonly covers?: string
  }
  approval_rejected: GateDetails & {
    readonly comment?: string
    readonly decisionId?: string
    readonly implied?: true
    /** What the rejection leads to. */
    readonly action: AfterRejection
  }
  /** `then` says what a `reject` leads to. */
  approval_timeout: GateDetails & {
    readonly action: OnTimeout
    readonly then?: AfterRejection
    readonly covers?: string
  }
  approval_escalated: GateDetails & { readonly to?: readonly string[] }
  /** `reminder` counts from 1. */
  approval_reminded: GateDetails & { readonly reminder: number; readonly deadlineAt?: string }
  gate_skipped: { readonly gate: string; readonly condition: string }
  /** `untilAt` is set for a `wait` step, `child` where it runs another SOP. */
  step_started: OfItem & {
    readonly title: string
    readonly attempt: number
    readonly kind: string
    readonly untilAt?: string
    /** Run id of the SOP that it runs. */
    readonly child?: string
    /** For a `for_each` step as a whole: what it runs once for. */
    readonly items?: readonly Json[]
    /** How many of the items were finished before, and stay so. */
    readonly kept?: number
    /** With `item`: its value. */
    readonly value?: Json
  }
  /** No worker of its pool is there. `workId` tells the commands of one step apart. */
  step_waiting: {
    readonly title: string
    readonly attempt: number
    readonly pool: string
    readonly workId: string
    readonly since: string
    readonly until?: string
  }
  /** The SOP that the step runs took too long: it was told to end, and the step ends with it. */
  step_timeout: OfItem & { readonly title: string; readonly attempt: number; readonly reason: string }
  /** A worker came and took the command that had waited this long. */
  step_taken: {
    readonly title: string
    readonly attempt: number
    readonly pool: string
    readonly workId: string
    readonly duration: string
    readonly duration_ms: number
  }
  step_completed: OfItem & {
    readonly title: string
    readonly attempt: number
    readonly duration: string
    readonly duration_ms: number
    readonly exitCode?: number
    /** The tail of what the step printed. */
    readonly output?: string
    readonly outputs?: Readonly<Record<string, Json>>
    /** Its worker was lost while it ran, and this host kept it. */
    readonly adopted?: string
    readonly comment?: string
    readonly decisionId?: string
    readonly log?: LogSummary
  }
  step_failed: OfItem & {
    readonly title: string
    readonly attempt: number
    readonly duration: string
    readonly duration_ms: number
    readonly error: string
    readonly outcome: Outcome
    readonly exitCode?: number
    readonly output?: string
    readonly outputs?: Readonly<Record<string, Json>>
    readonly adopted?: string
    readonly then: AfterFailure
    /** For `then: retry` with a delay. */
    readonly retryAt?: string
    readonly goto?: number
    /** With branches, for a `goto` to an earlier step: numbers of the steps that are done again. */
    readonly again?: readonly number[]
    readonly comment?: string
    readonly log?: LogSummary
  }
  step_skipped: OfItem & {
    readonly title: string
    readonly reason: string
    readonly condition?: string
    readonly decisionId?: string
    /** It was under way, and the walk back left it. */
    readonly cutOff?: true
  }
  step_unknown: OfItem & { readonly title: string; readonly attempt: number; readonly error: string }
  /** The walk back begins: the steps in the order in which they are undone. */
  rollback_started: {
    readonly because: RollbackCause
    readonly reason: string
    readonly then: 'failed' | 'cancelled'
    readonly steps: readonly number[]
  }
  /** The step's undo came to its end; `attempt` counts the undos of the step. */
  /** For a `for_each` step as a whole: `items` of it were undone, each with an event of its own. */
  step_rolled_back: UndoDetails & { readonly items?: number }
  rollback_failed: UndoDetails & { readonly error: string; readonly outcome: Exclude<Outcome, 'ok'> }
  input_requested: {
    readonly title: string
    readonly attempt: number
    readonly assignee?: string
    readonly dueAt?: string
    readonly deadlineAt?: string
    readonly overdue?: true
  }
  /** A tick of the checklist. Completing the step is `step_completed`, or `verification_started` where it is checked first. */
  input_received: {
    readonly item: number
    readonly ticked: boolean
    readonly text: string
    readonly decisionId?: string
  }
  /** Without `gate` it verifies a step; then the step's own result is here until `step_completed`. */
  verification_started: OfItem & {
    readonly gate?: string
    readonly title: string
    readonly attempt: number
    readonly command?: string
    readonly duration_ms?: number
    readonly exitCode?: number
    readonly output?: string
    readonly outputs?: Readonly<Record<string, Json>>
    readonly adopted?: string
    /** How often its worker was lost before: a check is made again. */
    readonly lost?: number
    /** Of the person who said that the step was done. */
    readonly comment?: string
    readonly decisionId?: string
    readonly log?: LogSummary
  }
  verification_passed: OfItem & {
    readonly gate?: string
    readonly attempt: number
    readonly duration_ms: number
    readonly output?: string
    readonly log?: LogSummary
  }
  verification_failed: OfItem & {
    readonly gate?: string
    readonly attempt: number
    readonly duration_ms: number
    readonly error: string
    readonly exitCode?: number
    readonly output?: string
    readonly log?: LogSummary
    /** For a gate. What a step's failed verification leads to stands in its `step_failed`. */
    readonly then?: AfterFailure
  }
  pause_requested: { readonly reason?: string; readonly decisionId?: string }
  run_paused: {
    readonly kind: PauseKind
    readonly reason: string
    readonly gate?: string
    readonly decisionId?: string
  }
  /** `leaves`: the step that the walk back passes over. */
  run_resumed: OfItem & {
    readonly comment?: string
    readonly decisionId?: string
    /** The step, or its `item`, that a walk back leaves as it is. */
    readonly leaves?: number
    /** With `item`: every other item of the step was left as well, so the walk is past the step. */
    readonly passes?: true
  }
  /** `question`: the facts that are asked anew. */
  run_retried: OfItem & {
    readonly fromStep?: number
    /** Steps of other branches that failed as well. */
    readonly also?: readonly number[]
    readonly question?: string
    readonly gate?: string
    /** What the sender knows of a step that was `unknown`. */
    readonly outcome?: RetryOutcome
    /** The run was closed and goes on in a new execution. */
    readonly reopens?: true
    /** It is the undo of the step that is begun. */
    readonly undo?: true
    /** Steps that are done again, in document order; absent: only the one that failed. */
    readonly again?: readonly number[]
    /** Those of them that are done again only for the items that are not finished. */
    readonly keeps?: readonly number[]
    /** Gates that are asked again with their next attempt. */
    readonly gates?: readonly string[]
    /** Params that changed; `null`: the value goes. Secret ones as a mark. */
    readonly params?: Readonly<Record<string, Json>>
    readonly comment?: string
    readonly decisionId?: string
  }
  cancel_requested: { readonly reason: string; readonly rollback?: true; readonly decisionId?: string }
  run_timeout: { readonly reason: string; readonly then?: 'rollback' }
  run_completed: {
    readonly duration: string
    readonly duration_ms: number
    readonly stepsCompleted: number
    readonly stepsSkipped: number
  }
  run_failed: { readonly reason: string; readonly stepNumber?: number }
  run_cancelled: { readonly reason: string }
  decision_refused: {
    readonly decision: DecisionKind | 'message'
    readonly reason: string
    readonly gate?: string
    readonly attempt?: number
    readonly decisionId?: string
    readonly decidedBy?: string
  }
  notification_sent: { readonly channel: string; readonly what: string }
  notification_failed: { readonly channel: string; readonly what: string; readonly error: string }
  definition_amended: { readonly digest: string }
  /** The run was reset in Temporal: the events from `fromSequence` to this one count no more; see fork.ts. */
  run_forked: {
    readonly fromSequence: number
    /** The run's own count of the event that follows. */
    readonly runSequence: number
    readonly reason: string
    readonly executionId?: string
  }
}

/** One event of a run. `sequence` counts from 1 without gaps; `timestamp` is ISO-8601 UTC. */
export type RunEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly sequence: number
    readonly timestamp: string
    readonly eventType: K
    readonly runId: string
    readonly stepNumber?: number
    readonly principal: Principal
    readonly via: Surface
    readonly details: EventDetails[K]
  }
}[T]

/** An event as the rules produce it; `transition` adds sequence, timestamp and run id. */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: Omit<RunEvent<K>, 'sequence' | 'timestamp' | 'runId'>
}[T]

/** An event as the record holds it: chained by hashes that belong to the store (rulings 34). */
export type RecordedEvent = RunEvent & { readonly previousHash: string; readonly hash: string }
