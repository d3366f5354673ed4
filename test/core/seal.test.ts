import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, digestOf, sha256Hex } from '../../src/core/canonical.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { executablesOf } from '../../src/core/executables.ts'
import type { Decision } from '../../src/core/run/decision.ts'
import { base64Bytes, sealedText, verifySeal } from '../../src/core/seal.ts'

describe('canonicalJson()', () => {
  test.each<[unknown, string]>([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ '10': 1, '9': 2 }, '{"10":1,"9":2}'],
    [{ a: undefined, b: [undefined, 1] }, '{"b":[null,1]}'],
    [[], '[]'],
    [{}, '{}'],
    [null, 'null'],
    ['a"\n', '"a\\"\\n"'],
    [1.0, '1'],
    [-0, '0'],
    [1e21, '1e+21'],
    [0.1, '0.1'],
    [
      { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 },
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    ],
    [{ a: { d: 1, c: [{ z: 1, y: 2 }] } }, '{"a":{"c":[{"y":2,"z":1}],"d":1}}'],
    [JSON.parse('{"__proto__": 1, "a": 2}'), '{"__proto__":1,"a":2}'],
  ])('%j', (value, expected) => expect(canonicalJson(value)).toBe(expected))

  test('is the same for every order of keys, and reads back', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (table) => {
        const turned = Object.fromEntries(Object.entries(table).reverse())
        expect(canonicalJson(turned)).toBe(canonicalJson(table))
        expect(JSON.parse(canonicalJson(table))).toEqual(JSON.parse(JSON.stringify(table)))
      }),
    ))
  test('refuses what is nested without end', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(() => canonicalJson(deep)).toThrow(/nested/)
  })
})

test('sha256Hex() is that of node:crypto', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'))
    }),
  ))

const definition: SopDefinition = {
  format: 1,
  name: 'deploy',
  title: 'Deploy',
  description: '',
  version: '1.0.0',
  priority: 'normal',
  cooldownMs: 0,
  admission: 'queue',
  triggers: [{ type: 'manual' }],
  env: { REGION: 'eu', LEVEL: 'sop' },
  secrets: ['TOKEN'],
  dialect: 'A',
  steps: [
    {
      number: 1,
      slug: 'a',
      title: 'A',
      action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'true' }] },
    },
    {
      number: 2,
      slug: 'b',
      title: 'B',
      action: { kind: 'shell', commands: [{ interpreter: 'sh', script: 'x' }] },
      cwd: '/tmp',
      shell: 'zsh',
      env: { LEVEL: 'step' },
      secrets: ['TOKEN', 'OTHER'],
      verify: [{ interpreter: 'bash', script: 'v' }],
      rollback: [{ interpreter: 'bash', script: 'r' }],
    },
    { number: 3, slug: 'c', title: 'C', action: { kind: 'manual' }, verify: [{ interpreter: 'bash', script: 'v3' }] },
    { number: 4, slug: 'd', title: 'D', action: { kind: 'http', method: 'GET', url: 'http://x' }, secrets: ['H'] },
    { number: 5, slug: 'e', title: 'E', action: { kind: 'wait', durationMs: 1 } },
  ],
  gates: [
    { key: 'pre_a', type: 'approval', position: { at: 'start' }, required: true },
    {
      key: 'post_check',
      type: 'verification',
      position: { at: 'end' },
      required: true,
      command: { interpreter: 'bash', script: 'check' },
    },
  ],
}

test('digestOf() changes with every change, and not with the order of keys', () => {
  const { name, ...rest } = definition
  expect(digestOf(definition)).toMatch(/^[0-9a-f]{64}$/)
  expect(digestOf({ ...rest, name } as SopDefinition)).toBe(digestOf(definition))
  expect(digestOf({ ...definition, version: '1.0.1' })).not.toBe(digestOf(definition))
})

