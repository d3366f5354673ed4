// deps.ts: the ports that activities need. Adapters implement them; only a `main` knows which.

import type { AdmissionAnswer, AdmissionRequest } from '../core/admission.ts'
import type { FiledDay } from '../core/blackout.ts'
import type { Json } from '../core/definition.ts'
import type { Head, HeadDraft, HeadMark, KnownHead } from '../core/heads.ts'
import type { Cell, CellSelection } from '../core/metrics/ledger.ts'
import type { OpenRuns } from '../core/run/census.ts'
import type { RecordedEvent, RunEvent } from '../core/run/event.ts'
import type { ChildResult } from '../core/run/input.ts'
import type { PinnedSop } from '../core/run/run.ts'
import type { RunPage, RunSelection } from '../core/run/run-filter.ts'
import type { RunChanges, RunVersion } from '../core/run/run-list.ts'
import type { ExecutableId } from '../core/run/task.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { StoredDefinition, StoredRecord } from '../core/verify/stored-record.ts'

/** What the store needs to know of a run besides its events: given once, with its first batch. */
export interface RunHeader {
  readonly runId: string
  readonly sop: string
  /** Which of Temporal's executions tells the events: a reset makes another one of the same run. */
  readonly executionId?: string
}

/**
 * The append-only record of events, one hash chain per run. Whether several processes may append is the adapter's affair:
 * files have one writer, a database has as many as there are workers.
 */
export interface AuditStore {
  /**
   * Appends the events that are not there yet and makes them durable. Idempotent by (run, sequence); events up to the
   * last stored sequence are passed over, so a retry cannot write twice.
   *
   * @returns the highest sequence that the record holds afterwards. When the store cannot be written it returns the
   * old one instead of throwing: the caller keeps the tail (engine.md 2, "store down").
   */
  append(run: RunHeader, events: readonly RunEvent[]): Promise<number>
  /** The events of a run in order, those after a sequence alone where one is given; empty for an unknown run. */
  read(runId: string, after?: number): Promise<readonly RecordedEvent[]>
  /** Keeps a definition under its digest, so that a run's view can be made of its record alone. Idempotent. */
  keepDefinition(pinned: PinnedSop): Promise<void>
  readDefinition(digest: string): Promise<PinnedSop | undefined>
  /** Keeps the text that a definition was compiled of, by path. The first one stays: others of the same digest mean the same. */
  keepSource(digest: string, source: SopSource): Promise<void>
  readSource(digest: string): Promise<SopSource | undefined>
  /**
   * Removes the whole record of a run and keeps a line that says so. Idempotent: the first removal's line stays.
   *
   * @returns false where the record is not as long as the removal says: it went on meanwhile, and stays
   */
  remove(removal: RecordRemoval): Promise<boolean>
  /** That line, if the record of the run was removed. */
  removal(runId: string): Promise<RecordRemoval | undefined>
  /** Removes definitions, and their sources, that nobody has asked to keep since `before`. @returns how many */
  removeDefinitions(isUsed: (digest: string) => boolean, before: Date): Promise<number>
}

/** What stays of a record that was removed; the chain of heads has the same, signed. */
export interface RecordRemoval {
  readonly runId: string
  readonly sop: string
  readonly removedAt: string
  /** Completes "the record was removed because …". */
  readonly reason: string
  /** How many events there were, and the hash of the last. */
  readonly events: number
  readonly lastHash: string
  readonly openedAt?: string
  readonly closedAt?: string
}

/** Text of the files of an SOP, by path. */
export type SopSource = Readonly<Record<string, string>>

/**
 * Hears of events once they are durable, in order for each run: projections and files for other programs. Told again
 * after a crash, so it goes by the sequence; what it throws is logged and never fails an append.
 */
export interface AuditListener {
  /** `history` reads all events of the run up to these, for a listener that has not seen the earlier ones. */
  appended(
    run: RunHeader,
    events: readonly RecordedEvent[],
    history: () => Promise<readonly RecordedEvent[]>,
  ): Promise<void>
}

/**
 * The chain of heads of a store (core/heads.ts). Off every step's critical path: a head tells of events that are durable.
 * Whoever copies a store copies the heads before the records, so that no head vouches for what the copy lacks.
 */
export interface HeadStore {
  /**
   * Signs the drafts that say something new and appends them in their order, all or none.
   *
   * @returns the new entries, durable by then; none for a draft that was told before
   * @throws SopError `unavailable` when the store cannot be written: nothing is known to be stored, tell it again
   */
  append(drafts: readonly HeadDraft[]): Promise<readonly Head[]>
  /** The newest entries of those runs that the chain knows. */
  known(runIds: readonly string[]): Promise<ReadonlyMap<string, KnownHead>>
  /** The whole chain in the order in which it is stored, in pieces, as it is: nothing is checked. */
  scan(): AsyncIterable<readonly HeadLine[]>
  /** Where the chain ends; index 0 where there is none. */
  end(): Promise<HeadMark>
}

