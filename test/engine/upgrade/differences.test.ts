import { expect, test } from 'vitest'
import { differencesOf } from '../../../src/engine/upgrade/differences.ts'

test.each<[string, unknown, unknown, ReturnType<typeof differencesOf>]>([
  ['equal values', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, { changed: [], added: [] }],
  ['another value', { a: [1] }, { a: [2] }, { changed: [{ path: 'a[0]', was: '1', would: '2' }], added: [] }],
  ['a lost key', { a: 1 }, {}, { changed: [{ path: 'a', was: '1' }], added: [] }],
  ['a new key', {}, { 'a b': 1 }, { changed: [], added: [{ path: '["a b"]', would: '1' }] }],
  ['a key that is there without a value', {}, { a: undefined }, { changed: [], added: [] }],
  ['a list that grew', [1], [1, 2], { changed: [{ path: '', was: '[1]', would: '[1,2]' }], added: [] }],
  ['another type', { a: {} }, { a: [] }, { changed: [{ path: 'a', was: '{}', would: '[]' }], added: [] }],
  ['null and nothing', { a: null }, {}, { changed: [{ path: 'a', was: 'null' }], added: [] }],
])('differencesOf() with %s', (_, was, would, differences) => expect(differencesOf(was, would)).toEqual(differences))

test('differencesOf() tells the first few, shortened', () => {
  const long = 'x'.repeat(10_000)
  const { changed } = differencesOf(Array(99).fill(1), Array(99).fill(long))
  expect(changed).toHaveLength(5)
  expect(changed[0]?.would?.length).toBeLessThan(200)
})
