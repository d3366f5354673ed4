import type { Json } from '../definition.ts'

// cloud-event.ts: CloudEvents 1.0, whatever brings them: an HTTP body, headers, a message of a broker.

export interface CloudEvent {
  readonly type: string
  readonly source: string
  readonly id: string
  readonly data: Json
  /** All attributes as `ce-<name>`, as in the HTTP binding. */
  readonly headers: Readonly<Record<string, string>>
}

export type ReadCloudEvent =
  | { readonly ok: true; readonly event: CloudEvent }
  | { readonly ok: false; readonly reason: string }

type Table = Readonly<Record<string, Json>>

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** Reads a CloudEvent in its JSON format. */
export const readCloudEvent = (value: Json): ReadCloudEvent => {
  if (!isTable(value)) return { ok: false, reason: 'a CloudEvent is a JSON object' }
  const { data, data_base64: encoded, ...attributes } = value
  const headers: [string, string][] = []
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!/^[a-z0-9]{1,50}$/.test(name))
      return { ok: false, reason: `"${name.slice(0, 60)}" is no attribute of a CloudEvent` }
    if (attribute === null || typeof attribute === 'object')
      return { ok: false, reason: `the attribute "${name}" is no text, number or boolean` }
    headers.push([`ce-${name}`, String(attribute)])
  }
  if (encoded !== undefined && (typeof encoded !== 'string' || data !== undefined))
    return { ok: false, reason: '"data_base64" is a text, and stands instead of "data"' }
  return eventOf(Object.fromEntries(headers), data ?? encoded ?? {})
}

/** Reads a CloudEvent whose attributes are headers (`ce-type`, `ce-id`, …), and whose data is the body. */
export const readCloudEventHeaders = (headers: Readonly<Record<string, string>>, data: Json): ReadCloudEvent => {
  const attributes = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-')))
  return eventOf(attributes, data)
}

const eventOf = (headers: Readonly<Record<string, string>>, data: Json): ReadCloudEvent => {
  const { 'ce-specversion': version, 'ce-type': type, 'ce-source': source, 'ce-id': id } = headers
  const missing = Object.entries({ specversion: version, type, source, id }).find(([, value]) => !isText(value))
  if (missing !== undefined) return { ok: false, reason: `the attribute "${missing[0]}" is missing` }
  if (!/^1\./.test(version ?? '')) return { ok: false, reason: `specversion "${version?.slice(0, 20)}" is not 1.0` }
  return { ok: true, event: { type: type ?? '', source: source ?? '', id: id ?? '', data, headers } }
}
