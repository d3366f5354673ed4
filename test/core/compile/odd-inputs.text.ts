import { type OddInput, single } from './odd-input.ts'

// odd-inputs.text.ts: characters, line ends, fences and titles; columns count UTF-16 units.

export const ODD_TEXT: readonly OddInput[] = [
  ['only a byte order mark', { 'x.md': '\ufeff' }, ['error empty-file x.md:1:1 Cannot read "x.md": it is empty']],
  [
    'only front matter',
    single('---', 'name: x', '---', ''),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'a step in a block quote only',
    single('> ## Step 1: A', ''),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  ['a step in a list only', single('- ## Step 1: A', ''), ['error no-steps x.md:1:1 Cannot run "x": it has no steps']],
  [
    'a byte order mark before front matter',
    single('\ufeff---', 'nmae: x', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:2:1 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'a byte order mark before a step',
    single('\ufeff## Step 1: A [timeout: 5x]', ''),
    [
      'error bad-value x.md:1:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'CRLF places',
    { 'x.md': '---\r\nnmae: x\r\n---\r\n\r\n## Step 1: A [timeout: 5x]\r\n\r\n```bash\r\necho {{v}}\r\n```\r\n' },
    [
      'warning unknown-key x.md:2:1 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?',
      'error bad-value x.md:5:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
      'error template-in-command x.md:8:6 Cannot fill in "{{v}}" inside a command: a value could become part of the command => Write "$v", in double quotes',
    ],
  ],
  [
    'CR places',
    { 'x.md': '---\rnmae: x\r---\r\r## Step 1: A [timeout: 5x]\r\r```bash\recho {{v}}\r```\r' },
    [
      'warning unknown-key x.md:2:1 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?',
      'error bad-value x.md:5:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
      'error template-in-command x.md:8:6 Cannot fill in "{{v}}" inside a command: a value could become part of the command => Write "$v", in double quotes',
    ],
  ],
  [
    'mixed line ends',
    { 'x.md': '---\r\nnmae: x\n---\r\n\r## Step 1: A [timeout: 5x]\n' },
    [
      'warning unknown-key x.md:2:1 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?',
      'error bad-value x.md:5:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'CRLF script holds no CR',
    { 'x.md': '## Step 1: A\r\n\r\n```bash\r\necho 1\r\necho 2\r\n```\r\n' },
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'echo 1\necho 2' }] } }] },
  ],
  [
    'no newline at the end',
    { 'x.md': '## Step 1: A\n\n```bash\necho 1\n```' },
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'echo 1' }] } }] },
  ],
  [
    'no newline after front matter end',
    { 'x.md': '---\nname: x\n---' },
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'tabs before a setting',
    single('## Step 1: A', '', '-\ttimeout: 5x', ''),
    [
      'error bad-value x.md:3:12 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'tab in heading',
    single('##\tStep 1: A\t[timeout: 5x]', ''),
    [
      'error bad-value x.md:1:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'tab-indented fence in list',
    single('1. x', '', '## Steps', '', '1.\t**A**', '', '\t```bash', '\techo {{v}}', '\t```', ''),
    [
      'error template-in-command x.md:8:7 Cannot fill in "{{v}}" inside a command: a value could become part of the command => Write "$v", in double quotes',
    ],
  ],
  [
    'emoji before the place',
    single('## Step 1: 🚀🚀 go [timeout: 5x]', ''),
    [
      'error bad-value x.md:1:30 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'combining characters before the place',
    single('## Step 1: e\u0301e\u0301 [timeout: 5x]', ''),
    [
      'error bad-value x.md:1:27 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'right-to-left title',
    single('## Step 1: פריסה לייצור [timeout: 5x]', ''),
    [
      'error bad-value x.md:1:35 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'line separator U+2028 in text',
    single('## Step 1: A\u2028B [timeout: 5x]', ''),
    [
      'error bad-value x.md:1:26 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'non-breaking space after the key',
    single('## Step 1: A', '', '- timeout:\u00a05m', ''),
    [],
    { steps: [{ timeoutMs: 300_000 }] },
  ],
  [
    'form feed',
    single('## Step 1: A\u000c', '', '- timeout: 5x', ''),
    [
      'error bad-value x.md:3:12 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'vertical tab',
    single('## Step 1: A\u000b[timeout: 5x]', ''),
    [
      'error bad-value x.md:1:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'next line U+0085',
    single('## Step 1: A\u0085[timeout: 5x]', ''),
    [
      'error bad-value x.md:1:24 Cannot read setting "timeout": "5x" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'zero width space in a command',
    single('## Step 1: A', '', '```bash', 'rm\u200b -rf', '```', ''),
    [
      'warning hidden-character x.md:4:3 This command holds the character U+200B, which cannot be seen: it may not do what it shows => Delete the character',
    ],
  ],
  [
    'right-to-left override in a command',
    single('## Step 1: A', '', '```bash', 'echo "\u202e"', '```', ''),
    [
      'warning hidden-character x.md:4:7 This command holds the character U+202E, which cannot be seen: it may not do what it shows => Delete the character',
    ],
  ],
  [
    'escape character in a command',
    single('## Step 1: A', '', '```bash', 'echo \u001b[2J', '```', ''),
    [
      'warning hidden-character x.md:4:6 This command holds the character U+001B, which cannot be seen: it may not do what it shows => Delete the character',
    ],
  ],
  [
    'no-break space in a command',
    single('## Step 1: A', '', '```bash', 'echo\u00a0hi', '```', ''),
    [
      'warning hidden-character x.md:4:5 This command holds the character U+00A0, which cannot be seen: it may not do what it shows => Delete the character',
    ],
  ],
  [
    'control characters in title',
    single('## Step 1: De\u0007ploy \u001b[31m', ''),
    [],
    { steps: [{ slug: 'de_ploy_31m' }] },
  ],
  ['title of emoji only', single('## Step 1: 🚀', ''), [], { steps: [{ slug: 'step_1', title: '🚀' }] }],
  [
    'html in title',
    single('## Step 1: <b>Deploy</b> <script>alert(1)</script>', ''),
    [],
    { steps: [{ title: '<b>Deploy</b> <script>alert(1)</script>' }] },
  ],
  [
    'a step heading inside a tilde fence with backticks',
    single('## Step 1: A', '', '~~~md', '```', '## Step 2: B', '```', '~~~', ''),
    [],
    { steps: [{ body: '~~~md\n```\n## Step 2: B\n```\n~~~' }] },
  ],
  [
    'a fence closed by tildes',
    single('## Step 1: A', '', '```bash', 'echo 1', '~~~', ''),
    [
      'error unclosed-fence x.md:3:1 Cannot read the commands: their fence is never closed, so all that follows would be run => Write ``` behind the last command',
    ],
  ],
  [
    'a fence of blanks',
    single('## Step 1: A', '', '```bash', '   ', '```', ''),
    [],
    { steps: [{ action: { kind: 'manual' } }] },
  ],
  [
    'a fence language in upper case',
    single('## Step 1: A', '', '```BASH', 'echo 1', '```', ''),
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'echo 1' }] } }] },
  ],
  [
    'a fence language with attributes',
    single('## Step 1: A', '', '```bash {.numberLines}', 'echo 1', '```', ''),
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'echo 1' }] } }] },
  ],
  [
    'a console fence is documentation',
    single('## Step 1: A', '', '```console', '$ rm -rf /', '```', ''),
    [],
    { steps: [{ action: { kind: 'manual' } }] },
  ],
  [
    'a rollback fence in upper case',
    single('## Step 1: A', '', '```bash Rollback', 'down', '```', ''),
    [],
    { steps: [{ rollback: [{ interpreter: 'bash', script: 'down' }] }] },
  ],
  [
    'a rollback fence without a language is documentation',
    single('## Step 1: A', '', '```rollback', 'down', '```', ''),
    [],
    { steps: [{ action: { kind: 'manual' } }] },
  ],
  [
    'a verify fence alone',
    single('## Step 1: A', '', '```bash verify', 'check', '```', ''),
    [],
    { steps: [{ action: { kind: 'manual' }, verify: [{ interpreter: 'bash', script: 'check' }] }] },
  ],
  [
    'two fences of two languages',
    single('## Step 1: A', '', '```bash', 'a', '```', '```python', 'b', '```', ''),
    [],
    {
      steps: [
        {
          action: {
            kind: 'shell',
            commands: [
              { interpreter: 'bash', script: 'a' },
              { interpreter: 'python', script: 'b' },
            ],
          },
        },
      ],
    },
  ],
  [
    'a template with a path in a command inside a list',
    single('## Steps', '', '1. **A**', '   ```bash', '   deploy {{ build.id }}', '   ```', ''),
    [
      'error template-in-command x.md:5:11 Cannot fill in "{{ build.id }}" inside a command: a value could become part of the command => Write "$build_id", in double quotes',
    ],
  ],
  [
    'a bracket list closed twice',
    single('## Steps', '', '1. **A** [timeout: 5m]]', ''),
    [],
    { steps: [{ title: 'A ]', timeoutMs: 300_000 }] },
  ],
  [
    'an escaped bracket list',
    single('## Steps', '', '1. **A** \\[timeout: 5m\\]', ''),
    [],
    { steps: [{ title: 'A [timeout: 5m]' }] },
  ],
  ['an empty bracket list', single('## Steps', '', '1. **A** []', ''), [], { steps: [{ title: 'A []' }] }],
  [
    'brackets with unknown setting beside known',
    single('## Steps', '', '1. **A** [timeout: 5m, retires: 2]', ''),
    ['warning unknown-key x.md:3:24 Cannot use "retires": a step knows no such setting => Did you mean "retries"?'],
  ],
  [
    'a title of brackets only',
    single('## Steps', '', '1. [timeout: 5m]', ''),
    ['error empty-title x.md:3:4 Cannot name step 1: it has no title => Write what the step does'],
  ],
  [
    'an empty list item',
    single('## Steps', '', '1.', '2. B', ''),
    ['error empty-title x.md:3:1 Cannot name step 1: it has no title => Write what the step does'],
  ],
  [
    'heading without blank',
    single('##Step 1: Deploy', ''),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  ['seven hashes', single('####### Step 1: A', ''), ['error no-steps x.md:1:1 Cannot run "x": it has no steps']],
  [
    'a list that is cut by prose',
    single('## Steps', '', '1. A', '', 'Now the second.', '', '2. B', ''),
    [],
    { steps: [{ number: 1 }, { number: 2 }] },
  ],
  ['a rule after a blank line', single('', '---', '', '## Step 1: A', ''), [], { steps: [{ title: 'A' }] }],
  [
    'front matter after a blank line',
    single('', '---', 'name: y', '---', '## Step 1: A', ''),
    ['hint name-differs x.md:3:7 The SOP is called "y", and its folder or file "x": the name counts'],
    { name: 'y' },
  ],
  [
    'front matter of toml',
    single('+++', 'name = "x"', '+++', '## Step 1: A', ''),
    [
      'error yaml-syntax x.md:1:1 Cannot read the front matter: it stands between lines "+++" => Write it as YAML between two lines "---"',
    ],
  ],
  [
    'front matter unknown alias',
    single('---', 'env: *nothing', '---', '## Step 1: A', ''),
    [
      'error yaml-syntax x.md:2:6 Cannot read the front matter as YAML: there is no anchor "&nothing" => A text that begins with * stands in quotes',
    ],
  ],
  [
    'front matter merge key',
    single('---', 'env:', '  <<: {A: 1}', '  B: 2', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:3:7 Cannot read setting "env": expected a text for "<<", found a table'],
  ],
  [
    'front matter billion laughs',
    single(
      '---',
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]',
      'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]',
      'e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]',
      'tags: *e',
      '---',
      '## Step 1: A',
      '',
    ),
    [
      'warning unknown-key x.md:2:1 Cannot use "a": an SOP knows no such setting',
      'error too-deep x.md:2:12 Cannot read the front matter: its aliases hold too much',
      'warning unknown-key x.md:3:1 Cannot use "b": an SOP knows no such setting',
      'warning unknown-key x.md:4:1 Cannot use "c": an SOP knows no such setting',
      'warning unknown-key x.md:5:1 Cannot use "d": an SOP knows no such setting',
      'warning unknown-key x.md:6:1 Cannot use "e": an SOP knows no such setting',
    ],
  ],
  [
    'front matter self alias',
    single('---', 'env: &a', '  A: *a', '---', '## Step 1: A', ''),
    [
      'error too-deep x.md:3:3 Cannot read the front matter: its aliases hold too much',
      'error wrong-type x.md:3:3 Cannot read setting "env": expected a text for "A", found a table',
    ],
  ],
  [
    'front matter anchor',
    single('---', 'env: &e', '  A: 1', 'defaults:', '  env: *e', '---', '## Step 1: A', ''),
    [],
    { env: { A: '1' }, steps: [{ env: { A: '1' } }] },
  ],
  [
    'front matter tag',
    single('---', 'name: !!binary aGk=', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:16 Cannot name the SOP "": a name has letters, digits, ".", "_" and "-", begins with a letter or',
    ],
  ],
  [
    'front matter directive',
    single('---', '%YAML 1.2', '---', '## Step 1: A', ''),
    ['error yaml-syntax x.md:3:1 Cannot read the front matter as YAML: a text, list or table is not closed'],
  ],
  [
    'front matter bad indent',
    single('---', 'a:', '    b: 1', '  c: 2', '---', '## Step 1: A', ''),
    [
      'error yaml-syntax x.md:4:1 Cannot read the front matter as YAML: a list or table in brackets is not closed, or not indented',
    ],
  ],
  [
    'front matter dash value',
    single('---', 'name: -', '---', '## Step 1: A', ''),
    ['error yaml-syntax x.md:2:7 Cannot read the front matter as YAML: unexpected block-seq-ind on same line with key'],
  ],
  [
    'front matter that ends in dots before a step',
    single('---', 'name: x', '...', '## Step 1: A', ''),
    [],
    { name: 'x' },
  ],
  [
    'front matter block scalar',
    single('---', 'description: |', '  two', '  lines', '---', '## Step 1: A', ''),
    [],
    { description: 'two\nlines' },
  ],
  ['front matter octal', single('---', 'max_concurrent: 010', '---', '## Step 1: A', ''), [], { maxConcurrent: 10 }],
  ['front matter comment only', single('---', '# nothing', '---', '## Step 1: A', ''), [], { steps: [{ title: 'A' }] }],
  [
    'front matter of lines that end in CR alone',
    { 'x.md': '---\rname: x\rpriority: hihg\r---\r## Step 1: A\r' },
    [
      'error bad-value x.md:3:11 Cannot read setting "priority": "hihg" is not one of low, normal, high, critical => Did you mean "high"?',
    ],
  ],
]
