// client.ts: the one contract that all faces speak. `temporal.ts` serves it from a cluster, `http.ts` from our API.

import type { Diagnostic } from '../core/diagnostic.ts'
import type { ExecutionMode, Json, SopDefinition } from '../core/definition.ts'
import type { LogPosition } from '../core/log-position.ts'
import type { MetricDays, MetricsReport } from '../core/metrics/report.ts'
import type { PlannedItem } from '../core/plan.ts'
import type { DecisionReply, RetryOutcome } from '../core/run/decision.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import type { TriggerInfo } from '../core/run/principal.ts'
import type { RunPage, RunSelection } from '../core/run/run-filter.ts'
import type { RunChanges } from '../core/run/run-list.ts'
import type { RunSummary, RunView } from '../core/run/view.ts'
import type { QueueClient } from './queue-client.ts'
import type { RunScreenClient } from './run-screen-client.ts'
import type { TriggerClient } from './trigger-client.ts'
import type { WaitingClient } from './waiting.ts'
import type { ScheduleClient } from './schedule-client.ts'
import type { VerifyClient } from './verify-client.ts'

export type { RunPage, RunSelection } from '../core/run/run-filter.ts'
export type { MetricDays, MetricsReport } from '../core/metrics/report.ts'
export type { Queue, QueueReason } from './queue-client.ts'
export type * from './run-screen-client.ts'
export type { RunChanges } from '../core/run/run-list.ts'

/** One SOP of the catalog, compiled or broken. */
export interface SopSummary {
  readonly name: string
  /** Path of its main file, relative to the SOP directory. */
  readonly path: string
  /** Absent when the SOP does not compile. */
  readonly definition?: SopDefinition
  readonly digest?: string
  readonly diagnostics: readonly Diagnostic[]
  /** Whether a run of it can be started now; `blockers` says why not. */
  readonly startable: boolean
  /** Sentences that name the setting (or the first error) that stands in the way. */
  readonly blockers: readonly string[]
  /** Sentences about what is written and not served yet, e.g. a trigger type. */
  readonly notices: readonly string[]
}

/** A definition of an SOP: one that runs ran by, or the one of its file now. */
export interface SopVersion {
  readonly digest: string
  /** As the SOP calls it. */
  readonly version: string
  /** It is what the file says now. */
  readonly current?: true
  readonly runs: number
  /** When the first and the last of its runs were created; ISO-8601 UTC. Absent: none yet. */
  readonly firstAt?: string
  readonly lastAt?: string
}
export interface SopVersionDetail extends SopVersion {
  readonly sop: string
  readonly definition: SopDefinition
  /** Path to text. Absent for runs from before it was kept. */
  readonly source?: Readonly<Record<string, string>>
}

export interface StartRequest {
  readonly params?: Readonly<Record<string, Json>>
  readonly executionMode?: ExecutionMode
  readonly skipApproval?: boolean
  readonly force?: boolean
  /** A second start with the same key answers with the first run. */
  readonly idempotencyKey?: string
  readonly trigger?: TriggerInfo
  /** `false`: answer as soon as the start is durable. Default: wait for the first gate or step, at most 5 s (rulings 23). */
  readonly wait?: boolean
}

export interface NewSop {
  readonly name: string
  readonly description?: string
  readonly mode?: ExecutionMode
  readonly priority?: string
  /** `A` writes a folder with SOP.toml and SOP.md, `D` a single file. Default `A`. */
  readonly dialect?: 'A' | 'D'
}

/** What a run would do: conditions resolved as far as they can be, nothing started. */
export interface RunPlan {
  readonly sop: string
  readonly digest: string
  readonly mode: string
  readonly params: Readonly<Record<string, Json>>
  readonly wouldStart: boolean
  /** Sentences: missing params, blockers, false preconditions. */
  readonly problems: readonly string[]
  /** Those of them that are about one value: `params.NAME`, and what is wrong with it. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
  readonly warnings: readonly string[]
  readonly items: readonly PlanItem[]
}
export type PlanItem = PlannedItem

export interface DecisionRequest {
  /** Gate id, e.g. `start`, `pre_patch`, `3-deploy`. */
  readonly gate?: string
  readonly step?: number
  readonly attempt?: number
  readonly comment?: string
  readonly reason?: string
  /** Makes a repeated call count once. */
  readonly decisionId?: string
}
export interface ApproveRequest extends DecisionRequest {
  /** What the approver was shown (`covers` of the gate): `conflict` where that is not what stands there now. */
  readonly covers?: string
}
/** For a step that waits for a person, and for one of which nobody knows whether it ran: it ran, and handed these on. */
export interface CompleteRequest extends DecisionRequest {
  readonly values?: Readonly<Record<string, Json>>
  /**
   * Of a manual step: tick (or untick) this item of its checklist instead of completing it. Of a `for_each` step: the item
   * of which nobody knew whether it ran.
   */
  readonly item?: number
  readonly ticked?: boolean
  readonly failed?: boolean
}

