// payload.ts: what a request brings to triggers, in whatever form its sender writes it: JSON, a form, a CloudEvent.

import type { IncomingMessage } from 'node:http'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { readCloudEvent, readCloudEventHeaders } from '../core/trigger/cloud-event.ts'
import { decodeBody, mediaOf, parseJson, readRawBody } from './body.ts'
import { TransportError } from './problem.ts'

/** A run carries its payload, and Temporal takes 2 MB for a run: half a megabyte leaves room for its definition. */
const MAX_PAYLOAD_BYTES = 512 * 1024

export const CLOUD_EVENT = 'application/cloudevents+json'
export const CLOUD_EVENTS = 'application/cloudevents-batch+json'
const FORM = 'application/x-www-form-urlencoded'

export interface ReadPayload {
  readonly body: Buffer
  /** The media type; `application/json` where nothing is said. */
  readonly media: string
  /** `{}` without a body. */
  readonly payload: Json
  /** Those of the request, the last of each name; with the attributes of a CloudEvent as `ce-…`. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Reads it. Of a structured CloudEvent the payload is its data.
 *
 * @throws TransportError 413 past 512 KiB, 415 for another type; SopError `invalid` as for other bodies
 */
export async function readPayload(request: IncomingMessage): Promise<ReadPayload> {
  const headers = headersOf(request)
  const body = await readRawBody(request, MAX_PAYLOAD_BYTES)
  const media = mediaOf(headers['content-type'] ?? 'application/json')
  if (media === CLOUD_EVENT) {
    const read = readCloudEvent(parseJson(decodeBody(body)))
    if (!read.ok) throw new SopError('invalid', `Cannot read the CloudEvent: ${read.reason}`)
    return { body, media, payload: read.event.data, headers: { ...headers, ...read.event.headers } }
  }
  const payload = body.length === 0 ? {} : parsePayload(media, decodeBody(body))
  if (headers['ce-specversion'] !== undefined) {
    const read = readCloudEventHeaders(headers, payload)
    if (!read.ok) throw new SopError('invalid', `Cannot read the CloudEvent: ${read.reason}`)
  }
  return { body, media, payload, headers }
}

function parsePayload(media: string, text: string): Json {
  if (media === 'application/json' || /^application\/[\w.-]+\+json$/.test(media)) {
    return text.trim() === '' ? {} : parseJson(text)
  }
  if (media === FORM) return formOf(text)
  const way = `Send application/json, ${FORM} or ${CLOUD_EVENT}`
  throw new TransportError(415, `Cannot read the body: its type is "${media.slice(0, 100)}". ${way}`)
}

const MAX_FIELDS = 1_000

/** Bytes written as `%C3%BC`; what the text holds besides is UTF-8 already. */
const ESCAPED = /(?:%[0-9a-f]{2})+/gi

/** A field that comes twice is a list. GitHub puts its JSON into the one field `payload`. */
function formOf(text: string): Json {
  for (const [escaped] of text.matchAll(ESCAPED)) decodeBody(Buffer.from(escaped.replaceAll('%', ''), 'hex'))
  const fields = [...new URLSearchParams(text)]
  if (fields.length > MAX_FIELDS)
    throw new SopError('invalid', `Cannot read the form: it has more than ${MAX_FIELDS} fields`)
  const [only] = fields
  if (fields.length === 1 && only?.[0] === 'payload') return parseJson(only[1])
  const table = new Map<string, string | string[]>()
  for (const [name, value] of fields) {
    if (name === '__proto__')
      throw new SopError('invalid', 'Cannot read the form: the field "__proto__" is not accepted')
    const before = table.get(name)
    table.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(table)
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}
