import type { RecordedEvent } from '../core/run/event.ts'
import type { PinnedSop } from '../core/run/run.ts'
import type { ExecutableId } from '../core/run/task.ts'
import type { RunSummary } from '../core/run/view.ts'
import type { RunListFilter } from './client.ts'

// records.ts: the reading side of the stores, as the client needs it. The adapters that activities write with satisfy it.

/** Names one log of a run. */
export interface RecordedLog {
  readonly runId: string
  readonly executableId: ExecutableId
  readonly attempt: number
}

export interface Records {
  readonly audit: {
    read(runId: string): Promise<readonly RecordedEvent[]>
    readDefinition(digest: string): Promise<PinnedSop | undefined>
    keepDefinition(pinned: PinnedSop): Promise<void>
  }
  readonly index: {
    list(filter: RunListFilter): Promise<readonly RunSummary[]>
    get(runId: string): Promise<RunSummary | undefined>
  }
  readonly logs: {
    read(log: RecordedLog, offset: number, limit: number): Promise<{ readonly bytes: Uint8Array; readonly end: number }>
    list(runId: string): Promise<readonly RecordedLog[]>
  }
  /** Where values of secret params go, instead of into a history. */
  readonly vault: {
    put(runId: string, name: string, value: string): Promise<void>
  }
}
