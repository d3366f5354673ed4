import type { RecordedEvent } from '../core/run/event.ts'
import type { RunChanges } from '../core/run/run-list.ts'
import { isClosed } from '../core/run/state.ts'
import type { ChangeWatch } from './change-watch.ts'
import type { Records } from './records.ts'

// follow-run.ts: what happens to runs, as it gets on record. A reader is asked for the next piece only when it took the
// last one, and keeps nothing but its place: a slow one costs no memory.

export interface WatchDeps {
  readonly records: Pick<Records, 'audit' | 'index'>
  readonly watch: ChangeWatch
}

/** The events of a run after a sequence, those to come included; ends when the run is closed and all was told. */
export async function* followEvents(
  { records, watch }: WatchDeps,
  runId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  let at = after
  while (!signal.aborted) {
    const wake = await watch.arm(runId)
    try {
      const events = await records.audit.read(runId, at)
      for (const event of events) {
        yield event
        if (signal.aborted) return
        at = event.sequence
      }
      const summary = await records.index.get(runId)
      if (summary !== undefined && isClosed(summary.status) && summary.sequence <= at) return
      await wake.wait(signal)
    } finally {
      wake.release()
    }
  }
}

/** The runs that change, each as it is then. First an empty batch, which says where a reader that comes back begins. */
export async function* followChanges(
  { records, watch }: WatchDeps,
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<RunChanges> {
  let changes = await records.index.changes(cursor)
  yield changes
  while (!signal.aborted) {
    const wake = await watch.arm()
    try {
      changes = await records.index.changes(changes.cursor)
      if (changes.runs.length > 0 || changes.reset === true) yield changes
      else await wake.wait(signal)
    } finally {
      wake.release()
    }
  }
}
