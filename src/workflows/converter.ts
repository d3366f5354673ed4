import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common'

// converter.ts: a payload converter that never throws while it reads. One undecodable signal would make the workflow
// task fail and be tried again for ever (engine.md 1), and Temporal's own UI can send one.

const UNREADABLE = '__sopUnreadable'

/** What an undecodable payload becomes: an argument that no reader takes for a decision. */
export interface Unreadable {
  readonly [UNREADABLE]: string
}

export const unreadableReason = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const reason = (value as Partial<Unreadable>)[UNREADABLE]
  return typeof reason === 'string' ? reason : undefined
}

const encodingOf = (payload: Payload): string => {
  const raw = payload.metadata?.['encoding']
  return raw ? new TextDecoder().decode(raw) : 'none'
}

/** Encodings that a person or a program may use for JSON. `json/protobuf` would need message types that we do not have. */
const READABLE = ['json/plain', 'binary/null', 'binary/plain']

export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: <T>(payload: Payload): T => {
    const encoding = encodingOf(payload)
    if (!READABLE.includes(encoding)) {
      return { [UNREADABLE]: `its encoding "${encoding.slice(0, 80)}" is not JSON` } as unknown as T
    }
    try {
      return defaultPayloadConverter.fromPayload<T>(payload)
    } catch {
      return { [UNREADABLE]: `its ${encoding} payload cannot be decoded` } as unknown as T
    }
  },
}