export interface SkipRequest extends DecisionRequest {
  /** Of a `for_each` step: only this item, from 1. */
  readonly item?: number
}

export interface CancelRequest extends DecisionRequest {
  /** Undo the finished steps first, in reverse order; the run is `paused` where an undo fails. */
  readonly rollback?: boolean
}
export interface RetryRequest extends DecisionRequest {
  /** Of a `for_each` step that the run is paused for: only this item, from 1. Absent: all that failed, or are unknown. */
  readonly item?: number
  /** Params that change. Checked against their types; values of secret ones go to the vault. */
  readonly params?: Readonly<Record<string, Json>>
  /** For a step that is `unknown`: it did not run. Absent: run it again though it may have run. */
  readonly outcome?: RetryOutcome
}

/** Which runs a list is asked for. `from` and `to` may also say how long ago, e.g. `7d`. `limit`: default 50, at most 1,000. */
export type RunListFilter = RunSelection

export interface MetricsRequest {
  readonly sop?: string
  readonly days?: MetricDays
}

export interface AuditLog {
  readonly runId: string
  readonly events: readonly RecordedEvent[]
  /** Each event as a sentence for people, in the same order. */
  readonly sentences: readonly string[]
}

/** A part of a record. Default: all of it. */
export interface AuditPart {
  /** Sequence of the last event that one has. */
  readonly after?: number
  /** At most so many events, the first after `after`. */
  readonly limit?: number
}

export interface LogChunk {
  readonly runId: string
  readonly stepNumber: number
  readonly attempt: number
  /** `step`, `verify`, `rollback` or a gate's key. */
  readonly source: string
  /** For one item of a `for_each` step, from 1. */
  readonly item?: number
  readonly offset: number
  /** Offset to go on from. */
  readonly next: number
  /** As UTF-8; broken bytes are U+FFFD. Empty where the bytes were asked for. */
  readonly text: string
  /** The bytes as they came, where they were asked for. */
  readonly base64?: string
  /** Nothing more will come. */
  readonly complete: boolean
  /** Output was left out, since a limit of the log store was reached; a line of the log says how much. */
  readonly truncated?: true
}

/** A place in the logs of a run. */
export interface LogPlace {
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  /** Of a `for_each` step: the item, from 1. */
  readonly item?: number
  readonly offset?: number
}

/** How a piece of a log is read. */
export interface LogReading {
  readonly limit?: number
  readonly waitMs?: number
  /** `base64`: the bytes as they came, also where they are no text. Default: as text. */
  readonly encoding?: 'base64'
}

/** How something is followed: until the signal, if nothing ends it before. */
export interface FollowOptions {
  readonly signal?: AbortSignal
}
export interface FollowLogOptions extends LogPlace, FollowOptions {
  /** Goes on after a piece that one has, with all that followed it in the run. */
  readonly after?: LogPosition
}
export interface FollowRunOptions extends FollowOptions {
  /** Sequence of the last event that one has. Default 0: all of them. */
  readonly after?: number
}
export interface FollowRunsOptions extends FollowOptions {
  /** `cursor` of the last batch that one has. */
  readonly cursor?: string
}

/** One thing that works or does not. */
export interface HealthCheck {
  readonly ok: boolean
  /** A sentence; where something is wrong it says what. */
  readonly detail?: string
  /** When it was first seen not to work; ISO-8601 UTC. Only where it does not. */
  readonly since?: string
  /** The way out, in a sentence. Only where it does not work. */
  readonly help?: string
  /** What it goes by, e.g. `unrecordedEvents` or `freeBytes`. */
  readonly figures?: Readonly<Record<string, number>>
}

/** How an engine is. `down`: without Temporal nothing moves. `degraded`: something does not work, and `checks` says what. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'down'
  readonly version: string
  /** By name: `temporal`, `worker`, `records`, and others as they apply (docs/operations.md). */
  readonly checks: Readonly<Record<string, HealthCheck>>
}

/**
 * Everything that can be asked of an engine, by one principal. Refusals are `SopError`s with one of the seven codes;
 * `unauthenticated` and `unavailable` can come from every method of a remote client.
 *
 * Where a run is asked for (`ref`), an SOP's name means its only open run; several are a `conflict` with the list
 * (rulings 31).
 */
