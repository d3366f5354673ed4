import { type OddInput, single } from './odd-input.ts'

// odd-inputs.values.ts: values and keys that are almost right.

export const ODD_VALUES: readonly OddInput[] = [
  [
    'max_concurrent huge',
    single('---', 'max_concurrent: 99999999999999999999', '---', '## Step 1: A', ''),
    [
      'error wrong-type x.md:2:17 Cannot read setting "max_concurrent": expected a whole number, found the number 99999999999999999999',
    ],
  ],
  [
    'max_concurrent fraction',
    single('---', 'max_concurrent: 1.5', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:2:17 Cannot read setting "max_concurrent": expected a whole number, found the number 1.5'],
  ],
  [
    'max_concurrent NaN',
    single('---', 'max_concurrent: .nan', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:2:17 Cannot read setting "max_concurrent": expected a whole number, found the text "NaN"'],
  ],
  [
    'max_concurrent infinity',
    single('---', 'max_concurrent: .inf', '---', '## Step 1: A', ''),
    [
      'error wrong-type x.md:2:17 Cannot read setting "max_concurrent": expected a whole number, found the text "Infinity"',
    ],
  ],
  [
    'cooldown NaN',
    single('---', 'cooldown: .nan', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "cooldown": "NaN" is no duration: expected a number then ms, s, m, h, d or w,',
    ],
  ],
  [
    'cooldown huge number',
    single('---', 'cooldown: 1e300', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "cooldown": "1e300" is no duration: expected a number then ms, s, m, h, d or w,',
    ],
  ],
  [
    'cooldown with comma',
    single('---', 'cooldown: 1,5 h', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "cooldown": "1,5 h" is no duration: expected a number then ms, s, m, h, d or w,',
    ],
  ],
  [
    'timeout of a clock',
    single('## Step 1: A', '', '- timeout: 10:00', ''),
    [
      'error bad-value x.md:3:12 Cannot read setting "timeout": "10:00" is no duration: expected a number then ms, s, m, h, d or w,',
    ],
  ],
  [
    'timeout in arabic digits',
    single('## Step 1: A', '', '- timeout: ٥m', ''),
    [
      'error bad-value x.md:3:12 Cannot read setting "timeout": "٥m" is no duration: expected a number then ms, s, m, h, d or w, as',
    ],
  ],
  [
    'null in tags',
    single('---', 'tags: [a, ~]', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:2:11 Cannot read setting "tags": expected a list of texts, found nothing in it'],
  ],
  [
    'timezone offset',
    single('---', 'timezone: +02:00', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "timezone": "+02:00" is not the name of a timezone => Write it as Europe/Berlin or UTC',
    ],
  ],
  [
    'timezone abbreviation',
    single('---', 'timezone: CEST', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "timezone": "CEST" is not the name of a timezone => Write it as Europe/Berlin or UTC',
    ],
  ],
  [
    'timezone empty',
    single('---', 'timezone: ""', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:2:11 Cannot read setting "timezone": "" is not the name of a timezone => Write it as Europe/Berlin or UTC',
    ],
  ],
  [
    'env null value',
    single('---', 'env:', '  A:', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:3:5 Cannot read setting "env": expected a text for "A", found nothing'],
  ],
  [
    'env table value',
    single('---', 'env:', '  A: {b: 1}', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:3:6 Cannot read setting "env": expected a text for "A", found a table'],
  ],
  [
    'env __proto__',
    single('---', 'env:', '  __proto__: x', '  constructor: y', '---', '## Step 1: A', ''),
    [
      'error reserved-name x.md:3:3 Cannot use "__proto__" as the name of a variable: it steers the shell or the engine => Choose another name',
      'error reserved-name x.md:4:3 Cannot use "constructor" as the name of a variable: it steers the shell or the engine => Choose another name',
    ],
  ],
  [
    'env NUL',
    single('---', 'env:', '  A: "x\\0y"', '---', '## Step 1: A', ''),
    [
      'error bad-value x.md:3:6 Cannot use this text: an escape in it stands for a character that no command or file can hold => Delete the escape',
    ],
  ],
  [
    'env SOP_ name',
    single('---', 'env:', '  SOP_RUN_ID: x', '---', '## Step 1: A', ''),
    [
      'error reserved-name x.md:3:3 Cannot use "SOP_RUN_ID" as the name of a variable: it steers the shell or the engine => Choose another name',
    ],
  ],
  [
    'key __proto__',
    single('---', '__proto__: {a: 1}', 'constructor: 2', 'toString: 3', 'hasOwnProperty: 4', '---', '## Step 1: A', ''),
    [
      'warning unknown-key x.md:2:1 Cannot use "__proto__": an SOP knows no such setting',
      'warning unknown-key x.md:3:1 Cannot use "constructor": an SOP knows no such setting',
      'warning unknown-key x.md:4:1 Cannot use "toString": an SOP knows no such setting',
      'warning unknown-key x.md:5:1 Cannot use "hasOwnProperty": an SOP knows no such setting',
    ],
  ],
  [
    'key empty',
    single('---', '"": x', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:2:1 Cannot use "": an SOP knows no such setting'],
  ],
  [
    'key a number',
    single('---', '1: x', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:2:1 Cannot use "1": an SOP knows no such setting'],
  ],
  [
    'key a list',
    single('---', '? [a, b]', ': x', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:2:3 Cannot use "": an SOP knows no such setting'],
  ],
  [
    'key of a step at the top',
    single('---', 'requires_approval: true', '---', '## Step 1: A', ''),
    [
      'warning unknown-key x.md:2:1 Cannot use "requires_approval": an SOP knows no such setting => It belongs to a step; for every step write it in defaults',
    ],
  ],
  [
    'key very long',
    single(
      '---',
      'kxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: red',
      '---',
      '## Step 1: A',
      '',
    ),
    [
      'warning unknown-key x.md:2:1 Cannot use "kxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…": an SOP knows no such',
    ],
  ],
  [
    'key duplicated in two spellings',
    single('---', 'max_concurrent: 1', 'maxConcurrent: 2', '---', '## Step 1: A', ''),
    [
      'warning duplicate-setting x.md:3:1 Setting "maxConcurrent" says something else than in x.md:2: this one counts, since the last one wins => Make both the same, or delete one "max_concurrent"',
    ],
  ],
  [
    'bold setting above the steps contradicts front matter',
    single('---', 'priority: low', '---', '# X', '', '**Priority**: high', '', '## Step 1: A', ''),
    [
      'warning contradiction x.md:6:3 Setting "Priority" says something else than in x.md:2: the one in x.md:2 counts, since the manifest => Make both the same, or delete one "priority"',
    ],
  ],
  [
    'name absolute',
    single('---', 'name: /etc/passwd', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:7 Cannot name the SOP "/etc/passwd": a name has letters, digits, ".", "_" and "-", begins with a => Write name: etc-passwd',
    ],
  ],
  [
    'name of dots',
    single('---', 'name: ..', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:7 Cannot name the SOP "..": a name has letters, digits, ".", "_" and "-", begins with a letter or',
    ],
  ],
  [
    'name in kanji',
    single('---', 'name: 部署', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:7 Cannot name the SOP "部署": a name has letters, digits, ".", "_" and "-", begins with a letter or',
    ],
  ],
  [
    'name __proto__',
    single('---', 'name: __proto__', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:7 Cannot name the SOP "__proto__": a name has letters, digits, ".", "_" and "-", begins with a letter => Write name: proto__',
    ],
  ],
  [
    'name with a newline',
    single('---', 'name: "a\\nb"', '---', '## Step 1: A', ''),
    [
      'error bad-name x.md:2:7 Cannot name the SOP "a\nb": a name has letters, digits, ".", "_" and "-", begins with a letter or => Write name: a-b',
    ],
  ],
  [
    'condition python',
    single('## Step 1: A', '', '- if: a and b', ''),
    [
      'error bad-condition x.md:3:9 Cannot read condition "a and b": it joins its parts with "and" => Write && instead.',
    ],
  ],
  [
    'condition function',
    single('## Step 1: A', '', '- if: exec("rm")', ''),
    ['error bad-condition x.md:3:7 Cannot read condition "exec("rm")": there is no function "exec"'],
  ],
  [
    'condition nested macros',
    single('## Step 1: A', '', '- if: a.all(x, b.all(y, x == y))', ''),
    [
      'error bad-condition x.md:3:16 Cannot read condition "a.all(x, b.all(y, x == y))": all() stands inside all(), and nested loops => Compute the value in a step and hand it on as an output.',
    ],
  ],
  [
    'condition regex lookahead',
    single('## Step 1: A', '', '- if: a.matches("(?=x)")', ''),
    [
      'error bad-condition x.md:3:17 Cannot read condition "a.matches("(?=x)")": "(?=x)" is no RE2 pattern: error parsing regexp: => RE2 has no backreferences and no lookaround.',
    ],
  ],
  [
    'condition constant',
    single('## Step 1: A', '', '- if: true', ''),
    ['warning odd-condition x.md:3:7 Condition "true" reads no name: it is the same in every run'],
  ],
  [
    'condition reserved word',
    single('## Step 1: A', '', '- if: for == 1', ''),
    [
      'error bad-condition x.md:3:7 Cannot read condition "for == 1": "for" is a word of the language => Write params.for to read a param of that name.',
    ],
  ],
  [
    'condition dunder',
    single('## Step 1: A', '', '- if: __proto__', ''),
    [
      'error bad-condition x.md:3:7 Cannot read condition "__proto__": "__proto__" is a word of the language => Write params.__proto__ to read a param of that name.',
    ],
  ],
  [
    'condition constructor',
    single('## Step 1: A', '', '- if: constructor', ''),
    ['warning nothing-sets x.md:3:7 Nothing sets "constructor" in the condition "constructor"'],
  ],
  [
    'condition deep',
    single(
      '## Step 1: A',
      '',
      '- if: ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))',
      '',
    ),
    ['error bad-condition x.md:3:107 Cannot read condition'],
  ],
  [
    'condition quotes of word',
    single('## Step 1: A', '', '- if: “x” == y', ''),
    [
      'error bad-condition x.md:3:7 Cannot read condition "“x” == y": it has typographic quotes => Write straight quotes: "value".',
    ],
  ],
  [
    'condition in backticks',
    single('## Step 1: A', '', '- if: `a ==`', ''),
    ['error bad-condition x.md:3:12 Cannot read condition "a ==": it ends too early'],
  ],
  [
    'approve_if bad',
    single('## Step 1: A', '', '- approve_if: )', ''),
    ['error bad-condition x.md:3:15 Cannot read condition ")": unexpected token: ")"'],
  ],
  [
    'condition list',
    single('---', 'conditions: [a_b, "c =="]', '---', '## Step 1: A', ''),
    [
      'warning nothing-sets x.md:2:14 Nothing sets "a_b" in the condition "a_b"',
      'error bad-condition x.md:2:24 Cannot read condition "c ==": it ends too early',
    ],
  ],
  [
    'condition table for requires',
    single('---', 'conditions:', '  requires: {a: 1}', '---', '## Step 1: A', ''),
    [
      'error wrong-type x.md:3:13 Cannot read setting "requires": expected a list of texts (in Markdown separated by commas), found a',
    ],
  ],
  [
    'needs zero',
    single('## Step 1: A', '- needs: 0', ''),
    [
      'error unknown-step x.md:2:10 Cannot compile step 1 "A", which needs another: there is no step "0" => Steps are numbered 1 to 1',
    ],
  ],
  [
    'needs in a circle of three',
    single('## Step 1: A', '- needs: c', '## Step 2: B', '- needs: a', '## Step 3: C', '- needs: b', ''),
    ['error cycle x.md:2:3 Cannot order the steps: 1 needs 3 needs 2 needs 1, in a circle => Delete one of the needs'],
  ],
  [
    'quorum larger than approvers',
    single('## Step 1: A', '', '- approvers: alice', '- quorum: 2', ''),
    ['error bad-value x.md:4:11 Cannot read setting "quorum": 2 must approve, and approvers names only 1'],
  ],
  [
    'wait clock 25',
    single('## Step 1: A', '', '- wait: 25:00', ''),
    [
      'error wrong-type x.md:3:9 Cannot read setting "wait": expected a duration such as "10m", a time such as "18:00", or an',
    ],
  ],
  [
    'http javascript',
    single('## Step 1: A', '', '- http: javascript:alert(1)', ''),
    ['error bad-value x.md:3:9 Cannot read setting "url": "javascript:alert(1)" is not an http or https URL'],
  ],
  [
    'http table unknown key',
    single('## Step 1: A', '', '- http: {"url": "https://x.y", "metod": "GET"}', ''),
    [
      'warning unknown-key x.md:3:9 Cannot use "metod": an HTTP request knows no such setting => Did you mean "method"?',
    ],
  ],
  [
    'form duplicate names',
    single('## Step 1: A', '', '- form: a, b, a', ''),
    ['error duplicate-name x.md:3:9 Cannot define a form field "a": there is another one of that name'],
  ],
  [
    'form reserved',
    single('## Step 1: A', '', '- form: PATH, __proto__, a', ''),
    [
      'error reserved-name x.md:3:9 Cannot use "PATH" as the name of a form field: this name is reserved, since it steers the shell or',
      'error reserved-name x.md:3:9 Cannot use "__proto__" as the name of a form field: this name is reserved, since it steers the',
    ],
  ],
  [
    'for_each table',
    single('## Step 1: A', '', '- for_each: {"a": 1}', ''),
    [
      'error wrong-type x.md:3:13 Cannot read setting "for_each": expected a list, or the name of a value that holds one, found a',
    ],
  ],
  [
    'defaults unknown',
    single('---', 'defaults:', '  timout: 5m', '---', '## Step 1: A', ''),
    ['warning unknown-key x.md:3:3 Cannot use "timout": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'defaults text',
    single('---', 'defaults: 5m', '---', '## Step 1: A', ''),
    ['error wrong-type x.md:2:11 Cannot read setting "defaults": expected a table, found the text "5m"'],
  ],
  [
    'max_concurrent hexadecimal',
    single('---', 'max_concurrent: 0x10', '---', '## Step 1: A', ''),
    [],
    { maxConcurrent: 16 },
  ],
  ['cooldown none', single('---', 'cooldown: none', '---', '## Step 1: A', ''), [], { cooldownMs: 0 }],
  ['cooldown suffix', single('---', 'cooldown_mins: 5', '---', '## Step 1: A', ''), [], { cooldownMs: 300_000 }],
  ['timeout none', single('## Step 1: A', '', '- timeout: none', ''), [], { steps: [{ timeoutMs: null }] }],
  [
    'timezone lower',
    single('---', 'timezone: europe/berlin', '---', '## Step 1: A', ''),
    [],
    { timezone: 'Europe/Berlin' },
  ],
  [
    'numbers in tags',
    single('---', 'tags: [1, 2.50, true]', '---', '## Step 1: A', ''),
    [],
    { tags: ['1', '2.50', 'true'] },
  ],
  [
    'yes in front matter',
    single('---', 'release_slot_at_gate: yes', '---', '## Step 1: A', ''),
    [],
    { releaseSlotAtGate: true },
  ],
  ['secrets twice', single('---', 'secrets: [TOKEN, TOKEN]', '---', '## Step 1: A', ''), [], { secrets: ['TOKEN'] }],
  [
    'key camel case',
    single('---', 'maxConcurrent: 2', 'coolDownMins: 1', '---', '## Step 1: A', ''),
    [],
    { cooldownMs: 60_000, maxConcurrent: 2 },
  ],
  [
    'name constructor',
    single('---', 'name: constructor', '---', '## Step 1: A', ''),
    ['hint name-differs x.md:2:7 The SOP is called "constructor", and its folder or file "x": the name counts'],
    { name: 'constructor' },
  ],
  [
    'condition json path',
    single('## Step 1: A', '', '- if: $.a.b > 1', ''),
    [],
    { steps: [{ if: { cel: 'payload.a.b > 1', names: ['payload'] } }] },
  ],
  [
    'needs twice the same',
    single('## Step 1: A', '## Step 2: B', '- needs: 1, a, "A"', ''),
    [],
    { steps: [{}, { needs: [1] }] },
  ],
  [
    'needs a later step',
    single('## Step 1: A', '- needs: 2', '## Step 2: B', '- needs: []', ''),
    [],
    { steps: [{ needs: [2] }, { needs: [] }] },
  ],
  [
    'needs a later step, which waits for it since it says nothing',
    single('## Step 1: A', '- needs: 2', '## Step 2: B', ''),
    ['error cycle x.md:2:3 Cannot order the steps: 1 needs 2 needs 1, in a circle'],
  ],
  ['needs none', single('## Step 1: A', '## Step 2: B', '- needs: none', ''), [], { steps: [{}, { needs: [] }] }],
  [
    'goes on at another branch',
    single('## Step 1: A', '- needs: []', '- on_failure: goto:2', '## Step 2: B', '- needs: []', ''),
    ['error stray-jump x.md:3:15 Cannot go from step 1 "A" to step 2: they are on different branches'],
  ],
  [
    'for_each that cannot be read',
    single('## Step 1: A', '- for_each: hosts +', '```bash', 'true', '```', ''),
    ['error bad-value x.md:2:13 Cannot read setting "for_each": Cannot read expression "hosts +"'],
  ],
  [
    'more at once than anybody can mean',
    single('## Step 1: A', '- max_parallel: 501', ''),
    ['error bad-value x.md:2:17 Cannot read setting "max_parallel": 501 is more than 500'],
  ],
]
