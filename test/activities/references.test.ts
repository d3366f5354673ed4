import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { fillReferences, type Place } from '../../src/activities/references.ts'

const VALUES: Readonly<Record<string, string>> = {
  v: '1.2',
  evil: 'a"b/c&d e',
  line: 'a\nb',
  base: 'https://x.test:8443/api',
  n: '7',
  '1': 'one',
}
const TYPED: Readonly<Record<string, number | null | readonly string[]>> = { n: 7, none: null, list: ['a'] }
const values = {
  text: (name: string) => (name === 'none' ? '' : name === 'list' ? '["a"]' : VALUES[name]),
  json: (name: string) => TYPED[name],
}
const fill = (template: string, place: Place): string => {
  const filled = fillReferences(template, place, values)
  return filled.ok ? filled.text : `error: ${filled.error}`
}

describe('fillReferences()', () => {
  test.each<[string, Place, string]>([
    ['https://x/$v/y', 'url', 'https://x/1.2/y'],
    ['https://x/${v}y', 'url', 'https://x/1.2y'],
    ['https://x/?q=$evil', 'url', 'https://x/?q=a%22b%2Fc%26d%20e'],
    ['$base/health', 'url', 'https://x.test:8443/api/health'],
    ['https://$base/', 'url', 'https://https%3A%2F%2Fx.test%3A8443%2Fapi/'],
    ['Bearer $v', 'header', 'Bearer 1.2'],
    ['{"q": "$evil"}', 'json', '{"q": "a\\"b/c&d e"}'],
    ['{"q": $evil, "n": $n, "x": $none, "l": $list}', 'json', '{"q": "a\\"b/c&d e", "n": 7, "x": null, "l": ["a"]}'],
    ['{"n": "$n", "esc\\"$n": 1}', 'json', '{"n": "7", "esc\\"7": 1}'],
    ['q=$evil', 'form', 'q=a%22b%2Fc%26d%20e'],
    ['text $evil ${1}', 'text', 'text a"b/c&d e one'],
    ['costs $5, $$v and 3$', 'text', 'costs $5, $v and 3$'],
  ])('%s in a %s', (template, place, expected) => {
    expect(fill(template, place)).toBe(expected)
  })

  test.each<[string, Place, RegExp]>([
    ['$nope', 'text', /nothing sets "nope" \(written as "\$nope"; "\$\$" is a dollar sign\)/],
    ['${nope}', 'url', /nothing sets "nope"/],
    ['$line', 'header', /the value of "line" has a line end/],
  ])('%s in a %s is refused', (template, place, error) => {
    expect(fill(template, place)).toMatch(error)
  })

  test('no value can change the shape of a JSON body', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const given = { text: () => value, json: () => undefined }
        const filled = fillReferences('{"a": "x$v", "b": $v, "c": ["$v"]}', 'json', given)
        expect(filled.ok && JSON.parse(filled.text)).toEqual({ a: `x${value}`, b: value, c: [value] })
      }),
    )
  })

  test('no value can leave its place in a URL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const filled = fillReferences('https://x.test/a/$v/b?q=$v#f', 'url', {
          text: () => value,
          json: () => undefined,
        })
        const url = new URL(filled.ok ? filled.text : '')
        expect([url.host, url.hash, [...url.searchParams.keys()]]).toEqual(['x.test', '#f', ['q']])
      }),
    )
  })
})
