import fc from '../support/laws.ts'
import { expect, test } from 'vitest'
import { createTail, tailText } from '../../src/activities/output-tail.ts'

test('createTail() keeps the last bytes only', () => {
  const tail = createTail(10)
  for (let i = 0; i < 1000; i++) tail.push(Buffer.from(String(i % 10)))
  expect(tail.text()).toBe('0123456789')
})

test.each([1, 2, 3, 4, 5])('tailText() never begins inside a character, limit %i', (limit) => {
  const out = tailText(Buffer.from('a€😀'), limit)
  expect('a€😀'.endsWith(out)).toBe(true)
})

test('tailText() replaces broken bytes and leaves NUL out', () => {
  expect(tailText(Buffer.from([0x61, 0xff, 0x00, 0x62]), 100)).toBe('a\ufffdb')
})

test('tailText() stays within its limit, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (bytes, limit) => {
      const out = tailText(bytes, limit)
      expect(Buffer.byteLength(out)).toBeLessThanOrEqual(limit)
      expect(out.includes('\0')).toBe(false)
    }),
  )
})

test('createTail() gives the same as the tail of everything', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 40 }), (parts) => {
      const tail = createTail(64)
      for (const part of parts) tail.push(Buffer.from(part))
      expect(tail.text()).toBe(tailText(Buffer.from(parts.map((part) => Buffer.from(part).toString()).join('')), 64))
    }),
  )
})
