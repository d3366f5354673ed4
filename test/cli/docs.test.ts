import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ALIASES } from '../../src/cli/aliases/commands.ts'
import { COMMON_OPTIONS, type CommandSpec } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { parseCommandLine } from '../../src/cli/program.ts'
import { ENVIRONMENT } from '../../src/cli/verbs/help.ts'

const PAGE = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8').replace(/\r\n/g, '\n')

/** Name of the program or verb → its section. */
const SECTIONS = new Map(
  PAGE.split(/^(?=#{2,3} )/m).map((section) => [/^#+ (?:sop )?(.*)/.exec(section)?.[1] ?? '', section]),
)

/** The words of a command line as a shell splits them. */
const wordsOf = (line: string): readonly string[] =>
  (line.match(/'[^']*'|"[^"]*"|[^\s'"]+(?:"[^"]*")?/g) ?? []).map((word) =>
    word.replace(/^'([^']*)'$|^"([^"]*)"$/, '$1$2'),
  )

const linesOf = (section: string, program: string): readonly string[] =>
  [...section.matchAll(/```bash\n([\s\S]*?)```/g)]
    .flatMap(([, code = '']) => code.split('\n'))
    .filter((line) => line.startsWith(`${program} `) || line === program)

const parse = (line: string, only?: CommandSpec) => {
  const [name = '', ...argv] = wordsOf(line.replace(/ [|>] .*$/, ''))
  return parseCommandLine(
    { name, summary: '', commands: COMMANDS, colour: false, ...(only === undefined ? {} : { only }) },
    argv,
  )
}

const covers = (spec: CommandSpec): void => {
  const section = SECTIONS.get(spec.name) ?? ''
  expect(section, `docs/cli.md has no section "${spec.name}"`).not.toBe('')
  for (const { flags, summary } of spec.options ?? []) expect(section).toContain(`| \`${flags}\` | ${summary}`)
  for (const { name } of spec.args ?? []) expect(section).toContain(`| \`${name}\` |`)
}

describe.each(COMMANDS.filter(({ hidden }) => hidden !== true))('sop $name', (spec) => {
  test('has a section with every option and argument', () => covers(spec))

  test('has examples, and each of them parses to this verb', () => {
    const lines = linesOf(SECTIONS.get(spec.name) ?? '', 'sop')
    expect(lines).toEqual(expect.arrayContaining([...spec.examples]))
    for (const line of lines)
      expect(parse(line)).toMatchObject({ kind: 'run', invocation: { spec: { name: spec.name } } })
  })
})

describe.each(Object.values(ALIASES) as readonly CommandSpec[])('$name', (spec) => {
  test('has a section with every option and argument', () => covers(spec))

  test('has examples, and each of them parses', () => {
    const lines = linesOf(SECTIONS.get(spec.name) ?? '', spec.name)
    expect(lines).toEqual(expect.arrayContaining([...spec.examples]))
    for (const line of lines) expect(parse(line, spec).kind).toBe('run')
  })
})

test('the page shows no option that the program does not have', () => {
  const known = [...COMMANDS, ...(Object.values(ALIASES) as readonly CommandSpec[])].flatMap(
    ({ options }) => options ?? [],
  )
  const flags = new Set([...known, ...COMMON_OPTIONS, { flags: '-h, --help' }].map((option) => option.flags))
  const shown = [...PAGE.matchAll(/^\| `(-[^`]*)` \|/gm)].map(([, text]) => text ?? '')
  expect(shown.length).toBeGreaterThan(50)
  expect(shown.filter((text) => !flags.has(text))).toEqual([])
})

test('the page has the table of exit codes and the variables', () => {
  for (const { code, meaning } of Object.values(EXIT_CODES)) expect(PAGE).toContain(`| ${code} | ${meaning} |`)
  for (const [names, meaning] of ENVIRONMENT)
    expect(PAGE).toContain(
      `| ${names
        .split(', ')
        .map((name) => `\`${name}\``)
        .join(', ')} | ${meaning} |`,
    )
})
