import type { RunEvent } from '../run/event.ts'
import { advance } from './trace.ts'
import type { Delta, RunTrace } from './open-run.ts'

/** Where a run stands after its events, and what those after a sequence added. */
export interface Counted {
  readonly trace: RunTrace | undefined
  readonly deltas: readonly Delta[]
}

/**
 * Counts a whole record, and tells what its events after `after` (default 0: all) added. Counting it piece by piece tells
 * the same deltas. Where the run was reset in Temporal, what counts no more is taken back (core/run/fork.ts).
 */
export const replay = (record: readonly RunEvent[], sop: string, after = 0): Counted => {
  /** Of the events that still count: what each added, and the trace behind it. */
  let counting: { readonly trace: RunTrace; readonly deltas: readonly Delta[] }[] = []
  const told: Delta[] = []
  for (const event of record) {
    if (event.eventType === 'run_forked') {
      const kept = event.details.runSequence - 1
      const gone = counting.slice(kept).flatMap(({ deltas }) => deltas)
      counting = counting.slice(0, kept)
      if (event.sequence > after) told.push(...gone.map((delta) => ({ ...delta, sign: -delta.sign as 1 | -1 })))
      continue
    }
    const next = advance(counting.at(-1)?.trace, event, sop)
    counting.push(next)
    if (event.sequence > after) told.push(...next.deltas)
  }
  const [trace, last] = [counting.at(-1)?.trace, record.at(-1)?.sequence]
  return { trace: trace === undefined || last === undefined ? trace : { ...trace, sequence: last }, deltas: told }
}

/** Whether the events can be counted on top of the trace; if not, the whole record has to be read. */
export const follows = (trace: RunTrace | undefined, events: readonly RunEvent[]): boolean =>
  events[0]?.sequence === (trace?.sequence ?? 0) + 1 && events.every(({ eventType }) => eventType !== 'run_forked')

/** Counts events on top of a trace that they follow. */
export const countOn = (trace: RunTrace | undefined, events: readonly RunEvent[], sop: string): Counted => {
  const deltas: Delta[] = []
  let now = trace
  for (const event of events) {
    const next = advance(now, event, sop)
    now = next.trace
    deltas.push(...next.deltas)
  }
  return { trace: now, deltas }
}
