import type { SopDefinition } from '../definition.ts'
import type { RunEvent } from './event.ts'
import { evolve, newRun } from './evolve.ts'
import { effectiveEvents } from './fork.ts'
import { START_GATE } from './gates.ts'
import { needsOf } from './graph.ts'
import type { Run, RunSeed } from './run.ts'
import type { RunState, StepState } from './state.ts'
import { createSpans, type OpenSpans, type TimelineSpan } from './timeline-spans.ts'
import { type ItemsView, itemsView } from './view-items.ts'
import { viewOf } from './view.ts'

// timeline.ts: a run as bars over time: what was done and what was waited for, from when until when. Made of its events
// alone, so it is the same for a run under way, a closed one, and one whose history is long gone.

export type { SpanKind, SpanOutcome, TimelineSpan } from './timeline-spans.ts'

/** One line of a timeline: a step with its gates, or a gate before or after the whole run. */
export interface TimelineRow {
  readonly kind: 'step' | 'gate'
  /** Number of the step as text, or the id of the gate. */
  readonly id: string
  readonly title: string
  /** 0 for a gate around the whole run. */
  readonly stepNumber: number
  /** What the step does, e.g. `shell`. */
  readonly action?: string
  readonly status:
    | StepState
    | 'open'
    | 'verifying'
    | 'passed'
    | 'rejected'
    | 'failed'
    | 'skipped'
    | 'closed'
    | 'pending'
  readonly attempt: number
  /** Which of the branches beside each other it stands in, from 0. */
  readonly lane: number
  /** Numbers of the steps that it waits for, where steps have branches. */
  readonly needs?: readonly number[]
  /** Its bars in order of their begin; of very many the newest, and `omitted` says how many are left out. */
  readonly spans: readonly TimelineSpan[]
  readonly omitted?: number
  readonly items?: ItemsView
  /** Run id of the SOP that it runs. */
  readonly child?: string
  readonly runsOn?: string
  readonly error?: string
  readonly reason?: string
  readonly exitCode?: number
}

export interface Timeline {
  readonly runId: string
  readonly status: RunState
  /** Sequence of the last event that it knows of. */
  readonly sequence: number
  readonly from: string
  /** The end of a closed run. */
  readonly to?: string
  /** How many branches stand beside each other. */
  readonly lanes: number
  /** Bars of the run as a whole: in the queue, paused, walking back. */
  readonly spans: readonly TimelineSpan[]
  readonly rows: readonly TimelineRow[]
}

/** Bars of one row that an answer holds. */
export const SPANS_OF_A_ROW = 60
/** Bars of an answer altogether. */
const SPANS_OF_ALL = 5_000
const SPANS_OF_THE_RUN = 200

/** What a timeline is made of, event by event: the run so far and its bars. */
export interface TimelineBuilder {
  /** Takes the next events. Those of a run that was reset in Temporal have to be told from the start again. */
  add(events: readonly RunEvent[]): void
  run(): Run
  build(): Timeline
}

export const timelineBuilder = (seed: RunSeed): TimelineBuilder => {
  const spans = createSpans()
  let run = newRun(seed)
  return {
    add: (events) => {
      for (const event of events) {
        const next = evolve(run, event)
        spans.tell(run, event, next)
        run = next
      }
    },
    run: () => run,
    build: () => timelineFrom(run, spans),
  }
}

/** The timeline of a run from its whole record. */
export const timelineOf = (seed: RunSeed, events: readonly RunEvent[]): Timeline => {
  const builder = timelineBuilder(seed)
  builder.add(countedAnew(effectiveEvents(events)))
  return builder.build()
}

const countedAnew = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.map((event, index) => (event.sequence === index + 1 ? event : { ...event, sequence: index + 1 }))

const timelineFrom = (run: Run, spans: OpenSpans): Timeline => {
  const view = viewOf(run)
  const { definition } = run.seed.pinned
  const lanes = lanesOf(definition)
  const rows = [...gateRows(run, 'before'), ...stepRows(run, lanes), ...gateRows(run, 'after')]
  const perRow = Math.max(2, Math.min(SPANS_OF_A_ROW, Math.floor(SPANS_OF_ALL / Math.max(1, rows.length))))
  return {
    runId: view.runId,
    status: view.status,
    sequence: run.sequence,
    from: view.createdAt,
    ...(view.completedAt !== undefined && { to: view.completedAt }),
    lanes: Math.max(1, ...lanes.map((lane) => lane + 1)),
    spans: spans.of('run').spans.slice(-SPANS_OF_THE_RUN),
    rows: rows.map((row) =>
      withSpans(row, spans.of(row.kind === 'step' ? `step:${row.id}` : `gate:${row.id}`), perRow),
    ),
  }
}

