import { describe, expect, test } from 'vitest'
import {
  addSketch,
  EMPTY_SKETCH,
  QUANTILE_ERROR,
  quantileMs,
  type Sketch,
  sketchOf,
} from '../../../src/core/metrics/sketch.ts'
import fc from '../../support/laws.ts'

const sketchOfAll = (values: readonly number[]): Sketch =>
  values.map(sketchOf).reduce((sum, each) => addSketch(sum, each), EMPTY_SKETCH)

/** From a millisecond to more than a year. */
const durations = fc.array(fc.double({ min: 1, max: 4e10, noNaN: true }), { minLength: 1, maxLength: 60 })

describe('quantileMs()', () => {
  test('is off by no more than it says, for every share', () =>
    fc.assert(
      fc.property(durations, fc.constantFrom(0, 0.5, 0.9, 0.95, 1), (values, q) => {
        const sorted = [...values].sort((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil(q * values.length)) - 1] ?? 0
        const told = quantileMs(sketchOfAll(values), q) ?? Number.NaN
        // Whole milliseconds.
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * QUANTILE_ERROR + 0.5)
      }),
    ))

  test.each<[readonly number[], number, number | undefined]>([
    [[], 0.5, undefined],
    [[0], 0.5, 1],
    [[-5], 0.95, 1],
    [[1, 1, 1, 1000], 0.5, 1],
  ])('of %j at %d is %s', (values, q, wanted) => {
    expect(quantileMs(sketchOfAll(values), q)).toBe(wanted)
  })
})

describe('addSketch()', () => {
  test('puts together in any order, and takes out again what was put in', () =>
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        // Sums of whole numbers are exact.
        const [one, other] = [sketchOfAll(a.map(Math.round)), sketchOfAll(b.map(Math.round))]
        expect(addSketch(one, other)).toEqual(addSketch(other, one))
        expect(addSketch(addSketch(one, other), other, -1)).toEqual(one)
      }),
    ))
})
