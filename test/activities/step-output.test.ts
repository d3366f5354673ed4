import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { OUTPUT_VALUE_BYTES, parseStepOutput } from '../../src/activities/step-output.ts'

const parse = (text: string) => parseStepOutput(text, (name) => name === 'PATH')

describe('parseStepOutput()', () => {
  test.each([
    ['a line', 'version=1.2.3\n', { version: '1.2.3' }],
    ['no line end', 'version=1.2.3', { version: '1.2.3' }],
    ['CRLF', 'a=1\r\nb=2\r\n', { a: '1', b: '2' }],
    ['a value with =, < and spaces', 'q=a = b <<c d ', { q: 'a = b <<c d ' }],
    ['an empty value', 'q=\n', { q: '' }],
    ['the last of two', 'q=1\nq=2\n', { q: '2' }],
    ['empty lines', '\n\nq=1\n \n', { q: '1' }],
    ['several lines', 'notes<<EOF\none\n\ntwo=2\nEOF\nq=1\n', { notes: 'one\n\ntwo=2', q: '1' }],
    ['an empty block', 'notes<<EOF\nEOF\n', { notes: '' }],
    ['several lines with CRLF', 'notes<<EOF\r\none\r\ntwo\r\nEOF\r\n', { notes: 'one\ntwo' }],
    ['a dash in the name', 'build-id=7', { 'build-id': '7' }],
    ['nothing', '', {}],
  ])('takes %s', (_, text, values) => {
    expect(parse(text)).toEqual({ values, problems: [] })
  })

  test.each([
    ['a line without =', 'hello world\nq=1', /expected name=value .*line 1/],
    ['a name with a space', 'a b=1\nq=1', /Cannot take output "a b": a name has/],
    ['a name that begins with a digit', '1a=1\nq=1', /"1a"/],
    ['a reserved name', 'PATH=/tmp\nq=1', /"PATH": the name is reserved/],
    ['no name', '=1\nq=1', /Cannot take output ""/],
  ])('passes over %s, and takes the rest', (_, text, problem) => {
    const { values, problems, error } = parse(text)
    expect(values).toEqual({ q: '1' })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(problem)
    expect(error).toBeUndefined()
  })

  test('a block without its end is a problem, not a value', () => {
    expect(parse('q=1\nnotes<<EOF\none\n')).toEqual({
      values: { q: '1' },
      problems: [expect.stringMatching(/"notes": its end "EOF" is missing \(\$SOP_OUTPUT, line 2\)/)],
    })
  })

  test('a value beyond the limit is an error that says the way out', () => {
    expect(parse(`q=${'x'.repeat(OUTPUT_VALUE_BYTES)}`).error).toBeUndefined()
    expect(parse(`q=${'x'.repeat(OUTPUT_VALUE_BYTES + 1)}`).error).toMatch(/"q": it has 65537 bytes.*\$SOP_RUN_DIR/)
  })

  test('__proto__ is a name like any other', () => {
    const { values } = parse('__proto__=evil\n')
    expect(Object.keys(values)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).evil).toBeUndefined()
  })

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', '<', '\n', '\r', ' ', 'E') }),
        (text) => void parse(text),
      ),
    )
  })
})
