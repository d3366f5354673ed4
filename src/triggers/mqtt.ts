import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import type { SourceMemory } from '../core/trigger/source-memory.ts'
import type { TriggerDoor } from '../client/trigger-door.ts'
import type { Config } from '../config.ts'
import { readMessage } from '../core/trigger/message.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import { matchesTopic } from '../core/trigger/topic.ts'
import type { Log } from '../log.ts'
import { deliverMessage } from './deliver-message.ts'
import { createMqttKeys, type MqttKeys } from './mqtt-keys.ts'
import { readPemFiles } from './pem-files.ts'
import { type SourceTrigger, type TriggerOf, triggersOf, type TriggerSource } from './source.ts'

// mqtt.ts: mqtt triggers (docs/decisions/0022-brokers.md). Invariants:
//   M1 a message is acknowledged after its runs are durable and its verdicts on record. While that cannot be, the connection
//      is given up: the broker keeps the message, with all after it, and sends it again.
//   M2 a message that is sent again has the key that it had, and starts nothing twice.
//   M3 one message is one occurrence to each SOP, however many of its subscriptions the broker sends it for.

export interface MqttDeps {
  readonly door: Pick<TriggerDoor, 'deliver'>
  readonly log: Log
  readonly config: Config['mqtt']
  /** Where the config names none. */
  readonly clientId: string
  readonly state: SourceMemory
  readonly connect: (options: IClientOptions) => MqttClient
  /** Pauses between two tries to connect, in milliseconds. Default 500 to 30,000. */
  readonly pauses?: { readonly firstMs: number; readonly longestMs: number }
}

type MqttTrigger = SourceTrigger<TriggerOf<'mqtt'>>

const PAUSES = { firstMs: 500, longestMs: 30_000 }
const KEEPALIVE_S = 30
const CONNECT_LIMIT_MS = 10_000
/** "Unacceptable protocol version" of MQTT 3, "unsupported" of MQTT 5. */
const OLDER_BROKER = [1, 132]
const NO_SUBSCRIPTION = 128

interface Connection {
  readonly client: MqttClient
  readonly isV5: boolean
  /** Fulfilled, with the reason, when it is over. */
  readonly over: Promise<string>
  end(reason: string): void
}

