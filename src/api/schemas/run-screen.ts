import { z } from 'zod'
import type {
  LogList,
  LogMatches,
  LogName,
  LogRows,
  LogSize,
  RunControls,
  RunNext,
  Timeline,
  TimelineRow,
  TimelineSpan,
} from '../../client/run-screen-client.ts'
import { RUN_STATES, STEP_STATES } from '../../core/run/state.ts'
import { SPAN_KINDS, SPAN_OUTCOMES } from '../../core/run/timeline-spans.ts'
import { whole } from '../query.ts'
import { components, instant, list } from './registry.ts'
import { itemsView } from './run.ts'
import { nextItem } from './sop.ts'
import { waitingItem } from './waiting.ts'
import { control, queueControl } from './control.ts'

const span: z.ZodType<TimelineSpan> = z
  .object({
    kind: z.enum(SPAN_KINDS),
    from: instant,
    to: instant.exactOptional().describe('Absent: it goes on'),
    outcome: z.enum(SPAN_OUTCOMES).exactOptional(),
    attempt: z.int().exactOptional(),
    item: z.int().exactOptional(),
    label: z.string().exactOptional().describe('Gate id, pool, value of the item, or why it stands'),
    by: z.string().exactOptional().describe('Who ended it'),
    sequence: z.int().describe('Of the event that began it'),
  })
  .register(components, { id: 'TimelineSpan', description: 'Something that took time' })

const row: z.ZodType<TimelineRow> = z
  .object({
    kind: z.enum(['step', 'gate']),
    id: z.string().describe('Number of the step as text, or id of the gate'),
    title: z.string(),
    stepNumber: z.int(),
    action: z.string().exactOptional(),
    status: z.enum([...STEP_STATES, 'open', 'verifying', 'passed', 'rejected', 'closed']),
    attempt: z.int(),
    lane: z.int().describe('Which of the branches beside each other it stands in, from 0'),
    needs: list(z.int()).exactOptional(),
    spans: list(span),
    omitted: z.int().exactOptional().describe('Older bars that are left out'),
    items: itemsView.exactOptional(),
    child: z.string().exactOptional().describe('Run id of the SOP that it runs'),
    runsOn: z.string().exactOptional(),
    error: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    exitCode: z.int().exactOptional(),
  })
  .register(components, { id: 'TimelineRow' })

export const timeline: z.ZodType<Timeline> = z
  .object({
    runId: z.string(),
    status: z.enum(RUN_STATES),
    sequence: z.int(),
    from: instant,
    to: instant.exactOptional(),
    lanes: z.int(),
    spans: list(span).describe('Of the run as a whole: in the queue, paused, walking back'),
    rows: list(row),
  })
  .register(components, { id: 'Timeline', description: 'What was done and waited for, as bars over time' })

export const runNext: z.ZodType<RunNext> = z
  .object({
    runId: z.string(),
    sequence: z.int(),
    items: list(nextItem),
    total: z.int(),
    then: z.enum(['failed', 'cancelled']).exactOptional().describe('How the run ends after a walk back'),
  })
  .register(components, { id: 'RunNext', description: 'Steps and gates that are still to come; the first 200' })

export const runControls: z.ZodType<RunControls> = z
  .object({
    runId: z.string(),
    sequence: z.int(),
    controls: list(control),
    waiting: list(waitingItem).describe('What of the run waits for a person, the most urgent first'),
    queue: list(queueControl)
      .exactOptional()
      .describe('Orders about its place in the queue, while it waits for admission'),
    temporalUrl: z.string().exactOptional().describe("The execution in Temporal's own page"),
  })
  .register(components, { id: 'RunControls', description: 'What can be done about a run, and why not' })

const logNameKeys = {
  stepNumber: z.int().describe('0 for gates'),
  attempt: z.int(),
  source: z.string().describe("`step`, `verify`, `rollback` or a gate's key"),
  item: z.int().exactOptional().describe('Item of a for_each step, from 1'),
}

const logName: z.ZodType<LogName> = z.object(logNameKeys).register(components, { id: 'LogName' })

export const logList: z.ZodType<LogList> = z
  .object({
    runId: z.string(),
    logs: list(logName).describe('In the order of the steps; the first 1,000'),
    total: z.int(),
    removed: z.object({ at: instant, reason: z.string() }).exactOptional(),
  })
  .register(components, { id: 'LogList' })

export const logRows: z.ZodType<LogRows> = z
  .object({
    runId: z.string(),
    ...logNameKeys,
    from: z.int().describe('Number of the first row, from 0'),
    rows: list(z.string()),
    unfinished: list(z.int()).exactOptional().describe('Rows that go on in the next one'),
    total: z.int().describe('Rows of the whole log'),
    bytes: z.int(),
    complete: z.boolean(),
    truncated: z.literal(true).exactOptional(),
    heldSince: instant
      .exactOptional()
      .describe('Since when the log store takes nothing: what is printed is kept beside it'),
    counting: z.literal(true).exactOptional().describe('The log is longer: ask again'),
  })
  .register(components, { id: 'LogRows', description: 'Lines of a log, and pieces of lines of more than 8 KiB' })

export const logMatches: z.ZodType<LogMatches> = z
  .object({
    runId: z.string(),
    ...logNameKeys,
    matches: list(z.int()).describe('Numbers of rows'),
    next: z.int().exactOptional().describe('Row to go on from; absent: that was all'),
  })
  .register(components, { id: 'LogMatches' })

export const logSize: z.ZodType<LogSize> = z
  .object({ runId: z.string(), ...logNameKeys, bytes: z.int(), complete: z.boolean() })
  .register(components, { id: 'LogSize' })

export interface LogWishQuery {
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
}

const wish = {
  step: whole(0, 100_000).exactOptional(),
  attempt: whole(1, 100_000).exactOptional(),
  source: z.string().min(1).max(200).exactOptional().describe("`step`, `verify`, `rollback` or a gate's key"),
  item: whole(1, 100_000).exactOptional().describe('Item of a for_each step'),
}

/** A whole number that may be below 0. */
const signed: z.ZodType<number> = z
  .string()
  .regex(/^-?\d{1,12}$/, 'expected a whole number')
  .transform(Number)
  .pipe(z.int())

export const logWishQuery: z.ZodType<LogWishQuery> = z.strictObject(wish)
export const logRowsQuery: z.ZodType<LogWishQuery & { readonly from?: number; readonly limit?: number }> =
  z.strictObject({
    ...wish,
    from: signed.exactOptional().describe('First row; below 0: from the end'),
    limit: whole(0, 1_000).exactOptional(),
  })
export const logSearchQuery: z.ZodType<LogWishQuery & { readonly text: string; readonly from?: number }> =
  z.strictObject({
    ...wish,
    text: z.string().min(1).max(1_000).describe('Whatever the case of its letters'),
    from: whole(0, 1_000_000_000).exactOptional().describe('Row to begin at'),
  })
