import { frontMatter, list, manifest, settings, single, toml, type OddInput } from './odd-input.ts'

// Odd inputs: files that are no document of their kind, or too much of one.

export const ODD_SYNTAX: readonly OddInput[] = [
  ['a Markdown file that is empty', single(''), ['error empty-file x.md:1:1 Cannot read "x.md": it is empty']],
  [
    'a Markdown file of blank lines',
    single('', '  ', '\t'),
    ['error empty-file x.md:1:1 Cannot read "x.md": it is empty'],
  ],
  ['an empty SOP.toml beside steps', { 'x/SOP.toml': '', 'x/SOP.md': '## Step 1: A\n' }, []],
  [
    'an empty SOP.md beside a manifest',
    { 'x/SOP.toml': '[sop]\nname = "x"\n', 'x/SOP.md': '' },
    ['error empty-file x/SOP.md:1:1 Cannot read "x/SOP.md": it is empty'],
  ],
  [
    'an empty manifest.json',
    manifest(''),
    ['error empty-file x/manifest.json:1:1 Cannot read "x/manifest.json": it is empty'],
  ],
  [
    'Markdown without steps',
    single('# Title', '', 'Some prose.'),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'a Steps heading without a list',
    single('## Steps', '', 'Do this and that.'),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'a Steps heading above bullets',
    single('## Steps', '', '- one', '- two'),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'a manifest alone without steps',
    { 'x/SOP.toml': '[sop]\nname = "x"\n' },
    ['warning no-steps-yet x/SOP.toml:1:1 "x" has no steps yet: it is listed and cannot start'],
  ],
  [
    'a manifest.json alone without steps',
    manifest({ name: 'x' }),
    ['warning no-steps-yet x/manifest.json:1:1 "x" has no steps yet: it is listed and cannot start'],
  ],
  [
    'a manifest.json that is a list',
    manifest([1, 2]),
    ['error wrong-type x/manifest.json:1:1 Cannot read "x/manifest.json": expected an object of settings'],
  ],
  [
    'a manifest.json that is a text',
    manifest('"x"\n'),
    ['error wrong-type x/manifest.json:1:1 Cannot read "x/manifest.json": expected an object of settings'],
  ],
  [
    'JSON with a trailing comma',
    manifest('{\n  "name": "x",\n}\n'),
    ['error json-syntax x/manifest.json:3:1 Cannot read the document as JSON: a key in quotes is expected'],
  ],
  [
    'JSON with a comment',
    manifest('{\n  // note\n  "name": "x", "steps": [{"title": "A"}]\n}\n'),
    ['error json-syntax x/manifest.json:2:3 Cannot read the document as JSON: JSON has no comments'],
  ],
  [
    'JSON with an unquoted key',
    manifest('{\n  name: "x"\n}\n'),
    [
      'error json-syntax x/manifest.json:2:3 Cannot read the document as JSON: there is a word or sign that JSON does not know',
      'error json-syntax x/manifest.json:3:1 Cannot read the document as JSON: a value is expected',
    ],
  ],
  [
    'JSON with a stray quote (seed 002)',
    manifest('{\n  "name": "x"",\n  "version": "1.0.0"\n}\n'),
    [
      'error json-syntax x/manifest.json:2:14 Cannot read the document as JSON: a text is not closed by a quote on its line',
      'error json-syntax x/manifest.json:3:3 Cannot read the document as JSON: a colon is expected',
    ],
  ],
  [
    'JSON that ends too early',
    manifest('{\n  "name": "x",\n  "steps": [\n'),
    ['error json-syntax x/manifest.json:4:1 Cannot read the document as JSON: a closing ] is expected'],
  ],
  [
    'JSON with two errors on two lines',
    manifest('{\n  "name" "x",\n  "version": 1.0.0\n}\n'),
    [
      'error json-syntax x/manifest.json:2:10 Cannot read the document as JSON: a colon is expected',
      'error json-syntax x/manifest.json:3:17 Cannot read the document as JSON: there is a word or sign that JSON does not know',
    ],
  ],
  [
    'JSON with a key twice',
    manifest('{\n  "name": "x",\n  "name": "y",\n  "steps": [{"title": "A"}]\n}\n'),
    [
      'error duplicate-key x/manifest.json:3:3 Cannot read key "name": it stands twice in its table',
      'hint name-differs x/manifest.json:3:11 The SOP is called "y", and its folder or file "x": the name counts',
    ],
  ],
  [
    'JSON nested deeper than 100 levels',
    manifest('{"a":' + '['.repeat(101) + ']'.repeat(101) + '}'),
    ['error too-deep x/manifest.json:1:105 Cannot read the document: its values are nested deeper than 100 levels'],
  ],
  [
    'TOML without a value',
    toml('[sop]', 'name ='),
    ['error toml-syntax x/SOP.toml:2:7 Cannot read the document as TOML: there is no value'],
  ],
  [
    'TOML text without quotes',
    toml('[sop]', 'name = x'),
    ['error toml-syntax x/SOP.toml:2:8 Cannot read the document as TOML: there is no value'],
  ],
  [
    'TOML text that is not closed',
    toml('[sop]', 'name = "x', 'version = "1.0.0"'),
    ['error toml-syntax x/SOP.toml:2:10 Cannot read the document as TOML: a text is not closed by a quote on its line'],
  ],
  [
    'a TOML key twice',
    toml('[sop]', 'name = "x"', 'name = "y"'),
    ['error toml-syntax x/SOP.toml:3:1 Cannot read the document as TOML: the key or table stands twice'],
  ],
  [
    'a TOML table twice',
    toml('[sop]', 'name = "x"', '[sop]'),
    ['error toml-syntax x/SOP.toml:3:2 Cannot read the document as TOML: the key or table stands twice'],
  ],
  [
    'an empty [triggers] before [[triggers]]',
    toml('[sop]', 'name = "x"', '', '[triggers]', '# none yet', '', '[[triggers]]', 'type = "manual"'),
    [
      'error toml-table-and-list x/SOP.toml:7:3 Cannot read "[[triggers]]": "[triggers]" in line 4 already makes it a single table',
    ],
  ],
  ['an empty [triggers] alone', toml('[sop]', 'name = "x"', '[triggers]', '[gates]'), []],
  [
    'TOML nested deeper than 100 levels',
    toml('a = ' + '['.repeat(101) + ']'.repeat(101)),
    ['error too-deep x/SOP.toml:1:105 Cannot read the document: its values are nested deeper than 100 levels'],
  ],
  [
    'a TOML number that is too large',
    settings('name = "x"', 'max_concurrent = 99999999999999999999'),
    ['error toml-syntax x/SOP.toml:3:18 Cannot read the document as TOML: the number is too large'],
  ],
  [
    'a TOML header that is not closed',
    toml('[sop', 'name = "x"'),
    ['error toml-syntax x/SOP.toml:1:5 Cannot read the document as TOML: there is a sign that no key has'],
  ],
  [
    'a TOML key in umlauts',
    settings('größe = 1'),
    ['error toml-syntax x/SOP.toml:2:3 Cannot read the document as TOML: there is a sign that no key has'],
  ],
  [
    'YAML with a tab',
    frontMatter('name: x\ntriggers:\n\t- type: manual', '## Step 1: A'),
    ['error yaml-syntax x.md:4:1 Cannot read the front matter as YAML: a line is indented with a tab'],
  ],
  [
    'YAML with a colon in a text',
    frontMatter('name: x\ndescription: first: second', '## Step 1: A'),
    ['error yaml-syntax x.md:3:14 Cannot read the front matter as YAML: there are two keys on one line'],
  ],
  [
    'YAML with a key twice',
    frontMatter('name: x\nversion: 1.0.0\nname: y', '## Step 1: A'),
    ['error duplicate-key x.md:4:1 Cannot read key "name": it stands twice in its table'],
  ],
  [
    'YAML that is a list',
    frontMatter('- name: x', '## Step 1: A'),
    ['error yaml-syntax x.md:2:1 Cannot read the front matter: it holds no settings'],
  ],
  [
    'YAML that is a text',
    frontMatter('just words', '## Step 1: A'),
    ['error yaml-syntax x.md:2:1 Cannot read the front matter: it holds no settings'],
  ],
  [
    'YAML with an unclosed quote',
    frontMatter('name: "x', '## Step 1: A'),
    ['error yaml-syntax x.md:3:1 Cannot read the front matter as YAML: a text, list or table is not closed'],
  ],
  [
    'YAML with an unclosed bracket',
    frontMatter('name: x\ntags: [a, b', '## Step 1: A'),
    [
      'error yaml-syntax x.md:4:1 Cannot read the front matter as YAML: a list or table in brackets is not closed, or not in',
    ],
  ],
  [
    'YAML aliases that hold too much',
    frontMatter(
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]',
      '## Step 1: A',
    ),
    [
      'warning unknown-key x.md:2:1 Cannot use "a": an SOP knows no such setting',
      'error too-deep x.md:2:22 Cannot read the front matter: its aliases hold too much',
      'warning unknown-key x.md:3:1 Cannot use "b": an SOP knows no such setting',
      'warning unknown-key x.md:4:1 Cannot use "c": an SOP knows no such setting',
      'warning unknown-key x.md:5:1 Cannot use "d": an SOP knows no such setting',
      'warning unknown-key x.md:6:1 Cannot use "e": an SOP knows no such setting',
    ],
  ],
  [
    'YAML nested deeper than 100 levels',
    frontMatter('a: ' + '['.repeat(101), '## Step 1: A'),
    ['error too-deep x.md:2:104 Cannot read the front matter: its values are nested deeper than 100 levels'],
  ],
  [
    'YAML of fifty dashes in a row',
    frontMatter('- '.repeat(60) + 'x', '## Step 1: A'),
    ['error too-deep x.md:2:1 Cannot read the front matter: its values are nested deeper than 100 levels'],
  ],
  [
    'front matter that is longer than 32 KiB',
    frontMatter('a: ' + 'x'.repeat(33000), '## Step 1: A'),
    ['error too-large x.md:2:1 Cannot read the front matter: it is longer than 32 KiB'],
  ],
  [
    'front matter that never ends',
    single('---', 'name: x', '', '## Step 1: A', ''),
    ['error unclosed-front-matter x.md:1:1 Cannot read the front matter: it never ends'],
  ],
  ['front matter that is empty', single('---', '---', '## Step 1: A', ''), []],
  ['a rule on the first line', single('---', '', '## Step 1: A', ''), []],
  ['front matter that ends in dots', single('---', 'name: x', '...', '## Step 1: A', ''), []],
  [
    'a byte order mark',
    single('\ufeff---', 'nme: x', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:2:1 Cannot use "nme": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'CRLF line ends',
    single('---\r', 'nme: x\r', '---\r', '\r', '## Step 1: A [timeot: 5m]\r', ''),
    [
      'warning unknown-key x.md:2:1 Cannot use "nme": an SOP knows no such setting => Did you mean "name"?',
      'warning unknown-key x.md:5:15 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?',
    ],
  ],
  [
    'CR line ends',
    { 'x.md': '## Step 1: A [timeot: 5m]\r\r```bash\recho {{x}}\r```\r' },
    [
      'warning unknown-key x.md:1:15 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?',
      'error template-in-command x.md:4:6 Cannot fill in "{{x}}" inside a command: a value could become part of the command',
    ],
  ],
  [
    'tabs before a list',
    list('1. **A**', '\t```bash', '\techo "$FOO_BAR"', '\t```'),
    ['warning undeclared-variable x/SOP.md:5:8 Nothing declares "FOO_BAR", so it is empty when the command runs'],
  ],
  [
    'emoji in a title before a bracket list',
    list('1. **🚀 Launch** [timeot: 5m]'),
    ['warning unknown-key x/SOP.md:3:19 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'right-to-left text in a title',
    list('1. **העלאה** [timeot: 5m]'),
    ['warning unknown-key x/SOP.md:3:15 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  ['NUL in the text', single('## Step 1: A\0B', ''), []],
  [
    '1 MiB and a character',
    { 'x.md': '## Step 1: A\n\n' + 'x'.repeat(1024 * 1024) },
    ['error too-large x.md:1:1 Cannot read "x.md": it is larger than 1 MiB'],
  ],
  [
    '1,001 steps as headings',
    { 'x.md': Array.from({ length: 1001 }, (_, i) => `## Step ${i + 1}: A\n`).join('') },
    ['error too-many-steps x.md:1001:15 Cannot read 1001 steps: an SOP has at most 1000'],
  ],
  [
    '1,001 steps as a list',
    { 'x.md': '## Steps\n\n' + Array.from({ length: 1001 }, (_, i) => `${i + 1}. **A**\n`).join('') },
    ['error too-many-steps x.md:1003:1 Cannot read 1001 steps: an SOP has at most 1000'],
  ],
  [
    '1,001 steps in a manifest',
    manifest({ steps: Array.from({ length: 1001 }, () => ({ title: 'A' })) }),
    ['error too-many-steps x/manifest.json:3003:5 Cannot read 1001 steps: an SOP has at most 1000'],
  ],
  [
    'lists nested deeper than 100 levels',
    { 'x.md': '## Step 1: A\n\n' + '> '.repeat(120) + 'x\n' },
    ['error too-deep x.md:3:1 Cannot read the document: lists or quotes are nested deeper than 100 levels'],
  ],
  [
    'SOP.toml and manifest.json side by side',
    { 'x/SOP.toml': '[sop]\nname = "x"\n', 'x/manifest.json': '{"name": "x"}', 'x/SOP.md': '## Step 1: A\n' },
    ['warning two-manifests x/manifest.json:1:1 "x/manifest.json" is not read, since "x/SOP.toml" stands beside it'],
  ],
  [
    'a million list items',
    { 'x.md': '- a\n'.repeat(200000) },
    ['error too-large x.md:60001:1 Cannot read the document: it has too many paragraphs and list items'],
  ],
]
