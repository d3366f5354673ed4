import fc from '../support/laws.ts'
import { describe, expect, test } from 'vitest'
import type { Json, Param } from '../../src/core/definition.ts'
import { checkForm, checkParams } from '../../src/core/params.ts'
import { readParam } from '../../src/core/read-param.ts'
import { environmentOf, isReservedName, paramNameProblem, variableOf } from '../../src/core/param-names.ts'
import { processorMs } from '../support/processor-time.ts'

const text: Param = { name: 'version', type: 'string' }
const number: Param = { name: 'count', type: 'number' }
const flag: Param = { name: 'dry-run', type: 'boolean' }
const choice: Param = { name: 'env', type: 'choice', choices: ['staging', 'production'] }
const all = [text, number, flag, choice]

describe('coercion', () => {
  test.each<[Param, Json, Json]>([
    [text, '1.2', '1.2'],
    [text, '', ''],
    [text, ' a ', ' a '],
    [text, 3, '3'],
    [text, true, 'true'],
    [text, 'null', 'null'],
    [text, '{"a":1}', '{"a":1}'],
    [number, 3, 3],
    [number, '3', 3],
    [number, ' 3 ', 3],
    [number, '-3.5', -3.5],
    [number, '+3', 3],
    [number, '.5', 0.5],
    [number, '3.', 3],
    [number, '1e3', 1000],
    [number, '0', 0],
    [number, '007', 7],
    [flag, true, true],
    [flag, false, false],
    [flag, 'true', true],
    [flag, 'TRUE', true],
    [flag, 'false', false],
    [flag, 'yes', true],
    [flag, 'no', false],
    [flag, 'on', true],
    [flag, 'off', false],
    [flag, '1', true],
    [flag, '0', false],
    [flag, 1, true],
    [flag, 0, false],
    [choice, 'staging', 'staging'],
    [{ name: 'n', type: 'choice', choices: ['1', '2'] }, 1, '1'],
    [{ ...text, pattern: 'v\\d+' }, 'v12', 'v12'],
    [{ ...text, pattern: 'a|b' }, 'b', 'b'],
    [{ ...text, pattern: '\\d+' }, 12, '12'],
  ])('%j takes %j as %j', (param, given, expected) => {
    expect(checkParams([param], { [param.name]: given }, 'hand')).toEqual({
      ok: true,
      params: { [param.name]: expected },
      secretNames: [],
      extra: {},
    })
  })

  test.each<[Param, Json, RegExp]>([
    [text, { a: 1 }, /it must be a text/],
    [text, ['a'], /it must be a text/],
    [number, '', /it must be a number/],
    [number, 'three', /it must be a number/],
    [number, '3 apples', /it must be a number/],
    [number, '0x10', /it must be a number/],
    [number, '1e999', /it must be a number/],
    [number, 'NaN', /it must be a number/],
    [number, 'Infinity', /it must be a number/],
    [number, true, /it must be a number/],
    [number, [3], /it must be a number/],
    [flag, 'maybe', /it must be true or false/],
    [flag, '', /it must be true or false/],
    [flag, 2, /it must be true or false/],
    [flag, {}, /it must be true or false/],
    [choice, 'stagin', /one of "staging", "production". Did you mean "staging"/],
    [choice, 'STAGING', /one of/],
    [choice, '', /one of/],
    [choice, ['staging'], /one of/],
    [{ ...text, pattern: 'v\\d+' }, 'v12x', /must match v\\d\+ as a whole/],
    [{ ...text, pattern: 'v\\d+' }, 'xv12', /as a whole/],
    [{ ...text, pattern: 'a|b' }, 'ab', /as a whole/],
    [{ ...text, pattern: 'a' }, 'a\n', /as a whole/],
    [{ ...text, pattern: '^a$' }, 'a\nb', /as a whole/],
    [{ ...text, pattern: '(?=a)' }, 'a', /is no RE2 pattern/],
  ])('%j does not take %j', (param, given, reason) => {
    const checked = checkParams([param], { [param.name]: given }, 'hand')
    expect(checked.ok).toBe(false)
    expect(!checked.ok && checked.problems).toEqual([expect.stringMatching(reason)])
    expect(!checked.ok && checked.problems[0]).toMatch(/^Cannot take param "/)
  })

  test('a pattern that a backtracking engine would never finish', () => {
    const took = processorMs(() =>
      expect(readParam({ ...text, pattern: '(a+)+b' }, 'a'.repeat(5_000))).toHaveProperty('reason'),
    )
    expect(took).toBeLessThan(10_000)
  })
})

describe('required and defaults', () => {
  test('a default fills in, and loses to what is given', () => {
    const declared: Param[] = [
      { ...text, default: '1.0' },
      { ...number, default: 0 },
      { ...flag, default: false },
    ]
    expect(checkParams(declared, {}, 'hand')).toMatchObject({ params: { version: '1.0', count: 0, 'dry-run': false } })
    expect(checkParams(declared, { version: '2.0' }, 'hand')).toMatchObject({ params: { version: '2.0', count: 0 } })
  })
  test('null means not given', () => {
    expect(checkParams([{ ...text, default: '1.0' }], { version: null }, 'hand')).toMatchObject({
      params: { version: '1.0' },
    })
    expect(checkParams([{ ...text, required: true }], { version: null }, 'hand').ok).toBe(false)
  })
  test('what is required and missing is told with its description', () => {
    const checked = checkParams([{ ...text, required: true, description: 'the tag to ship' }], {}, 'trigger')
    expect(checked).toEqual({
      ok: false,
      problems: ['Cannot do without param "version" (the tag to ship): it is required and was not given'],
      fields: [{ name: 'version', reason: 'it is required and was not given' }],
    })
  })
  test('optional and missing is absent', () =>
    expect(checkParams(all, {}, 'hand')).toMatchObject({ ok: true, params: {} }))
  test('all problems come at once', () => {
    const checked = checkParams(
      [{ ...text, required: true }, number, flag, choice],
      { count: 'x', 'dry-run': 'x', env: 'x', other: 1 },
      'hand',
    )
    expect(!checked.ok && checked.problems).toHaveLength(5)
  })
})

describe('unknown names', () => {
  test('by hand they are a problem that helps', () => {
    const checked = checkParams(all, { versoin: '1' }, 'hand')
    expect(!checked.ok && checked.problems[0]).toMatch(
      /"versoin": this SOP has no such param; it has "version", .* Did you mean "version"\?/,
    )
  })
  test('of a trigger they stay in the payload', () =>
    expect(checkParams(all, { version: '1', action: 'opened', sender: { id: 1 } }, 'trigger')).toEqual({
      ok: true,
      params: { version: '1' },
      secretNames: [],
      extra: { action: 'opened', sender: { id: 1 } },
    }))
  test('with nothing declared any name is accepted, with its JSON value', () => {
    const given = { version: '1', n: 3, list: [1, { a: null }], on: true, nothing: null }
    for (const declared of [undefined, []])
      expect(checkParams(declared, given, 'hand')).toMatchObject({ ok: true, params: given })
  })
  test.each([
    'PATH',
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'BASH_ENV',
    'ENV',
    'IFS',
    'SHELLOPTS',
    'BASHOPTS',
    'NODE_OPTIONS',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'PERL5OPT',
    'RUBYOPT',
    'GIT_SSH_COMMAND',
    'PROMPT_COMMAND',
    'PS4',
    'BASH_FUNC_ls',
    'HOME',
    'LC_ALL',
    'SOP_OUTPUT',
    'SOP_RUN_ID',
    'DYLD_INSERT_LIBRARIES',
    'JAVA_TOOL_OPTIONS',
    'LD-PRELOAD',
    'BASH-ENV',
    'constructor',
    '_',
  ])('%s is reserved', (name) => {
    const checked = checkParams(undefined, { [name]: 'x' }, 'hand')
    expect(!checked.ok && checked.problems[0]).toMatch(/reserved/)
    expect(checkParams(undefined, { [name]: 'x' }, 'trigger')).toEqual({
      ok: true,
      params: {},
      secretNames: [],
      extra: { [name]: 'x' },
    })
  })
  test.each(['a b', 'a.b', '1a', '-a', '', 'ä', 'a=b', 'a\nb', '$a', 'x'.repeat(101), '1234'])(
    '%j is no name',
    (name) => {
      expect(paramNameProblem(name)).toBeDefined()
      expect(checkParams(undefined, { [name]: 'x' }, 'hand').ok).toBe(false)
    },
  )
  test.each(['path', 'env', 'home', 'version', 'dry-run', '_x', 'A1', '1', '12', 'Path'])('%s is a name', (name) => {
    expect(paramNameProblem(name)).toBeUndefined()
    expect(checkParams(undefined, { [name]: 'x' }, 'hand')).toMatchObject({ ok: true, params: { [name]: 'x' } })
  })
  test('two names that would be one variable', () => {
    expect(checkParams(undefined, { 'a-b': 1, a_b: 2 }, 'hand')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/one variable/)],
    })
    expect(checkParams(undefined, { 'a-b': 1, A_B: 2 }, 'trigger')).toMatchObject({
      ok: true,
      params: { 'a-b': 1 },
      extra: { A_B: 2 },
    })
  })
  test('__proto__ is a name like any other that cannot be', () => {
    const given = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as Record<string, Json>
    expect(checkParams(undefined, given, 'hand').ok).toBe(false)
    const checked = checkParams(undefined, given, 'trigger')
    expect(checked.ok && Object.keys(checked.params)).toEqual(['a'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(
      checkParams([text], JSON.parse('{"__proto__": {"version": "x"}}') as Record<string, Json>, 'trigger'),
    ).toMatchObject({ params: {} })
  })
})