/** Takes messages of a broker. */
export const createMqtt = async (deps: MqttDeps): Promise<TriggerSource> => {
  const { door, log, state, pauses = PAUSES } = deps
  const keys = await createMqttKeys(state)
  const closing = new AbortController()
  let triggers: readonly MqttTrigger[] = []
  let connection: Connection | undefined
  let isSubscribed = false
  let since = new Date().toISOString()
  let problem: string | undefined = 'it was not tried yet'
  let refused: readonly string[] = []
  let subscribing: Promise<void> = Promise.resolve()
  let wake: () => void = () => {}
  let version: 4 | 5 = 5

  const topics = (): readonly string[] => [...new Set(triggers.map(({ trigger }) => trigger.topic))].sort()

  /** Takes one message; fulfilled when it may be acknowledged. */
  const take = async (topic: string, packet: IPublishPacket, at: Connection): Promise<void> => {
    // The last value of a topic is a state, and nothing that happens now.
    if (packet.retain) return
    const wanted = at.isV5 ? subscriptionsOf(packet) : []
    const isMeant = (sop: string, trigger: TriggerOf<'mqtt'>): boolean =>
      wanted.length === 0 || isFirstOf(triggers, keys, { sop, topic, wanted }, trigger)
    const meant = triggers.filter(({ trigger }) => matchesTopic(trigger.topic, topic))
    // A further copy, for other subscriptions of SOPs that have it already.
    if (meant.length > 0 && !meant.some(({ sop, trigger }) => isMeant(sop, trigger))) return
    const bytes = Buffer.from(packet.payload)
    const key = userProperty(packet, 'idempotency-key') ?? (await keys.keyOf(topic, packet, bytes))
    const read = readMessage(bytes)
    const occurrence: Occurrence = {
      source: 'mqtt',
      subject: topic,
      at: new Date().toISOString(),
      payload: read.ok ? read.payload : null,
      headers: headersOf(packet),
      ...(key !== undefined && { key }),
      principal: { id: `mqtt:${topic}`.slice(0, 200), kind: 'service' },
    }
    const outcome = await deliverMessage(door, log, occurrence, {
      concerns: (sop, trigger) => trigger.type === 'mqtt' && isMeant(sop, trigger),
      bars: () => (read.ok ? undefined : `Cannot take the message: ${read.reason}`),
    })
    if (outcome !== 'later') return
    at.end('what its messages trigger cannot be started now')
    // Not acknowledged, and nothing more is taken of this connection.
    await new Promise(() => {})
  }

  const subscribe = async (at: Connection): Promise<void> => {
    const wanted = topics()
    const known = await keys.topics()
    const stale = known.filter((topic) => !wanted.includes(topic))
    if (stale.length > 0) await at.client.unsubscribeAsync([...stale])
    await keys.setTopics(wanted)
    const failed: string[] = []
    for (const topic of wanted) {
      const properties = at.isV5 ? { properties: { subscriptionIdentifier: keys.numberOf(topic) } } : {}
      // Retained messages are not asked for (rh): they begin nothing.
      const granted = await at.client
        .subscribeAsync(topic, { qos: 1, ...(at.isV5 && { rh: 2 }), ...properties })
        .catch(() => [{ topic, qos: NO_SUBSCRIPTION }])
      if (granted.some(({ qos }) => qos >= NO_SUBSCRIPTION)) failed.push(topic)
    }
    if (failed.length > 0 && failed.join() !== refused.join())
      log.warn(`The MQTT broker refuses to tell of ${failed.map((topic) => `"${topic}"`).join(', ')}`)
    refused = failed
  }
  const follow = (): void => {
    const at = connection
    if (at === undefined) return
    // A connection that is over may leave its questions without an answer.
    subscribing = subscribing
      .then(() => Promise.race([subscribe(at), at.over]))
      .then(() => {
        isSubscribed = connection === at
      })
      .catch((error: unknown) => at.end((error as Error).message))
  }

  const open = async (): Promise<string> => {
    const options = await optionsOf(deps, version)
    const client = deps.connect(options)
    let end: (reason: string) => void = () => {}
    const over = new Promise<string>((resolve) => {
      end = resolve
    })
    const opened: Connection = { client, isV5: version === 5, over, end }
    client.handleMessage = (packet, done) => {
      if (packet.cmd !== 'publish') return done()
      take(packet.topic.toString(), packet, opened).then(
        () => done(),
        (error: unknown) => {
          log.error('A message of the MQTT broker could not be taken', { error })
          end((error as Error).message)
        },
      )
    }
    client.on('connect', ({ sessionPresent }) => {
      log.info(`Connected with the MQTT broker (MQTT ${version === 5 ? '5' : '3.1.1'})`)
      connection = opened
      problem = undefined
      since = new Date().toISOString()
      subscribing = subscribing.then(() => (sessionPresent ? undefined : keys.forget()))
      follow()
    })
    client.on('error', (error) => {
      if (version === 5 && OLDER_BROKER.includes((error as { code?: number }).code ?? -1)) version = 4
      end(error.message || (error as { code?: string }).code || 'the connection failed')
    })
    client.on('close', () => end('the connection was closed'))
    const aborted = (): void => end('the engine stops')
    closing.signal.addEventListener('abort', aborted, { once: true })
    if (closing.signal.aborted) aborted()
    const reason = await over
    closing.signal.removeEventListener('abort', aborted)
    const wasConnected = connection === opened
    connection = undefined
    isSubscribed = false
    await new Promise<void>((resolve) => {
      client.end(true, {}, () => resolve())
    })
    if (wasConnected) since = new Date().toISOString()
    return reason
  }

  const run = async (): Promise<void> => {
    let pauseMs = pauses.firstMs
    while (!closing.signal.aborted) {
      if (triggers.length === 0 && (await keys.topics()).length === 0) {
        await pause(undefined)
        continue
      }
      const before = version
      const begunAt = Date.now()
      const reason = await open().catch((error: unknown) => (error as Error).message)
      if (closing.signal.aborted) return
      if (version !== before) {
        log.info('The MQTT broker does not know MQTT 5: trying 3.1.1')
        continue
      }
      if (Date.now() - begunAt > pauses.longestMs) pauseMs = pauses.firstMs
      if (problem !== reason) log.warn(`Not connected with the MQTT broker: ${reason}. It is tried again`)
      problem = reason
      await pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, pauses.longestMs)
    }
  }
  /** Until something changed, or the time is over. */
  const pause = (ms: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      timer?.unref()
      wake = () => {
        if (ms !== undefined && !closing.signal.aborted) return
        clearTimeout(timer)
        resolve()
      }
    })
  const running = run()

  return {
    follow: async (all) => {
      const before = topics().join('\n')
      triggers = triggersOf(all, 'mqtt')
      if (topics().join('\n') !== before) follow()
      wake()
    },
    health: () => {
      if (triggers.length === 0) return undefined
      if (connection === undefined) return { ok: false, detail: `not connected since ${since}: ${problem}` }
      if (!isSubscribed) return { ok: false, detail: `connected since ${since}, and not subscribed yet` }
      if (refused.length > 0) return { ok: false, detail: `the broker refuses to tell of ${refused.join(', ')}` }
      return { ok: true }
    },
    close: async () => {
      closing.abort()
      wake()
      await running
      await subscribing
    },
  }
}

