import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { parseCondition } from '../../../src/core/condition/parse.ts'

describe('parseCondition() reads', () => {
  test.each<[string, string, string[]]>([
    ['x', 'x', ['x']],
    ['  x\t', 'x', ['x']],
    ['!x', '!x', ['x']],
    ['! x', '! x', ['x']],
    ['x == "v"', 'x == "v"', ['x']],
    [`x == 'v'`, `x == 'v'`, ['x']],
    ['previous_step == "success"', 'previous_step == "success"', ['previous_step']],
    [
      `severity >= 'high' && business_hours == true`,
      `severity >= 'high' && business_hours == true`,
      ['severity', 'business_hours'],
    ],
    [`environment == 'production'`, `environment == 'production'`, ['environment']],
    ['disk_usage > 80%', 'disk_usage > 80', ['disk_usage']],
    ['disk_usage > 80 %', 'disk_usage > 80', ['disk_usage']],
    ['(disk_usage > 80%) && x', '(disk_usage > 80) && x', ['disk_usage', 'x']],
    ['disk_usage > 80%&&x', 'disk_usage > 80&&x', ['disk_usage', 'x']],
    ['80% < disk_usage', '80 < disk_usage', ['disk_usage']],
    ['x in [10%, 20%]', 'x in [10, 20]', ['x']],
    ['n % 3 == 1', 'n % 3 == 1', ['n']],
    ['7 % n == 1', '7 % n == 1', ['n']],
    ['7 %n == 1', '7 %n == 1', ['n']],
    ['7%2 == 1', '7%2 == 1', []],
    ['7 % (n) == 1', '7 % (n) == 1', ['n']],
    ['x == "80%"', 'x == "80%"', ['x']],
    ['disk-usage > 80', 'disk_usage > 80', ['disk_usage']],
    ['a-b-c', 'a_b_c', ['a_b_c']],
    ['a - b > 1', 'a - b > 1', ['a', 'b']],
    ['a -1 > 1', 'a -1 > 1', ['a']],
    ['a-1 > 1', 'a-1 > 1', ['a']],
    ['x == "a-b"', 'x == "a-b"', ['x']],
    ['params["a-b"]', 'params["a-b"]', ['params']],
    ['$.a', 'payload.a', ['payload']],
    ['$.a.b.0 > 1', 'payload.a.b[0] > 1', ['payload']],
    ['$.a[0].b == 1', 'payload.a[0].b == 1', ['payload']],
    ['$.a-b == 1', 'payload["a-b"] == 1', ['payload']],
    ['$["a b"] == 1', 'payload["a b"] == 1', ['payload']],
    ['$ > 5', 'payload > 5', ['payload']],
    ['$.build.passed == "true"', 'payload.build.passed == "true"', ['payload']],
    ['$.size < 500', 'payload.size < 500', ['payload']],
    ['$.a == 1 && $.b == 2', 'payload.a == 1 && payload.b == 2', ['payload']],
    ['x == "$.a"', 'x == "$.a"', ['x']],
    ['> 0', 'payload > 0', ['payload']],
    ['>= 10', 'payload >= 10', ['payload']],
    ['== "on"', 'payload == "on"', ['payload']],
    ['!= 3', 'payload != 3', ['payload']],
    ['< 80%', 'payload < 80', ['payload']],
    ['steps.build.exit_code == 0', 'steps.build.exit_code == 0', ['steps']],
    ['a.b.c && a.d', 'a.b.c && a.d', ['a']],
    ['list.exists(x, x > limit)', 'list.exists(x, x > limit)', ['list', 'limit']],
    ['list.map(x, x).exists(y, y > 1)', 'list.map(x, x).exists(y, y > 1)', ['list']],
    ['x.matches("^v(a+)+$")', 'x.matches("^v(a+)+$")', ['x']],
    [`x.matches(r'\\d+')`, `x.matches(r'\\d+')`, ['x']],
    ['x.matches(pattern)', 'x.matches(pattern)', ['x', 'pattern']],
    ['{"a": 1}[k] == 1', '{"a": 1}[k] == 1', ['k']],
    ['and', 'and', ['and']],
    ['x == 1 // is that so', 'x == 1 // is that so', ['x']],
    ['x == "it\\"s"', 'x == "it\\"s"', ['x']],
    [`x == 'it"s'`, `x == 'it"s'`, ['x']],
    ['x == """a"b"""', 'x == """a"b"""', ['x']],
    ['x == "ünïcode 🚀"', 'x == "ünïcode 🚀"', ['x']],
    ['a\r\n&& b', 'a\r\n&& b', ['a', 'b']],
  ])('%j', (text, cel, names) => {
    const result = parseCondition(text)
    expect(result).toMatchObject({ ok: true })
    if (!result.ok) return
    expect(result.condition).toEqual({ text: text.trim(), cel, names })
  })
})

