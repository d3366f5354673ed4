import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Token } from 'markdown-it'
import { describe, expect, test } from 'vitest'
import { invocationOf } from '../../src/activities/interpreters.ts'
import { createCalendarProblem } from '../../src/adapters/holidays.ts'
import { createCatalog } from '../../src/client/catalog.ts'
import { compile, type SourceFile } from '../../src/core/compile.ts'
import { functionNames } from '../../src/core/condition/language.ts'
import { DIALECTS } from '../../src/core/definition.ts'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { interpreterOf } from '../../src/core/dialect/step-fence.ts'
import { NOT_CARRIED_OUT, unsupported } from '../../src/core/run/supported.ts'
import { readPage, ROOT, tableRows } from './markdown.ts'
import { FENCES, TABLES } from './sop-format-tables.ts'

const PATH = 'docs/sop-format.md'

// Tables ------------------------------------------------------------------------------------------------------------

const REGION = /<!-- table: (\w+) -->\n([^]*?)<!-- \/table -->/g

const regenerated = (text: string): string =>
  text.replace(REGION, (whole, name: string) => {
    const table = TABLES[name]
    return table === undefined ? whole : `<!-- table: ${name} -->\n\n${table()}\n\n<!-- /table -->`
  })

if (process.env.UPDATE === '1') {
  const path = join(ROOT, PATH)
  writeFileSync(path, regenerated(readFileSync(path, 'utf8')))
}

const page = readPage(PATH)
const regions = [...page.text.matchAll(REGION)].map(([, name = '', text = '']) => ({ name, text: text.trim() }))

describe('tables', () => {
  test('every table of the code is on the page, once', () => {
    expect(regions.map(({ name }) => name).sort()).toEqual(Object.keys(TABLES).sort())
  })

  test.each(regions)('$name is as the code has it (UPDATE=1 writes it)', ({ name, text }) => {
    expect(text).toBe(TABLES[name]?.())
  })
})

// Examples ----------------------------------------------------------------------------------------------------------

interface Example {
  readonly files: readonly SourceFile[]
  readonly place: string
  /** What the page shows as its findings. */
  readonly findings?: string
}

const COMPANION: SourceFile = {
  path: 'fragment/SOP.md',
  text: Array.from(
    { length: 5 },
    (_, at) => `## Step ${at + 1}: ${at === 2 ? 'Deploy' : 'Do it'}\n\n\`\`\`bash\ntrue\n\`\`\`\n`,
  ).join('\n'),
}

const LANGUAGES = ['toml', 'json', 'yaml', 'markdown']

/** A paragraph that is nothing but a path: the name of the file below it. */
const nameAbove = (tokens: readonly Token[], index: number): string | undefined => {
  const inline = tokens[index - 2]
  const [only, ...more] = inline?.type === 'inline' ? (inline.children ?? []) : []
  return only?.type === 'code_inline' && more.length === 0 ? only.content : undefined
}

/** Files of one folder are one SOP; a fence without a name is a fragment of one. */
const examples = (): readonly Example[] => {
  const found: Example[] = []
  for (const [index, { type, info, content, map }] of page.tokens.entries()) {
    if (type !== 'fence') continue
    const language = info.trim()
    const place = `${PATH}:${(map?.[0] ?? 0) + 1}`
    const last = found.at(-1)
    if (language === 'text' && /^(error|warning|hint)\[/.test(content) && last !== undefined)
      found[found.length - 1] = { ...last, findings: content }
    if (!LANGUAGES.includes(language)) continue
    const path = nameAbove(page.tokens, index)
    const file = { path: path ?? (language === 'toml' ? 'fragment/SOP.toml' : 'fragment.md'), text: content }
    const isSameFolder = path?.includes('/') === true && dirname(last?.files[0]?.path ?? '') === dirname(path)
    if (isSameFolder && last !== undefined) found[found.length - 1] = { ...last, files: [...last.files, file] }
    else found.push({ files: path === undefined && language === 'toml' ? [file, COMPANION] : [file], place })
  }
  return found
}

const compileExample = ({ files }: Example) => {
  const path = files[0]?.path ?? ''
  return compile({ files, fallbackName: path.includes('/') ? dirname(path) : basename(path, '.md') })
}

const all = examples()

describe('examples', () => {
  test('there are some', () => {
    expect(all.length).toBeGreaterThan(15)
  })

  test.each(all.map((example) => [example.place, example] as const))(
    '%s compiles to what the page says',
    (_, example) => {
      const { definition, diagnostics } = compileExample(example)
      expect(diagnostics.map(renderDiagnostic).join('\n')).toBe((example.findings ?? '').trimEnd())
      expect(definition === undefined).toBe(example.findings !== undefined)
      if (definition !== undefined) expect(unsupported(definition)).toEqual([])
    },
  )

  test('every dialect has one', () => {
    const named = all.filter(({ files: [file] }) => !file?.path.startsWith('fragment'))
    const shown = new Set(named.map((example) => compileExample(example).definition?.dialect))
    expect(DIALECTS.filter((dialect) => !shown.has(dialect))).toEqual([])
  })
})

// What the prose says -------------------------------------------------------------------------------------------------

describe('shell steps', () => {
  test('other languages are documentation', () => {
    expect(['json', 'text', 'console', ''].map(interpreterOf)).toEqual([undefined, undefined, undefined, undefined])
  })

  test.each(FENCES.map((each) => [each.runs, each] as const))('%s', (runs, { fences, interpreter }) => {
    const [program = '', ...args] = runs.split(' ')
    const bin = mkdtempSync(join(tmpdir(), 'sop-bin-'))
    try {
      writeFileSync(join(bin, program), '')
      chmodSync(join(bin, program), 0o755)
      expect(fences.map(interpreterOf)).toEqual(fences.map(() => interpreter))
      const found = invocationOf(interpreter, undefined, bin)
      expect(found).toMatchObject({ ok: true, invocation: { program: join(bin, program), args } })
    } finally {
      rmSync(bin, { recursive: true })
    }
  })
})

test('functions that the page names are there', () => {
  const sentence = /Functions: ([^]*?)which do not nest/.exec(page.text)?.[1] ?? ''
  const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => !functionNames().includes(name))).toEqual([])
})

