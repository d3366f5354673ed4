import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import amqplib, { type ChannelModel, type ConfirmChannel, type Options } from 'amqplib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFileState } from '../../src/adapters/file-state.ts'
import { SopError } from '../../src/core/errors.ts'
import { type AmqpDeps, createAmqp } from '../../src/triggers/amqp.ts'
import type { SourceTrigger, TriggerSource } from '../../src/triggers/source.ts'
import { createLog } from '../../src/log.ts'
import { type Broker, provideFor, startRabbit } from '../support/brokers.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { sopOf } from '../support/definitions.ts'
import { startTestEngine, until } from '../support/engine.ts'
import { createFakeDoor, type FakeDoor, triggerOf } from '../support/fake-door.ts'

// amqp triggers, against a real broker. It is slow to start: all tests of this file share it.

const START_LIMIT_MS = 120_000
let broker: Broker | undefined
let tls: Certificates | undefined
let connection: ChannelModel | undefined
let channel: ConfirmChannel | undefined
const { program, needs } = await provideFor('rabbitmq-server')
const connect = async (): Promise<void> => {
  connection = await amqplib.connect(broker?.url ?? '')
  connection.on('error', () => {})
  channel = await connection.createConfirmChannel()
}
beforeAll(async () => {
  if (program === '') return
  tls = await makeCertificates()
  broker = await startRabbit(program, tls)
  await connect()
}, START_LIMIT_MS)
afterAll(async () => {
  await connection?.close()
  await broker?.remove()
  await tls?.remove()
})
beforeEach((context) => needs(context))

const open: TriggerSource[] = []
afterEach(async () => {
  for (const source of open.splice(0)) await source.close()
})

interface Opening {
  readonly door?: Pick<FakeDoor, 'deliver'>
  readonly config?: Partial<AmqpDeps['config']>
  /** Does not wait until it is connected. */
  readonly isRefused?: boolean
}

let count = 0
/** An installation's queue, exchange and memory: the same ones over restarts. */
const installation = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-amqp-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const [queue, exchange] = [`sop-test-${++count}`, `events-${count}`]
  const door = createFakeDoor()
  const start = async (triggers: readonly SourceTrigger[], opening: Opening = {}): Promise<TriggerSource> => {
    const source = await createAmqp({
      door: opening.door ?? door,
      log: createLog({ level: 'error', out: { write: () => {} } }),
      config: { url: broker?.url ?? '', exchange, prefetch: 4, ...opening.config },
      queue,
      state: createFileState({ dataDir }),
      connect: (url, options) => amqplib.connect(url, options),
      pauses: { firstMs: 20, longestMs: 200 },
    })
    open.push(source)
    await source.follow(triggers)
    if (opening.isRefused !== true) await expect.poll(() => source.health()?.ok, { timeout: 15_000 }).toBe(true)
    return source
  }
  const publish = async (key: string, text: string, options: Options.Publish = {}): Promise<void> => {
    channel?.publish(exchange, key, Buffer.from(text), { persistent: true, ...options })
    await channel?.waitForConfirms()
  }
  return { start, door, publish, queue, exchange }
}
const stop = async (source: TriggerSource): Promise<void> => {
  open.splice(open.indexOf(source), 1)
  await source.close()
}
const on = (routingKey: string, sop?: string): SourceTrigger => triggerOf({ type: 'amqp', routingKey }, sop)
const payloads = (door: FakeDoor): readonly unknown[] => door.came.map(({ occurrence }) => occurrence.payload)
const keysOf = (door: FakeDoor) => door.came.map(({ occurrence }) => occurrence.key)
const came = (door: FakeDoor, last: unknown) =>
  until(
    async () => payloads(door),
    (all) => all.includes(last),
  )

