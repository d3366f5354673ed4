import type {
  ApprovalSettings,
  Command,
  Condition,
  EffectiveMode,
  ExecutionMode,
  Json,
  OnTimeout,
  SopDefinition,
} from '../definition.ts'
import type { AfterFailure, AfterRejection } from './event.ts'
import type { ItemsRun } from './items.ts'
import type { Principal, Surface, TriggerInfo } from './principal.ts'
import type { ClosedState, StepState } from './state.ts'
import type { Warrants } from './task.ts'

/**
 * Version of the rules in `transition`. A parked run goes on under the rules that it began with.
 *
 * 1: the first. 2: a step of which nobody knows whether it ran pauses its run instead of failing it, and a check that was
 * lost is made again. 3: Temporal's list hears of the end of a run as the run closes, not before its record is complete;
 * steps that a jump passes over are told as skipped. 4: admission is asked for locks, by number and on behalf of the parent, and a
 * run that is a step of another is none more among all runs. 5: a run whose events cannot be put on record begins nothing new
 * past a limit, and goes on by itself; the record says where a start was forced. 6: the record has the digests of what checks and
 * walks back printed. 7: a bare message with a key that nobody reads is refused. 8: a run that is paused for a child goes on when
 * that was retried and completed; an item of which somebody says that it ran is verified; a run that is let in by a clock before
 * its own asks the calendar again. 9: on arrival the calendar is asked again only where it would refuse the run; a step is done as
 * soon as its check passed, also where the run stands paused, ends or walks back by then; writing the record keeps no next
 * execution waiting.
 */
export const RULES_VERSION = 9

/** The settings of the installation that bear on a run, pinned at its start. */
export interface RunPolicy {
  readonly defaultMode: ExecutionMode
  readonly priorityBasedStrict: boolean
  /** Default for gates that set none. Absent: such gates wait for ever. */
  readonly approvalTimeoutMs?: number
  readonly stepTimeoutMs: number
  /** IANA zone for SOPs that set none. */
  readonly timezone: string
  /** Whether a bare `{}` from Temporal decides about the only open gate. */
  readonly allowImpliedGate: boolean
  /** Whether agents may approve gates that do not name them. */
  readonly agentsMayApprove: boolean
  /** How often a `goto` may come back to one step. */
  readonly maxStepVisits: number
  /** Names of the facts that the config knows, and of the environment values that conditions may read. */
  readonly facts: readonly string[]
  readonly env: readonly string[]
  /** How long a command may wait for a worker of its pool, in milliseconds. Absent: for ever. */
  readonly poolWaitMs?: number
  /** After this long, in milliseconds, the engine looks whether the pool has a worker at all, and says so. */
  readonly poolNoticeMs?: number
  /** Hands over to its next execution as soon as the cluster's current build of the worker is another. */
  readonly movesToNewBuild?: true
  /** Events of one execution's history after which its run goes over to the next one. Absent: 4,000. */
  readonly longHistory?: number
  /** How far a run goes on whose events cannot be put on record. Absent: 500 events, one hour. */
  readonly recordLimit?: RecordLimit
  /** A limit for all runs together makes every run visit admission. */
  readonly maxConcurrentRuns?: number
}

/** What a run may have that is not on record, before it begins nothing new. */
export interface RecordLimit {
  readonly events: number
  /** Age of the oldest of them, in milliseconds. */
  readonly ageMs: number
}

/** A definition as a run carries it: pinned, digested and signed. */
export interface PinnedSop {
  readonly definition: SopDefinition
  /** SHA-256 of the definition's canonical JSON, in hex. */
  readonly digest: string
  readonly warrants: Warrants
  /** Raw Ed25519 public key of the installation, base64: what seals are checked against. */
  readonly authority: string
  readonly policy: RunPolicy
  readonly warnings?: readonly string[]
  /** The rules of the code that pinned it; absent: 1. A run that was started with only a name goes by these. */
  readonly rulesVersion?: number
  /** The SOPs that its steps run, and those that these run, by name: pinned with it, so that its approval covers them. */
  readonly children?: Readonly<Record<string, PinnedChild>>
}

/** An SOP that another one runs, as it is pinned with it. Authority and policy are those of the whole. */
export type PinnedChild = Pick<PinnedSop, 'definition' | 'digest' | 'warrants' | 'warnings'>