/** One SOP for each setting that is not carried out yet. */
const REFUSED: Readonly<Record<string, string>> = {
  'step quorum': '[steps.2]\nquorum = 2',
  'step escalate_to': '[steps.2]\nescalate_to = ["alice"]',
  'step for_each of a manual or wait step': '[steps.6]\ntitle = "Look"\nfor_each = ["a", "b"]',
  'step rollback of a for_each step':
    '[steps.6]\ntitle = "Do"\nfor_each = ["a", "b"]\ncommands = "true"\nrollback = "true"',
  'step timeout of a sop step': '[steps.6]\ntitle = "Run"\nsop = "other"\ntimeout = "1m"',
  'step timeout of a wait step': '[steps.6]\ntitle = "Pause"\nwait = "5m"\ntimeout = "1m"',
  'gate quorum': '[gates.pre_x]\nquorum = 2',
  'gate escalate_to': '[gates.pre_x]\nescalate_to = ["alice"]',
}

const refusals = Object.entries(NOT_CARRIED_OUT).flatMap(([at, keys]) => keys.map((key) => ({ at, key })))

test.each(refusals)('$at: $key keeps a run from starting', ({ at, key }) => {
  const toml = REFUSED[`${at} ${key}`] ?? 'no example'
  const { definition, diagnostics } = compile({
    files: [{ path: 'fragment/SOP.toml', text: toml }, COMPANION],
    fallbackName: 'fragment',
  })
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  expect(definition && unsupported(definition).join()).toContain(`"${key}"`)
})

test('findings about files and folders have the codes of the page', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sop-format-'))
  try {
    for (const folder of ['a', 'b', 'broken/SOP.md', 'loop']) mkdirSync(join(root, folder), { recursive: true })
    for (const folder of ['a', 'b'])
      writeFileSync(join(root, folder, 'SOP.md'), '---\nname: same\n---\n## Step 1: Do it\n')
    writeFileSync(join(root, 'closed.md'), '---\nholidays: [missing.ics]\n---\n## Step 1: Do it\n')
    symlinkSync(join(root, 'nothing.md'), join(root, 'dangling.md'))
    symlinkSync(join(root, 'loop'), join(root, 'loop', 'again'))
    symlinkSync(tmpdir(), join(root, 'outside'))
    const codes = async (): Promise<readonly string[]> =>
      (await createCatalog({ sopDir: root, calendarProblem: createCalendarProblem(root) }).list()).flatMap(
        ({ compiled }) => compiled.diagnostics.map(({ code }) => code),
      )
    writeFileSync(join(root, 'index.json'), '{')
    const found = new Set(await codes())
    writeFileSync(join(root, 'index.json'), '{"gone": "gone/SOP.md"}')
    for (const code of await codes()) found.add(code)
    const table = page.text.split('Findings about files and folders:')[1]?.split('\n## ')[0] ?? ''
    const named = [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, code = '']) => code)
    expect([...found].filter((code) => code !== 'name-differs').sort()).toEqual(named.sort())
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('the table of dialects has all of them', () => {
  expect(tableRows(page, 'Five dialects').map(([dialect]) => dialect)).toEqual(DIALECTS)
})
