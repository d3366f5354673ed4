import type { IPublishPacket } from 'mqtt'
import { expect, test } from 'vitest'
import type { SourceMemory } from '../../src/core/trigger/source-memory.ts'
import type { Json } from '../../src/core/definition.ts'
import { createMqttKeys } from '../../src/triggers/mqtt-keys.ts'

const memory = (): SourceMemory => {
  const kept = new Map<string, Json>()
  return { get: async (name) => kept.get(name), put: async (name, value) => void kept.set(name, value) }
}
const packet = (messageId: number, dup = false): IPublishPacket => ({
  cmd: 'publish',
  topic: 't',
  payload: '',
  qos: 1,
  retain: false,
  dup,
  messageId,
})
const on = new TextEncoder().encode('on')

test('createMqttKeys() finds the key of a packet that is sent again, also after a restart', async () => {
  const state = memory()
  const keys = await createMqttKeys(state)
  const first = await keys.keyOf('t', packet(1), on)
  expect(await keys.keyOf('t', packet(1, true), on)).toBe(first)
  expect(await (await createMqttKeys(state)).keyOf('t', packet(1, true), on)).toBe(first)
})

test('createMqttKeys() makes a new key for a message that only looks the same', async () => {
  const keys = await createMqttKeys(memory())
  const made = [
    await keys.keyOf('t', packet(1), on),
    // The number was free again.
    await keys.keyOf('t', packet(1), on),
    await keys.keyOf('t', packet(2), on),
    // Another message under its number, of which the first sending was lost.
    await keys.keyOf('t', packet(2, true), new TextEncoder().encode('off')),
    await keys.keyOf('u', packet(2, true), on),
  ]
  expect(new Set(made).size).toBe(made.length)
  await keys.forget()
  expect(made).not.toContain(await keys.keyOf('u', packet(2, true), on))
})

test('createMqttKeys() has none for what is never sent again', async () => {
  const keys = await createMqttKeys(memory())
  expect(await keys.keyOf('t', { ...packet(1), qos: 0 }, on)).toBeUndefined()
})

test('createMqttKeys() keeps the number of a subscription as long as it is wanted', async () => {
  const state = memory()
  const keys = await createMqttKeys(state)
  await keys.setTopics(['a', 'b'])
  const b = keys.numberOf('b')
  await keys.setTopics(['b', 'c'])
  const again = await createMqttKeys(state)
  expect([again.numberOf('b'), await again.topics()]).toEqual([b, ['b', 'c']])
  expect(again.numberOf('c')).not.toBe(b)
})