describe('sizes', () => {
  test('64 KiB a value', () => {
    expect(checkParams(undefined, { a: 'x'.repeat(65_534) }, 'hand').ok).toBe(true)
    expect(checkParams(undefined, { a: 'x'.repeat(65_535) }, 'hand')).toMatchObject({
      problems: [expect.stringMatching(/65537 bytes, and 65536 are allowed/)],
    })
    expect(checkParams([text], { version: 'x'.repeat(65_535) }, 'trigger').ok).toBe(false)
    expect(checkParams(undefined, { a: '🚀'.repeat(16_384) }, 'hand').ok).toBe(false)
  })
  test('512 KiB in all', () => {
    const given = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`p${at}`, 'x'.repeat(60_000)]))
    expect(checkParams(undefined, given, 'hand')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/together/)],
    })
  })
  test('200 params', () => {
    const given = Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`p${at}`, at]))
    expect(checkParams(undefined, given, 'hand')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/201 params/)],
    })
  })
  test('nesting without end', () => {
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as Json
    expect(checkParams(undefined, { a: deep }, 'hand')).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/nested/)],
    })
    expect(checkParams([text], { version: deep }, 'hand').ok).toBe(false)
  })
})

describe('secrets', () => {
  const secret: Param = { ...text, secret: true, pattern: '[a-z]+' }
  test('are named where they are given', () => {
    expect(checkParams([secret, number], { version: 'abc', count: 1 }, 'hand')).toMatchObject({
      secretNames: ['version'],
    })
    expect(checkParams([secret], {}, 'hand')).toMatchObject({ secretNames: [] })
  })
  test('their value is in no problem', () => {
    const checked = checkParams([secret], { version: 'Hunter2' }, 'hand')
    expect(!checked.ok && checked.problems.join()).not.toContain('Hunter2')
    expect(checkParams([text], { version: { a: 'shown' } }, 'hand')).toMatchObject({
      problems: [expect.stringContaining('shown')],
    })
  })
})

