import { describe, expect, test } from 'vitest'
import { isOutOfTime, keptSince } from '../../src/core/record-retention.ts'

const NOW = new Date('2026-06-01T12:00:00.000Z')

test.each([
  [90, '2026-03-03T12:00:00.000Z'],
  [1, '2026-05-31T12:00:00.000Z'],
  [0, undefined],
])('keptSince() of %i days is %s', (days, since) => {
  expect(keptSince(days, NOW)).toBe(since)
})

describe('isOutOfTime()', () => {
  const since = '2026-03-03T12:00:00.000Z'
  test.each([
    ['a run that ended before', 'completed', '2026-03-03T11:59:59.999Z', true],
    ['one that failed before', 'failed', '2026-01-01T00:00:00.000Z', true],
    ['one that ended at that very instant', 'completed', since, false],
    ['one that ended later', 'cancelled', '2026-05-01T00:00:00.000Z', false],
    ['an open run', 'running', undefined, false],
    ['one that was opened again after its end', 'paused', '2026-01-01T00:00:00.000Z', false],
    ['one without an end', 'failed', undefined, false],
  ] as const)('of %s', (_, status, completedAt, expected) => {
    expect(isOutOfTime({ status, ...(completedAt !== undefined && { completedAt }) }, since)).toBe(expected)
  })
})
