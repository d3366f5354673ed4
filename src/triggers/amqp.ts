import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { SourceMemory } from '../core/trigger/source-memory.ts'
import type { TriggerDoor } from '../client/trigger-door.ts'
import type { Config } from '../config.ts'
import type { Json } from '../core/definition.ts'
import { readMessage } from '../core/trigger/message.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import type { Log } from '../log.ts'
import { type ChannelKeys, createAmqpKeys } from './amqp-keys.ts'
import { deliverMessage, type MessageOutcome } from './deliver-message.ts'
import { readPemFiles } from './pem-files.ts'
import { type SourceTrigger, type TriggerOf, triggersOf, type TriggerSource } from './source.ts'

// amqp.ts: amqp triggers (docs/decisions/0022-brokers.md). Invariants:
//   A1 a message is acknowledged after its runs are durable and its verdicts on record; while that cannot be it stays with
//      the broker, in a durable queue that is this installation's own.
//   A2 a message is named by its message-id, else by a key that is made up for it and found again when it is sent again.
//   A3 a message that cannot be dealt with goes to the queue of the dead, where it is kept, and not round in a circle.

export interface AmqpDeps {
  readonly door: Pick<TriggerDoor, 'deliver'>
  readonly log: Log
  readonly config: Config['amqp'] & { readonly url: string }
  /** Where the config names none. */
  readonly queue: string
  readonly state: SourceMemory
  readonly connect: (url: string, options: Readonly<Record<string, unknown>>) => Promise<ChannelModel>
  /** Pauses between two tries, in milliseconds. Default 500 to 30,000. */
  readonly pauses?: { readonly firstMs: number; readonly longestMs: number }
}

type AmqpTrigger = SourceTrigger<TriggerOf<'amqp'>>

const PAUSES = { firstMs: 500, longestMs: 30_000 }
const STATE = 'amqp'
const HEARTBEAT_S = 15
const CONNECT_LIMIT_MS = 10_000

/** Takes messages of a broker. */
export const createAmqp = async (deps: AmqpDeps): Promise<TriggerSource> => {
  const { door, log, config, state, pauses = PAUSES } = deps
  const queue = config.queue ?? deps.queue
  const closing = new AbortController()
  let bound = textsOf(await state.get(STATE))
  const keys = await createAmqpKeys(state)
  let triggers: readonly AmqpTrigger[] = []
  let channel: Channel | undefined
  let since = new Date().toISOString()
  let problem = 'it was not tried yet'
  let isTaking = false
  let binding: Promise<void> = Promise.resolve()
  let wake: () => void = () => {}
  let end: (reason: string) => void = () => {}
  const taking = new Set<Promise<void>>()

  const keysOf = (): readonly string[] => [...new Set(triggers.map(({ trigger }) => trigger.routingKey))].sort()

  const bind = async (at: Channel): Promise<void> => {
    const wanted = keysOf()
    for (const key of bound.filter((each) => !wanted.includes(each))) await at.unbindQueue(queue, config.exchange, key)
    // What may be bound is known before it is: a crash in between leaves no binding that nobody knows.
    await state.put(STATE, [...new Set([...bound, ...wanted])])
    for (const key of wanted) await at.bindQueue(queue, config.exchange, key)
    bound = wanted
    await state.put(STATE, [...wanted])
  }
  const follow = (): void => {
    const at = channel
    if (at === undefined) return
    binding = binding.then(() => bind(at)).catch((error: unknown) => end((error as Error).message))
  }

  const take = async (message: ConsumeMessage, key: string): Promise<MessageOutcome> => {
    const read = readMessage(message.content)
    return deliverMessage(door, log, occurrenceOf(message, read.ok ? read.payload : null, key), {
      bars: () => (read.ok ? undefined : `Cannot take the message: ${read.reason}`),
    })
  }
  const takeAndSettle = async (at: Channel, own: ChannelKeys, message: ConsumeMessage): Promise<void> => {
    const id = idOf(message)
    const key = id ?? (await own.keyOf(message))
    const outcome = await takeSurely(at, message, key)
    if (channel !== at || outcome === 'later') return
    if (outcome === 'taken') at.ack(message)
    else at.nack(message, false, false)
    if (id !== undefined) return
    // An answer to a question that comes after the acknowledgement says that the broker has that as well.
    await at.checkQueue(queue)
    await own.forget(key)
  }
  /** The pause after a failure belongs to the message: it is held, and with it no more than `prefetch` others. */
  const takeSurely = async (at: Channel, message: ConsumeMessage, key: string): Promise<MessageOutcome> => {
    for (let pauseMs = pauses.firstMs; ; pauseMs = Math.min(pauseMs * 2, pauses.longestMs)) {
      const outcome = await take(message, key)
      if (outcome !== 'later' || channel !== at) return outcome
      await pause(pauseMs)
      if (closing.signal.aborted || channel !== at) return outcome
    }
  }

  const open = async (): Promise<string> => {
    const connection = await deps.connect(config.url, await optionsOf(config))
    const over = new Promise<string>((resolve) => {
      end = resolve
    })
    // Work that outlives this connection must not end the next one.
    const endThis = end
    connection.on('error', (error) => endThis(error.message))
    connection.on('close', () => endThis('the connection was closed'))
    const aborted = (): void => endThis('the engine stops')
    closing.signal.addEventListener('abort', aborted, { once: true })
    try {
      await ensureExchange(connection, config.exchange)
      const opened = await connection.createChannel()
      opened.on('error', (error) => endThis(error.message))
      opened.on('close', () => endThis('the channel was closed'))
      const dead = `${queue}.dead`
      await opened.assertQueue(dead, { durable: true })
      await opened.assertQueue(queue, { durable: true, deadLetterExchange: '', deadLetterRoutingKey: dead })
      await opened.prefetch(config.prefetch)
      channel = opened
      await bind(opened)
      const own = keys.channel()
      await opened.consume(queue, (message) => {
        // The queue was deleted.
        if (message === null) return endThis('its queue was deleted')
        const work = takeAndSettle(opened, own, message)
          .catch((error: unknown) => endThis((error as Error).message))
          .finally(() => taking.delete(work))
        taking.add(work)
      })
      log.info('Connected with the AMQP broker')
      isTaking = true
      since = new Date().toISOString()
      if (closing.signal.aborted) aborted()
      return await over
    } finally {
      closing.signal.removeEventListener('abort', aborted)
      if (isTaking) since = new Date().toISOString()
      isTaking = false
      channel = undefined
      await connection.close().catch(() => {})
    }
  }

  const run = async (): Promise<void> => {
    let pauseMs = pauses.firstMs
    while (!closing.signal.aborted) {
      if (triggers.length === 0 && bound.length === 0) {
        await pause(undefined)
        continue
      }
      const begunAt = Date.now()
      const reason = await open().catch((error: unknown) => (error as Error).message || String(error))
      if (closing.signal.aborted) return
      if (Date.now() - begunAt > pauses.longestMs) pauseMs = pauses.firstMs
      if (reason !== problem) log.warn(`Not connected with the AMQP broker: ${reason}. It is tried again`)
      problem = reason
      await pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, pauses.longestMs)
    }
  }
  /** Until the time is over, or the engine stops; without a time until triggers come. */
  const pause = (ms: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        closing.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(done, ms)
      timer?.unref()
      if (ms === undefined) wake = done
      closing.signal.addEventListener('abort', done, { once: true })
      if (closing.signal.aborted) done()
    })
  const running = run()

  return {
    follow: async (all) => {
      const before = keysOf().join('\n')
      triggers = triggersOf(all, 'amqp')
      if (keysOf().join('\n') !== before) follow()
      wake()
    },
    health: () => {
      if (triggers.length === 0) return undefined
      return isTaking ? { ok: true } : { ok: false, detail: `not connected since ${since}: ${problem}` }
    },
    close: async () => {
      closing.abort()
      await running
      await binding
      await Promise.all(taking)
    },
  }
}

