// definition.ts: the compiled form of an SOP. JSON-safe and readonly; a key that is not set is absent, so that the
// definition stays small as workflow input and `JSON.parse(JSON.stringify(d))` equals `d`.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const
export type Priority = (typeof PRIORITIES)[number]

export const EXECUTION_MODES = ['auto', 'supervised', 'step_by_step', 'priority_based'] as const
export type ExecutionMode = (typeof EXECUTION_MODES)[number]
/** What `priority_based` resolves to at the start of a run. */
export type EffectiveMode = Exclude<ExecutionMode, 'priority_based'>

export const ADMISSIONS = ['queue', 'reject', 'coalesce'] as const
export type Admission = (typeof ADMISSIONS)[number]

export const BLACKOUT_POLICIES = ['refuse', 'wait'] as const
export type BlackoutPolicy = (typeof BLACKOUT_POLICIES)[number]

export const ON_TIMEOUT = ['approve', 'reject', 'escalate', 'fail'] as const
export type OnTimeout = (typeof ON_TIMEOUT)[number]

export const ON_REJECT = ['pause', 'fail', 'cancel', 'rollback'] as const
export type OnReject = (typeof ON_REJECT)[number]

export const DIALECTS = ['A', 'B', 'C', 'D', 'Z'] as const
export type Dialect = (typeof DIALECTS)[number]

/** A condition as written, as CEL, and the names that it reads (roots only, e.g. `steps`, `tests_pass`). */
export interface Condition {
  readonly text: string
  readonly cel: string
  readonly names: readonly string[]
}

export const PARAM_TYPES = ['string', 'number', 'boolean', 'choice'] as const
export type ParamType = (typeof PARAM_TYPES)[number]

/** A typed value that a run (or the form of a manual step) takes. */
export interface Param {
  readonly name: string
  readonly type: ParamType
  readonly description?: string
  readonly required?: boolean
  readonly default?: string | number | boolean
  /** For `choice`. */
  readonly choices?: readonly string[]
  /** An RE2 pattern that a string must match as a whole. */
  readonly pattern?: string
  /** The value never appears in a history, log, record or page. */
  readonly secret?: boolean
}

/** One fenced block to run: `interpreter` is canonical (`bash`, `sh`, `zsh`, `python`, `node`, `ruby`, `pwsh`, `perl`…). */
export interface Command {
  readonly interpreter: string
  readonly script: string
}

export type Action =
  | { readonly kind: 'shell'; readonly commands: readonly Command[] }
  | {
      readonly kind: 'manual'
      /** The bullets of the step, as plain text, in document order; each can be ticked off. */
      readonly checklist?: readonly string[]
      readonly form?: readonly Param[]
      readonly assignee?: string
      /** A duration from the moment the step asks. */
      readonly dueMs?: number
    }
  /** Exactly one of the two: a duration, or a time (ISO-8601 instant, or `HH:MM` in the SOP's zone). */
  | { readonly kind: 'wait'; readonly durationMs?: number; readonly until?: string }
  | {
      readonly kind: 'http'
      readonly method: string
      readonly url: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      /** Statuses that count as success; absent: 200 to 299. */
      readonly expect?: readonly number[]
    }
  | { readonly kind: 'sop'; readonly sop: string; readonly with?: Readonly<Record<string, Json>> }

export type OnFailure =
  | { readonly kind: 'pause' | 'fail' | 'continue' | 'rollback' }
  | { readonly kind: 'retry'; readonly times: number }
  | { readonly kind: 'goto'; readonly step: number }

/** What a step and a gate of the `[gates]` table say about approval in the same words. */
export interface ApprovalSettings {
  /** `null` is an explicit "none": the gate waits for ever. Absent: the SOP's or the config's default. */
  readonly approvalTimeoutMs?: number | null
  readonly onTimeout?: OnTimeout
  /** User ids and `group:<name>`. */
  readonly approvers?: readonly string[]
  readonly quorum?: number | Readonly<Record<string, number>>
  readonly exclude?: readonly string[]
  readonly onReject?: OnReject
  readonly remindMs?: number
  readonly escalateTo?: readonly string[]
}

export interface Step extends ApprovalSettings {
  readonly number: number
  readonly slug: string
  readonly title: string
  /** The prose of the step as Markdown, without its commands, settings and bracket list. */
  readonly body?: string
  readonly action: Action
  readonly if?: Condition
  /** Absent: nothing said. `false` waives the gate that the *mode* asks for (rulings 13). */
  readonly requiresApproval?: boolean
  readonly approveIf?: Condition
  /** A per-step mode (dialect Z): can only add a gate. */
  readonly mode?: ExecutionMode
  /** `null` is an explicit "none". */
  readonly timeoutMs?: number | null
  readonly retries?: number
  readonly retryDelayMs?: number
  readonly idempotent?: boolean
  readonly onFailure?: OnFailure
  readonly rollback?: readonly Command[]
  readonly verify?: readonly Command[]
  /** Numbers of the steps that must be done before this one; empty: none. Absent: the step before it. */
  readonly needs?: readonly number[]
  /** The items, or the text of an expression that gives them. */
  readonly forEach?: readonly Json[] | string
  readonly maxParallel?: number
  /** The pool of workers, as core/pool.ts spells it: `dba`, `dba[eu,ssd]`. */
  readonly runsOn?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly shell?: string
  /** Names that the step promises to write to `$SOP_OUTPUT`. */
  readonly outputs?: readonly string[]
  readonly pointOfNoReturn?: boolean
  readonly tools?: readonly string[]
  readonly tags?: readonly string[]
}

