import type { Attribute, Attributes, Span } from './span.ts'

// otlp.ts: spans as the body of an OTLP/HTTP request in JSON (opentelemetry-proto, trace/v1).

export interface Resource {
  readonly attributes: Attributes
  /** Of the engine. */
  readonly version: string
}

const INTERNAL = 1
const STATUS_UNSET = 0
const STATUS_ERROR = 2

/** The body of `POST /v1/traces`. */
export const otlpBody = ({ attributes, version }: Resource, spans: readonly Span[]): unknown => ({
  resourceSpans: [
    {
      resource: { attributes: keyValues(attributes) },
      scopeSpans: [{ scope: { name: 'sop-engine', version }, spans: spans.map(spanOf) }],
    },
  ],
})

const spanOf = ({ name, startMs, endMs, attributes, events, isError, ...ids }: Span): unknown => ({
  ...ids,
  name,
  kind: INTERNAL,
  startTimeUnixNano: nanos(startMs),
  endTimeUnixNano: nanos(endMs),
  attributes: keyValues(attributes),
  events: events.map(({ name: what, atMs }) => ({ name: what, timeUnixNano: nanos(atMs) })),
  status: { code: isError ? STATUS_ERROR : STATUS_UNSET },
})

/** 64 bits are text in OTLP's JSON. */
const nanos = (ms: number): string => `${Math.round(ms)}000000`

const keyValues = (attributes: Attributes): readonly unknown[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }))

const anyValue = (value: Attribute): unknown => {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
