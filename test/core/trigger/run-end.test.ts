import { describe, expect, test } from 'vitest'
import { barredByChain, chainOf, MAX_CHAIN } from '../../../src/core/trigger/run-end.ts'

describe('chainOf()', () => {
  test.each([
    ['of a run that a person began', { type: 'manual' }, ['b']],
    ['of one that the end of another began', { type: 'sop', payload: { chain: ['x', 'a'] } }, ['x', 'a', 'b']],
    ['of one whose trigger only says so', { type: 'webhook', payload: { chain: ['a'] } }, ['b']],
    ['of one whose chain is none', { type: 'sop', payload: { chain: ['a', 1, null] } }, ['a', 'b']],
    ['of one without a payload', { type: 'sop' }, ['b']],
  ])('is the way that led to it: %s', (_what, trigger, chain) =>
    expect(chainOf({ sopName: 'b', trigger })).toEqual(chain),
  )
})

describe('barredByChain()', () => {
  test('lets a chain go on, and no circle', () => {
    expect(barredByChain('c', ['a', 'b'])).toBeUndefined()
    expect(barredByChain('a', ['a', 'b'])).toMatch(/a starts b starts a/)
  })
  test('ends a chain that is too long', () => {
    const chain = (length: number) =>
      chainOf({
        sopName: 'last',
        trigger: { type: 'sop', payload: { chain: Array.from({ length }, (_, at) => `s${at}`) } },
      })
    expect(barredByChain('next', chain(MAX_CHAIN - 1))).toBeUndefined()
    expect(barredByChain('next', chain(MAX_CHAIN))).toMatch(/at most 20/)
    expect(barredByChain('next', chain(1000))).toMatch(/at most 20/)
  })
})
