import { recordedSeed } from '../core/run/recorded-seed.ts'
import { SopError } from '../core/errors.ts'
import { effectiveEvents } from '../core/run/fork.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import type { Run, RunSeed } from '../core/run/run.ts'
import { type Timeline, type TimelineBuilder, timelineBuilder } from '../core/run/timeline.ts'
import type { Records } from './records.ts'

// recorded-runs.ts: runs as their records tell of them, kept for a while: whoever looks at a run asks about it after every
// event, and only the events that are new are read.

/** How long a run that has just begun may take to be on record, and the pause between two looks, in milliseconds. */
const RECORD_MS = 3_000
const RECORD_PAUSE_MS = 40

/** Runs that are kept. */
const KEPT = 30

export interface RecordedRun {
  readonly run: Run
  readonly timeline: () => Timeline
  /** Sequence of the last event of the record. */
  readonly sequence: number
}

export interface RecordedRuns {
  /** @throws SopError `unavailable` where the run is not on record yet */
  get(runId: string): Promise<RecordedRun>
}

interface Kept {
  readonly seed: RunSeed
  builder: TimelineBuilder
  sequence: number
}

export const createRecordedRuns = (records: Pick<Records, 'audit'>): RecordedRuns => {
  const kept = new Map<string, Promise<Kept | undefined>>()
  const read = async (runId: string, known: Kept | undefined): Promise<Kept | undefined> => {
    if (known === undefined) return readWhole(records, runId)
    const events = await records.audit.read(runId, known.sequence)
    // A reset in Temporal takes events back; then the record is read anew.
    if (events.some(({ eventType }) => eventType === 'run_forked') || !follow(known, events)) {
      return readWhole(records, runId)
    }
    known.builder.add(events)
    known.sequence = events.at(-1)?.sequence ?? known.sequence
    return known
  }
  const look = async (runId: string): Promise<Kept | undefined> => {
    // One after the other for each run: two at once would tell an event twice.
    const next = (kept.get(runId) ?? Promise.resolve(undefined)).then(
      (known) => read(runId, known),
      () => read(runId, undefined),
    )
    kept.delete(runId)
    kept.set(runId, next)
    for (const old of kept.keys()) if (kept.size > KEPT) kept.delete(old)
    return next
  }
  return {
    get: async (runId) => {
      let found = await look(runId)
      for (const end = Date.now() + RECORD_MS; found === undefined && Date.now() < end; found = await look(runId)) {
        await new Promise((resolve) => setTimeout(resolve, RECORD_PAUSE_MS))
      }
      if (found === undefined) {
        throw new SopError('unavailable', `Cannot read run "${runId}": it is not on record yet; try again in a moment`)
      }
      const { builder, sequence } = found
      return { run: builder.run(), sequence, timeline: () => ({ ...builder.build(), sequence }) }
    },
  }
}

/** Counts of a run that was reset differ from those of its record: it is always read as a whole. */
const follow = ({ builder, sequence }: Kept, events: readonly RecordedEvent[]): boolean =>
  builder.run().sequence === sequence && events.every((event, index) => event.sequence === sequence + index + 1)

const readWhole = async (records: Pick<Records, 'audit'>, runId: string): Promise<Kept | undefined> => {
  const events = await records.audit.read(runId)
  const [created] = events
  if (created?.eventType !== 'run_created') return undefined
  const pinned = await records.audit.readDefinition(created.details.digest)
  if (pinned === undefined) return undefined
  const seed = recordedSeed(runId, created, pinned)
  const builder = timelineBuilder(seed)
  builder.add(effectiveEvents(events).map((event, index) => ({ ...event, sequence: index + 1 })))
  return { seed, builder, sequence: events.at(-1)?.sequence ?? 0 }
}