test('executablesOf() names everything that a worker may run, with env and secrets merged in', () => {
  const shared = { env: { REGION: 'eu', LEVEL: 'sop' }, secrets: ['TOKEN'] }
  const own = { cwd: '/tmp', shell: 'zsh', env: { REGION: 'eu', LEVEL: 'step' }, secrets: ['TOKEN', 'OTHER'] }
  expect(executablesOf(definition)).toEqual({
    'step:1': { kind: 'shell', commands: [{ interpreter: 'bash', script: 'true' }], ...shared },
    'step:2': { kind: 'shell', commands: [{ interpreter: 'sh', script: 'x' }], ...own },
    'verify:2': { kind: 'shell', commands: [{ interpreter: 'bash', script: 'v' }], ...own },
    'rollback:2': { kind: 'shell', commands: [{ interpreter: 'bash', script: 'r' }], ...own },
    'verify:3': { kind: 'shell', commands: [{ interpreter: 'bash', script: 'v3' }], ...shared },
    'step:4': { kind: 'http', method: 'GET', url: 'http://x', secrets: ['TOKEN', 'H'] },
    'gate:post_check': { kind: 'shell', commands: [{ interpreter: 'bash', script: 'check' }], ...shared },
  })
})

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const authority = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
const seal = (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64')

describe('verifySeal()', () => {
  test('takes what node:crypto signed', () => {
    for (const text of ['a', 'x'.repeat(10_000), 'ünï 🚀', '{"a":1}'])
      expect(verifySeal(authority, text, seal(text))).toBe(true)
  })
  test('refuses another text, another key, another signature', () => {
    const other = generateKeyPairSync('ed25519')
      .publicKey.export({ format: 'der', type: 'spki' })
      .subarray(-32)
      .toString('base64')
    expect(verifySeal(authority, 'b', seal('a'))).toBe(false)
    expect(verifySeal(other, 'a', seal('a'))).toBe(false)
    const bytes = Buffer.from(seal('a'), 'base64')
    for (const at of [0, 31, 32, 63]) {
      const bent = Buffer.from(bytes)
      bent[at] = (bent[at] ?? 0) ^ 1
      expect(verifySeal(authority, 'a', bent.toString('base64'))).toBe(false)
    }
  })
  test('never takes the empty text', () => expect(verifySeal(authority, '', seal(''))).toBe(false))
  test('a key of small order vouches for nothing', () => {
    const zero = Buffer.alloc(32).toString('base64')
    const one = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64')
    const nothing = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]).toString('base64')
    for (const key of [zero, one]) expect(verifySeal(key, 'a', nothing)).toBe(false)
  })
  test.each([
    '',
    'x',
    '====',
    '!!!!',
    'A'.repeat(88),
    `${'A'.repeat(87)}=`,
    'A'.repeat(200),
    '🚀'.repeat(44),
    `${'A'.repeat(86)}==`,
  ])('never throws on the seal %j', (bad) => {
    expect(verifySeal(authority, 'a', bad)).toBe(false)
    expect(verifySeal(bad, 'a', seal('a'))).toBe(false)
  })
  test('no text at all makes it throw or say yes', () =>
    fc.assert(fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => !verifySeal(a, b, c))))
})

test('base64Bytes() reads what Buffer writes, and only that', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(base64Bytes(Buffer.from(bytes).toString('base64'))).toEqual(Uint8Array.from(bytes))
    }),
  )
  for (const bad of ['A', 'AA', 'AAA', 'A===', 'AB==', 'AAB=', 'AA=A', '=AAA', 'A-_A', 'AA A', 'AAAA\n'])
    expect(base64Bytes(bad)).toBeUndefined()
})

describe('sealedText()', () => {
  const decision: Decision = {
    kind: 'approve',
    gate: 'start',
    attempt: 1,
    principal: { id: 'alice', kind: 'user' },
    via: 'http',
  }
  test('covers the run and everything that is said', () => {
    const said = sealedText('run1', decision)
    const others: Decision[] = [
      { ...decision, kind: 'reject' },
      { ...decision, gate: 'other' },
      { ...decision, attempt: 2 },
      { ...decision, comment: 'x' },
      { ...decision, values: { a: 1 } },
      { ...decision, principal: { id: 'bob', kind: 'user' } },
      { ...decision, principal: { id: 'alice', kind: 'user', groups: ['dba'] } },
      { ...decision, via: 'cli' },
      { ...decision, decisionId: '1' },
    ]
    expect(
      new Set([said, sealedText('run2', decision), ...others.map((other) => sealedText('run1', other))]).size,
    ).toBe(others.length + 2)
  })
  test('leaves the seal out', () =>
    expect(sealedText('run1', { ...decision, seal: 'x' })).toBe(sealedText('run1', decision)))
  test('of a decision that is nested without end is empty, and so never sealed', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(sealedText('run1', { ...decision, values: { deep } })).toBe('')
  })
})
