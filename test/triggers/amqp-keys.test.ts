import type { ConsumeMessage } from 'amqplib'
import { expect, test } from 'vitest'
import type { SourceMemory } from '../../src/core/trigger/source-memory.ts'
import type { Json } from '../../src/core/definition.ts'
import { createAmqpKeys } from '../../src/triggers/amqp-keys.ts'

const memory = (): SourceMemory => {
  const kept = new Map<string, Json>()
  return { get: async (name) => kept.get(name), put: async (name, value) => void kept.set(name, value) }
}
type Sketch = {
  readonly redelivered?: boolean
  readonly text?: string
  readonly key?: string
  readonly headers?: object
}
const message = ({ redelivered = false, text = 'on', key = 'k', headers = {} }: Sketch = {}) =>
  ({
    content: Buffer.from(text),
    fields: { deliveryTag: 1, redelivered, exchange: 'sop', routingKey: key, consumerTag: 'c' },
    properties: { contentType: 'text/plain', headers },
  }) as unknown as ConsumeMessage
const again = (more: Sketch = {}) => message({ ...more, redelivered: true })

test('createAmqpKeys() finds the key of a message that is sent again, also after a restart', async () => {
  const state = memory()
  const first = await (await createAmqpKeys(state)).channel().keyOf(message())
  const keys = await createAmqpKeys(state)
  expect(await keys.channel().keyOf(again())).toBe(first)
  expect(await keys.channel().keyOf(again({ headers: { 'x-delivery-count': 2 } }))).toBe(first)
})

test('createAmqpKeys() gives each of two messages that look the same a key, and each of them its own again', async () => {
  const keys = await createAmqpKeys(memory())
  const before = keys.channel()
  const made = [await before.keyOf(message()), await before.keyOf(message())]
  const after = keys.channel()
  const found = [await after.keyOf(again()), await after.keyOf(again())]
  expect(new Set(found)).toEqual(new Set(made))
  // A third one was sent to nobody whom these keys know of.
  expect(made).not.toContain(await after.keyOf(again()))
})

test.each<[string, Sketch]>([
  ['another text', { text: 'off' }],
  ['another routing key', { key: 'l' }],
  ['other headers', { headers: { n: 1 } }],
])('createAmqpKeys() takes a message with %s for another one', async (_what, sketch) => {
  const keys = await createAmqpKeys(memory())
  const first = await keys.channel().keyOf(message())
  expect(await keys.channel().keyOf(again(sketch))).not.toBe(first)
})

test('createAmqpKeys() takes nothing for a message that the broker never sends again', async () => {
  const state = memory()
  let time = 0
  const keys = await createAmqpKeys(state, () => time)
  const channel = keys.channel()
  const [forgotten, fresh] = [await channel.keyOf(message()), await channel.keyOf(message())]
  await channel.forget(forgotten)
  expect(await keys.channel().keyOf(again())).toBe(fresh)
  // New ones come: all that was under way on the channel before has come by then.
  const later = (await createAmqpKeys(state, () => time)).channel()
  time = 60_000
  await later.keyOf(message({ text: 'soon' }))
  time = 180_000
  await later.keyOf(message({ text: 'late' }))
  expect([forgotten, fresh]).not.toContain(await (await createAmqpKeys(state)).channel().keyOf(again()))
})

test('createAmqpKeys() says nothing of a message whose key cannot be kept', async () => {
  const broken: SourceMemory = { get: async () => undefined, put: () => Promise.reject(new Error('disk full')) }
  await expect((await createAmqpKeys(broken)).channel().keyOf(message())).rejects.toThrow('disk full')
})