/** One entry where it stands. */
export interface HeadLine {
  /** As people find it: `heads/heads.jsonl`, or a table. */
  readonly file: string
  /** From 1; the row's index in a database. */
  readonly line: number
  /** Absent where the line cannot be read. */
  readonly head?: Head
  /** The text is not how an engine writes the entry: white space, other order of keys, a key twice. */
  readonly isRewritten?: true
}

/** Records as they lie in the store, for whoever checks them: nothing is repaired, passed over or believed. */
export interface RawRecords {
  /** Ids of all runs that have a record, in pieces. */
  ids(): AsyncIterable<readonly string[]>
  /** Undefined where the run has no record. */
  read(runId: string): Promise<StoredRecord | undefined>
  definition(digest: string): Promise<StoredDefinition | undefined>
}

/** The list of runs, projected from the appends; it outlives Temporal's retention. */
export interface RunIndex {
  list(filter: RunFilter): Promise<readonly RunSummary[]>
  /** The same as a page: with a cursor for the next one, and the number of all on the first. */
  page(filter: RunFilter): Promise<RunPage>
  /** The definitions that runs of an SOP ran by, the one of the newest run first. */
  versions(sop: string): Promise<readonly RunVersion[]>
  get(runId: string): Promise<RunSummary | undefined>
  /** How many runs are open, by SOP and state. */
  census(): Promise<readonly OpenRuns[]>
  /** What changed since the cursor; without one nothing, and where to begin. A change is never passed over. */
  changes(cursor?: string): Promise<RunChanges>
  /** Takes a run off the list whose record was removed. Idempotent. */
  remove(runId: string): Promise<void>
}

export type RunFilter = RunSelection
/** The sums of what runs added to the metrics, projected from the appends; they outlive the records. */
export interface MetricsStore {
  /** From a day on, by day; without one the sums since the beginning. */
  cells(selection?: CellSelection): Promise<readonly Cell[]>
}

/** The logs of steps: bytes by offset. What is stored never changes; a sweep removes whole runs. */
export interface LogStore {
  /**
   * Opens the log of one execution of a step for appending; a closed one goes on. `stored`: bytes that it is known to have, for
   * a store that cannot look now; default 0.
   */
  open(key: LogKey, stored?: number): Promise<LogWriter>
  /** Reads up to `limit` bytes from `offset`. Empty when there is no such log. */
  read(key: LogKey, offset: number, limit: number): Promise<LogPiece>
  /** The logs that a run has, in the order of their steps and attempts. */
  list(runId: string): Promise<readonly LogKey[]>
  /** What the store holds, run by run: for the sweep that keeps it within its limits. */
  usage(): Promise<readonly RunLogUsage[]>
  /** Removes all logs of a run, and keeps a line that says so. Idempotent: the first removal's line stays. */
  remove(runId: string, removal: LogRemoval): Promise<void>
  /** That line, if logs of the run were removed. */
  removal(runId: string): Promise<LogRemoval | undefined>
}
export interface LogKey {
  readonly runId: string
  readonly executableId: ExecutableId
  readonly attempt: number
}
export interface LogPiece {
  readonly bytes: Uint8Array
  /** The present size of the log. */
  readonly end: number
  /** Its writer closed it. Absent while it is written, and for ever where the writer was killed. */
  readonly isClosed?: true
  /** Bytes of output that were not kept, since a limit was reached. Absent: it is whole. */
  readonly cutBytes?: number
  /** Since when the store takes nothing: the end of the log is kept beside it. ISO-8601 UTC. */
  readonly heldSince?: string
}
export interface LogWriter {
  /** Bytes that the log had when it was opened. */
  readonly size: number
  write(bytes: Uint8Array): Promise<void>
  /** Notes durably that so many bytes of output, in all, are not in the log. */
  cut(bytes: number): Promise<void>
  close(): Promise<ClosedLog>
  /** Lets go of the log without closing it: more will come, perhaps by another writer. */
  release(): Promise<void>
}
/** A log as it was when its writer closed it. */
export interface ClosedLog {
  readonly bytes: number
  /** Of the whole log, in hex. Absent: nobody knows it. */
  readonly sha256?: string
  /** The store had not taken all of it by then: the rest is on its way. */
  readonly isPending?: true
}
export interface RunLogUsage {
  readonly runId: string
  readonly bytes: number
  /** When any of its logs was last written to; ISO-8601 UTC. */
  readonly writtenAt: string
}
/** Why the logs of a run are gone. */
export interface LogRemoval {
  readonly removedAt: string
  readonly bytes: number
  /** Completes "they were removed on … because …". */
  readonly reason: string
}

