import { type Files, type OddInput } from './odd-input.ts'

// odd-inputs.zeroclaw.ts: the oddities of dialect Z.

const page = (...lines: readonly string[]): string => `${lines.join('\n')}\n`

/** Dialect Z with these lines below "Steps"; they begin in line 3. */
const zeroclaw = (...lines: readonly string[]): Files => ({
  'x/SOP.toml': '[sop]\nname = "x"\ndeterministic = true\n',
  'x/SOP.md': `## Steps\n\n${lines.join('\n')}\n`,
})

export const ODD_ZEROCLAW: readonly OddInput[] = [
  [
    'Z: switch with >=',
    zeroclaw('1. **A** — x', '   - switch: big>$.size >= 5>2; other>>2', '2. **B** — y'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" branches by "switch", which this engine does not carry out: no run can start => branches are not carried out: write if at the steps',
    ],
  ],
  [
    'Z: malformed call',
    zeroclaw('1. **A** — x', '   - call: {"tool": "x", "args"'),
    [
      'hint zeroclaw-hint x/SOP.md:4:6 Setting "call" changes nothing here: planned tool calls are a preview there, too',
    ],
  ],
  [
    'Z: unknown bullet',
    zeroclaw('1. **A** — x', '   - alow-tools: fs', '   - colour: red'),
    [
      'warning unknown-key x/SOP.md:4:6 Cannot use "alow-tools": a step knows no such setting => Did you mean "allow_tools"?',
    ],
  ],
  [
    'Z: unknown mode',
    zeroclaw('1. **A** — x', '   - mode: superwised'),
    [
      'error bad-value x/SOP.md:4:12 Cannot read setting "mode": "superwised" is not one of auto, supervised, step_by_step, => Did you mean "supervised"?',
    ],
  ],
  [
    'Z: on_failure unknown',
    zeroclaw('1. **A** — x', '   - on_failure: explode'),
    [
      'error bad-value x/SOP.md:4:18 Cannot read setting "on_failure": "explode" is not one of pause, fail, continue, rollback, retry:N,',
    ],
  ],
  [
    'Z: next unknown',
    zeroclaw('1. **A** — x', '   - next: 9'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" jumps to step 9 by "next", which this engine does not carry out: no run can start',
    ],
  ],
  [
    'Z: terminal in the middle',
    zeroclaw('1. **A** — x', '   - terminal: true', '2. **B** — y'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" ends the run in the middle by "terminal", which this engine does not carry out: no run',
    ],
  ],
  [
    'Z: terminal odd',
    zeroclaw('1. **A** — x', '   - terminal: maybe'),
    ['error wrong-type x/SOP.md:4:16 Cannot read setting "terminal": expected true or false'],
  ],
  [
    'Z: when alone',
    zeroclaw('1. **A** — x', '   - when: $.a > 1'),
    [
      'hint zeroclaw-hint x/SOP.md:4:6 Setting "when" guards a jump, and this step has none => Write if to skip the step',
    ],
  ],
  [
    'Z: when and next',
    zeroclaw('1. **A** — x', '   - when: $.a > 1', '   - next: 1'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" guards its jump by "when", which this engine does not carry out: no run can start',
      'warning zeroclaw-refused x/SOP.md:5:6 Step 1 "A" jumps to step 1 by "next", which this engine does not carry out: no run can start',
    ],
  ],
  [
    'Z: policy',
    zeroclaw('1. **A** — x', '   - policy: prod'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" asks for approval by the policy "prod", which this engine does not carry out: no run can',
    ],
  ],
  [
    'Z: depends_on unknown',
    zeroclaw('1. **A** — x', '   - depends_on: 1,7'),
    [
      'error cycle x/SOP.md:4:6 Cannot order the steps: 1 needs 1, in a circle => Delete one of the needs',
      'error unknown-step x/SOP.md:4:20 Cannot compile step 1 "A", which needs another: there is no step "7" => Steps are numbered 1 to 1',
    ],
  ],
  ['Z: output bad json', zeroclaw('1. **A** — x', '   - output: {"type": '), []],
  [
    'Z: numbers printed oddly',
    zeroclaw('3. **A** — x', '3. **B** — y'),
    [
      'warning numbering x/SOP.md:4:1 Step 3 comes after step 3: steps are counted by position, so this is step 2 => Number the steps 1, 2, 3 and so on',
    ],
  ],
  [
    'Z: numbers gap',
    zeroclaw('1. **A** — x', '5. **B** — y'),
    [
      'warning gap x/SOP.md:4:1 There are no steps 2 to 4 before step 5: steps are counted by position => Number the steps 1, 2, 3 and so on',
    ],
  ],
  [
    'Z: steps in both',
    {
      'x/SOP.toml': page('deterministic = true', '[[steps]]', 'title = "T"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — x'),
    },
    [
      'warning unread-steps x/SOP.toml:2:3 These steps are not read, since the Markdown has steps => Delete one of the two',
    ],
  ],
  [
    'Z: admission unknown',
    {
      'x/SOP.toml': page('admission_policy = "holt"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    [
      'error bad-value x/SOP.toml:1:20 Cannot read setting "admission_policy": "holt" is not one of queue, reject, coalesce => Did you mean "hold"?',
    ],
  ],
  [
    'Z: deterministic text',
    {
      'x/SOP.toml': page('deterministic = "yes"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['error wrong-type x/SOP.toml:1:17 Cannot read setting "deterministic": expected true or false'],
  ],
  [
    'Z: calendar',
    {
      'x/SOP.toml': page('[[triggers]]', 'type = "calendar"', 'calendar_source = "c"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    [
      'warning unserved x/SOP.toml:2:8 Nothing here can begin a run by a trigger of type "calendar": it is shown and never fires',
    ],
  ],
  [
    'Z: channel alias',
    {
      'x/SOP.toml': page('[[triggers]]', 'type = "channel"', 'channel = "git"', 'alias = "main"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['hint zeroclaw-hint x/SOP.toml:4:1 Setting "alias" changes nothing here: which account of a channel'],
  ],
  [
    'Z: channel without',
    {
      'x/SOP.toml': page('[[triggers]]', 'type = "channel"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['error missing-setting x/SOP.toml:1:3 Cannot read the trigger: it has no event => Write event = "deploy.failed"'],
  ],
  [
    'Z: filesystem renamed',
    {
      'x/SOP.toml': page(
        '[[triggers]]',
        'type = "filesystem"',
        'path = "/a/*"',
        'events = ["renamed", "created", "moved"]',
      ),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['error bad-value x/SOP.toml:4:33 Cannot read setting "events": "moved" is not one of create, modify, delete'],
  ],
  [
    'Z: trigger condition >=',
    {
      'x/SOP.toml': page('[[triggers]]', 'type = "mqtt"', 'topic = "a"', 'condition = "$.a >="'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['error bad-condition x/SOP.toml:4:20 Cannot read condition "$.a >=": it ends too early'],
  ],
  [
    'Z: positions',
    {
      'x/SOP.toml': page('positions = [{ step = 1, x = 1, y = 2 }]'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    ['hint zeroclaw-hint x/SOP.toml:1:1 Setting "positions" changes nothing here: places on a canvas'],
  ],
  [
    'Z: section ends',
    { 'x/SOP.toml': page('agent = "a"'), 'x/SOP.md': page('## Steps', '1. **A** — x', '## Notes', '2. **B** — y') },
    [
      'hint zeroclaw-hint x/SOP.toml:1:1 Setting "agent" changes nothing here: steps are done by commands, people or whichever agent takes',
    ],
  ],
  [
    'Z: kind approval',
    zeroclaw('1. **A** — x', '   - kind: approval'),
    [],
    { steps: [{ requiresApproval: true, action: { kind: 'wait', durationMs: 0 } }] },
  ],
  [
    'Z: next to the following step',
    zeroclaw('1. **A** — x', '   - next: 2', '2. **B** — y'),
    [],
    { steps: [{ number: 1 }, { number: 2 }] },
  ],
  ['Z: terminal at the end', zeroclaw('1. **A** — x', '   - terminal: true'), [], { steps: [{ number: 1 }] }],
  [
    'Z: an output called __proto__',
    zeroclaw('1. **A** — x', '   - output: {"properties": {"__proto__": {}, "ok": {}}}'),
    [],
    { steps: [{ outputs: ['ok'] }] },
  ],
  [
    'Z: settings and steps inside a fence',
    zeroclaw('1. **A** — x', '', '   ```text', '   - kind: checkpoint', '   ## Steps', '   2. **B**', '   ```'),
    [],
    { steps: [{ number: 1, action: { kind: 'manual' } }] },
  ],
  [
    'Z: bullets at the margin',
    zeroclaw('1. **A** — x', '- tools: a', '- requires_confirmation: true', '2. **B** — y'),
    [],
    { steps: [{ tools: ['a'], requiresApproval: true }, { title: 'B' }] },
  ],
  [
    'Z: a text behind a hyphen',
    zeroclaw('1. **A** - body', '   - tools: a'),
    [],
    { steps: [{ title: 'A', body: 'body' }] },
  ],
  [
    'Z: a text behind no dash',
    zeroclaw('1. **A** body without dash', '   - tools: a'),
    [],
    { steps: [{ title: 'A body without dash' }] },
  ],
  [
    'Z: steps in SOP.toml',
    {
      'x/SOP.toml': page(
        '[sop]',
        'name = "x"',
        '[[steps]]',
        'number = 1',
        'title = "T"',
        'kind = "checkpoint"',
        '[[steps]]',
        'number = 2',
        'title = "U"',
        'terminal = true',
      ),
    },
    [],
    { steps: [{ requiresApproval: true }, { title: 'U' }] },
  ],
  [
    'Z: admission_policy hold',
    {
      'x/SOP.toml': page('admission_policy = "hold"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    [],
    { admission: 'queue', maxConcurrent: 1 },
  ],
  [
    'Z: deterministic beats the mode',
    {
      'x/SOP.toml': page('deterministic = true', 'execution_mode = "supervised"'),
      'x/SOP.md': page('## Steps', '', '1. **A** — do', '   - tools: shell'),
    },
    [],
    { mode: 'auto' },
  ],
  [
    'Z: with of another SOP',
    zeroclaw('1. **A** — x', '   - sop: y', '   - with: { a = 1 }'),
    [],
    { steps: [{ action: { kind: 'sop', sop: 'y', with: { a: 1 } } }] },
  ],
]
