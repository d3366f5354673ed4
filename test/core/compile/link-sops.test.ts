import { describe, expect, test } from 'vitest'
import { linkSops } from '../../../src/core/compile/link-sops.ts'
import { compile } from '../../../src/core/compile.ts'
import { renderDiagnostic } from '../../../src/core/diagnostic.ts'

/** Names of SOPs → the SOPs that their steps run. */
type Sops = Readonly<Record<string, readonly string[]>>

const findings = (sops: Sops): readonly string[] => {
  const linked = Object.entries(sops).map(([name, runs]) => ({
    name,
    runs: runs.map((sop, at) => ({
      sop,
      step: { number: at + 1, title: `Run ${sop}` },
      place: { file: `${name}.md`, line: at + 1, column: 1 },
    })),
  }))
  return linkSops(linked).flatMap((list) =>
    list.map(({ code, place, message, help }) => {
      const [, reason = ''] = message.split(/": (?=there|SOPs)/)
      return `${code} ${place.file}:${place.line} ${reason} => ${help}`
    }),
  )
}

const circle = (place: string, chain: string): string =>
  `sop-cycle ${place} SOPs run each other in a circle: ${chain} => Take the step out of one of them`

const table: readonly (readonly [name: string, sops: Sops, found: readonly string[]])[] = [
  ['none run any', { a: [], b: [] }, []],
  ['one runs another', { a: ['b'], b: [] }, []],
  ['two run the same one', { a: ['c'], b: ['c'], c: [] }, []],
  ['one runs another twice', { a: ['b', 'b'], b: [] }, []],
  ['a diamond is no circle', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
  [
    'a misspelt name',
    { a: ['helth'], health: [] },
    ['unknown-sop a.md:1 there is no SOP of that name => Did you mean "health"?'],
  ],
  [
    'a name like no other',
    { a: ['zzz'], b: [] },
    ['unknown-sop a.md:1 there is no SOP of that name => sop list shows the names'],
  ],
  [
    'names differ by case',
    { a: ['Bee'], bee: [] },
    ['unknown-sop a.md:1 there is no SOP of that name => Did you mean "bee"?'],
  ],
  [
    'each unknown name at its place',
    { a: ['x1', 'b', 'x2'], b: [] },
    [
      'unknown-sop a.md:1 there is no SOP of that name => sop list shows the names',
      'unknown-sop a.md:3 there is no SOP of that name => sop list shows the names',
    ],
  ],
  ['one runs itself', { a: ['a'] }, [circle('a.md:1', 'a runs a')]],
  [
    'two run each other',
    { a: ['b'], b: ['a'] },
    [circle('a.md:1', 'a runs b runs a'), circle('b.md:1', 'b runs a runs b')],
  ],
  [
    'a circle of three, and one that leads into it',
    { z: ['a'], a: ['b'], b: ['ok', 'c'], c: ['a'], ok: [] },
    [
      circle('a.md:1', 'a runs b runs c runs a'),
      circle('b.md:2', 'b runs c runs a runs b'),
      circle('c.md:1', 'c runs a runs b runs c'),
    ],
  ],
  [
    'two circles through one',
    { a: ['b', 'c'], b: ['a'], c: ['a'] },
    [
      circle('a.md:1', 'a runs b runs a'),
      circle('a.md:2', 'a runs c runs a'),
      circle('b.md:1', 'b runs a runs b'),
      circle('c.md:1', 'c runs a runs c'),
    ],
  ],
  [
    'a circle beside a name that is not there',
    { a: ['b', 'x1'], b: ['a'] },
    [
      circle('a.md:1', 'a runs b runs a'),
      'unknown-sop a.md:2 there is no SOP of that name => sop list shows the names',
      circle('b.md:1', 'b runs a runs b'),
    ],
  ],
  [
    'names of the language are names',
    { constructor: ['__proto__'] },
    ['unknown-sop constructor.md:1 there is no SOP of that name => sop list shows the names'],
  ],
]

/** Names of SOPs → the SOPs whose end they wait for (`<a`), or that their steps run (`a`). */
const triggered = (sops: Sops): readonly string[] => {
  const linked = Object.entries(sops).map(([name, all]) => ({
    name,
    runs: all.map((text, at) => ({
      sop: text.replace('<', ''),
      place: { file: name, line: at + 1, column: 1 },
      ...(!text.startsWith('<') && { step: { number: 1, title: 'x' } }),
    })),
  }))
  return linkSops(linked).flatMap((list) =>
    list.map(
      ({ code, severity, place, message }) => `${severity} ${code} ${place.file}: ${message.split(': ').at(-1)}`,
    ),
  )
}

describe('linkSops() with triggers', () => {
  test.each<[what: string, sops: Sops, found: readonly string[]]>([
    ['one waits for another', { a: [], b: ['<a'] }, []],
    ['two wait for one, and one for both', { a: [], b: ['<a'], c: ['<a'], d: ['<b', '<c'] }, []],
    ['one waits for an SOP that its step runs twice removed', { a: ['b'], b: ['c'], c: [], d: ['<c'] }, []],
    ['one waits for itself', { a: ['<a'] }, ['error trigger-cycle a: a starts a']],
    [
      'a circle of three: each of them is told, with the chain',
      { a: ['<c'], b: ['<a'], c: ['<b'], d: ['<c'] },
      [
        'error trigger-cycle a: c starts a starts b starts c',
        'error trigger-cycle b: a starts b starts c starts a',
        'error trigger-cycle c: b starts c starts a starts b',
      ],
    ],
    [
      'one waits for the end of an SOP that its own step runs',
      { a: [], b: ['<a', 'a'] },
      ['error trigger-cycle b: a starts b starts a'],
    ],
    [
      'an SOP that is not there: it may come',
      { build: ['<biuld'] },
      ['warning unknown-trigger-sop build: there is no SOP of that name'],
    ],
  ])('%s', (_what, sops, found) => expect(triggered(sops)).toEqual(found))

  test('points at the name in the file', () => {
    const files = [
      { path: 'a/SOP.toml', text: 'name = "a"\n[[triggers]]\ntype = "sop"\nsop = "a"\n' },
      { path: 'a/SOP.md', text: '## Steps\n\n1. **Look**\n' },
    ]
    const { runs = [] } = compile({ files, fallbackName: 'a' })
    const [[finding] = []] = linkSops([{ name: 'a', runs }])
    expect(finding && renderDiagnostic(finding)).toBe(
      [
        'error[trigger-cycle]: Cannot wait for the end of SOP "a": SOPs would start each other without end: a starts a',
        ' --> a/SOP.toml:4:7',
        '  |',
        '4 | sop = "a"',
        '  |       ^^^',
        '  = help: Take the trigger out of one of them',
      ].join('\n'),
    )
  })
})

describe('linkSops()', () => {
  test.each(table)('%s', (_name, sops, found) => expect(findings(sops)).toEqual(found))

  test('names a long circle by its ends', () => {
    const names = Array.from({ length: 300 }, (_, at) => `s${at}`)
    const sops = Object.fromEntries(names.map((name, at) => [name, [names[(at + 1) % 300] ?? '']]))
    const found = findings(sops)
    expect(found).toHaveLength(300)
    expect(found[7]).toContain('s7 runs s8 runs s9 ')
    expect(found[7]).toContain(' runs … runs s7 =>')
  })

  test('points at the name in the file', () => {
    const text = '---\nname: a\n---\n\n# A\n\n## Step 1: Look\n\n- sop: bb\n'
    const { runs = [] } = compile({ files: [{ path: 'a.md', text }], fallbackName: 'a' })
    const [[finding] = []] = linkSops([{ name: 'a', runs }])
    expect(finding && renderDiagnostic(finding)).toBe(
      [
        'error[unknown-sop]: Cannot run SOP "bb" as step 1 "Look": there is no SOP of that name',
        ' --> a.md:9:8',
        '  |',
        '9 | - sop: bb',
        '  |        ^^',
        '  = help: sop list shows the names',
      ].join('\n'),
    )
  })
})
