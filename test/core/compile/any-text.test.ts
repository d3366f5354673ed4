import fc from '../../support/laws.ts'
import { describe, expect, test } from 'vitest'
import { compile, decodeSource } from '../../../src/core/compile.ts'
import { renderDiagnostic } from '../../../src/core/diagnostic.ts'
import { render } from '../../../src/core/render.ts'

// Guarantee 8 for files: no text throws, and none costs more than a second of processor time per megabyte.

const MEGABYTE = 1_000_000
const fill = (piece: string, size = MEGABYTE): string => piece.repeat(Math.ceil(size / piece.length)).slice(0, size)
const inList = (text: string): string => `## Steps\n\n1. **a** ${text}`
const inScript = (text: string): string => `## Steps\n\n1. **a**\n   \`\`\`bash\n   ${text}\n   \`\`\`\n`

const MARKDOWN: Readonly<Record<string, string>> = {
  prose: fill('The quick brown fox jumps over *the* lazy **dog** and `code`.\n'),
  'steps as headings': fill('## Step 1: Foo [if: x, timeout: 5m]\n\nSome text.\n\n**Timeout**: 5m\n\n'),
  'steps as a list': `## Steps\n\n${fill('1. **Foo** [if: a, timeot: 5m] — x\n   - timeout: 5m\n   ```bash\n   echo $X_Y\n   ```\n')}`,
  stars: fill('*a **b '),
  brackets: fill('['),
  'bracket pairs': fill('[a:'),
  backticks: Array.from({ length: 1400 }, (_, count) => '`'.repeat(count + 1)).join('a'),
  quotes: fill('> '),
  'deep quotes line by line': fill(`${'> '.repeat(90)}a\n\n`),
  'deep lists line by line': fill(`${'- '.repeat(40)}a\n`),
  'a list of lists': Array.from({ length: 990 }, (_, depth) => `${' '.repeat(depth * 2)}- a`).join('\n'),
  'short bullets': fill('- a\n'),
  'short numbers': fill('1. a\n'),
  'mixed containers': fill('> - 1. a\n'),
  'unclosed tags': fill('<a\n'),
  comments: fill('<!--\n\n'),
  fences: fill('```\n'),
  'short headings': fill('# a\n'),
  underlines: fill('a\n===\n'),
  'blank lines': fill('\n'),
  'carriage returns': fill('a\r\n\r\n'),
  spaces: fill(' '),
  tabs: fill('\t'),
  references: fill('[a]: b\n'),
  'a title of open lists': inList(fill('[timeout: ')),
  'a title of lists': inList(fill('[timeout: 5m] ')),
  'a title of unknown lists': inList(fill('[a: b] ')),
  'a title of parentheses': inList(fill('( requires ')),
  'a title of spaces': inList(`x${fill(' ')}y`),
  'a title of nested brackets': inList('['.repeat(MEGABYTE / 2) + ']'.repeat(MEGABYTE / 2)),
  'a list of commas': inList(`[timeout: 5m${fill(',')}]`),
  'needs without end': inList(`[needs: ${fill('1,')}]`),
  'a condition without end': inList(`[if: ${fill('a && ')}b]`),
  'a condition of brackets': inList(`[if: ${fill('(')}]`),
  'settings without end': `## Steps\n\n1. **a**\n${fill('   - timeout: 5m\n')}`,
  'unknown settings without end': `## Steps\n\n1. **a**\n${fill('   - foo_bar: 5m\n')}`,
  'fields without end': `## Steps\n\n1. **a**\n${fill('   **Timeout**: 5m\n')}`,
  'fields above the steps': `# x\n\n${fill('**Priority**: high\n')}`,
  'variables in a script': inScript(fill('$FOO ${BAR:-x} "a\' # \n')),
  'heredocs in a script': inScript(fill("cat <<'X'\n")),
  'open braces in a script': inScript(fill('${A')),
  'templates in a script': inScript(fill('{{a')),
  'reads in a script': inScript(fill('read ')),
  'a long front matter': `---\n${fill('a: 1\n')}---\n`,
  'front matter that never ends': `---\n${fill('a: 1\n')}`,
  'front matter of dashes': `---\n${'- '.repeat(16_000)}\n---\n`,
  'front matter of question marks': `---\n${'? '.repeat(16_000)}\n---\n`,
}

const TOML: Readonly<Record<string, string>> = {
  keys: Array.from({ length: 60_000 }, (_, at) => `k${at} = 1`).join('\n'),
  triggers: fill('[[triggers]]\ntype="cron"\nexpression="0 0 * * *"\n'),
  steps: fill('[[steps]]\ntitle="a"\n'),
  params: Array.from({ length: 30_000 }, (_, at) => `[params.p${at}]`).join('\n'),
  gates: Array.from({ length: 30_000 }, (_, at) => `[gates.pre_${at}]`).join('\n'),
  'a dotted key': `a${'.a'.repeat(MEGABYTE / 2)}=1`,
  'open brackets': fill('['),
  'a list': `a=[${'1,'.repeat(MEGABYTE / 2)}]`,
  needs: `[[steps]]\ntitle="a"\nneeds=[${'1,'.repeat(MEGABYTE / 2)}]`,
  'a name': `name="${fill('x')}"`,
  'a pattern': `[[triggers]]\ntype="command"\npattern="${fill('(a*)*')}"`,
  'a cron': `[[triggers]]\ntype="cron"\nexpression="${fill('1,')}"`,
  conditions: `[conditions]\nrequires=[${'"a_b",'.repeat(100_000)}]`,
  variables: `[env]\n${Array.from({ length: 50_000 }, (_, at) => `K${at} = "1"`).join('\n')}`,
  comments: fill('#\n'),
}

