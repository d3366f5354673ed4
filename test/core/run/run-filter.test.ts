import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import {
  pageOf,
  parseRunCursor,
  renderRunCursor,
  RUN_COUNT_MOST,
  runMatcher,
  searchWords,
  totalOf,
  withInstants,
} from '../../../src/core/run/run-filter.ts'
import { summarySample } from '../../support/fake-client.ts'

const NOW = Date.UTC(2026, 10, 21, 12)

describe('withInstants()', () => {
  test.each([
    ['7d', '2026-11-14T12:00:00.000Z'],
    ['90 minutes', '2026-11-21T10:30:00.000Z'],
    ['0s', '2026-11-21T12:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T10:00:00+01:00', '2026-11-01T09:00:00.000Z'],
  ])('reads %j', (from, instant) => {
    expect(withInstants({ from, sop: 'x' }, NOW)).toEqual({ from: instant, sop: 'x' })
  })

  test.each(['', 'yesterday', 'none', '-1d', '2026-13-01', '99999-01-01', '+020260-01-01T00:00:00Z'])(
    'refuses %j with what it expected',
    (to) => {
      expect(() => withInstants({ to }, NOW)).toThrow(/^Cannot list runs: "to" is ".*", expected an instant as in/)
    },
  )
})

describe('a cursor', () => {
  test('names the place that it was made of, whatever the run is called', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(NOW) }),
        (runId, at) => {
          const place = { createdAt: at.toISOString(), runId }
          expect(parseRunCursor(renderRunCursor(place))).toEqual(place)
        },
      ),
    )
  })
})

describe('runMatcher()', () => {
  test.each([
    ['', true],
    ['DEPLOY olga', true],
    ['2-back_up waits', true],
    ['deploy nobody', false],
    ['deployproduction', false],
  ])('searches %j', (text, fits) => {
    expect(runMatcher({ text })(summarySample)).toBe(fits)
  })

  test('does not let a word stand across two parts of the line', () => {
    expect(runMatcher({ text: 'production1.0.0' })(summarySample)).toBe(false)
  })
})

test('searchWords() gives each word once, and no more than is searched for', () => {
  expect(searchWords(' Disk  FULL\tdisk ')).toEqual(['disk', 'full'])
  expect(searchWords('x'.repeat(1000))).toEqual(['x'.repeat(200)])
  expect(searchWords(undefined)).toEqual([])
})

test('pageOf() and totalOf() say whether there is more', () => {
  const [a, b] = ['a', 'b'].map((runId) => ({ ...summarySample, runId }))
  expect(pageOf([a, b] as never, 2)).toEqual({ runs: [a, b] })
  expect(pageOf([a, b] as never, 1)).toEqual({ runs: [a], next: `${summarySample.createdAt}~a` })
  expect(totalOf(RUN_COUNT_MOST)).toEqual({ total: RUN_COUNT_MOST })
  expect(totalOf(RUN_COUNT_MOST + 1)).toEqual({ total: RUN_COUNT_MOST, more: true })
})
