import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { compile, decodeSource, type SopSource } from '../../../src/core/compile.ts'
import { type Diagnostic, renderDiagnostic, renderPlace } from '../../../src/core/diagnostic.ts'
import { render } from '../../../src/core/render.ts'

// What holds for SOPs that people wrote and then broke: the fixtures and examples, cut, spliced and mutated.

const RUNS = Number(process.env['FC_RUNS'] ?? 300)
const root = fileURLToPath(new URL('../../../', import.meta.url))

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })

const ORIGINALS = ['test/fixtures/sop', 'sops']
  .flatMap((folder) => filesBelow(join(root, folder)))
  .filter((path) => /\.(?:md|toml|json)$/.test(path) && !path.endsWith('expected.json'))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }))

const original = fc.constantFrom(...ORIGINALS)

/** Pieces that mean something to a reader of SOPs, and some that mean harm. */
const piece = fc.constantFrom(
  ...['[', ']', '[timeout: 5m]', '**', '`', '```', '```bash\n', '~~~\n', '- ', '  ', '\t', '\n', '\r\n', '\r', '\n\n'],
  ...['---\n', '+++\n', '# ', '## Steps\n\n', '## Step 2: ', '1. ', '> ', '<!--', '-->', '|', '\\', '"', "'", '"""'],
  ...['{{x}}', '$A_B', '{', '}', ':', ' = ', ',', '&a ', '*a', '<<: ', '!!x ', '%', '(', ')', '(requires approval)'],
  ...[
    '\0',
    '\ufeff',
    '\u200b',
    '\u202e',
    '\u2028',
    '\ud800',
    '🚀',
    'e\u0301',
    'שלום',
    '__proto__',
    'constructor',
    '../',
  ],
  ...['[[triggers]]\n', '[triggers]\n', '[gates.x]\n', '[steps.1]\n', 'NaN', '1e999', '-1', 'null', 'true', '\\u0000'],
)

interface Cut {
  readonly at: number
  readonly length: number
  readonly put: string
}

const cut: fc.Arbitrary<Cut> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 4_000 })),
  put: fc.oneof(fc.constant(''), piece, fc.string({ unit: 'binary', maxLength: 8 })),
})

/** The text with spans of it replaced. */
const mutate = (text: string, cuts: readonly Cut[]): string =>
  cuts.reduce((from, { at, length, put }) => {
    const start = Math.floor(at * from.length)
    return from.slice(0, start) + put + from.slice(start + length)
  }, text)

const broken = fc.tuple(original, fc.array(cut, { minLength: 1, maxLength: 6 })).map(([{ path, text }, cuts]) => ({
  path,
  text: mutate(text, cuts),
}))

/** The first part of one file and the last of another. */
const spliced = fc
  .tuple(original, original, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([a, b, end, start]) => ({
    path: a.path,
    text: a.text.slice(0, Math.floor(end * a.text.length)) + b.text.slice(Math.floor(start * b.text.length)),
  }))

const files = fc.oneof(
  broken.map((file) => [file]),
  spliced.map((file) => [file]),
  // Two files that never belonged together, under the names that make them one SOP.
  fc
    .tuple(fc.constantFrom('SOP.toml', 'manifest.json'), fc.oneof(broken, spliced), fc.oneof(broken, spliced))
    .map(([name, manifest, page]) => [
      { path: `x/${name}`, text: manifest.text },
      { path: 'x/SOP.md', text: page.text },
    ]),
)

const linesOf = (text: string): readonly string[] => text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)

/** Why a finding has no place in its file; undefined when it has one. */
const placeProblem = ({ place, sourceLine }: Diagnostic, { files: all }: SopSource): string | undefined => {
  const file = all.find(({ path }) => path === place.file)
  if (file === undefined) return 'names another file'
  const line = linesOf(file.text)[place.line - 1]
  if (line === undefined) return 'names a line behind the end'
  const { column, length = 1 } = place
  if (!Number.isInteger(column) || column < 1 || column > line.length + 1) return 'names a column outside its line'
  if (length < 1 || column + length > Math.max(line.length + 1, column + 1))
    return 'has carets behind the end of its line'
  return sourceLine !== undefined && sourceLine.replaceAll('\ufffd', '').length > line.length
    ? 'shows another line'
    : undefined
}

test('compile() of a broken SOP never throws, and each finding has a place inside its file', () => {
  fc.assert(
    fc.property(files, (all) => {
      const source = { files: all, fallbackName: 'x' }
      const { definition, diagnostics } = compile(source)
      for (const found of diagnostics) {
        expect(placeProblem(found, source), `${found.code} at ${renderPlace(found.place)}`).toBeUndefined()
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
        expect(renderDiagnostic(found)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
      }
      expect(definition === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
    }),
    { numRuns: RUNS },
  )
}, 60_000)

test('compile() says the same of a text whatever ends its lines', () => {
  fc.assert(
    fc.property(broken, fc.constantFrom('\r\n', '\r'), ({ path, text }, end) => {
      // A lone CR is no line end in TOML.
      if (path.endsWith('.toml') && end === '\r') return
      const unix = text.replaceAll(/\r\n?/g, '\n').replaceAll('\0', '')
      const of = (each: string) => compile({ files: [{ path, text: each }], fallbackName: 'x' })
      expect(of(unix.replaceAll('\n', end))).toEqual(of(unix))
    }),
    { numRuns: RUNS },
  )
}, 60_000)

test('compile() gives JSON that render() keeps, of whatever is still an SOP', () => {
  fc.assert(
    fc.property(files, (all) => {
      const { definition } = compile({ files: all, fallbackName: 'x' })
      if (definition === undefined) return
      expect(JSON.parse(JSON.stringify(definition))).toEqual(definition)
      if (definition.steps.length === 0) return
      const again = compile({ files: render(definition), fallbackName: definition.name })
      expect(again.definition).toEqual({ ...definition, dialect: 'A' })
    }),
    { numRuns: RUNS },
  )
}, 60_000)

test('decodeSource() of bytes that were cut or flipped never throws, and its finding has a place', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
  fc.assert(
    fc.property(original, fc.nat(), flips, ({ text }, end, each) => {
      const whole = new TextEncoder().encode(`🚀${text}`)
      const bytes = whole.slice(0, (end % whole.length) + 1)
      for (const [at, value] of each) bytes[at % bytes.length] = value
      const decoded = decodeSource('x.md', bytes)
      if ('text' in decoded) {
        expect(new TextEncoder().encode(decoded.text).length).toBeLessThanOrEqual(bytes.length)
        return
      }
      const { line, column } = decoded.diagnostic.place
      const lines = linesOf(new TextDecoder().decode(bytes))
      expect(line).toBeLessThanOrEqual(lines.length)
      expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
    }),
    { numRuns: RUNS },
  )
}, 60_000)

const SIZE = 1_000_000
const fill = (text: string): string => text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE)

