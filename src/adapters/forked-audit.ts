import type { AuditStore, RunHeader } from '../activities/deps.ts'
import type { RunEvent } from '../core/run/event.ts'
import { forRecord, offsetOf } from '../core/run/fork.ts'

// forked-audit.ts: an audit store that marks where a run was reset in Temporal (core/run/fork.ts). Around any store.

/** Runs of which it is kept in mind how far the record is. */
const MAX_RUNS = 500

interface Known {
  /** Last sequence of the record. */
  readonly last: number
  readonly offset: number
  readonly executionId?: string
}

/** The store, with a mark before what a reset run tells anew. Sequences that go in and come out are the run's own. */
export const markForks = (audit: AuditStore): AuditStore => {
  const known = new Map<string, Known>()
  const turns = new Map<string, Promise<unknown>>()

  const remember = (runId: string, now: Known): void => {
    known.delete(runId)
    known.set(runId, now)
    for (const first of known.keys()) {
      if (known.size <= MAX_RUNS) break
      known.delete(first)
    }
  }
  const recall = async (runId: string): Promise<Known> => {
    const found = known.get(runId)
    if (found !== undefined) return found
    const record = await audit.read(runId)
    return { last: record.at(-1)?.sequence ?? 0, offset: offsetOf(record) }
  }

  const append = async (run: RunHeader, events: readonly RunEvent[], isSecond = false): Promise<number> => {
    const before = await recall(run.runId)
    const first = events[0]
    const isNews = first === undefined || first.sequence + before.offset > before.last
    const record = isNews ? [] : await audit.read(run.runId)
    const taken = isNews
      ? events.map((event) => (before.offset === 0 ? event : { ...event, sequence: event.sequence + before.offset }))
      : forRecord({
          record,
          events,
          ...(run.executionId !== undefined && { executionId: run.executionId }),
          ...(before.executionId !== undefined && { lastExecutionId: before.executionId }),
        })
    const last = await audit.append(run, taken)
    if (!isSecond && last > Math.max(before.last, taken.at(-1)?.sequence ?? 0)) {
      // Another process wrote meanwhile, maybe a mark: the store took what it did not know, and is asked again.
      known.delete(run.runId)
      return append(run, events, true)
    }
    const offset = isNews ? before.offset : offsetOf([...record, ...taken.filter(({ sequence }) => sequence <= last)])
    const executionId = run.executionId ?? before.executionId
    remember(run.runId, { last, offset, ...(executionId !== undefined && { executionId }) })
    return Math.max(0, last - offset)
  }

  return {
    ...audit,
    append: (run, events) => {
      const turn = (turns.get(run.runId) ?? Promise.resolve()).then(() => append(run, events))
      const settled = turn
        .catch(() => known.delete(run.runId))
        .then(() => {
          if (turns.get(run.runId) === settled) turns.delete(run.runId)
        })
      turns.set(run.runId, settled)
      return turn
    },
  }
}
