import type { Cell, CellSelection } from '../core/metrics/ledger.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import type { PinnedSop } from '../core/run/run.ts'
import type { RunPage } from '../core/run/run-filter.ts'
import type { RunChanges, RunVersion } from '../core/run/run-list.ts'
import type { ExecutableId } from '../core/run/task.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { StoredHead } from '../core/verify/chain.ts'
import type { StoredDefinition, StoredRecord } from '../core/verify/stored-record.ts'
import type { RunListFilter } from './client.ts'

// records.ts: the reading side of the stores, as the client needs it. The adapters that activities write with satisfy it.

/** Names one log of a run. */
export interface RecordedLog {
  readonly runId: string
  readonly executableId: ExecutableId
  readonly attempt: number
}

/** A stretch of a log. */
export interface RecordedPiece {
  readonly bytes: Uint8Array
  /** The present size of the log. */
  readonly end: number
  /** Its writer closed it. */
  readonly isClosed?: true
  /** Bytes of output that were not kept, since a limit was reached. */
  readonly cutBytes?: number
  /** Since when the store takes nothing: the end of the log is kept beside it. */
  readonly heldSince?: string
}

export interface Records {
  readonly audit: {
    read(runId: string, after?: number): Promise<readonly RecordedEvent[]>
    readDefinition(digest: string): Promise<PinnedSop | undefined>
    keepDefinition(pinned: PinnedSop): Promise<void>
    /** Why and when the record of a run was removed, if it was. */
    removal(
      runId: string,
    ): Promise<
      { readonly sop: string; readonly removedAt: string; readonly reason: string; readonly events: number } | undefined
    >
    readSource(digest: string): Promise<Readonly<Record<string, string>> | undefined>
  }
  readonly index: {
    list(filter: RunListFilter): Promise<readonly RunSummary[]>
    page(filter: RunListFilter): Promise<RunPage>
    versions(sop: string): Promise<readonly RunVersion[]>
    get(runId: string): Promise<RunSummary | undefined>
    changes(cursor?: string): Promise<RunChanges>
  }
  readonly metrics: {
    cells(selection?: CellSelection): Promise<readonly Cell[]>
  }
  readonly logs: {
    read(log: RecordedLog, offset: number, limit: number): Promise<RecordedPiece>
    list(runId: string): Promise<readonly RecordedLog[]>
    removal(runId: string): Promise<{ readonly removedAt: string; readonly reason: string } | undefined>
  }
  /** Where values of secret params go, instead of into a history. */
  readonly vault: {
    put(runId: string, name: string, value: string): Promise<void>
  }
}

/** The same side for whoever checks records. */
export interface CheckedRecords extends Records {
  /** The chain of heads, as it is. */
  readonly heads: {
    scan(): AsyncIterable<readonly StoredHead[]>
    known(runIds: readonly string[]): Promise<{ has(runId: string): boolean }>
  }
  /** Waits until the heads of what this process recorded so far are written. */
  flushHeads(): Promise<void>
  /** Records as they lie in the store, for whoever checks them. */
  readonly raw: {
    ids(): AsyncIterable<readonly string[]>
    read(runId: string): Promise<StoredRecord | undefined>
    definition(digest: string): Promise<StoredDefinition | undefined>
  }
}
