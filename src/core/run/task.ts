import type { Action, Command, Json } from '../definition.ts'
import type { Outcome, RunEvent } from './event.ts'

// task.ts: what the workflow asks of the activities, and what they answer. JSON-safe; arguments and results stand in
// the workflow's history, so secrets travel as names only.

/** Largest tail of a step's output that enters history, in bytes (product.md 4). */
export const OUTPUT_TAIL_BYTES = 64 * 1024

/**
 * What a command task runs. It is what the warrant signs, so a worker runs only what this installation compiled; with
 * `runsOn` only a worker of that pool does.
 */
export type Executable =
  | {
      readonly kind: 'shell'
      readonly commands: readonly Command[]
      readonly cwd?: string
      readonly shell?: string
      readonly env?: Readonly<Record<string, string>>
      readonly secrets?: readonly string[]
      readonly runsOn?: string
    }
  | (Extract<Action, { kind: 'http' }> & { readonly secrets?: readonly string[]; readonly runsOn?: string })

/** Names one executable inside a definition: `step:3`, `verify:3`, `rollback:3`, `gate:post_patch`. */
export type ExecutableId = `${'step' | 'verify' | 'rollback' | 'gate'}:${string}`

/** Signatures of a definition's executables by the key of the installation; base64 by executable id. */
export type Warrants = Readonly<Record<string, string>>

export interface CommandTask {
  readonly runId: string
  readonly sop: string
  readonly digest: string
  readonly executableId: ExecutableId
  readonly executable: Executable
  readonly warrant: string
  readonly stepNumber: number
  readonly attempt: number
  /** How often the worker of this very execution was lost before: a check that is made again. */
  readonly lost?: number
  /** For a `for_each` step: which item, from 1, and its value (`$item`, `$SOP_ITEM`). */
  readonly item?: { readonly number: number; readonly value: Json }
  readonly title: string
  readonly params: Readonly<Record<string, Json>>
  /** Names of params whose value is a reference into the worker's vault (`secret: true`). */
  readonly secretParams?: readonly string[]
  readonly outputs: Readonly<Record<string, Json>>
  /** `SOP_TRIGGER_*`, without the prefix, lower case. */
  readonly trigger: Readonly<Record<string, string>>
  /** `null`: no limit. */
  readonly timeoutMs: number | null
  /** Events to append to the record before the command starts (engine.md 2, carry). */
  readonly events: readonly RunEvent[]
}

/** What the log of an execution is called: the executable, with the item where it is one of several: `step:3[5]`. */
export const logIdOf = ({ executableId, item }: Pick<CommandTask, 'executableId' | 'item'>): ExecutableId =>
  item === undefined ? executableId : `${executableId}[${item.number}]`

/** Expected failure is a result: only surprise is thrown. */
export interface CommandResult {
  readonly outcome: Exclude<Outcome, 'lost'>
  readonly exitCode?: number
  readonly signal?: string
  /** One sentence, when the outcome is not `ok`. */
  readonly error?: string
  readonly durationMs: number
  /** Last `OUTPUT_TAIL_BYTES` of stdout and stderr as they came, secrets masked. */
  readonly output: string
  readonly outputs: Readonly<Record<string, Json>>
  /** Size of the step's whole log. */
  readonly logBytes: number
  /** SHA-256 of it, in hex. */
  readonly logSha256?: string
  /** The store of the engine had all of it by then. */
  readonly logStored?: true
  /** Highest sequence that the record holds now. */
  readonly ackedSeq: number
  /** Its worker was lost meanwhile, and this host kept it. */
  readonly adopted?: string
}

/** Names one execution of a command to the host that has it. */
export interface ProbeTask {
  readonly runId: string
  /** Temporal's execution, and the activity in it that was lost. */
  readonly executionId: string
  readonly activityId: string
}

/**
 * What a host knows of an execution. `adoptable`: it runs, or ended there and its result is kept. `never`: it never began
 * and will not. `none`: nothing is known of it here. `lost`: it began, and nobody can know any more how it ended.
 */
export type ProbeAnswer =
  | { readonly state: 'adoptable' | 'never' | 'none' }
  | { readonly state: 'lost'; readonly reason: string }

export interface AdoptTask {
  readonly task: CommandTask
  readonly lost: ProbeTask
  /** The run wants it to end at once. */
  readonly end?: true
}

export interface RecordTask {
  readonly runId: string
  readonly sop: string
  readonly events: readonly RunEvent[]
  /** Fails, to be tried again, while the store takes none of them. */
  readonly patiently?: true
}
export interface RecordResult {
  readonly ackedSeq: number
}

export interface FactsTask {
  readonly runId: string
  /** Built-ins, config facts, `env.<NAME>`, or `until:<HH:MM>` (answers an ISO instant). */
  readonly names: readonly string[]
  readonly timezone?: string
  /** What `blackout` is about. */
  readonly calendar?: {
    readonly sop: string
    readonly blackout?: readonly string[]
    readonly holidays?: readonly string[]
  }
}
export interface FactsResult {
  readonly values: Readonly<Record<string, Json>>
  /** Why a name has no value. */
  readonly errors?: Readonly<Record<string, string>>
}
