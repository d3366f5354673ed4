import { describe, expect, test } from 'vitest'
import { type Candidate, inAskedOrder, ofOneMessage, ofOneSop } from '../../../src/core/trigger/choose.ts'

const candidate = (verdict: Candidate['verdict'], trigger = 0, sop = 'a', taken?: number): Candidate => ({
  sop,
  trigger,
  verdict,
  ...(taken !== undefined && { taken }),
})

describe('inAskedOrder()', () => {
  const found = [3, 9, 9, 1].map((taken, index) => ({ index, how: { taken } }))
  test.each([
    ['event', [0, 1, 2, 3]],
    ['webhook', [0, 1, 2, 3]],
    ['command', [1, 2, 0, 3]],
  ] as const)('of %s', (source, expected) => {
    expect(inAskedOrder(found, source).map(({ index }) => index)).toEqual(expected)
  })
})

test.each([
  ['the first that is met', ['unmatched', 'ready', 'ready'], 1],
  ['one that is met before one that refuses', ['refused', 'ready'], 1],
  ['one that refuses before one that is not met', ['unmatched', 'refused', 'refused'], 1],
  ['the first of those that are not met', ['unmatched', 'unmatched'], 0],
  ['nothing of nothing', [], undefined],
] as const)('ofOneSop() chooses %s', (_, verdicts, expected) => {
  expect(ofOneSop(verdicts.map((verdict, index) => candidate(verdict, index)))?.trigger).toBe(expected)
})

describe('ofOneMessage()', () => {
  const passed = (judged: readonly Candidate[]) =>
    [...ofOneMessage(judged)].map(([{ sop }, { reason }]) => `${sop}: ${reason}`)

  test('lets the pattern win that takes most', () => {
    const judged = [candidate('ready', 0, 'a', 4), candidate('ready', 0, 'b', 9), candidate('unmatched', 0, 'c', 12)]
    expect(passed(judged)).toEqual(['a: The message is a command for SOP "b": its pattern takes more of it'])
  })

  test('lets the first by name win among equals', () => {
    expect(passed([candidate('ready', 0, 'a', 4), candidate('ready', 1, 'b', 4)])).toEqual([
      'b: The message is a command for SOP "a": its pattern takes as much of it, and it comes first by name',
    ])
  })

  test.each([
    ['one alone', [candidate('ready', 0, 'a', 4)]],
    ['none that is met', [candidate('refused', 0, 'a', 4), candidate('unmatched', 0, 'b', 9)]],
  ])('passes nobody over with %s', (_, judged) => {
    expect(passed(judged)).toEqual([])
  })
})