/** The run whose step another run is. */
export interface ParentRun {
  readonly runId: string
  /** What the parent waits for by that name. */
  readonly workId: string
  readonly stepNumber: number
  readonly item?: number
  /** Somebody approved the start of the parent, definitions of its children included: the child does not ask again. */
  readonly isApproved?: true
}

/** What a run is made of before its first event. */
export interface RunSeed {
  readonly runId: string
  readonly rulesVersion: number
  readonly pinned: PinnedSop
  readonly params: Readonly<Record<string, Json>>
  readonly trigger: TriggerInfo
  readonly startedBy: Principal
  readonly via: Surface
  /** Mode asked for at the start; whether the caller may was decided at the door (rulings 22). */
  readonly mode?: ExecutionMode
  readonly skipApproval?: boolean
  /** Passes over preconditions and cooldown; who may was decided at the door. */
  readonly force?: boolean
  /** Why it cannot be carried out: it is created, refused and cancelled, so that the refusal is on record. */
  readonly problems?: readonly string[]
  /** For a run that is a step of another. */
  readonly parent?: ParentRun
  /** What its trigger asks for, besides the preconditions of the SOP. */
  readonly triggerCondition?: Condition
}

/**
 * Why a run stands still; only a `requested` pause ends by `resume`, the others by retry, skip or cancel, and `unknown` by
 * `complete` besides. `rollback`: the walk back stands still and asks.
 */
export const PAUSE_KINDS = ['requested', 'rejected', 'failed', 'condition', 'unknown', 'rollback'] as const
export type PauseKind = (typeof PAUSE_KINDS)[number]

/** `reset`: asked before, to be asked again with the next attempt. `closed`: the run ended while the gate was open. */
export type GateState = 'open' | 'verifying' | 'passed' | 'rejected' | 'skipped' | 'failed' | 'reset' | 'closed'

export interface GateRun {
  readonly id: string
  readonly attempt: number
  /** The step it stands at; 0 for the start gate and the gates around the whole run. */
  readonly stepNumber: number
  readonly title: string
  readonly state: GateState
  readonly because: string
  readonly settings: ApprovalSettings
  /** For verification gates. */
  readonly command?: Command
  readonly required: boolean
  readonly openedAt: string
  readonly deadlineAt?: string
  readonly onTimeout?: OnTimeout
  /** Milliseconds between two reminders; the next one is due at `remindAt`, and `reminders` went out. */
  readonly remindMs?: number
  readonly remindAt?: string
  readonly reminders?: number
  readonly covers?: string
  readonly closedAt?: string
  /** Display text of who or what closed it. */
  readonly decidedBy?: string
  readonly comment?: string
  /** How often the worker of its command was lost. */
  readonly lost?: number
  /** What a rejection or failure led to. */
  readonly then?: AfterRejection
}

export interface StepRun {
  readonly number: number
  readonly state: StepState
  /** Counts the executions of the step, from 1; 0 before the first. */
  readonly attempt: number
  /** How often the run came by (goto). */
  readonly visits: number
  /** Failures since the run last came by; what retries are counted by. */
  readonly failures: number
  /** Its commands are done and its verify commands are running, or have passed. */
  readonly verification?: 'running' | 'passed'
  /** How often the worker of its verify commands was lost. */
  readonly lost?: number
  /** When its commands last ran to their end, though it is no success now: its verification failed, or it is done again. */
  readonly ran?: {
    readonly at: string
    readonly sequence: number
    /** What they had handed on, for the undo. */
    readonly outputs?: Readonly<Record<string, Json>>
  }
  /** The end of the run cut it off while it was under way. */
  readonly cutOff?: true
  /** How often its undo was begun. */
  readonly undos?: number
  readonly startedAt?: string
  readonly endedAt?: string
  /** Sequence of the event that ended it. */
  readonly endedSequence?: number
  readonly durationMs?: number
  readonly exitCode?: number
  /** Short tail for views; the record holds the long one. */
  readonly output?: string
  readonly outputs?: Readonly<Record<string, Json>>
  readonly error?: string
  readonly reason?: string
  /** 1-based numbers of the checklist items that are ticked off. */
  readonly ticked?: readonly number[]
  readonly dueAt?: string
  readonly deadlineAt?: string
  readonly overdue?: true
  /** For a `wait` step: when it ends. */
  readonly untilAt?: string
  /** What follows the failure, while that is still open. */
  readonly then?: AfterFailure
  readonly retryAt?: string
  /** For a `for_each` step that was begun. */
  readonly items?: ItemsRun
  /** For a `for_each` step that is visited again: attempts of its items on earlier visits. */
  readonly itemBase?: number
  /** Run id of the SOP that it runs. */
  readonly child?: string
  /** That run took too long and was told to end: why. */
  readonly timedOut?: string
}