export interface SopClient
  extends TriggerClient,
    QueueClient,
    ScheduleClient,
    RunScreenClient,
    VerifyClient,
    WaitingClient {
  /** All SOPs by name, broken ones last. Needs: viewer. */
  listSops(): Promise<readonly SopSummary[]>
  /** `not_found` if the catalog has none of that name. Needs: viewer. */
  getSop(name: string): Promise<SopSummary & { readonly source?: Readonly<Record<string, string>> }>
  /** The definitions that its runs ran by, and the one of its file now; newest first. `not_found`. Needs: viewer. */
  listSopVersions(name: string): Promise<readonly SopVersion[]>
  /** One of them, with the text that it was compiled of where that was kept. `not_found`. Needs: viewer. */
  getSopVersion(name: string, digest: string): Promise<SopVersionDetail>
  /** Writes a skeleton that runs. `conflict` if it exists, `invalid` for a bad name. Needs: admin, never an agent. */
  createSop(sop: NewSop): Promise<{ readonly name: string; readonly files: readonly string[] }>
  /** The dry run. `not_found`, `invalid` for params that do not fit. Needs: viewer. */
  planRun(name: string, request: StartRequest): Promise<RunPlan>
  /** `not_found`, `invalid` (params, broken SOP, unsupported setting), `conflict` (cooldown, limit), `forbidden`. Needs: operator. */
  createRun(name: string, request?: StartRequest): Promise<RunView>
  /** Newest first. Needs: viewer. */
  listRuns(filter?: RunListFilter): Promise<readonly RunSummary[]>
  /**
   * The same as a page: `next` is the `cursor` of the page behind it, which passes over nothing and repeats nothing while
   * new runs come. `invalid` for a time or a cursor that is none. Needs: viewer.
   */
  listRunPage(filter?: RunListFilter): Promise<RunPage>
  /** `not_found`. A name falls back to its newest run. Needs: viewer. */
  getRunStatus(ref: string): Promise<RunView>
  /** A refusal is an answer, not an error: `accepted: false` with code, reason and who decided. Needs: approver. */
  approveStep(ref: string, step?: number, request?: ApproveRequest): Promise<DecisionReply>
  rejectStep(ref: string, step?: number, request?: DecisionRequest): Promise<DecisionReply>
  /**
   * Ends (or ticks off one item of) a manual step, or says of a step that is `unknown` that it ran.
   * Needs: operator, or to be its assignee.
   */
  completeStep(ref: string, step: number | undefined, request?: CompleteRequest): Promise<DecisionReply>
  /** Needs: operator. */
  skipStep(ref: string, step: number | undefined, request?: SkipRequest): Promise<DecisionReply>
  /** At once, and with `rollback` after the finished steps were undone. Needs: operator, as all that follow. */
  cancelRun(ref: string, request?: CancelRequest): Promise<DecisionReply>
  /** At the next boundary between two steps; at once where nothing runs. */
  pauseRun(ref: string, request?: DecisionRequest): Promise<DecisionReply>
  resumeRun(ref: string, request?: DecisionRequest): Promise<DecisionReply>
  /**
   * Goes on from where the run stopped, or again from an earlier `step`. A closed failed or cancelled run goes on as a new
   * execution under the same id.
   */
  retryRun(ref: string, request?: RetryRequest): Promise<DecisionReply>
  /** `not_found`. Needs: viewer. */
  getAuditLog(ref: string, part?: AuditPart): Promise<AuditLog>
  /**
   * Bytes of a step's log as text. With `waitMs` it waits that long for more than `offset`. Without `step` the newest.
   * `not_found` if the step has no log. Needs: viewer.
   */
  readLog(ref: string, at: LogPlace & LogReading): Promise<LogChunk>
  /**
   * The pieces of a log as they come, without `step` those of the newest step and of all that follow. Ends with the run
   * (the step), or by the signal. Needs: viewer, as the two below.
   */
  followLog(ref: string, at?: FollowLogOptions): AsyncIterable<LogChunk>
  /** The events of a run after `after`, as they get on record. Ends with the run, or by the signal. */
  followRun(ref: string, options?: FollowRunOptions): AsyncIterable<RecordedEvent>
  /** Runs that change, from now on or from a cursor; the first batch says where one begins. Ends by the signal alone. */
  followRuns(options?: FollowRunsOptions): AsyncIterable<RunChanges>
  /** The figures of the last days (default 30), of all SOPs or of one. An SOP without runs has zeros. Needs: viewer. */
  getMetrics(request?: MetricsRequest): Promise<MetricsReport>
  health(): Promise<Health>
}