describe('parseCondition() refuses, with the place and a way out', () => {
  test.each<[string, number, RegExp, RegExp?]>([
    ['', 1, /it is empty/, /tests_pass/],
    ['   ', 1, /it is empty/],
    ['x = 1', 3, /single "="/, /==/],
    ['  x = 1', 5, /single "="/],
    ['x === 1', 3, /"==="/, /==/],
    ['x !== 1', 3, /"!=="/, /!=/],
    ['x & y', 3, /single "&"/, /&&/],
    ['x | y', 3, /single "\|"/, /\|\|/],
    ['a and b', 3, /joins its parts with "and"/, /&&/],
    ['a AND b', 3, /joins its parts with "AND"/, /&&/],
    ['a or b', 3, /"or"/, /\|\|/],
    ['not a', 1, /"not"/, /!/],
    ['a is "b"', 3, /"is"/, /==/],
    ['x <> 1', 3, /"<>"/, /!=/],
    ['x == “v”', 6, /typographic quotes/, /straight/],
    ['x == ‘v’', 6, /typographic quotes/],
    ['{{x}}', 1, /placeholder/, /bare name/],
    ['${x} == 1', 1, /placeholder/],
    ['$x == 1', 1, /shell variable/, /without "\$"/],
    ['y == $version', 6, /shell variable/],
    ['x ==', 5, /ends too early/],
    ['(a', 3, /ends too early/],
    ['a)', 2, /unexpected character: '\)'/],
    ['a b', 3, /./],
    ['"abc', 1, /unterminated string/],
    ['x == "abc', 6, /unterminated string/],
    ['x == 1 && y = 2', 13, /single "="/],
    ['disk-usage > 80% && y = 2', 23, /single "="/],
    ['$.a.b.0 > 1 && y = 2', 18, /single "="/],
    ['disk_usage > 80% && foo(x)', 21, /no function "foo"/, /startsWith/],
    ['x.nope()', 1, /no function "nope"/],
    ['if', 1, /"if" is a word of the language/, /params\.if/],
    ['package == "a"', 1, /"package" is a word/, /params\.package/],
    ['x ~ 1', 3, /~/],
    ['x; y', 2, /;/],
    ['`x`', 1, /`/],
    ['x @ y', 3, /@/],
    ['l.exists(x, m.all(y, y > x))', 13, /all\(\) stands inside exists\(\)/, /step/],
    ['l.map(x, m.map(y, y)).size() > 1', 10, /nested loops/],
    ['cel.bind(a, 1, cel.bind(b, 2, a + b)) > 1', 16, /nested loops/],
    ['l.all(x, m.filter(y, y > 1).size() > 0)', 10, /nested loops/],
    ['l.exists(1, true)', 10, /invalid predicate iteration variable/],
    ['x.matches("(?=a)")', 11, /is no RE2 pattern/, /lookaround/],
    ['x.matches("(a")', 11, /is no RE2 pattern/],
    ['x.matches("(a)\\\\1")', 11, /is no RE2 pattern/],
    ['env[x] == 1', 1, /env needs a fixed name/, /env\.NAME/],
    ['timestamp(t).getHours("Europe/Berlin") > 3', 1, /time zone/, /business_hours/],
    ['__x', 1, /begins with "__"/],
    ['__true(x)', 1, /no function "__true"/],
    ['has(1)', 1, /has\(\) takes one name/],
    ['has(a, b)', 1, /has\(\) takes one name/],
    ['size() > 1', 1, /overload/],
    [`${'('.repeat(300)}x${')'.repeat(300)}`, 101, /maxDepth/i],
    ['x '.repeat(3000), 1, /longer than 4000/],
    ['x == "\u0000', 6, /unterminated/],
    ['1 + ', 4, /ends too early/],
    ['"a" + 1 == x', 1, /overload/],
    ['.a', 1, /./],
    ['a..b', 3, /./],
    ['a[', 3, /ends too early/],
    ['💥', 1, /./],
    ['x == 1u0', 8, /./],
  ])('%j', (text, column, reason, help) => {
    const result = parseCondition(text)
    expect(result).toMatchObject({ ok: false })
    if (result.ok) return
    expect(result.message).toMatch(/^Cannot read condition ".*": /s)
    expect(result.message).toMatch(reason)
    expect(result.column).toBe(column)
    expect(result.message.slice(text.length)).not.toMatch(/[^_"]__\w|\n|[A-Z]{5}/)
    if (help !== undefined) expect(result.help).toMatch(help)
  })
})

describe('warnings', () => {
  test.each<[string, RegExp]>([
    ['true', /reads no name/],
    ['1 > 2', /reads no name/],
    ['severity >= "hihg"', /Did you mean "high"/],
    [`severity > 'meduim'`, /Did you mean "medium"/],
  ])('%s', (text, warning) => {
    const result = parseCondition(text)
    expect(result.ok && result.warnings.join()).toMatch(warning)
  })
  test.each(['severity >= "high"', 'x == "hihg"', 'version > "abc"', 'x'])('none for %s', (text) =>
    expect(parseCondition(text)).toMatchObject({ ok: true, warnings: [] }),
  )
})

test('no text makes parseCondition() throw, and every column lies in the text', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'a',
      'b-c',
      '$.x.0',
      '80%',
      '&&',
      '||',
      '!',
      '==',
      '>',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '.',
      ',',
      '?',
      ':',
      ' ',
      'in',
      'exists(',
      '\\',
      '\n',
      '%',
      '$',
      '=',
      '1',
      'é',
      '🚀',
    ),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        pieces.map((all) => all.join('')),
      ),
      (text) => {
        const result = parseCondition(text)
        if (result.ok) return
        expect(result.column).toBeGreaterThanOrEqual(1)
        expect(result.column).toBeLessThanOrEqual(text.length + 1)
      },
    ),
    { numRuns: 2_000 },
  )
})