/** An exchange that is there is used as it is; else a durable one for topics is made. */
const ensureExchange = async (connection: ChannelModel, exchange: string): Promise<void> => {
  // A question that is answered by no closes its channel.
  const asking = await connection.createChannel()
  asking.on('error', () => {})
  try {
    await asking.checkExchange(exchange)
    await asking.close()
  } catch {
    const making = await connection.createChannel()
    await making.assertExchange(exchange, 'topic', { durable: true })
    await making.close()
  }
}

const optionsOf = async (config: Config['amqp']): Promise<Readonly<Record<string, unknown>>> => {
  const { ca, ...own } = await readPemFiles(config)
  return {
    heartbeat: HEARTBEAT_S,
    timeout: CONNECT_LIMIT_MS,
    clientProperties: { connection_name: 'sop-engine' },
    ...(ca && { ca: [ca] }),
    ...own,
  }
}

const idOf = ({ properties }: ConsumeMessage): string | undefined => {
  const id: unknown = properties.messageId
  return typeof id === 'string' && id !== '' ? id : undefined
}

const occurrenceOf = (
  { fields: { routingKey }, properties }: ConsumeMessage,
  payload: Json,
  key: string,
): Occurrence => {
  return {
    source: 'amqp',
    subject: routingKey,
    at: new Date().toISOString(),
    payload,
    headers: headersOf(properties),
    key,
    principal: { id: `amqp:${routingKey}`, kind: 'service' },
  }
}

const MAX_HEADERS = 50

const headersOf = (properties: ConsumeMessage['properties']): Readonly<Record<string, string>> => {
  const own: readonly (readonly [string, unknown])[] = [
    ['content-type', properties.contentType],
    ['message-id', properties.messageId],
    ['correlation-id', properties.correlationId],
    ['app-id', properties.appId],
    ['type', properties.type],
  ]
  const given = Object.entries(textTable(properties.headers)).slice(0, MAX_HEADERS)
  return Object.fromEntries(
    [...given, ...own].flatMap(([name, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value)
        ? [[name.toLowerCase(), String(value).slice(0, 1000)] as const]
        : [],
    ),
  )
}

const textTable = (headers: unknown): Readonly<Record<string, unknown>> =>
  typeof headers === 'object' && headers !== null ? { ...headers } : {}

const textsOf = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
