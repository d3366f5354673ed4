import { sha256Hex } from '../canonical.ts'

// span.ts: what is told of a stretch of a run, in the words of OpenTelemetry.

export type Attribute = string | number | boolean
export type Attributes = Readonly<Record<string, Attribute>>

export interface SpanEvent {
  readonly name: string
  readonly atMs: number
}

/** A stretch of time that is over. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
  readonly isError: boolean
}

/** The run that a run is a step of, or of whose step it is a step, and so on up; without a parent the run itself. */
export const rootRunId = (runId: string, hasParent: boolean): string =>
  hasParent ? runId.replace(/(-s\d+(i\d+)?-\d+)+$/, '') : runId

/** A run and all that it runs are one trace, whoever tells of it and however often. */
export const traceIdOf = (root: string): string => sha256Hex(`trace ${root}`).slice(0, 32)

/** The same stretch has the same id, so that nobody who is told twice takes it for two. */
export const spanIdOf = (runId: string, key: string): string => sha256Hex(`span ${runId} ${key}`).slice(0, 16)
