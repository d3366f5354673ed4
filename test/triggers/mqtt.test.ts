import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFileState } from '../../src/adapters/file-state.ts'
import { SopError } from '../../src/core/errors.ts'
import { createMqtt, type MqttDeps } from '../../src/triggers/mqtt.ts'
import type { SourceTrigger, TriggerSource } from '../../src/triggers/source.ts'
import { createLog } from '../../src/log.ts'
import { type Broker, provideFor, startMosquitto } from '../support/brokers.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, until } from '../support/engine.ts'
import { createFakeDoor, type FakeDoor, triggerOf } from '../support/fake-door.ts'

// mqtt triggers, against a real broker.

let broker: Broker | undefined
let tls: Certificates | undefined
const { program, needs } = await provideFor('mosquitto')
beforeAll(async () => {
  if (program === '') return
  tls = await makeCertificates()
  broker = await startMosquitto(program, tls)
})
beforeEach((context) => needs(context))
afterAll(async () => {
  await broker?.remove()
  await tls?.remove()
})

const open: TriggerSource[] = []
afterEach(async () => {
  for (const source of open.splice(0)) await source.close()
})

let count = 0
interface Opening {
  readonly url?: string
  readonly door?: Pick<FakeDoor, 'deliver'>
  readonly config?: Partial<MqttDeps['config']>
  /** Does not wait until it is connected. */
  readonly isRefused?: boolean
}

/** A client and its folder: the same one over restarts. */
const clientOf = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-mqtt-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const clientId = `test-${process.pid}-${++count}`
  const door = createFakeDoor()
  const start = async (triggers: readonly SourceTrigger[], opening: Opening = {}): Promise<TriggerSource> => {
    const source = await createMqtt({
      door: opening.door ?? door,
      log: createLog({ level: 'error', out: { write: () => {} } }),
      config: { sessionExpiryMs: 60_000, ...opening.config },
      clientId,
      state: createFileState({ dataDir }),
      connect: (options) => mqtt.connect(opening.url ?? broker?.url ?? '', options),
      pauses: { firstMs: 20, longestMs: 200 },
    })
    open.push(source)
    await source.follow(triggers)
    if (triggers.length > 0 && opening.isRefused !== true)
      await expect.poll(() => source.health()?.ok, { timeout: 15_000 }).toBe(true)
    return source
  }
  return { start, door }
}
const stop = async (source: TriggerSource): Promise<void> => {
  open.splice(open.indexOf(source), 1)
  await source.close()
}
const topicOf = (): string => `t${process.pid}/${++count}`
const on = (topic: string, sop?: string): SourceTrigger => triggerOf({ type: 'mqtt', topic }, sop)

/** Publishes as a device does; fulfilled when the broker has it. */
const publish = async (
  topic: string,
  text: string,
  options: mqtt.IClientPublishOptions = {},
  url = broker?.url ?? '',
): Promise<void> => {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 })
  await client.publishAsync(topic, text, { qos: 1, ...options })
  await client.endAsync()
}
/** Waits until the source is subscribed: a first message is heard. */
const heard = async (door: FakeDoor, topic: string): Promise<void> => {
  await until(
    async () => {
      await publish(topic, '"ready"')
      return door.came.length
    },
    (came) => came > 0,
  )
  // None of those is on its way any more.
  await publish(topic, '"settled"')
  await until(
    async () => all(door),
    (told) => told.includes('settled'),
  )
}
const all = (door: FakeDoor): readonly unknown[] => door.came.map(({ occurrence }) => occurrence.payload)
const payloads = (door: FakeDoor): readonly unknown[] =>
  all(door).filter((payload) => payload !== 'ready' && payload !== 'settled')