const optionsOf = async (
  { config, clientId }: Pick<MqttDeps, 'config' | 'clientId'>,
  version: 4 | 5,
): Promise<IClientOptions> => {
  const pem = await readPemFiles(config)
  return {
    clientId: config.clientId ?? clientId,
    protocolVersion: version,
    clean: false,
    // The pauses between two connections, and what is to be done before, are ours.
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: CONNECT_LIMIT_MS,
    keepalive: KEEPALIVE_S,
    ...(version === 5 && {
      properties: { sessionExpiryInterval: Math.min(Math.round(config.sessionExpiryMs / 1000), 0xff_ff_ff_fe) },
    }),
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...pem,
  }
}

const userProperty = ({ properties }: IPublishPacket, name: string): string | undefined => {
  const value = properties?.userProperties?.[name]
  const [first] = Array.isArray(value) ? value : [value]
  return typeof first === 'string' && first !== '' && first.length <= 500 ? first : undefined
}

const MAX_HEADERS = 50

const headersOf = ({ properties }: IPublishPacket): Readonly<Record<string, string>> => {
  const { contentType, userProperties = {} } = properties ?? {}
  const entries = Object.entries(userProperties).map(
    ([name, value]) => [name.toLowerCase(), String(Array.isArray(value) ? value[0] : value).slice(0, 1000)] as const,
  )
  return Object.fromEntries([
    ...entries.slice(0, MAX_HEADERS),
    ...(contentType === undefined ? [] : [['content-type', contentType] as const]),
  ])
}

/** Numbers of the subscriptions that the broker sends this copy for. */
const subscriptionsOf = ({ properties }: IPublishPacket): readonly number[] => {
  const numbers: unknown = properties?.subscriptionIdentifier
  return (Array.isArray(numbers) ? numbers : [numbers]).filter((each): each is number => typeof each === 'number')
}

/**
 * Whether this copy of a message is the trigger's: of an SOP's triggers that mean the topic the first one takes it, so that
 * copies for the others begin no further run.
 */
const isFirstOf = (
  triggers: readonly MqttTrigger[],
  keys: Pick<MqttKeys, 'numberOf'>,
  { sop, topic, wanted }: { readonly sop: string; readonly topic: string; readonly wanted: readonly number[] },
  trigger: TriggerOf<'mqtt'>,
): boolean => {
  const first = triggers.find((each) => each.sop === sop && matchesTopic(each.trigger.topic, topic))
  // A trigger that came a moment ago is not known here yet: the copy is taken for it.
  return first === undefined
    ? true
    : wanted.includes(keys.numberOf(first.trigger.topic)) && matchesTopic(trigger.topic, topic)
}
