import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { canonicalJson, digestOf, sha256Hex } from '../../src/core/canonical.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { executablesOf } from '../../src/core/executables.ts'
import { verifyEd25519 } from '../../src/core/ed25519.ts'
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
  expect(digestOf({ ...rest, name })).toBe(digestOf(definition))
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

describe('verifyEd25519()', () => {
  // RFC 8032, 7.1
  test.each([
    [
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('takes the vector of key %s', (key, message, signature) => {
    const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
    expect(verifyEd25519(bytes(signature), bytes(message), bytes(key))).toBe(true)
    expect(verifyEd25519(bytes(signature), bytes(`${message}00`), bytes(key))).toBe(false)
  })

  test('answers as node:crypto does, to sound and to bent signatures', () => {
    const raw = Uint8Array.from(Buffer.from(authority, 'base64'))
    const byte = fc.nat({ max: 63 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), byte, fc.nat({ max: 255 }), (message, at, change) => {
        const signature = Uint8Array.from(sign(null, message, privateKey))
        signature[at] = (signature[at] ?? 0) ^ change
        expect(verifyEd25519(signature, message, raw)).toBe(verify(null, message, publicKey, signature))
      }),
      { numRuns: 200 },
    )
  })
  test('refuses an S beyond the order, which would be a second signature of the same text', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const signature = Uint8Array.from(sign(null, Buffer.from('a'), privateKey))
    let s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
    for (let at = 32; at < 64; at++, s >>= 8n) signature[at] = Number(s & 255n)
    const raw = Uint8Array.from(Buffer.from(authority, 'base64'))
    expect(verifyEd25519(signature, Uint8Array.from(Buffer.from('a')), raw)).toBe(false)
  })
  test('answers as node:crypto does to keys that are no points or of small order', () => {
    const prefix = Buffer.from('302a300506032b6570032100', 'hex')
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const spki = createPublicKey({ key: Buffer.concat([prefix, key]), format: 'der', type: 'spki' })
        const signature = sign(null, Buffer.from('a'), privateKey)
        expect(verifySeal(Buffer.from(key).toString('base64'), 'a', signature.toString('base64'))).toBe(
          verify(null, Buffer.from('a'), spki, signature),
        )
      }),
    )
  })
})
