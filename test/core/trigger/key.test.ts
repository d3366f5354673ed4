import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/core/definition.ts'
import { keyAt, keyOf, readKeyRule } from '../../../src/core/trigger/key.ts'

const ask = (written: string | undefined, headers: Record<string, string>, payload: Json = {}): string | undefined => {
  if (written === undefined) return keyOf(undefined, { headers, payload, bodyDigest: 'abc' })
  const read = readKeyRule(written)
  if (!read.ok) return `no: ${read.reason}`
  return keyOf(read.rule, { headers, payload, bodyDigest: 'abc' })
}

describe('keyOf()', () => {
  test.each<[written: string | undefined, headers: Record<string, string>, payload: Json, key: string | undefined]>([
    [undefined, {}, {}, undefined],
    [undefined, { 'idempotency-key': 'a', 'x-github-delivery': 'b' }, {}, 'idempotency-key a'],
    [undefined, { 'x-github-delivery': 'b' }, {}, 'x-github-delivery b'],
    [undefined, { 'ce-id': '1', 'ce-source': '/ci' }, {}, 'ce ["/ci","1"]'],
    [undefined, { 'idempotency-key': '' }, {}, undefined],
    [undefined, { 'idempotency-key': 'x'.repeat(500) }, {}, `idempotency-key ${'x'.repeat(500)}`],
    [
      undefined,
      { 'idempotency-key': 'x'.repeat(501) },
      {},
      expect.stringMatching(/^idempotency-key sha256 [0-9a-f]{64}$/),
    ],
    ['$.id', {}, { id: 'x'.repeat(501) }, expect.stringMatching(/^value sha256 [0-9a-f]{64}$/)],
    ['X-Request-Id', { 'x-request-id': '7', 'idempotency-key': 'a' }, {}, 'x-request-id 7'],
    ['X-Request-Id', { 'idempotency-key': 'a' }, {}, 'idempotency-key a'],
    ['$.alert.id', {}, { alert: { id: 'q' } }, 'value q'],
    ['$.alert.id', {}, { alert: { id: 7 } }, 'value 7'],
    ['$.alert.id', {}, { alert: {} }, undefined],
    ['$.alert.id', {}, { alert: { id: null } }, undefined],
    ['{{ payload.id }}-{{ payload.status }}', {}, { id: 'q', status: 'firing' }, 'value q-firing'],
    ['body', {}, {}, 'body abc'],
    ['none', { 'idempotency-key': 'a' }, {}, undefined],
    ['not a header', {}, {}, 'no: it is none of a header, a path such as $.id, an expression in {{ }}, body and none'],
    ['{{ nope( }}', {}, {}, 'no: Cannot read expression "nope(": it ends too early'],
  ])('%j with %j and %j → %j', (written, headers, payload, key) => {
    expect(ask(written, headers, payload)).toEqual(key)
  })

  test('a key of one kind is never one of another', () => {
    const keys = [
      ask('X-A', { 'x-a': '1' }),
      ask('X-B', { 'x-b': '1' }),
      ask('$.id', {}, { id: '1' }),
      ask(undefined, { 'idempotency-key': '1' }),
      ask(undefined, { 'x-github-delivery': '1' }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.each<[written: string | undefined, headers: Record<string, string>, key: string | undefined]>([
    [undefined, {}, 'signed 17 abc'],
    ['$.id', {}, 'signed 17 abc'],
    ['body', {}, 'body abc'],
    [undefined, { 'idempotency-key': 'a' }, 'idempotency-key a'],
    ['none', {}, undefined],
  ])('a signature for a time tells repeats where nothing else does: %j with %j → %j', (written, headers, key) => {
    const read = written === undefined ? undefined : readKeyRule(written)
    const rule = read?.ok === true ? read.rule : undefined
    expect(keyOf(rule, { headers, payload: {}, bodyDigest: 'abc', signedAt: '17' })).toBe(key)
  })

  test('two webhooks of one SOP have keys of their own', () => {
    const at = (subject: string) => keyAt({ source: 'webhook', subject }, 'k')
    expect(at('/a')).not.toBe(at('/b'))
  })
})