describe('createMqtt()', () => {
  test('tells of messages with what they bring, and of retained ones nothing', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    await publish(`${topic}/app/done`, '"old state"', { retain: true })
    await start([on(`${topic}/+/done`)])
    await heard(door, `${topic}/x/done`)
    await publish(`${topic}/app/done`, '{"build":{"passed":"true"}}', {
      properties: {
        contentType: 'application/json',
        userProperties: { 'Idempotency-Key': 'no', 'idempotency-key': 'k-1' },
      },
    })
    await publish(`${topic}/app/done`, 'just text')
    await publish(`${topic}/app/failed`, '{}')
    await publish(`${topic}/end/done`, '"end"')
    await until(
      async () => payloads(door),
      (all) => all.includes('end'),
    )
    expect(payloads(door)).toEqual([{ build: { passed: 'true' } }, 'just text', 'end'])
    const [first] = door.came.filter(({ occurrence }) => typeof occurrence.payload === 'object')
    expect(first?.occurrence).toMatchObject({
      source: 'mqtt',
      subject: `${topic}/app/done`,
      key: 'k-1',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k-1' },
      principal: { id: `mqtt:${topic}/app/done`, kind: 'service' },
    })
  })

  test('takes what came while it was off, and follows its triggers', async () => {
    const { start, door } = await clientOf()
    const [one, two] = [topicOf(), topicOf()]
    const source = await start([on(one)])
    await heard(door, one)
    await source.follow([on(two)])
    await until(
      async () => (await publish(two, '"second"'), payloads(door)),
      (all) => all.includes('second'),
    )
    await stop(source)
    await publish(one, '"nobody waits for this any more"')
    await publish(two, '"while off 1"')
    await publish(two, '"while off 2"')
    await start([on(two)])
    await until(
      async () => payloads(door),
      (all) => all.includes('while off 2'),
    )
    expect(payloads(door).filter((payload) => payload !== 'second')).toEqual(['while off 1', 'while off 2'])
  })

  test('acknowledges only what was taken: the rest comes again, in its order and with its key', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    await start([on(topic)])
    await heard(door, topic)
    let isDown = true
    door.onDeliver = () => {
      if (isDown) throw new SopError('unavailable', 'Temporal cannot be reached')
    }
    await publish(topic, '"a"')
    await publish(topic, '"b"')
    await until(
      async () => payloads(door),
      (all) => all.length >= 3,
    )
    expect(new Set(payloads(door))).toEqual(new Set(['a']))
    isDown = false
    await until(
      async () => payloads(door),
      (all) => all.includes('b'),
    )
    const keys = door.came
      .filter(({ occurrence }) => occurrence.payload === 'a')
      .map(({ occurrence }) => occurrence.key)
    expect(new Set(keys).size).toBe(1)
    expect(payloads(door).at(-1)).toBe('b')
  })

  test('gives each message a key of its own, though it says the same', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    await start([on(topic)])
    await heard(door, topic)
    for (let time = 0; time < 3; time++) await publish(topic, '"on"')
    await until(
      async () => payloads(door),
      (all) => all.length >= 3,
    )
    const keys = door.came
      .filter(({ occurrence }) => occurrence.payload === 'on')
      .map(({ occurrence }) => occurrence.key)
    expect(new Set(keys).size).toBe(3)
  })

  test('goes on when the broker was restarted, with what it had kept', async () => {
    const own = await startMosquitto(program)
    onTestFinished(() => own.remove())
    const { start, door } = await clientOf()
    const topic = topicOf()
    const source = await start([on(topic)], { url: own.url })
    await own.kill()
    await expect.poll(() => source.health()?.detail, { timeout: 10_000 }).toMatch(/^not connected since \d{4}-.*: /)
    await own.start()
    await until(
      async () => (await publish(topic, '"after"', {}, own.url), payloads(door)),
      (all) => all.includes('after'),
    )
    await expect.poll(() => source.health(), { timeout: 10_000 }).toEqual({ ok: true })
  })

  test('of a message that two subscriptions mean each SOP hears once', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    const triggers = [
      on(`${topic}/#`, 'all'),
      on(`${topic}/+/done`, 'done'),
      on(`${topic}/a/+`, 'both'),
      on(`${topic}/a/#`, 'both'),
    ]
    await start(triggers)
    await heard(door, `${topic}/x/y`)
    await publish(`${topic}/a/done`, '"copy"')
    await publish(`${topic}/z`, '"end"')
    await until(
      async () => payloads(door),
      (all) => all.includes('end'),
    )
    const copies = door.came.filter(({ occurrence }) => occurrence.payload === 'copy')
    const hearers = copies.flatMap(({ options }) => [
      ...new Set(triggers.filter(({ sop, trigger }) => options?.concerns?.(sop, trigger)).map(({ sop }) => sop)),
    ])
    expect([...hearers].sort()).toEqual(['all', 'both', 'done'])
    // A copy that is nobody's is not told at all: it would be on record as one that nobody waits for.
    expect(
      copies.filter(({ options }) => !triggers.some(({ sop, trigger }) => options?.concerns?.(sop, trigger))),
    ).toEqual([])
  })

  test('speaks MQTT 3.1.1 with a broker that knows nothing newer', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    const old = await startOldBroker(broker?.port ?? 0)
    onTestFinished(() => old.close())
    await publish(topic, '"old state"', { retain: true })
    await start([on(topic)], { url: old.url })
    await heard(door, topic)
    expect(old.versions).toEqual([5, 4])
    // Such a broker sends it whatever it is asked.
    expect(all(door)).not.toContain('old state')
  })

  test('records a message that is too large or no text as refused, and goes on', async () => {
    const { start, door } = await clientOf()
    const topic = topicOf()
    await start([on(topic)])
    await heard(door, topic)
    await publish(topic, 'x'.repeat(300_000))
    await publish(topic, '['.repeat(1000))
    await publish(topic, '"end"')
    await until(
      async () => payloads(door),
      (all) => all.includes('end'),
    )
    const [large, deep] = door.came.slice(-3)
    expect(large?.options?.bars?.('x')).toMatch(/300000 bytes/)
    expect(deep?.options?.bars?.('x')).toMatch(/nested more than 64 deep/)
  })

  test('starts one run where the engine was killed between the start and the acknowledgement', async () => {
    const topic = topicOf()
    const sop = sopOf({ name: 'mqtt-once', triggers: [{ type: 'mqtt', topic }], steps: [{}] })
    const engine = await startTestEngine({ sops: [sop], policy: { defaultMode: 'auto' } })
    onTestFinished(() => engine.stop())
    const { start } = await clientOf()
    let deliveries = 0
    const dying = {
      deliver: async (...args: Parameters<typeof engine.triggers.deliver>) => {
        await engine.triggers.deliver(...args)
        deliveries++
        // The answer never comes: this is where the process ends.
        return new Promise<never>(() => {})
      },
    }
    const source = await start([on(topic, sop.name)], { door: dying })
    await publish(topic, '{}')
    await until(
      async () => deliveries,
      (count) => count > 0,
    )
    await stop(source)
    await start([on(topic, sop.name)], { door: engine.triggers })
    const found = await until(
      () => engine.stores.deliveries.list({ sop: sop.name, limit: 10 }),
      (all) => all.some(({ verdict }) => verdict === 'duplicate'),
    )
    const [duplicate] = found.filter(({ verdict }) => verdict === 'duplicate')
    expect(found.filter(({ runId }) => runId === duplicate?.runId).map(({ verdict }) => verdict)).toEqual([
      'duplicate',
      'started',
    ])
  })

  describe('over TLS', () => {
    const opening = (config: Partial<MqttDeps['config']>): Opening => ({ url: broker?.tlsUrl ?? '', config })
    beforeEach(({ skip }) => {
      if (tls === undefined) skip('There is no openssl, which makes certificates')
    })

    test('takes messages of a broker whose authority is in ca_file, and shows its own certificate', async () => {
      const { start, door } = await clientOf()
      const topic = topicOf()
      await start([on(topic)], opening({ caFile: tls?.caFile ?? '', ...tls?.client }))
      await publish(topic, '"secret"')
      await until(
        async () => all(door),
        (told) => told.includes('secret'),
      )
    })

    test.each<[what: string, config: () => Partial<MqttDeps['config']>, detail: RegExp]>([
      ['that no known authority vouches for', () => ({ ...tls?.client }), /self-signed certificate|unable to verify/],
      [
        'of another authority',
        () => ({ caFile: tls?.otherCaFile ?? '', ...tls?.client }),
        /self-signed certificate|unable to verify/,
      ],
      ['whose ca_file is not there', () => ({ caFile: '/nowhere/ca.pem' }), /ENOENT.*\/nowhere\/ca\.pem/],
      ['that wants a certificate of the engine', () => ({ caFile: tls?.caFile ?? '' }), /certificate required/],
    ])('takes nothing of a broker %s, and says why', async (_what, config, detail) => {
      const { start, door } = await clientOf()
      const topic = topicOf()
      const source = await start([on(topic)], { ...opening(config()), isRefused: true })
      await expect.poll(() => source.health()?.detail, { timeout: 15_000 }).toMatch(detail)
      expect(source.health()?.ok).toBe(false)
      expect(door.came).toEqual([])
    })
  })
})

/** A broker that refuses MQTT 5 as one of before does, and else hands on to the real one. */
const startOldBroker = async (port: number) => {
  const versions: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (hello: Buffer) => {
      const version = hello[hello.indexOf('MQTT') + 4] ?? 0
      versions.push(version)
      if (version === 5) {
        socket.end(Buffer.from([0x20, 0x02, 0x00, 0x01]))
        return
      }
      const real = connectTcp(port, '127.0.0.1')
      sockets.add(real)
      real.on('error', () => {})
      real.write(hello)
      socket.pipe(real).pipe(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    versions,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
