import { expect, test } from 'vitest'
import { compile, decodeSource, MAX_BYTES } from '../../../src/core/compile.ts'
import { renderDiagnostic } from '../../../src/core/diagnostic.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The findings as people see them: place, source line, caret. */
const shown = (text: string, path = 'x.md'): string =>
  compile({ files: [{ path, text }], fallbackName: 'x' })
    .diagnostics.map(renderDiagnostic)
    .join('\n')

const step = (line: string): string => `## Step 1: A\n\n${line}\n`

/** The source line and the carets below it. */
const marked = (text: string): readonly string[] => shown(text).split('\n').slice(3, 5)

test('a finding shows path:line:column, its line, carets as wide as the word, and the way out', () => {
  expect(shown('---\npriority: hihg\n---\n## Step 1: A\n', 'ops/deploy.md')).toBe(
    [
      'error[bad-value]: Cannot read setting "priority": "hihg" is not one of low, normal, high, critical',
      ' --> ops/deploy.md:2:11',
      '  |',
      '2 | priority: hihg',
      '  |           ^^^^',
      '  = help: Did you mean "high"?',
    ].join('\n'),
  )
})

test('the gutter grows with the number of the line', () => {
  const lines = shown(`## Step 1: A\n${'\n'.repeat(98)}- timeout: 5x\n`).split('\n')
  expect(lines.slice(1)).toEqual(['   --> x.md:100:12', '    |', '100 | - timeout: 5x', '    |            ^^'])
})

const CARETS: readonly (readonly [name: string, text: string, line: string, carets: string])[] = [
  ['tabs', step('-\ttimeout:\t5x'), '3 | -\ttimeout:\t5x', '  |  \t        \t^^'],
  ['wide emoji', '## Step 1: 🚀🚀 [timeout: 5x]\n', '1 | ## Step 1: 🚀🚀 [timeout: 5x]', `  | ${' '.repeat(26)}^^`],
  ['wide letters', '## Step 1: 部署 [timeout: 5x]\n', '1 | ## Step 1: 部署 [timeout: 5x]', `  | ${' '.repeat(26)}^^`],
  [
    'combining marks',
    '## Step 1: e\u0301e\u0301 [timeout: 5x]\n',
    '1 | ## Step 1: e\u0301e\u0301 [timeout: 5x]',
    `  | ${' '.repeat(24)}^^`,
  ],
  ['an emoji of several', step('- timeout: 👩‍🚀'), '3 | - timeout: 👩‍🚀', `  | ${' '.repeat(11)}^^^^`],
  [
    'right-to-left text',
    '## Step 1: פריסה [timeout: 5x]\n',
    '1 | ## Step 1: פריסה [timeout: 5x]',
    `  | ${' '.repeat(27)}^^`,
  ],
  ['CRLF', '## Step 1: A\r\n\r\n- timeout: 5x\r\n', '3 | - timeout: 5x', '  |            ^^'],
  ['CR', '## Step 1: A\r\r- timeout: 5x\r', '3 | - timeout: 5x', '  |            ^^'],
  [
    'a byte order mark',
    '\ufeff## Step 1: A [timeout: 5x]\n',
    '1 | ## Step 1: A [timeout: 5x]',
    `  | ${' '.repeat(23)}^^`,
  ],
  [
    'a control character',
    '## Step 1: \u001b[31m [timeout: 5x]\n',
    '1 | ## Step 1: �[31m [timeout: 5x]',
    `  | ${' '.repeat(27)}^^`,
  ],
  ['the end of the line', step('**Timeout**:'), '3 | **Timeout**:', `  | ${' '.repeat(12)}^`],
]

test.each(CARETS)('carets stand under the right characters behind %s', (_name, text, line, carets) => {
  expect(marked(text)).toEqual([line, carets])
})

test('a line that no screen can show is left out, its place stays', () => {
  const lines = shown(`## Step 1: ${'a'.repeat(1000)} [timeout: 5x]\n`).split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toBe(' --> x.md:1:1023')
})

test('a file may have 1 MiB, and not a byte more', () => {
  const head = '## Step 1: A\n\n## Notes\n\n'
  const full = bytesOf(`${head}${'é'.repeat((MAX_BYTES - head.length) / 2)}`)
  expect(full).toHaveLength(MAX_BYTES)
  const decoded = decodeSource('x.md', full)
  if (!('text' in decoded)) throw new Error('refused')
  expect(compile({ files: [{ path: 'x.md', text: decoded.text }], fallbackName: 'x' }).diagnostics).toEqual([])
  expect(decodeSource('x.md', new Uint8Array([...full, 10]))).toMatchObject({
    diagnostic: {
      code: 'too-large',
      severity: 'error',
      message: 'Cannot read "x.md": it is larger than 1 MiB (1048577 bytes)',
      place: { file: 'x.md', line: 1, column: 1 },
    },
  })
})

test('1,000 steps compile, as headings, as a list and in a manifest', () => {
  const of = (line: (number: number) => string): string =>
    Array.from({ length: 1_000 }, (_, index) => line(index + 1)).join('\n')
  const files = [
    { path: 'x.md', text: of((number) => `## Step ${number}: S`) },
    { path: 'x.md', text: `## Steps\n\n${of((number) => `${number}. S`)}` },
    { path: 'x/SOP.toml', text: of((number) => `[[steps]]\nnumber = ${number}\ntitle = "S"`) },
  ]
  for (const file of files) {
    const { definition, diagnostics } = compile({ files: [file], fallbackName: 'x' })
    expect(diagnostics).toEqual([])
    expect(definition?.steps).toHaveLength(1_000)
    expect(definition?.steps.at(-1)?.slug).toBe('s_1000')
  }
})

const BYTES: readonly (readonly [name: string, bytes: readonly number[] | string, place: string, message: string])[] = [
  ['Latin-1', [...bytesOf('a\nb'), 0xe9, 0x0a], '2:2', 'byte 4 (0xe9) is not UTF-8'],
  ['a character that is cut off', [...bytesOf('ab'), 0xf0, 0x9f, 0x9a], '1:3', 'is not UTF-8'],
  ['an overlong NUL', [0xc0, 0x80], '1:1', 'byte 1 (0xc0) is not UTF-8'],
  ['half a surrogate pair', [0x61, 0xed, 0xa0, 0x80], '1:2', 'is not UTF-8'],
  ['UTF-16 with a byte order mark', [0xff, 0xfe, 0x61, 0x00], '1:1', 'byte 1 (0xff) is not UTF-8'],
  ['UTF-16 without one', [0x61, 0x00, 0x62, 0x00], '1:2', 'it holds a NUL'],
  ['bad bytes behind emoji and CRLF', [...bytesOf('🚀\r\né'), 0x80], '2:2', 'byte 9 (0x80) is not UTF-8'],
]

test.each(BYTES)('decodeSource() refuses %s', (_name, bytes, place, message) => {
  const decoded = decodeSource('x.md', Uint8Array.from(bytes as readonly number[]))
  if (!('diagnostic' in decoded)) throw new Error('taken')
  const { code, severity, help } = decoded.diagnostic
  expect({ code, severity, help }).toEqual({ code: 'not-utf8', severity: 'error', help: 'Save the file as UTF-8' })
  expect(`${decoded.diagnostic.place.line}:${decoded.diagnostic.place.column}`).toBe(place)
  expect(decoded.diagnostic.message).toContain(message)
})

test('decodeSource() takes a byte order mark off', () => {
  expect(decodeSource('x.md', Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]))).toEqual({ text: 'a' })
})
