import { describe, expect, test } from 'vitest'
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_DEPTH, readMessage } from '../../../src/core/trigger/message.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('readMessage()', () => {
  test.each([
    ['{"a":1}', { a: 1 }],
    ['[1,"x"]', [1, 'x']],
    ['42', 42],
    ['plain text', 'plain text'],
    ['{"half":', '{"half":'],
    ['', null],
    ['"[[[["', '[[[['],
    [String.raw`"\"[["`, '"[['],
  ])('reads %j', (text, payload) => expect(readMessage(bytes(text))).toEqual({ ok: true, payload }))

  test('keeps __proto__ as a name like any other', () => {
    const read = readMessage(bytes('{"__proto__":{"admin":true}}'))
    expect(read.ok && Object.keys(read.payload as object)).toEqual(['__proto__'])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test.each([
    ['what is no text', new Uint8Array([0xff, 0xfe]), /not UTF-8/],
    ['what is too large', bytes('x'.repeat(MAX_MESSAGE_BYTES + 1)), /at most/],
    ['what is too deep', bytes(`${'['.repeat(MAX_MESSAGE_DEPTH + 1)}`), /deep/],
    ['what is deep beyond any stack', bytes('['.repeat(200_000)), /deep/],
  ])('refuses %s', (_what, message, reason) => {
    const read = readMessage(message)
    expect(read.ok ? '' : read.reason).toMatch(reason)
  })

  test('takes what is just within its limits', () => {
    expect(readMessage(bytes('x'.repeat(MAX_MESSAGE_BYTES))).ok).toBe(true)
    const deep = `${'['.repeat(MAX_MESSAGE_DEPTH)}${']'.repeat(MAX_MESSAGE_DEPTH)}`
    expect(readMessage(bytes(deep)).ok).toBe(true)
  })
})
