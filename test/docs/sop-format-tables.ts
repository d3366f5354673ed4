import { MAX_STRING, MAX_LIST, MAX_TEXT } from '../../src/core/condition/language.ts'
import { OUTPUT_FILE_BYTES, OUTPUT_VALUE_BYTES } from '../../src/activities/step-output.ts'
import { MAX_BYTES } from '../../src/core/compile.ts'
import { CODES } from '../../src/core/dialect/codes.ts'
import { MAX_STEPS } from '../../src/core/dialect/find-steps.ts'
import { MAX_NESTING } from '../../src/core/dialect/nesting.ts'
import { interpreterOf } from '../../src/core/dialect/step-fence.ts'
import { MAX_DIAGNOSTICS } from '../../src/core/dialect/report.ts'
import { MAX_ITEMS } from '../../src/core/dialect/values.ts'
import { ZEROCLAW_KEYS } from '../../src/core/dialect/zeroclaw-keys.ts'
import { MAX_PARAM_BYTES, MAX_PARAMS_BYTES } from '../../src/core/params.ts'
import { NOT_CARRIED_OUT } from '../../src/core/run/supported.ts'
import { OUTPUT_TAIL_BYTES } from '../../src/core/run/task.ts'
import { type Scope, SETTING_TYPES, type Setting, SETTINGS } from '../../src/core/settings.ts'

// sop-format-tables.ts: the tables of docs/sop-format.md as the code has them.

const settings: readonly Setting[] = SETTINGS

const code = (text: string): string => `\`${text}\``
const codes = (texts: readonly string[]): string => texts.map(code).join(', ')

/** A pipe would end its cell. */
const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`.replaceAll(/ {2}/g, ' ')

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n')

const takes = ({ type, words = [] }: Setting): string => (type === 'word' ? codes(words) : type)

const settingTable = (scope: Scope): string => {
  const found = settings.filter(({ scopes }) => scopes.includes(scope))
  const hasTypes = scope === 'trigger'
  const head = ['setting', ...(hasTypes ? ['of'] : []), 'what it does', 'takes', 'default', 'also called']
  return table(
    head,
    found.map((setting) => [
      code(setting.key),
      ...(hasTypes ? [codes(setting.triggers ?? [])] : []),
      setting.doc,
      takes(setting),
      setting.default ?? '',
      codes((setting.also ?? []).filter((name) => !found.some(({ key }) => key === name))),
    ]),
  )
}

const wordTable = (): string =>
  table(
    ['setting', 'also understood'],
    settings
      .filter(({ synonyms }) => synonyms !== undefined)
      .map(({ key, scopes, synonyms = {} }) => [
        `${code(key)} (${scopes.join(', ')})`,
        Object.entries(synonyms)
          .map(([word, meant]) => `${code(word)} → ${code(meant)}`)
          .join(', '),
      ]),
  )

/** Languages of fences by interpreter, and the programs that run them; a test holds both against the code. */
export const FENCES: readonly {
  readonly interpreter: string
  readonly fences: readonly string[]
  readonly runs: string
}[] = [
  { interpreter: 'bash', fences: ['bash', 'shell'], runs: 'bash --noprofile --norc -eo pipefail' },
  { interpreter: 'sh', fences: ['sh'], runs: 'sh -e' },
  { interpreter: 'dash', fences: ['dash'], runs: 'dash -e' },
  { interpreter: 'zsh', fences: ['zsh'], runs: 'zsh -f -e -o pipefail' },
  { interpreter: 'ksh', fences: ['ksh'], runs: 'ksh -e -o pipefail' },
  { interpreter: 'fish', fences: ['fish'], runs: 'fish --no-config' },
  { interpreter: 'python', fences: ['python', 'python3', 'py'], runs: 'python3 -' },
  { interpreter: 'node', fences: ['node', 'js', 'javascript', 'mjs'], runs: 'node -' },
  { interpreter: 'ruby', fences: ['ruby', 'rb'], runs: 'ruby -' },
  { interpreter: 'perl', fences: ['perl'], runs: 'perl -' },
  { interpreter: 'php', fences: ['php'], runs: 'php' },
  { interpreter: 'lua', fences: ['lua'], runs: 'lua -' },
  { interpreter: 'pwsh', fences: ['pwsh', 'powershell', 'ps1'], runs: 'pwsh -NoLogo -NoProfile -NonInteractive -File' },
]

const fenceTable = (): string =>
  table(
    ['fence', 'is run by'],
    FENCES.map(({ fences, runs, interpreter }) => [
      codes(fences.filter((fence) => interpreterOf(fence) === interpreter)),
      code(runs),
    ]),
  )

const unsupportedTable = (): string =>
  table(
    ['set by', 'setting'],
    [
      ['a step', codes(NOT_CARRIED_OUT.step)],
      ['a gate', codes(NOT_CARRIED_OUT.gate)],
    ],
  )

const codeTable = (): string =>
  table(
    ['code', 'severity', 'says'],
    Object.entries(CODES).map(([name, { severity, doc }]) => [code(name), severity, doc]),
  )

const zeroclawTable = (): string =>
  table(
    ['key', 'of', 'is', 'here'],
    ZEROCLAW_KEYS.map(({ key, at, fate, doc }) => [code(key), at, fate, doc]),
  )

const bytes = (count: number): string =>
  count % (1024 * 1024) === 0 ? `${count / 1024 / 1024} MiB` : `${count / 1024} KiB`
const number = (count: number): string => count.toLocaleString('en-US')

const limitTable = (): string =>
  table(
    ['what', 'at most'],
    [
      ['A file; a definition as JSON', bytes(MAX_BYTES)],
      ['Steps of an SOP', number(MAX_STEPS)],
      ['Items of a list', number(MAX_ITEMS)],
      ['Lists, quotes or values inside each other', `${number(MAX_NESTING)} levels`],
      ['Findings that are listed', number(MAX_DIAGNOSTICS)],
      ['A param; all params of a run', `${bytes(MAX_PARAM_BYTES)}; ${bytes(MAX_PARAMS_BYTES)}`],
      ['An output; all of `$SOP_OUTPUT`', `${bytes(OUTPUT_VALUE_BYTES)}; ${bytes(OUTPUT_FILE_BYTES)}`],
      ['Printed text in the result of a step (the log has all)', bytes(OUTPUT_TAIL_BYTES)],
      ['A condition', `${number(MAX_TEXT)} characters`],
      ['A list, a text that a condition looks at', `${number(MAX_LIST)} elements, ${number(MAX_STRING)} characters`],
      ['A duration', '100 years'],
    ],
  )

/** Every generated table by the name that its markers on the page have. */
export const TABLES: Readonly<Record<string, () => string>> = {
  words: wordTable,
  step: () => settingTable('step'),
  types: () =>
    table(
      ['type', 'takes'],
      Object.entries(SETTING_TYPES).map(([type, doc]) => [type, doc]),
    ),
  interpreters: fenceTable,
  http: () => settingTable('http'),
  gate: () => settingTable('gate'),
  sop: () => settingTable('sop'),
  conditions: () => settingTable('conditions'),
  param: () => settingTable('param'),
  trigger: () => settingTable('trigger'),
  notifications: () => settingTable('notifications'),
  unsupported: unsupportedTable,
  codes: codeTable,
  limits: limitTable,
  zeroclaw: zeroclawTable,
}