describe('createAmqp()', () => {
  test('tells of messages with what they bring, and follows its triggers', async () => {
    const { start, door, publish } = await installation()
    const source = await start([on('release.*.ready.#')])
    await publish('release.app.ready', '{"size":3}', {
      messageId: 'm-1',
      type: 'release',
      headers: { 'X-From': 'ci', n: 1 },
    })
    await publish('release.app.failed', '{}')
    await publish('release.app.ready.now', 'text')
    await came(door, 'text')
    expect(payloads(door)).toEqual([{ size: 3 }, 'text'])
    expect(door.came[0]?.occurrence).toMatchObject({
      source: 'amqp',
      subject: 'release.app.ready',
      key: 'm-1',
      headers: { 'x-from': 'ci', n: '1', 'message-id': 'm-1', type: 'release' },
      principal: { id: 'amqp:release.app.ready', kind: 'service' },
    })
    expect(door.came[1]?.occurrence.key).toMatch(/^[0-9a-f-]{36}$/)
    await source.follow([on('other')])
    await until(
      async () => (await publish('other', '"followed"'), payloads(door)),
      (all) => all.includes('followed'),
    )
    await publish('release.app.ready', '"not bound any more"')
    await publish('other', '"end"')
    await came(door, 'end')
    expect(payloads(door)).not.toContain('not bound any more')
  })

  test('takes what came while it was off', async () => {
    const { start, door, publish } = await installation()
    await stop(await start([on('a.#')]))
    await publish('a.b', '"while off"')
    await start([on('a.#')])
    expect(await came(door, 'while off')).toEqual(['while off'])
  })

  test('holds what cannot be started now, and buries what never can', async () => {
    const { start, door, publish, queue } = await installation()
    let isDown = true
    door.onDeliver = ({ payload }) => {
      if (payload === 'poison') throw new TypeError('a bug')
      if (isDown) throw new SopError('unavailable', 'Temporal cannot be reached')
    }
    const source = await start([on('#')])
    await publish('x', '"held"')
    await door.until(3)
    await publish('x', '"poison"')
    const buried = await until(
      async () => (await channel?.get(`${queue}.dead`, { noAck: true })) ?? false,
      (message) => message !== false,
    )
    expect(buried === false ? '' : buried.content.toString()).toBe('"poison"')
    let taken = 0
    door.onDeliver = () => void taken++
    isDown = false
    await until(
      async () => taken,
      (times) => times > 0,
    )
    const before = door.came.length
    await stop(source)
    // Nothing is left that was not acknowledged.
    await start([on('#')])
    await publish('x', '"end"')
    await came(door, 'end')
    expect(payloads(door).slice(before)).toEqual(['end'])
  })

  test.each<[what: string, name: string, options: Options.Publish]>([
    ['with an id', 'amqp-once', { messageId: 'only-one' }],
    ['without an id', 'amqp-nameless', { headers: { n: 1 } }],
  ])('starts one run of a message %s whose acknowledgement was lost with the engine', async (_what, name, options) => {
    const { start, publish } = await installation()
    const sop = sopOf({ name, triggers: [{ type: 'amqp', routingKey: 'once' }], steps: [{}] })
    const engine = await startTestEngine({ sops: [sop], policy: { defaultMode: 'auto' } })
    onTestFinished(() => engine.stop())
    let deliver: (() => void) | undefined
    const delivered = new Promise<void>((resolve) => {
      deliver = resolve
    })
    const dying = {
      deliver: async (...args: Parameters<typeof engine.triggers.deliver>) => {
        const deliveries = await engine.triggers.deliver(...args)
        deliver?.()
        // Its answer is lost with the process: it is answered only after the connection is gone.
        await gone
        return deliveries
      },
    }
    let end: () => void = () => {}
    const gone = new Promise<void>((resolve) => {
      end = resolve
    })
    const source = await start([on('once', sop.name)], { door: dying })
    await publish('once', '{}', options)
    await delivered
    const stopping = stop(source)
    await expect.poll(() => source.health()?.ok, { timeout: 10_000 }).toBe(false)
    end()
    await stopping
    await start([on('once', sop.name)], { door: engine.triggers })
    const found = await until(
      () => engine.stores.deliveries.list({ sop: sop.name, limit: 10 }),
      (all) => all.length === 2,
    )
    expect(found.map(({ verdict }) => verdict)).toEqual(['duplicate', 'started'])
    expect(new Set(found.map(({ runId }) => runId)).size).toBe(1)
  })

  test('counts each of two messages without an id that look the same', async () => {
    const { start, door, publish } = await installation()
    let isDown = true
    door.onDeliver = () => {
      if (isDown) throw new SopError('unavailable', 'Temporal cannot be reached')
    }
    const source = await start([on('x')])
    for (const text of ['"on"', '"on"']) await publish('x', text)
    await until(
      async () => new Set(keysOf(door)).size,
      (different) => different === 2,
    )
    const first = new Set(keysOf(door))
    await stop(source)
    isDown = false
    const before = door.came.length
    await start([on('x')])
    await until(
      async () => door.came.length - before,
      (more) => more === 2,
    )
    expect(new Set(keysOf(door).slice(before))).toEqual(first)
    // What was acknowledged is forgotten: another one that looks the same is another one.
    await publish('x', '"on"')
    await until(
      async () => door.came.length - before,
      (more) => more === 3,
    )
    expect(first.has(keysOf(door).at(-1))).toBe(false)
  })

  describe('over TLS', () => {
    const url = () => broker?.tlsUrl ?? ''
    beforeEach(({ skip }) => {
      if (tls === undefined) skip('There is no openssl, which makes certificates')
    })

    test('takes messages of a broker whose authority is in ca_file, and shows its own certificate', async () => {
      const { start, door, publish } = await installation()
      await start([on('#')], { config: { url: url(), caFile: tls?.caFile ?? '', ...tls?.client } })
      await publish('x', '"secret"')
      expect(await came(door, 'secret')).toEqual(['secret'])
    })

    test.each<[what: string, config: () => Partial<AmqpDeps['config']>, detail: RegExp]>([
      ['that no known authority vouches for', () => ({ ...tls?.client }), /self-signed certificate|unable to verify/],
      [
        'of another authority',
        () => ({ caFile: tls?.otherCaFile ?? '', ...tls?.client }),
        /self-signed certificate|unable to verify/,
      ],
      ['whose ca_file is not there', () => ({ caFile: '/nowhere/ca.pem' }), /ENOENT.*\/nowhere\/ca\.pem/],
      ['that wants a certificate of the engine', () => ({ caFile: tls?.caFile ?? '' }), /certificate/],
    ])('takes nothing of a broker %s, and says why', async (_what, config, detail) => {
      const { start, door } = await installation()
      const source = await start([on('#')], { config: { url: url(), ...config() }, isRefused: true })
      await expect.poll(() => source.health()?.detail, { timeout: 15_000 }).toMatch(detail)
      expect(source.health()?.ok).toBe(false)
      expect(door.came).toEqual([])
    })
  })

  test(
    'goes on when the broker was restarted, with what it had kept',
    async () => {
      const { start, door, publish } = await installation()
      let isDown = true
      door.onDeliver = () => {
        if (isDown) throw new SopError('unavailable', 'Temporal cannot be reached')
      }
      const source = await start([on('#')])
      await publish('x', '"kept"')
      await door.until(1)
      await broker?.kill()
      await expect.poll(() => source.health()?.detail, { timeout: 10_000 }).toMatch(/^not connected since/)
      isDown = false
      const before = door.came.length
      await broker?.start()
      await connect()
      await until(
        async () => payloads(door).slice(before),
        (all) => all.includes('kept'),
      )
      await publish('x', '"after"')
      await came(door, 'after')
      expect(source.health()).toEqual({ ok: true })
    },
    START_LIMIT_MS,
  )
})