/** A gate of the SOP's `[gates]` table. `position` follows from its key or from `before` / `after` (rulings 7). */
export interface SopGate extends ApprovalSettings {
  readonly key: string
  readonly type: 'approval' | 'verification'
  readonly position:
    | { readonly at: 'start' }
    | { readonly at: 'end' }
    | { readonly at: 'before' | 'after'; readonly step: number }
  /** `false`: failure or rejection is recorded and the run goes on. */
  readonly required: boolean
  readonly if?: Condition
  /** For `verification`: must exit 0. */
  readonly command?: Command
}

export const TRIGGER_TYPES = [
  'manual',
  'cron',
  'webhook',
  'file_watch',
  'command',
  'event',
  'mqtt',
  'amqp',
  'sop',
] as const
export type TriggerType = (typeof TRIGGER_TYPES)[number]

export type Trigger = { readonly condition?: Condition } & (
  | { readonly type: 'manual' }
  | {
      readonly type: 'cron'
      readonly expression: string
      readonly timezone?: string
      readonly overlap?: string
      readonly catchUpMs?: number
      readonly jitterMs?: number
      readonly params?: Readonly<Record<string, Json>>
    }
  | {
      readonly type: 'webhook'
      readonly path: string
      readonly methods?: readonly string[]
      readonly secret?: string
      /** How the request is signed (core/trigger/signature.ts). Absent: any way that is known. */
      readonly signature?: string
      /** How far the time of a signature may be off. Absent: `REPLAY_WINDOW_MS`. */
      readonly replayWindowMs?: number
      /** By what repeats are told (core/trigger/key.ts). */
      readonly idempotencyKey?: string
      readonly params?: Readonly<Record<string, Json>>
    }
  | {
      readonly type: 'file_watch'
      /** A pattern (core/trigger/glob.ts); relative ones begin at the engine's `workdir`. */
      readonly path: string
      readonly events: readonly ('create' | 'modify' | 'delete')[]
      /** How long a file has to be left alone. Absent: `SETTLE_MS` (core/trigger/file-change.ts). */
      readonly settleMs?: number
      /** What happened while the engine was off counts. Absent: no. */
      readonly onStart?: true
      readonly params?: Readonly<Record<string, Json>>
    }
  | {
      readonly type: 'command'
      readonly pattern: string
      readonly captureGroups: boolean
      readonly params?: Readonly<Record<string, Json>>
    }
  | { readonly type: 'event'; readonly event: string; readonly params?: Readonly<Record<string, Json>> }
  | { readonly type: 'mqtt'; readonly topic: string; readonly params?: Readonly<Record<string, Json>> }
  | { readonly type: 'amqp'; readonly routingKey: string; readonly params?: Readonly<Record<string, Json>> }
  | {
      readonly type: 'sop'
      readonly sop: string
      readonly on: readonly ('completed' | 'failed' | 'cancelled')[]
      readonly params?: Readonly<Record<string, Json>>
    }
  /** A type that this engine cannot serve, kept so that it is shown (dialect Z: `peripheral`, `calendar`). */
  | { readonly type: 'unserved'; readonly name: string; readonly settings: Readonly<Record<string, Json>> }
)

export const NOTIFICATION_TOGGLES = ['onApprovalRequired', 'onStepCompleted', 'onRunCompleted', 'onRunFailed'] as const
export type NotificationToggle = (typeof NOTIFICATION_TOGGLES)[number]

/** A setting of another system that is shown and changes nothing here (dialect Z). */
export interface Hint {
  readonly key: string
  readonly value: Json
  readonly step?: number
}

export const ON_RUN_TIMEOUT = ['fail', 'rollback'] as const
export type OnRunTimeout = (typeof ON_RUN_TIMEOUT)[number]

export interface SopDefinition {
  readonly format: 1
  readonly name: string
  readonly title: string
  readonly description: string
  readonly version: string
  readonly author?: string
  readonly owner?: string
  readonly tags?: readonly string[]
  readonly priority: Priority
  /** Absent: the config's default mode. */
  readonly mode?: ExecutionMode
  readonly cooldownMs: number
  /** Absent: no limit. */
  readonly maxConcurrent?: number
  /** Executions of one run at once, items of `for_each` included. */
  readonly maxParallel?: number
  readonly admission: Admission
  readonly releaseSlotAtGate?: boolean
  readonly locks?: readonly string[]
  readonly blackout?: readonly string[]
  readonly holidays?: readonly string[]
  /** What happens to a run that comes in a blackout or on a holiday. Absent: it is refused. */
  readonly blackoutPolicy?: BlackoutPolicy
  readonly timezone?: string
  /** Time for the whole run. */
  readonly timeoutMs?: number
  /** What happens when that time is over. Absent: fail. */
  readonly onRunTimeout?: OnRunTimeout
  /** Default for gates that set none; `null` is "none". Absent: the config's. */
  readonly approvalTimeoutMs?: number | null
  readonly params?: readonly Param[]
  readonly conditions?: { readonly requires?: readonly Condition[]; readonly expression?: Condition }
  readonly gates?: readonly SopGate[]
  readonly triggers: readonly Trigger[]
  readonly notifications?: { readonly [T in NotificationToggle]?: boolean } & { readonly channel?: string }
  /** Names of secrets that every shell step may read. */
  readonly secrets?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
  readonly hints?: readonly Hint[]
  /** Sentences that keep every run from starting: settings of another system that change what a run may do. */
  readonly refusals?: readonly string[]
  readonly dialect: Dialect
}
