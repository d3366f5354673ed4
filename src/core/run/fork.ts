import { canonicalJson } from '../canonical.ts'
import type { RunEvent } from './event.ts'
import { ENGINE } from './principal.ts'

// fork.ts: a workflow that was reset in Temporal goes back and tells a part of its run once more, in other words. The
// record keeps both: the mark `run_forked` says from which event on what stands before it counts no more, and what is told
// anew follows it (docs/decisions/0012). Two countings meet here: the record's, without gaps, and the run's own, which a
// reset turns back.

type Forked = RunEvent<'run_forked'>

const isMark = (event: RunEvent): event is Forked => event.eventType === 'run_forked'

/** The events that still count, in their order, with the record's sequences. Without a mark these are all. */
export const effectiveEvents = <E extends RunEvent>(events: readonly E[]): readonly E[] => {
  if (!events.some(isMark)) return events
  let counting: E[] = []
  for (const event of events) {
    if (isMark(event)) counting = counting.slice(0, event.details.runSequence - 1)
    else counting.push(event)
  }
  return counting
}

/** How far the record's sequences are ahead of the run's own, after its last mark. */
export const offsetOf = (events: readonly RunEvent[]): number => {
  const mark = events.findLast(isMark)
  return mark === undefined ? 0 : mark.sequence + 1 - mark.details.runSequence
}

/** What an event says, wherever it stands. */
const content = ({ timestamp, eventType, stepNumber, principal, via, details }: RunEvent): string =>
  canonicalJson({ timestamp, eventType, stepNumber: stepNumber ?? null, principal, via, details })

/** The same without its instant. */
const timeless = (event: RunEvent): string => content({ ...event, timestamp: '' })

export interface Told {
  /** The record so far. */
  readonly record: readonly RunEvent[]
  /** Events with the run's own sequences. */
  readonly events: readonly RunEvent[]
  /** The execution that tells them, where it is known. */
  readonly executionId?: string
  /** The execution that told the last events of the record, where that is known. */
  readonly lastExecutionId?: string
}

/**
 * The events that the record has to take: with its sequences, without those that it has, and with a mark before the first that contradicts it.
 *
 * An event that only has another instant contradicts the record if another execution tells it. Otherwise it is the same
 * one, told again by a worker that took over: what is stored stays.
 */
export const forRecord = ({ record, events, executionId, lastExecutionId }: Told): readonly RunEvent[] => {
  const offset = offsetOf(record)
  const last = record.at(-1)?.sequence ?? 0
  const isOther = executionId !== undefined && lastExecutionId !== undefined && executionId !== lastExecutionId
  const same = (stored: RunEvent, event: RunEvent): boolean =>
    content(stored) === content(event) || (!isOther && timeless(stored) === timeless(event))
  const bySequence = new Map(record.map((event) => [event.sequence, event]))
  const at = events.findIndex((event) => {
    const stored = bySequence.get(event.sequence + offset)
    return stored !== undefined && !same(stored, event)
  })
  const first = events[at]
  const news = (told: readonly RunEvent[]): readonly RunEvent[] =>
    moved(told, offset).filter(({ sequence }) => sequence > last)
  if (first === undefined) return news(events)
  // The last words of an execution that was reset, come late: they stand in the record already.
  if (events.slice(at).every((event) => record.some((stored) => content(stored) === content(event)))) {
    return news(events.slice(0, at))
  }
  const mark = markFor(last + 1, first, first.sequence + offset, executionId)
  return [...news(events.slice(0, at)), mark, ...moved(events.slice(at), mark.sequence + 1 - first.sequence)]
}

const moved = (events: readonly RunEvent[], offset: number): readonly RunEvent[] =>
  offset === 0 ? events : events.map((event) => ({ ...event, sequence: event.sequence + offset }))

const markFor = (sequence: number, first: RunEvent, fromSequence: number, executionId: string | undefined): Forked => ({
  sequence,
  timestamp: first.timestamp,
  eventType: 'run_forked',
  runId: first.runId,
  principal: ENGINE,
  via: 'temporal',
  details: {
    fromSequence,
    runSequence: first.sequence,
    reason: `the run was reset in Temporal: events ${fromSequence} to ${sequence - 1} count no more`,
    ...(executionId !== undefined && { executionId }),
  },
})
