import type { NewSop, SopClient, SopSummary } from '../client/client.ts'
import type { TokenClient } from '../client/http.ts'
import type { ExportCheck } from '../core/verify/export.ts'
import type { Diagnostic } from '../core/diagnostic.ts'

/** What the verbs need of the rest of the program. `wire.ts` builds them; tests hand in fakes. */
export interface Ports {
  /** The engine at `url`, else the configured one, else the local one. Throws `unavailable` when there is none. */
  connect(at: { readonly url?: string }): Promise<SopClient>
  tokens(at: { readonly url?: string }): Promise<TokenClient>
  /** Shows an address in a browser, where there is one. */
  browse(url: string): Promise<void>
  /** The SOP directory of this machine, without an engine. */
  files(): Promise<SopFiles>
  settings(): Promise<readonly Setting[]>
  /** Runs the engine until it is told to stop. Returns the exit code. `json`: nothing on standard output. */
  serve(options: { readonly welcome: boolean; readonly worker: boolean; readonly json: boolean }): Promise<number>
  /** Runs a worker until it is told to stop. */
  worker(options: WorkerStart): Promise<number>
  /** Replays the open runs of the configured cluster against this build. */
  checkUpgrade(options: { readonly concurrency: number; readonly json: boolean }): Promise<CheckedUpgrade>
  /** Files that hold exported runs. */
  readonly exports: ExportFiles
  /** Makes an archive of the data directory of this machine, also while its engine runs. */
  backUp(out: string): Promise<BackedUp>
  /** Makes a data directory of an archive. */
  restore(file: string, to: string): Promise<RestoredBackup>
  /** Lets the engine of the data directory of this machine go on, that came up from a backup. */
  confirmRestore(): Promise<ConfirmedRestore>
  version(): Promise<string>
}

export interface ExportFiles {
  /** Checks the file without an engine; undefined where there is none at that path. */
  check(path: string, keys: readonly string[]): Promise<ExportCheck | undefined>
  /** Writes the lines to a new file, all or nothing. `conflict` where there is one already. */
  save(path: string, lines: AsyncIterable<string>): Promise<{ readonly bytes: number }>
}

export interface BackedUp {
  readonly file: string
  readonly bytes: number
  readonly files: number
  readonly at: string
  /** How long Temporal's server stood still, in milliseconds; absent where none ran. */
  readonly pausedMs?: number
  /** Where the chain of heads ended; absent where there is none. */
  readonly head?: { readonly index: number; readonly hash: string }
}
export interface RestoredBackup {
  readonly dataDir: string
  readonly backupAt: string
  readonly madeBy: string
  readonly files: number
}
export interface ConfirmedRestore {
  readonly dataDir: string
  readonly backupAt: string
  readonly confirmedAt: string
}

/** What the replay of the open runs came to. */
export interface CheckedUpgrade {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string }
  readonly checked: number
  readonly closed: number
  readonly fine: number
  /** What the state that each replay came to was held against. */
  readonly comparedWith: Readonly<Record<'run' | 'record' | 'nothing', number>>
  readonly broken: readonly CheckedRun[]
  readonly noted: readonly CheckedRun[]
}
interface CheckedRun {
  readonly runId: string
  readonly sop?: string
  readonly status?: string
  readonly breaks: readonly UpgradeFinding[]
  readonly notes: readonly UpgradeFinding[]
}
interface UpgradeFinding {
  readonly kind: string
  readonly message: string
  readonly eventId?: number
  readonly differences?: readonly { readonly path: string; readonly was?: string; readonly would?: string }[]
}

/** Without `pool` it is the worker of the engine, which owns the data directory. */
export interface WorkerStart {
  readonly json: boolean
  readonly pool?: string
  readonly labels?: readonly string[]
  readonly url?: string
  readonly token?: string
}

export interface SopFiles {
  readonly sopDir: string
  /** All SOPs of the directory, by name, broken ones last. */
  all(): Promise<readonly CheckedSop[]>
  /** The SOP at a path: a Markdown file, a manifest, or an SOP's folder. `not_found` if nothing is there. */
  at(path: string): Promise<readonly CheckedSop[]>
  create(sop: NewSop): Promise<{ readonly name: string; readonly files: readonly string[] }>
}

/** An SOP with its findings; all that `validate` needs. */
export type CheckedSop = Pick<SopSummary, 'name' | 'path'> & {
  readonly diagnostics: readonly Diagnostic[]
  readonly compiled: boolean
}

/** One setting of the configuration, secrets already masked. */
export interface Setting {
  readonly key: string
  readonly value: unknown
  /** Where the value came from: `default`, a file, or a variable. */
  readonly origin: string
}
