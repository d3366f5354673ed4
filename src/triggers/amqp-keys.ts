import { createHash, randomUUID } from 'node:crypto'
import type { ConsumeMessage } from 'amqplib'
import type { Json } from '../core/definition.ts'
import type { SourceMemory } from '../core/trigger/source-memory.ts'

// amqp-keys.ts: a message without message-id has no name. The broker marks one that it sends again; so a key is made up for
// each that comes first, kept before the message is delivered, and found again by its content for one that comes again. It
// is forgotten when the broker has the acknowledgement for certain: from then on nothing like it can be that message.

export interface AmqpKeys {
  /** Those of a channel: a message comes again at most once on each. */
  channel(): ChannelKeys
}

export interface ChannelKeys {
  /** @throws what the memory throws: the message must not be delivered */
  keyOf(message: Sent): Promise<string>
  /** The broker will never send that message again. */
  forget(key: string): Promise<void>
}

type Sent = Pick<ConsumeMessage, 'content' | 'fields' | 'properties'>
type Entry = readonly [content: string, key: string]

const STATE = 'amqp-keys'
/** More than can be under way at once, over some connections that broke. */
const MAX_ENTRIES = 5_000
/**
 * When a channel is open for so long, the broker has noticed the end of the one before, and has sent again what was under
 * way there before anything new. In milliseconds.
 */
const SETTLED_MS = 120_000

export const createAmqpKeys = async (state: SourceMemory, now: () => number = Date.now): Promise<AmqpKeys> => {
  let entries = entriesOf(await state.get(STATE))
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  /** Many messages are under way at once: what comes during a write goes with the one after it. */
  const keep = (): Promise<void> => {
    next ??= writing
      .catch(() => {})
      .then(() => {
        next = undefined
        writing = state.put(STATE, entries)
        return writing
      })
    return next
  }
  const channel = (): ChannelKeys => {
    const own = new Set<string>()
    const openedAt = now()
    return {
      keyOf: async (message) => {
        const content = contentOf(message)
        const { redelivered } = message.fields
        const known = redelivered ? entries.find(([other, key]) => other === content && !own.has(key)) : undefined
        const [, key] = known ?? [content, randomUUID()]
        own.add(key)
        if (known !== undefined) return key
        if (!redelivered && now() - openedAt > SETTLED_MS) entries = entries.filter(([, each]) => own.has(each))
        entries = [...entries.slice(1 - MAX_ENTRIES), [content, key]]
        await keep()
        return key
      },
      forget: (key) => {
        entries = entries.filter(([, each]) => each !== key)
        own.delete(key)
        return keep()
      },
    }
  }
  return { channel }
}

/** What brokers write into a message themselves when they send it again. */
const OF_BROKERS = ['x-delivery-count', 'x-acquired-count']

const contentOf = ({ content, fields: { exchange, routingKey }, properties }: Sent): string => {
  const { headers, ...rest } = properties as unknown as Record<string, Json>
  const own = Object.entries((headers ?? {}) as Record<string, Json>).filter(([name]) => !OF_BROKERS.includes(name))
  const around = JSON.stringify([exchange, routingKey, Object.entries(rest).sort(), own.sort()])
  return createHash('sha256').update(around).update('\0').update(content).digest('hex').slice(0, 32)
}

const entriesOf = (value: Json | undefined): readonly Entry[] =>
  Array.isArray(value)
    ? value.filter(
        (each): each is [string, string] => Array.isArray(each) && each.every((text) => typeof text === 'string'),
      )
    : []
