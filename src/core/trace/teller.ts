import type { RunEvent } from '../run/event.ts'
import { type Attributes, type Span, type SpanEvent, spanIdOf } from './span.ts'

// teller.ts: the spans of a run that are open, and how they begin and end.

/** What is open of a run, and what its spans have in common. */
export interface TraceState {
  readonly runId: string
  readonly sop: string
  readonly traceId: string
  /** Of the last event that was told of. */
  readonly sequence: number
  /** Key of the span that stands for the run at the moment: one that was opened again has another. */
  readonly root: string
  readonly lives: number
  /** After a reset in Temporal names come again. */
  readonly again: string
  readonly open: Readonly<Record<string, OpenSpan>>
}

/** A span that has begun; it is told when it ends. */
export interface OpenSpan {
  readonly name: string
  readonly startMs: number
  /** Key of the span that it is a part of; absent: the run's. */
  readonly within?: string
  readonly parentSpanId?: string
  readonly spanId: string
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
}

/** What one event does to the open spans, and the spans that it ends. */
export class Teller {
  readonly spans: Span[] = []
  readonly atMs: number
  private readonly sequence: number
  state: TraceState

  constructor(state: TraceState, event: RunEvent) {
    this.state = state
    this.sequence = event.sequence
    this.atMs = Date.parse(event.timestamp)
  }

  begin(key: string, name: string, attributes: Attributes = {}, within?: string): void {
    this.end(key)
    const span: OpenSpan = {
      name,
      startMs: this.atMs,
      ...(within !== undefined && { within }),
      spanId: spanIdOf(this.state.runId, this.nameOf(key)),
      attributes,
      events: [],
    }
    this.state = { ...this.state, open: { ...this.state.open, [key]: span } }
  }

  /** Runs and executions of steps have names that come once, and that others can tell; what else begins may begin again. */
  private nameOf(key: string): string {
    return key.startsWith('step:') || key.startsWith('run~') ? key + this.state.again : `${key} at ${this.sequence}`
  }

  note(key: string, name: string): void {
    const span = this.state.open[key]
    if (span === undefined) return
    const events = [...span.events, { name, atMs: this.atMs }].slice(-MAX_EVENTS)
    this.state = { ...this.state, open: { ...this.state.open, [key]: { ...span, events } } }
  }

  end(key: string, attributes: Attributes = {}, isError = false): void {
    const { [key]: span, ...open } = this.state.open
    if (span === undefined) return
    for (const [inner, { within }] of Object.entries(open)) if (within === key) this.end(inner)
    const { [key]: _, ...rest } = this.state.open
    this.spans.push(this.finished(span, key, attributes, isError))
    this.state = { ...this.state, open: rest }
  }

  /** A stretch of which only the end is told, with how long it took. */
  whole(
    key: string,
    name: string,
    durationMs: number,
    attributes: Attributes,
    isError: boolean,
    within?: string,
  ): void {
    this.begin(key, name, attributes, within)
    const span = this.state.open[key]
    if (span === undefined) return
    this.state = { ...this.state, open: { ...this.state.open, [key]: { ...span, startMs: this.atMs - durationMs } } }
    this.end(key, {}, isError)
  }

  endAll(attributes: Attributes): void {
    for (const key of Object.keys(this.state.open)) if (key !== this.state.root) this.end(key, attributes)
  }

  /** A run that was opened again is a part of what it was first. */
  private within({ within }: OpenSpan, key: string): OpenSpan | undefined {
    const { open, root } = this.state
    return key === root ? undefined : (open[within ?? root] ?? open[root])
  }

  private finished(span: OpenSpan, key: string, attributes: Attributes, isError: boolean): Span {
    const { runId, sop, traceId } = this.state
    const parentSpanId =
      span.parentSpanId ?? (key === 'run' ? undefined : (this.within(span, key)?.spanId ?? spanIdOf(runId, 'run')))
    return {
      traceId,
      spanId: span.spanId,
      ...(parentSpanId !== undefined && { parentSpanId }),
      name: span.name,
      startMs: Math.min(span.startMs, this.atMs),
      endMs: this.atMs,
      attributes: { 'sop.name': sop, 'sop.run.id': runId, ...span.attributes, ...attributes },
      events: span.events,
      isError,
    }
  }
}

/** Reminders of a gate that nobody opens go on for ever. */
const MAX_EVENTS = 32