describe('checkForm()', () => {
  test('gives typed values', () =>
    expect(checkForm(all, { count: '3', 'dry-run': 'yes' })).toEqual({
      ok: true,
      values: { count: 3, 'dry-run': true },
    }))
  test('speaks of values and fields', () => {
    const checked = checkForm([{ ...text, required: true }, number], { count: 'x', other: 1 })
    expect(!checked.ok && checked.problems).toEqual([
      'Cannot do without value "version": it is required and was not given',
      'Cannot take value "count" = "x": it must be a number',
      expect.stringMatching(
        /^Cannot take value "other": the form of this step has no such field; it has "version", "count"/,
      ),
    ])
  })
  test('without a form any value is accepted, but no reserved name', () => {
    expect(checkForm(undefined, { tests_pass: true })).toEqual({ ok: true, values: { tests_pass: true } })
    expect(checkForm(undefined, { PATH: '/tmp' }).ok).toBe(false)
  })
})

describe('environmentOf()', () => {
  test('gives both names, and text for every type', () =>
    expect(
      environmentOf({ version: '1.2', 'dry-run': true, n: 3, nothing: null, list: [1, 'a'], map: { a: 1 } }),
    ).toEqual({
      version: '1.2',
      SOP_PARAM_VERSION: '1.2',
      dry_run: 'true',
      SOP_PARAM_DRY_RUN: 'true',
      n: '3',
      SOP_PARAM_N: '3',
      nothing: '',
      SOP_PARAM_NOTHING: '',
      list: '[1,"a"]',
      SOP_PARAM_LIST: '[1,"a"]',
      map: '{"a":1}',
      SOP_PARAM_MAP: '{"a":1}',
    }))
  test('a capture group has a number and no variable of its own', () =>
    expect(environmentOf({ '1': 'x' })).toEqual({ SOP_PARAM_1: 'x' }))
  test('a reserved name never becomes a variable', () =>
    expect(environmentOf({ PATH: '/evil', 'LD-PRELOAD': 'x', SOP_RUN_ID: 'x' })).toEqual({
      SOP_PARAM_PATH: '/evil',
      SOP_PARAM_LD_PRELOAD: 'x',
      SOP_PARAM_SOP_RUN_ID: 'x',
    }))
  test('whatever is given, only sound names come out', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
        for (const name of Object.keys(environmentOf(given as Record<string, Json>))) {
          expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/)
          expect(name.startsWith('SOP_PARAM_') || !isReservedName(name)).toBe(true)
        }
      }),
    ))
  test('variableOf()', () =>
    expect(['a-b', 'a', '1', 'a.b'].map(variableOf)).toEqual(['a_b', 'a', undefined, undefined]))
})

test('checkParams() says beside which value each problem belongs, and never what a secret was', () => {
  const declared: readonly Param[] = [
    { name: 'count', type: 'number' },
    { name: 'pin', type: 'string', secret: true, pattern: '[0-9]{4}' },
    { name: 'region', type: 'choice', choices: ['eu', 'us'] },
  ]
  expect(checkParams(declared, { count: 'many', pin: 'hunter2', region: 'EU: x', other: 1 }, 'hand')).toMatchObject({
    fields: [
      { name: 'count', reason: 'it must be a number' },
      { name: 'pin', reason: 'it must match [0-9]{4} as a whole' },
      { name: 'region', reason: expect.stringMatching(/^it must be one of "eu", "us"/) as string },
      { name: 'other', reason: expect.stringMatching(/^this SOP has no such param/) as string },
    ],
  })
})