const JSON_TEXTS: Readonly<Record<string, string>> = {
  'open brackets': fill('['),
  'open tables': fill('{"a":'),
  keys: `{${Array.from({ length: 60_000 }, (_, at) => `"k${at}":1`).join(',')}}`,
  quotes: fill('"\n'),
  'closing brackets': fill('}\n'),
  steps: `{"steps":[${'{"title":"a"},'.repeat(60_000)}{}]}`,
  doubles: `{${'"a":1,'.repeat(100_000)}"a":1}`,
}

const INPUTS = [
  ...Object.entries(MARKDOWN).map(([name, text]) => [`Markdown: ${name}`, 'x/SOP.md', text] as const),
  ...Object.entries(TOML).map(([name, text]) => [`TOML: ${name}`, 'x/SOP.toml', text] as const),
  ...Object.entries(JSON_TEXTS).map(([name, text]) => [`JSON: ${name}`, 'x/manifest.json', text] as const),
]

/** Least processor time of up to three runs: other work on the machine is not the compiler's. */
const costMs = (run: () => void, enoughMs: number): number => {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3 && least > enoughMs; attempt++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

describe('compile() costs less than a second per megabyte', () => {
  test.each(INPUTS)('%s', { timeout: 60_000 }, (_, path, text) => {
    const source = { files: [{ path, text: text.slice(0, MEGABYTE) }], fallbackName: 'x' }
    // Front matter is limited to 32 KiB, and what it costs does not grow with the file.
    const limitMs = Math.max(300, Math.min(1, text.length / MEGABYTE) * 1000)
    expect(costMs(() => compile(source), limitMs)).toBeLessThan(limitMs)
  })
})

const pieces = fc.constantFrom(
  ...[
    '## Steps\n',
    '## Step 1: ',
    '1. ',
    '**',
    '- ',
    '  ',
    '\n',
    '\n\n',
    '```bash\n',
    '```',
    '[',
    ']',
    '[if: ',
    'timeout: ',
    '5m',
    ',',
    '"',
    "'",
  ],
  ...[
    '---\n',
    'name: ',
    'triggers:\n',
    '{{x}}',
    '$FOO_BAR',
    '\\',
    '`',
    '<!--',
    '-->',
    '> ',
    '|',
    '#',
    ':',
    '=',
    '\t',
    '\r',
    '\0',
    '\u202e',
    '🚀',
    '\ud800',
  ],
  ...[
    '[sop]\n',
    '[[triggers]]\n',
    '[[steps]]\n',
    'type = "cron"\n',
    '{',
    '}',
    'a',
    ' ',
    '0',
    '-1',
    'requires_approval',
    '— ',
    '(requires approval)',
  ],
)
const text = fc.oneof(
  fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
)

test('compile() never throws, and each finding can be shown', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('SOP.toml', 'manifest.json', 'SOP.md', 'x.md', 'odd'),
      text,
      text,
      (name, first, second) => {
        const files = [
          { path: `x/${name}`, text: first },
          { path: 'x/SOP.md', text: second },
        ]
        const { definition, diagnostics } = compile({
          files: name === 'x.md' ? files.slice(0, 1) : files,
          fallbackName: 'x',
        })
        expect(definition === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
        for (const found of diagnostics) expect(renderDiagnostic(found)).toContain(found.code)
        if (definition !== undefined) expect(JSON.parse(JSON.stringify(definition))).toEqual(definition)
      },
    ),
    { numRuns: Number(process.env['FC_RUNS'] ?? 500) },
  )
}, 60_000)

test('decodeSource() never throws, and gives a text or a finding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const decoded = decodeSource('x.md', bytes)
      if ('diagnostic' in decoded) expect(decoded.diagnostic.code).toBe('not-utf8')
      else expect(decoded.text).toBe(new TextDecoder().decode(bytes))
    }),
  )
})

test('render() keeps what any text says', () => {
  fc.assert(
    fc.property(text, text, (title, body) => {
      const compiled = compile({
        files: [{ path: 'x.md', text: `## Steps\n\n1. **a** ${title}\n\n   ${body}\n` }],
        fallbackName: 'x',
      })
      const { definition } = compiled
      if (definition === undefined) return
      const again = compile({ files: render(definition), fallbackName: 'x' })
      expect(again.definition).toEqual({ ...definition, dialect: 'A' })
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 500) },
  )
}, 60_000)
