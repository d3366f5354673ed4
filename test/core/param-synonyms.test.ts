import { expect, test } from 'vitest'
import { PARAM_SYNONYMS, paramsOf } from '../../src/core/param-synonyms.ts'

test.each(PARAM_SYNONYMS)('paramsOf() takes "%s"', (word) => {
  expect(paramsOf({ [word]: { a: 1 } })).toEqual({ a: 1 })
})

test('paramsOf() is undefined when no word is there', () => expect(paramsOf({})).toBeUndefined())

test('paramsOf() refuses two words, even when they agree', () => {
  expect(() => paramsOf({ params: { a: 1 }, vars: { a: 1 } })).toThrow(
    'Cannot read the params of the run: "params" and "vars" mean the same. Give only one of them',
  )
})