/** What costs a careless parser more than its length. The other nasty texts are those of any-text.test.ts. */
const NASTY: Readonly<Record<string, readonly [path: string, text: string]>> = {
  underscores: ['x.md', fill('_')],
  'table pipes': ['x.md', fill('| - ')],
  'table rows': ['x.md', `| a |\n| - |\n${fill('| b |\n')}`],
  'one long line': ['x.md', `## Step 1: A\n\n${fill('word ')}`],
  'a long title': ['x.md', `## Step 1: ${fill('[[a]: ')}`],
  'stray brackets before a list': ['x.md', `## Step 1: ${fill('[ ')} [timeout: 5m]`],
  'approvals in a title': ['x.md', `## Step 1: ${fill('(needs approva')}`],
  'step numbers': ['x.md', fill('## Step 1.1.1.1.1.1.1.1.1.1.1\n')],
  'a step number of digits': ['x.md', `## Step ${fill('1')}`],
  'step headings without numbers': ['x.md', `## Step 1: A\n${fill('## Step\n')}`],
  'bold headings': ['x.md', fill('## **Step 1: a_ **\n')],
  'blocks at the margin': ['x.md', `## Steps\n\n1. a\n\n${fill('```bash\nx\n```\n')}`],
  'bullets at the margin': ['x.md', `## Steps\n\n1. a\n\n${fill('- timeout:5m\n')}`],
  'fields with lists': ['x.md', `## Step 1: a\n\n${fill('**Tools**:\n- a\n\n')}`],
  'bullets inside bullets': ['x.md', `## Step 1: a\n\n${fill('- tools:\n  - a\n')}`],
  'rollback headings': ['x.md', `## Step 1: a\n\n${fill('### Rollback\n```bash\nx\n```\n')}`],
  'keys of one letter': ['x.md', `## Step 1: a\n\n${fill('- a：b\n')}`],
  'hidden characters': ['x.md', `## Step 1: a\n\n- ${fill('\u200b')}`],
  'alternating quotes': ['x.md', fill('> - ')],
  'html tags': ['x.md', fill('<div><p>')],
  'link references': ['x.md', fill('[a]: <b> "c"\n')],
  autolinks: ['x.md', fill('<a:')],
  entities: ['x.md', fill('&amp;')],
  'blank front matter': ['x.md', `${fill('\n')}---\na: b`],
  'front matter in flow': ['x.md', `---\na: ${'[a, '.repeat(8_000)}\n---\n`],
  'front matter anchors': [
    'x.md',
    `---\n${Array.from({ length: 3_000 }, (_, at) => `a${at}: &a${at} x`).join('\n')}\n---\n`,
  ],
  'TOML lists in lists': ['x/SOP.toml', `a = ${fill('[[')}`],
  'TOML tables': ['x/SOP.toml', Array.from({ length: 50_000 }, (_, at) => `[a.b${at}]`).join('\n')],
  'TOML steps by name': ['x/SOP.toml', Array.from({ length: 40_000 }, (_, at) => `[steps.s${at}]`).join('\n')],
  'TOML params that fold': [
    'x/SOP.toml',
    `[params]\n${Array.from({ length: 990 }, (_, at) => `p${'-_'[at % 2]}${at} = "x"`).join('\n')}`,
  ],
  'a TOML text of escapes': ['x/SOP.toml', `description = "${'\\u00e9'.repeat(160_000)}"`],
  'JSON of nested lists': ['x/manifest.json', `{"a":${'['.repeat(SIZE / 2)}${']'.repeat(SIZE / 2)}}`],
  'JSON of wide lists': ['x/manifest.json', `{"tags":[${'"a",'.repeat(240_000)}"a"]}`],
  'JSON of escapes': ['x/manifest.json', `{"env":{"A":"${'\\u0000'.repeat(160_000)}"}}`],
  'JSON of bad texts': ['x/manifest.json', `{"tags":[${'"\\u0000",'.repeat(100_000)}"a"]}`],
}

/** Processor time, least of three tries: the rest of the machine is not the compiler's. */
const costMs = (run: () => void, enoughMs: number): number => {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3 && least > enoughMs; attempt++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1_000)
  }
  return least
}

describe('compile() costs less than a second per megabyte of', () => {
  test.each(Object.entries(NASTY))('%s', { timeout: 60_000 }, (_, [path, text]) => {
    const files = [{ path, text: text.slice(0, SIZE) }]
    expect(costMs(() => compile({ files, fallbackName: 'x' }), 1_000)).toBeLessThan(1_000)
  })
})
