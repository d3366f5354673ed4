import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { formatDuration, MAX_DURATION_MS, parseDuration, unitMs } from '../../src/core/duration.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('parseDuration()', () => {
  test.each([
    ['90s', 90 * SECOND],
    ['5 minutes', 5 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['1h 30m', 90 * MINUTE],
    ['1 hour and 30 minutes', 90 * MINUTE],
    ['1 hour, 30 minutes', 90 * MINUTE],
    ['2d', 2 * DAY],
    ['1.5h', 90 * MINUTE],
    ['250ms', 250],
    ['2 weeks', 14 * DAY],
    ['  10 MIN ', 10 * MINUTE],
    ['PT5M', 5 * MINUTE],
    ['P1DT2H', DAY + 2 * HOUR],
    ['0', 0],
    ['90', 90 * SECOND],
    ['0.0005s', 1],
    ['none', null],
    ['No limit', null],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, ms })
  })

  test('a bare number takes the unit that its key names', () => {
    expect(parseDuration('5', unitMs('Mins'))).toEqual({ ok: true, ms: 5 * MINUTE })
    expect(parseDuration('5m', unitMs('secs'))).toEqual({ ok: true, ms: 5 * MINUTE })
  })

  test.each([
    ['', 'expected a number then ms, s, m, h, d or w'],
    ['soon', 'expected a number then ms, s, m, h, d or w'],
    ['5 fortnights', 'expected a number then ms, s, m, h, d or w'],
    ['5m later', 'expected a number then ms, s, m, h, d or w'],
    ['1e9d', 'expected a number then ms, s, m, h, d or w'],
    ['P', 'expected a number then ms, s, m, h, d or w'],
    ['PT', 'expected a number then ms, s, m, h, d or w'],
    ['constructor', 'expected a number then ms, s, m, h, d or w'],
    ['-5m', 'it is negative'],
    ['1 month', 'months and years differ in length'],
    ['2y', 'months and years differ in length'],
    ['99999d', 'it is longer than 100 years'],
    ['9'.repeat(90), 'it is longer than 100 years'],
    ['9'.repeat(200), 'expected a number'],
  ])('%j is refused', (text, reason) => {
    const parsed = parseDuration(text)
    expect(parsed).toMatchObject({ ok: false, reason: expect.stringContaining(reason) })
    expect(!parsed.ok && parsed.message).toMatch(/^Cannot read duration "/)
  })
})

test('formatDuration() is read back as the same duration', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, ms })
    }),
  )
})

test.each([
  [0, '0s'],
  [90 * MINUTE, '1h30m'],
  [DAY + 1, '1d1ms'],
])('formatDuration(%i) is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
