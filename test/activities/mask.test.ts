import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { createMask, MASK } from '../../src/activities/mask.ts'

const masked = (secrets: readonly string[], chunks: readonly Uint8Array[]): string => {
  const masker = createMask(secrets).masker()
  return Buffer.concat([...chunks.map((chunk) => masker.push(chunk)), masker.end()]).toString()
}
const text = (...parts: readonly string[]): Uint8Array[] => parts.map((part) => Buffer.from(part))
const splitAt = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)]

const SECRET = 'p@ss/w0rd+\'ü"=x'
const FORMS: Readonly<Record<string, string>> = {
  plain: SECRET,
  'base64, alone': Buffer.from(SECRET).toString('base64'),
  'base64url, alone': Buffer.from(SECRET).toString('base64url'),
  'URL-encoded': encodeURIComponent(SECRET),
  'URL-encoded in lower case': encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase()),
  'form-encoded': new URLSearchParams({ a: SECRET }).toString().slice(2),
  'JSON-escaped': JSON.stringify(SECRET).slice(1, -1),
  'JSON-escaped as ASCII': JSON.stringify(SECRET).slice(1, -1).replace('ü', '\\u00fc'),
  'as set -x prints it': SECRET.replaceAll("'", "'\\''"),
}

describe('createMask()', () => {
  test.each(Object.entries(FORMS))('masks a secret that is %s, split at every offset', (_, form) => {
    const bytes = Buffer.from(`before ${form} after`)
    for (let at = 0; at <= bytes.length; at++) {
      expect(masked([SECRET], splitAt(bytes, at)), `split at ${at}`).toBe(`before ${MASK} after`)
    }
  })

  test.each([0, 1, 2])('masks a secret inside of base64 at alignment %i', (shift) => {
    const secret = 'hunter2-hunter2'
    const encoded = Buffer.from(`${'x'.repeat(shift)}${secret} and more`).toString('base64')
    const out = masked([secret], text(encoded))
    expect(out).toContain(MASK)
    expect(Buffer.from(out.replaceAll(MASK, ''), 'base64').toString()).not.toContain('unter2-hunter')
  })

  test('masks a long secret in base64 whose lines are broken', () => {
    const secret = 'k'.repeat(30) + 'Q7'.repeat(40)
    const wrapped = (
      Buffer.from(secret)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n')
    const out = masked([secret], text(`${wrapped}\n`))
    expect(out.length).toBeLessThan(12)
    expect(out).toContain(MASK)
  })

  test('masks each line of a secret of several lines, and lets short lines pass', () => {
    const secret = '-----BEGIN KEY-----\nMIIabcdefg\n}\n-----END KEY-----'
    expect(masked([secret], text('  MIIabcdefg  }'))).toBe(`  ${MASK}  }`)
    expect(masked([secret], text(secret))).toBe(MASK)
  })

  test('masks overlapping secrets as a whole', () => {
    const bytes = Buffer.from('<abcdefghi>')
    for (let at = 0; at <= bytes.length; at++) {
      expect(masked(['abcdef', 'defghi'], splitAt(bytes, at))).toBe(`<${MASK}>`)
    }
  })

  test('leaves values of fewer than four characters alone', () => {
    expect(createMask(['abc', '']).isEmpty).toBe(true)
    expect(masked(['abc'], text('abc'))).toBe('abc')
  })

  test('lets go at once of what cannot begin a secret', () => {
    const masker = createMask(['secret-value']).masker()
    expect(Buffer.from(masker.push(Buffer.from('Password: '))).toString()).toBe('Password: ')
    expect(Buffer.from(masker.push(Buffer.from('sec'))).toString()).toBe('')
    expect(Buffer.from(masker.push(Buffer.from('tion'))).toString()).toBe('section')
  })

  test('keeps its memory bounded where a secret begins again and again', () => {
    const masker = createMask(['aaaa']).masker()
    let out = 0
    for (let i = 0; i < 2000; i++) out += masker.push(Buffer.alloc(1000, 'a')).length
    expect(out).toBe(MASK.length)
    expect(masker.end().length).toBe(0)
  })

  test('reports errors and other text masked', () => {
    expect(createMask(['topsecret']).text('Cannot reach "https://x/topsecret"')).toBe('Cannot reach "https://x/***"')
  })

  test('a lone surrogate in a secret is masked and breaks nothing', () => {
    const secret = 'abc\ud800def'
    expect(createMask([secret]).text(`x${secret}y`)).toBe(`x${MASK}y`)
  })

  test('the result does not depend on the cuts, and no secret passes', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 4, maxLength: 7 })
    const noise = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', '%', '9'), maxLength: 12 })
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.array(noise, { maxLength: 12 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        (secrets, noises, cuts) => {
          const bytes = Buffer.from(noises.map((each, i) => each + (secrets[i % secrets.length] ?? '')).join(''))
          const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
          const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
          const whole = masked(secrets, [bytes])
          expect(masked(secrets, chunks)).toBe(whole)
          for (const secret of secrets) expect(whole).not.toContain(secret)
        },
      ),
      { numRuns: 2000 },
    )
  })

  const wrapped = (text: string, width: number, lineEnd: string): string =>
    (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(lineEnd)
  const secret = fc.string({ unit: 'binary', minLength: 4, maxLength: 40 }).filter((text) => !/[\r\n]/.test(text))

  test('any secret is masked in base64, wherever its lines are broken and however it is cut', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('base64' as const, 'base64url' as const),
        fc.integer({ min: 1, max: 80 }),
        fc.constantFrom('\n', '\r\n'),
        fc.nat(60),
        (value, encoding, width, lineEnd, at) => {
          const form = wrapped(Buffer.from(value).toString(encoding), width, lineEnd)
          const bytes = Buffer.from(`<${form}>`)
          expect(masked([value], splitAt(bytes, Math.min(at, bytes.length)))).toBe(`<${MASK}>`)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('any secret is masked inside of base64, at every alignment', () => {
    fc.assert(
      fc.property(secret, fc.nat(5), fc.nat(5), fc.nat(60), (value, before, after, at) => {
        const whole = Buffer.concat([Buffer.alloc(before, 1), Buffer.from(value), Buffer.alloc(after, 2)])
        const encoded = whole.toString('base64')
        const out = masked([value], splitAt(Buffer.from(encoded), Math.min(at, encoded.length)))
        expect(out).toContain(MASK)
        // What is left tells of no byte but those that share a character with their neighbours.
        expect(out.replaceAll(MASK, '').length).toBeLessThanOrEqual(Math.ceil(((before + after) * 8) / 6) + 6)
      }),
      { numRuns: 2000 },
    )
  })

  test('any secret is masked as it is, URL-encoded and escaped for JSON, however it is cut', () => {
    fc.assert(
      fc.property(secret, fc.nat(2), fc.nat(200), (value, which, at) => {
        const text = Buffer.from(value).toString()
        const form = [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)][which] ?? ''
        const out = masked([value], splitAt(Buffer.from(`\u0001${form}\u0001`), at))
        expect(out).toBe(`\u0001${MASK}\u0001`)
      }),
      { numRuns: 2000 },
    )
  })

  test('masks exactly what a naive search covers', () => {
    const word = fc.string({ unit: fc.constantFrom('x', 'y'), minLength: 4, maxLength: 6 })
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 2 }),
        fc.string({ unit: fc.constantFrom('x', 'y', '-'), maxLength: 40 }),
        (secrets, input) => {
          const covered = Array.from({ length: input.length }, () => false)
          for (const secret of secrets) {
            for (let i = input.indexOf(secret); i !== -1; i = input.indexOf(secret, i + 1))
              covered.fill(true, i, i + secret.length)
          }
          const plain = [...input].filter((_, i) => covered[i] !== true).join('')
          expect(masked(secrets, text(input)).replaceAll(MASK, '')).toBe(plain)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
