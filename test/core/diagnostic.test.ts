import { expect, test } from 'vitest'
import { compile, decodeSource } from '../../src/core/compile.ts'
import { type Diagnostic, renderDiagnostic } from '../../src/core/diagnostic.ts'

const found = (sourceLine: string, column: number, length: number): Diagnostic => ({
  code: 'unknown-key',
  severity: 'warning',
  message: 'Cannot use "timeot": a step knows no such setting',
  place: { file: 'deploy/SOP.md', line: 12, column, length },
  sourceLine,
  help: 'Did you mean "timeout"?',
})

test('renderDiagnostic() puts a caret under the place', () => {
  expect(renderDiagnostic(found('1. **Build** [timeot: 5m]', 15, 6))).toBe(
    [
      'warning[unknown-key]: Cannot use "timeot": a step knows no such setting',
      '  --> deploy/SOP.md:12:15',
      '   |',
      '12 | 1. **Build** [timeot: 5m]',
      '   |               ^^^^^^',
      '   = help: Did you mean "timeout"?',
    ].join('\n'),
  )
})

test.each([
  ['an emoji takes two columns', '🚀 [x]', 4, '   ^'],
  ['a tab stays a tab', '\t[x]', 2, '\t^'],
  ['a combining mark takes none', 'e\u0301 [x]', 4, '  ^'],
  ['a wide letter takes two', '漢 [x]', 3, '   ^'],
])('renderDiagnostic(): %s', (_, sourceLine, column, under) => {
  expect(renderDiagnostic(found(sourceLine, column, 1)).split('\n')[4]).toBe(`   | ${under}`)
})

test('renderDiagnostic() lets no source drive the terminal', () => {
  const text = renderDiagnostic({ ...found('\u001b[31m red \u202e', 1, 1), message: 'a\u001b[2Jb' })
  expect(text).not.toMatch(/[\u001b\u202e]/)
  expect(text).toContain('a\ufffd[2Jb')
})

test('renderDiagnostic() does without a source line', () => {
  const { sourceLine: _, ...rest } = found('', 1, 1)
  expect(renderDiagnostic(rest).split('\n')).toHaveLength(3)
})

test('all findings of all files come at once, in the order of the files and lines', () => {
  const { diagnostics } = compile({
    files: [
      { path: 'x/SOP.toml', text: '[sop]\npriority = "hihg"\nversion = 1\n' },
      { path: 'x/SOP.md', text: '## Step 1: A [timeout: soon]\n\n```bash\necho {{x}}\n```\n' },
    ],
    fallbackName: 'x',
  })
  expect(diagnostics.map(({ code, place }) => `${code} ${place.file}:${place.line}`)).toEqual([
    'bad-value x/SOP.toml:2',
    'wrong-type x/SOP.toml:3',
    'bad-value x/SOP.md:1',
    'template-in-command x/SOP.md:4',
  ])
})

test('more than 200 findings end with one that says so', () => {
  const text = `## Step 1: A\n\n\`\`\`bash\n${'echo {{x}}\n'.repeat(500)}\`\`\`\n`
  const { diagnostics, definition } = compile({ files: [{ path: 'x.md', text }], fallbackName: 'x' })
  expect(diagnostics).toHaveLength(201)
  expect(diagnostics.some(({ code }) => code === 'too-many-findings')).toBe(true)
  expect(definition).toBeUndefined()
})

test('an error behind 200 warnings still keeps the SOP from starting', () => {
  const warnings = Array.from({ length: 300 }, (_, at) => `zzz${at} = 1`).join('\n')
  const files = [
    { path: 'x/SOP.toml', text: `[sop]\n${warnings}\n` },
    { path: 'x/SOP.md', text: '## Step 1: A [timeout: soon]\n' },
  ]
  expect(compile({ files, fallbackName: 'x' }).definition).toBeUndefined()
})

const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : [part])))

test.each([
  ['a Latin-1 letter', bytes('# Gr', 0xfc, 0xdf, 'e\n'), 1, 5, 'byte 5 (0xfc)'],
  ['a letter in a later line', bytes('é\r\nab', 0xff), 2, 3, 'byte 7 (0xff)'],
  ['half a surrogate pair', bytes('a', 0xed, 0xa0, 0x80), 1, 2, 'byte 2 (0xed)'],
  ['an overlong slash', bytes('ab\n', 0xc0, 0xaf), 2, 1, 'byte 4 (0xc0)'],
  ['a character that is cut off', bytes('abc', 0xf0, 0x9f, 0x9a), 1, 4, 'byte 4 (0xf0)'],
])('decodeSource() names the byte of %s', (_, content, line, column, which) => {
  expect(decodeSource('x.md', content)).toMatchObject({
    diagnostic: {
      code: 'not-utf8',
      severity: 'error',
      place: { file: 'x.md', line, column },
      message: expect.stringContaining(which),
    },
  })
})

test('decodeSource() drops a byte order mark', () => {
  expect(decodeSource('x.md', bytes(0xef, 0xbb, 0xbf, '---\n'))).toEqual({ text: '---\n' })
})

test('decodeSource() takes 1 MiB and not a byte more', () => {
  expect(decodeSource('x.md', new Uint8Array(1024 * 1024).fill(97))).toHaveProperty('text')
  expect(decodeSource('x.md', new Uint8Array(1024 * 1024 + 1).fill(97))).toMatchObject({
    diagnostic: { code: 'too-large', message: expect.stringContaining('1048577 bytes') },
  })
})