/** A command that no worker has taken yet, since its pool has none. */
export interface PoolWait {
  readonly stepNumber: number
  readonly pool: string
  readonly since: string
  /** When it is given up; absent: never. */
  readonly until?: string
}

/** What asked for a walk back. */
export const ROLLBACK_CAUSES = ['failure', 'rejection', 'cancel', 'timeout'] as const
export type RollbackCause = (typeof ROLLBACK_CAUSES)[number]

/** A walk back through the finished steps: how far it is, and how the run ends after it. */
export interface Rollback {
  readonly because: RollbackCause
  readonly reason: string
  readonly then: 'failed' | 'cancelled'
  readonly by: Principal
  readonly via: Surface
  /** The step that asked for it. */
  readonly stepNumber?: number
  /** Numbers of the steps still to undo, the next one first; absent while something is under way that has to end first. */
  readonly steps?: readonly number[]
  /** Why the undo of the next step failed. */
  readonly failed?: string
  /** The step that somebody said to undo though the walk stood still at it. */
  readonly allowed?: number
  /** The item of that step of which somebody said so. */
  readonly allowedItem?: number
  /** How long the undos of the items of the next step took together. */
  readonly undoMs?: number
  /** A pause was asked for while the undo of the next step runs. */
  readonly undoing?: true
}

/**
 * The state of one run: JSON-safe, immutable, and equal to `fold(seed, events)`.
 * `steps` stand in document order.
 */
export interface Run {
  readonly seed: RunSeed
  readonly mode: EffectiveMode
  /** What admission has let through: the arrival (preconditions, cooldown) and the slot. */
  readonly admitted: {
    readonly arrival?: true
    readonly slot?: true
    /** Somebody let it in before its turn: blackouts are passed over as well. */
    readonly over?: true
  }
  /** How often it got a slot. */
  readonly slots?: number
  /** It waits at a gate and gave its slot away. */
  readonly away?: { readonly at: string }
  /**
   * What is known of blackouts, and until when that holds: with `because` one lasts until then, without none begins before.
   * `asked` counts the questions.
   */
  readonly calendar?: {
    readonly asked: number
    readonly until: string
    readonly because?: string
    readonly error?: string
  }
  readonly createdAt?: string
  readonly startedAt?: string
  readonly closedAt?: string
  readonly outcome?: { readonly state: ClosedState; readonly reason?: string }
  /** When the run was last opened again after it had closed, and by whom. */
  readonly reopened?: { readonly at: string; readonly by: string }
  /** Why the run was never let in. */
  readonly refused?: string
  readonly queued?: { readonly reason: string; readonly at: string }
  readonly paused?: {
    readonly kind: PauseKind
    readonly reason: string
    readonly at: string
    readonly by: string
    readonly stepNumber?: number
    readonly gate?: string
  }
  /** A pause that takes effect at the next boundary. */
  readonly pauseRequested?: { readonly reason?: string; readonly by: Principal; readonly via: Surface }
  /** The run is ending while something is still under way. */
  readonly ending?: {
    readonly state: 'failed' | 'cancelled'
    readonly reason: string
    readonly by: Principal
    readonly via: Surface
    readonly stepNumber?: number
  }
  /** The run walks back and ends then. */
  readonly rollback?: Rollback
  readonly steps: readonly StepRun[]
  /** The newest attempt of every gate that was ever reached, by id. */
  readonly gates: Readonly<Record<string, GateRun>>
  /** Facts answered, by question; dropped once their question is settled. */
  readonly facts: Readonly<
    Record<
      string,
      { readonly values: Readonly<Record<string, Json>>; readonly errors?: Readonly<Record<string, string>> }
    >
  >
  /** Its events cannot be put on record, and there are too many: nothing new begins until they are. */
  readonly held?: { readonly at: string; readonly since: string; readonly unrecorded: number; readonly reason: string }
  /** Commands that wait for a worker of their pool, by work id. */
  readonly poolWaits?: Readonly<Record<string, PoolWait>>
  /** Outputs by name; a later step's value replaces an earlier one. */
  readonly outputs: Readonly<Record<string, Json>>
  /** Sequence of the last event; 0 before `run_created`. */
  readonly sequence: number
}
