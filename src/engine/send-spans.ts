import type { Config } from '../config.ts'
import { otlpBody, type Resource } from '../core/trace/otlp.ts'
import type { Span } from '../core/trace/span.ts'

/** Gives spans to a collector. @throws TracesRefused for what will never be taken, and another error for what may be later */
export type SendSpans = (spans: readonly Span[]) => Promise<void>

/** The collector will not take these spans, however often it is asked. */
export class TracesRefused extends Error {}

const TIMEOUT_MS = 10_000
/** Answers after which the specification of OTLP has a client try again, and that of a proxy that has nobody behind it. */
const PASSING: readonly number[] = [408, 429, 500, 502, 503, 504]

/** Where traces go; undefined where none are asked for. */
export const tracesEndpoint = ({ endpoint, tracesEndpoint: exact }: Config['otel']): string | undefined =>
  exact ?? (endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/v1/traces`)

/** Sends by OTLP over HTTP, as JSON. */
export const createSendSpans = (
  url: string,
  { headers = {}, resource }: { readonly headers?: Readonly<Record<string, string>>; readonly resource: Resource },
): SendSpans => {
  return async (spans) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(otlpBody(resource, spans)),
      // A credential must not follow to wherever somebody points.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new Error(`no collector answers at ${new URL(url).origin}`, { cause: error })
    })
    const text = (await response.text().catch(() => '')).slice(0, 10_000)
    if (response.ok) {
      const rejected = rejectedOf(text)
      if (rejected !== undefined) throw new TracesRefused(rejected)
      return
    }
    const said = `the collector at ${new URL(url).origin} answered ${response.status}`
    throw PASSING.includes(response.status) ? new Error(said) : new TracesRefused(said)
  }
}

/** A part that was refused while the rest was taken; a warning without that is none. */
const rejectedOf = (text: string): string | undefined => {
  try {
    const { partialSuccess } = JSON.parse(text) as {
      readonly partialSuccess?: { readonly rejectedSpans?: string | number; readonly errorMessage?: string }
    }
    const count = Number(partialSuccess?.rejectedSpans ?? 0)
    return count > 0 ? `${count} spans: ${partialSuccess?.errorMessage ?? 'no reason given'}` : undefined
  } catch {
    return undefined
  }
}

/** `OTEL_EXPORTER_OTLP_HEADERS`: names and values, both percent-encoded, `a=b,c=d`. */
export const otlpHeaders = (text: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (text ?? '').split(',').flatMap((pair) => {
      const at = pair.indexOf('=')
      return at > 0 ? [[decoded(pair.slice(0, at).trim()).toLowerCase(), decoded(pair.slice(at + 1).trim())]] : []
    }),
  )

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
