import { createHash, randomUUID } from 'node:crypto'
import type { IPublishPacket } from 'mqtt'
import type { SourceMemory } from '../core/trigger/source-memory.ts'
import type { Json } from '../core/definition.ts'

// mqtt-keys.ts: MQTT gives a message no name. A message that is sent again has its packet's number, and a flag that says so,
// as long as the session lives; so a key is made up for each packet that comes first, and found again by number and content
// for one that comes again. It is kept before the message is delivered, over restarts, and for a while after.

export interface MqttKeys {
  /** Undefined for a message that the broker never sends again (QoS 0). */
  keyOf(topic: string, packet: IPublishPacket, bytes: Uint8Array): Promise<string | undefined>
  /** The session is another one: its numbers begin anew. */
  forget(): Promise<void>
  /** What the session subscribes to, as far as is known. */
  topics(): Promise<readonly string[]>
  setTopics(topics: readonly string[]): Promise<void>
  /** A number of the subscription, from 1; the same one as long as the session lives. */
  numberOf(topic: string): number
}

interface Kept {
  readonly topics: readonly string[]
  readonly numbers: Readonly<Record<string, number>>
  readonly packets: readonly (readonly [id: number, content: string, key: string])[]
}

const STATE = 'mqtt'
/** A broker sends again what it has no acknowledgement of: those under way, and few that were lost on the line. */
const MAX_PACKETS = 50

export const createMqttKeys = async (state: SourceMemory): Promise<MqttKeys> => {
  let kept = readKept(await state.get(STATE))
  let turn: Promise<void> = Promise.resolve()
  /** One write after the other, and each with all that was said by then: a store may have many connections. */
  const keep = (change: Partial<Kept>): Promise<void> => {
    kept = { ...kept, ...change }
    const written = turn.then(() => state.put(STATE, kept as unknown as Json))
    turn = written.catch(() => {})
    return written
  }
  return {
    keyOf: async (topic, { qos, dup, messageId }, bytes) => {
      if (qos === 0 || messageId === undefined) return undefined
      const content = createHash('sha256').update(topic).update('\0').update(bytes).digest('hex').slice(0, 32)
      const known = kept.packets.find(([id, other]) => id === messageId && other === content)
      if (dup && known !== undefined) return known[2]
      const key = randomUUID()
      const others = kept.packets.filter(([id]) => id !== messageId)
      await keep({ packets: [...others.slice(1 - MAX_PACKETS), [messageId, content, key]] })
      return key
    },
    forget: () => keep({ packets: [], topics: [] }),
    topics: async () => kept.topics,
    setTopics: async (topics) => {
      if (topics.join('\n') === kept.topics.join('\n')) return
      const numbers: Record<string, number> = {}
      for (const topic of topics) numbers[topic] = kept.numbers[topic] ?? nextNumber({ ...kept.numbers, ...numbers })
      await keep({ topics, numbers })
    },
    numberOf: (topic) => kept.numbers[topic] ?? nextNumber(kept.numbers),
  }
}

const nextNumber = (numbers: Readonly<Record<string, number>>): number => Math.max(0, ...Object.values(numbers)) + 1

const readKept = (value: Json | undefined): Kept => {
  const { topics, numbers, packets } = (value ?? {}) as Partial<Kept>
  return {
    topics: Array.isArray(topics) ? topics : [],
    numbers: typeof numbers === 'object' ? numbers : {},
    packets: Array.isArray(packets) ? packets : [],
  }
}
