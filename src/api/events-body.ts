// events-body.ts: events as programs write them: our own JSON, a CloudEvent (structured or binary), or a list of either.

import type { EventRequest } from '../client/trigger-client.ts'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { type CloudEvent, readCloudEvent, type ReadCloudEvent } from '../core/trigger/cloud-event.ts'
import { cloudEventKey } from '../core/trigger/key.ts'
import { check } from './check.ts'
import { CLOUD_EVENT, CLOUD_EVENTS, type ReadPayload } from './payload.ts'
import { eventRequest } from './schemas/trigger.ts'

/** A list that is longer is refused as a whole. */
export const MAX_EVENTS = 100

export interface ReadEvents {
  readonly events: readonly EventRequest[]
  /** They came as a list, and are answered as one. */
  readonly isBatch: boolean
}

/** @throws SopError `invalid` with the first thing that is wrong: of a list nothing is begun then */
export function readEvents({ media, payload, headers }: ReadPayload): ReadEvents {
  if (media === CLOUD_EVENT || headers['ce-specversion'] !== undefined) {
    const attributes = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-')))
    const { 'ce-type': type = '', 'ce-source': source = '', 'ce-id': id = '' } = attributes
    return { events: [eventOf({ type, source, id, data: payload, headers: attributes })], isBatch: false }
  }
  if (!Array.isArray(payload)) return { events: [plainOrCloud(payload, media)], isBatch: false }
  const items = payload as readonly Json[]
  if (items.length > MAX_EVENTS)
    throw new SopError('invalid', `Cannot read the events: ${items.length} came at once, and ${MAX_EVENTS} are allowed`)
  return { events: items.map((item) => plainOrCloud(item, media)), isBatch: true }
}

function plainOrCloud(item: Json, media: string): EventRequest {
  const isCloud = media === CLOUD_EVENTS || (typeof item === 'object' && item !== null && 'specversion' in item)
  return isCloud ? eventOf(orThrow(readCloudEvent(item))) : check('the event', eventRequest, item)
}

const eventOf = ({ type, source, id, data, headers }: CloudEvent): EventRequest => ({
  event: type,
  payload: data,
  key: cloudEventKey(source, id),
  headers,
})

function orThrow(read: ReadCloudEvent): CloudEvent {
  if (read.ok) return read.event
  throw new SopError('invalid', `Cannot read the CloudEvent: ${read.reason}`)
}