const withSpans = (
  row: Omit<TimelineRow, 'spans'>,
  { spans, dropped }: ReturnType<OpenSpans['of']>,
  most: number,
): TimelineRow => {
  // What is still open is never left out.
  const open = spans.filter(({ to }) => to === undefined).slice(0, most)
  const over = Math.max(0, spans.length - most)
  const ended = spans.filter(({ to }) => to !== undefined)
  const shown = over === 0 ? spans : [...ended.slice(ended.length - (most - open.length)), ...open]
  return { ...row, spans: shown, ...(over + dropped > 0 && { omitted: over + dropped }) }
}

const stepRows = (run: Run, lanes: readonly number[]): readonly Omit<TimelineRow, 'spans'>[] => {
  const { steps } = run.seed.pinned.definition
  return viewOf(run).stepResults.map((view, index) => {
    const state = run.steps[index]
    const { number, title, kind, status, attempt, runsOn, error, reason, exitCode, needs, child } = view
    return {
      kind: 'step',
      id: String(number),
      title,
      stepNumber: number,
      action: steps[index]?.action.kind ?? kind,
      status,
      attempt,
      lane: lanes[index] ?? 0,
      ...(needs !== undefined && { needs }),
      ...(state?.items !== undefined && { items: itemsView(state.items) }),
      ...(child !== undefined && { child }),
      ...(runsOn !== undefined && { runsOn }),
      ...(error !== undefined && { error }),
      ...(reason !== undefined && { reason }),
      ...(exitCode !== undefined && { exitCode }),
    }
  })
}

/** Gates that stand at no step, in the order of the definition; a gate that was never reached has a row as well. */
const gateRows = (run: Run, side: 'before' | 'after'): readonly Omit<TimelineRow, 'spans'>[] => {
  const wanted = (run.seed.pinned.definition.gates ?? []).filter(
    ({ position }) => position.at === (side === 'before' ? 'start' : 'end'),
  )
  const ids = [...(side === 'before' && hasStartGate(run) ? [START_GATE] : []), ...wanted.map(({ key }) => key)]
  return ids.map((id) => {
    const gate = run.gates[id]
    return {
      kind: 'gate',
      id,
      title: gate?.title ?? (id === START_GATE ? 'Approval to begin' : id),
      stepNumber: 0,
      status: gate === undefined || gate.state === 'reset' ? 'pending' : gate.state,
      attempt: gate?.attempt ?? 0,
      lane: 0,
    }
  })
}

const hasStartGate = (run: Run): boolean => run.gates[START_GATE] !== undefined || run.mode === 'supervised'

/**
 * The lane of each step, by position: a step goes on in the lane of the first of its needs that nobody went on in; what
 * branches off gets the first lane that is free, and where branches meet their lanes are free again.
 */
export const lanesOf = (definition: Pick<SopDefinition, 'steps'>): readonly number[] => {
  const needs = needsOf(definition)
  const lanes: number[] = []
  // For each lane the position of the step that stands at its end; undefined where it is free.
  const ends: (number | undefined)[] = []
  const last = lastUse(needs)
  for (const [index, before] of needs.entries()) {
    const own = before.map((need) => ends.indexOf(need)).filter((lane) => lane >= 0)
    const free = ends.findIndex((end) => end === undefined || (last[end] ?? -1) < index)
    const lane = own.length > 0 ? Math.min(...own) : free >= 0 ? free : ends.length
    for (const other of own) if (other !== lane && (last[ends[other] ?? -1] ?? -1) <= index) ends[other] = undefined
    ends[lane] = index
    lanes.push(lane)
  }
  return lanes
}

/** For each position the last one that needs it; its own where nobody does, so that its lane is free after the row. */
const lastUse = (needs: readonly (readonly number[])[]): readonly number[] => {
  const last = needs.map((_, index) => index)
  for (const [index, before] of needs.entries())
    for (const need of before) last[need] = Math.max(last[need] ?? 0, index)
  return last
}