/** Values of declared secrets, by name. Resolved only inside the worker. */
export interface Secrets {
  /** @throws SopError `invalid` that names the secret and where it was looked for. */
  get(name: string): Promise<string>
}

/** Values of params that are declared `secret`: kept outside of every history and record. */
export interface Vault {
  put(runId: string, name: string, value: string): Promise<void>
  get(runId: string, name: string): Promise<string | undefined>
  drop(runId: string): Promise<void>
}

/** Checks a warrant: does this installation vouch for the executable? */
export type VerifyWarrant = (warrant: {
  digest: string
  executableId: ExecutableId
  executable: unknown
  warrant: string
}) => boolean

/** Finds, compiles, digests and signs the SOP of that name. @throws SopError `not_found` or `invalid`. */
export type PinSop = (name: string) => Promise<PinnedSop>

/** Answers facts: built-ins, config facts, allowed environment values. */
export type ResolveFact = (name: string, timezone: string | undefined) => Promise<Json>

/** The days that a file among the holidays of an SOP holds. @throws SopError `not_found` or `invalid` */
export type ReadHolidays = (sop: string, file: string) => Promise<readonly FiledDay[]>

/** Speaks to the admission workflow for a run. */
export interface AdmissionPort {
  /** The answer, where it is there at once; else it comes to the run by signal, as what follows on "queued" does. */
  request(request: AdmissionRequest): Promise<AdmissionAnswer | undefined>
  release(runId: string): Promise<void>
  /** The slot alone, of the run's grant with that number. */
  yield(place: { readonly runId: string; readonly turn: number }): Promise<void>
  /** Which of these runs are closed or unknown. */
  findGone(runIds: readonly string[]): Promise<readonly string[]>
}

/** Asks Temporal to cancel the run's execution: what a cancelled run does to itself, so that it closes as Canceled. */
export type RequestCancel = (runId: string) => Promise<void>

/** What Temporal knows of a command in the queue of a pool. */
export interface PoolPort {
  /** `taken`: a worker has begun it, or it is over. `no_worker`: nobody has asked the queue for work of late. */
  look(command: PoolLook): Promise<'taken' | 'offered' | 'no_worker'>
}
export interface PoolLook {
  readonly runId: string
  readonly activityId: string
  readonly queue: string
}

/** An execution of a command, as a run knows it. */
export interface CommandRef {
  readonly runId: string
  readonly executableId: ExecutableId
  readonly stepNumber: number
  readonly attempt: number
}

/** How runs ended that other runs wait for. */
export interface RunEnds {
  /** `undefined` while the run is open; a run that nobody knows has failed. */
  find(runId: string): Promise<ChildResult | undefined>
}

/** Signs text with the key of the installation: a start that it signed is taken at its word. */
export type Seal = (text: string) => string

export interface ActivityDeps {
  readonly runEnds: RunEnds
  readonly seal: Seal
  readonly audit: AuditStore
  readonly logs: LogStore
  readonly secrets: Secrets
  readonly vault: Vault
  readonly verifyWarrant: VerifyWarrant
  readonly pinSop: PinSop
  readonly resolveFact: ResolveFact
  /** Absent where there is no SOP directory. */
  readonly readHolidays?: ReadHolidays
  readonly admission: AdmissionPort
  readonly pools: PoolPort
  readonly requestCancel: RequestCancel
  /** Names of environment variables that shell steps inherit besides the fixed list (config `env_passthrough`). */
  readonly envPassthrough: readonly string[]
  /** Where steps run unless they say otherwise; absolute. */
  readonly workdir: string
  /** Parent of the scratch folder of each run (`SOP_RUN_DIR`); absolute. */
  readonly scratchDir: string
  /** Time between TERM and KILL, in milliseconds. */
  readonly killGraceMs: number
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The host whose spool lies in the scratch folder; its worker polls a queue of this name. */
  readonly hostId?: string
  /** Whether the run still waits for this execution. Absent: it does as long as the run is open. */
  readonly isWanted?: (command: CommandRef) => Promise<boolean>
  /** Which host began the activity; undefined when none did. */
  readonly findHost?: (activity: ActivityRef) => Promise<string | undefined>
  /**
   * When this installation came up from a backup, in milliseconds since 1970: what was called for before then may have run
   * after the backup was made.
   */
  readonly restoredAtMs?: number
  /** Told of a command that a lost worker had left running and that was ended. */
  readonly onOrphan?: (orphan: { runId: string; executableId: ExecutableId; processGroup: number }) => void
}

/** One activity of one workflow execution. */
export interface ActivityRef {
  readonly runId: string
  readonly executionId: string
  readonly activityId: string
}
