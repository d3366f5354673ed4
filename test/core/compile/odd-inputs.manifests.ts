import { type Files, type OddInput } from './odd-input.ts'

// odd-inputs.manifests.ts: manifests that are odd, and what becomes of two files that say different things.

const page = (...lines: readonly string[]): string => `${lines.join('\n')}\n`

/** SOP.toml of these lines beside one step. */
const beside = (...lines: readonly string[]): Files => ({
  'x/SOP.toml': `${lines.join('\n')}\n`,
  'x/SOP.md': '## Steps\n\n1. **A**\n',
})

const json = (text: string): Files => ({ 'x/manifest.json': text, 'x/SOP.md': '### Step 1: A\n' })

export const ODD_MANIFESTS: readonly OddInput[] = [
  [
    'toml [ gates ] with blanks before [[gates]]',
    beside('[ gates ]', '[[ gates ]]', 'name = "pre_x"'),
    [
      'error toml-table-and-list x/SOP.toml:2:3 Cannot read "[[gates]]": "[gates]" in line 1 already makes it a single table => Delete line 1, "[gates]"',
    ],
  ],
  [
    'toml CRLF empty [triggers]',
    {
      'x/SOP.toml': '[triggers]\r\n\r\n[[triggers]]\r\ntype = "manual"\r\n',
      'x/SOP.md': page('## Steps', '', '1. **A**'),
    },
    [
      'error toml-table-and-list x/SOP.toml:3:3 Cannot read "[[triggers]]": "[triggers]" in line 1 already makes it a single table => Delete line 1, "[triggers]"',
    ],
  ],
  [
    'toml [triggers] filled before [[triggers]]',
    beside('[triggers]', 'type = "manual"', '[[triggers]]', 'type = "cron"'),
    [
      'error toml-table-and-list x/SOP.toml:3:3 Cannot read "[[triggers]]": "[triggers]" in line 1 already makes it a single table => Delete line 1, "[triggers]"',
    ],
  ],
  [
    'toml BOM',
    beside('\ufeffnmae = "x"'),
    ['warning unknown-key x/SOP.toml:1:1 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'toml lone CR',
    { 'x/SOP.toml': 'name = "x"\rversion = "1.0.0"\r', 'x/SOP.md': page('## Steps', '', '1. **A**') },
    [
      'error toml-syntax x/SOP.toml:1:11 Cannot read the document as TOML: each key-value declaration must be followed by an end-of-line',
    ],
  ],
  [
    'toml escape NUL',
    beside('[env]', 'A = "a\\u0000b"'),
    [
      'error bad-value x/SOP.toml:2:5 Cannot use this text: an escape in it stands for a character that no command or file can hold => Delete the escape',
    ],
  ],
  [
    'toml tab before the key',
    beside('\tnmae = "x"'),
    ['warning unknown-key x/SOP.toml:1:2 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'toml nan and inf',
    beside('max_concurrent = nan', 'cooldown = inf'),
    [
      'error wrong-type x/SOP.toml:1:18 Cannot read setting "max_concurrent": expected a whole number, found the text "NaN"',
      'error bad-value x/SOP.toml:2:12 Cannot read setting "cooldown": "Infinity" is no duration: expected a number then ms, s, m, h, d or',
    ],
  ],
  [
    'toml big integer',
    beside('max_concurrent = 9223372036854775807'),
    ['error toml-syntax x/SOP.toml:1:18 Cannot read the document as TOML: the number is too large'],
  ],
  [
    'toml proto keys',
    beside('__proto__ = "a"', '[constructor]', 'x = 1', '[params.__proto__]', 'type = "string"'),
    [
      'warning unknown-key x/SOP.toml:1:1 Cannot use "__proto__": an SOP knows no such setting',
      'warning unknown-key x/SOP.toml:2:2 Cannot use "constructor": an SOP knows no such setting',
      'error reserved-name x/SOP.toml:4:2 Cannot use "__proto__" as the name of a param: this name is reserved, since it steers the shell or',
    ],
  ],
  [
    'toml deep tables',
    beside(
      '[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]',
      'x = 1',
    ),
    [
      'error too-deep x/SOP.toml:1:1 Cannot read the document: its values are nested deeper than 100 levels',
      'warning unknown-key x/SOP.toml:1:1 Cannot use "a": an SOP knows no such setting',
    ],
  ],
  [
    'toml [sop] twice described',
    beside('version = "1.0.0"', '[sop]', 'version = "1.2.3"'),
    [
      'warning duplicate-setting x/SOP.toml:3:1 Setting "version" says something else than in x/SOP.toml:1: this one counts, since the last one wins => Make both the same, or delete one "version"',
    ],
  ],
  [
    'toml emoji before value',
    beside('description = "🚀🚀"  # 🚀', 'tags = ["🚀", 5, "a", [1]]'),
    ['error wrong-type x/SOP.toml:2:23 Cannot read setting "tags": expected a list of texts, found a list in it'],
  ],
  [
    'toml quoted key',
    beside('"na me" = "x"', "'priority' = 'hihg'"),
    [
      'warning unknown-key x/SOP.toml:1:1 Cannot use "na me": an SOP knows no such setting => Did you mean "name"?',
      'error bad-value x/SOP.toml:2:14 Cannot read setting "priority": "hihg" is not one of low, normal, high, critical => Did you mean "high"?',
    ],
  ],
  [
    'toml steps table by number',
    beside('[steps.1]', 'timeout = "5m"', '[steps.9]', 'timeout = "1m"'),
    ['error empty-title x/SOP.toml:3:2 Cannot name step 9: it has no title => Write what the step does'],
  ],
  [
    'toml steps by name',
    beside('[steps.build]', 'timeout = "5m"'),
    ['error unknown-step x/SOP.toml:1:2 Cannot tell which step is meant: there is no step "build"'],
  ],
  [
    'toml step number zero',
    beside('[[steps]]', 'number = 0', 'timeout = "5m"'),
    ['error bad-value x/SOP.toml:2:10 Cannot tell which step is meant: expected its number, found the number 0'],
  ],
  [
    'toml step number text',
    beside('[[steps]]', 'number = "1"', 'timeout = "5m"'),
    [
      'error bad-value x/SOP.toml:2:10 Cannot tell which step is meant: expected its number, found the text "1" => Write the number without quotes',
    ],
  ],
  [
    'toml steps a number',
    beside('steps = 5'),
    ['error wrong-type x/SOP.toml:1:9 Cannot read the step: expected a table, found the number 5'],
  ],
  [
    'json single quotes',
    json("{ 'name': 'x' }"),
    [
      'error json-syntax x/manifest.json:1:3 Cannot read the document as JSON: there is a word or sign that JSON does not know',
    ],
  ],
  [
    'json two documents',
    json('{} {}'),
    ['error json-syntax x/manifest.json:1:4 Cannot read the document as JSON: the document goes on after its end'],
  ],
  [
    'json BOM',
    json('\ufeff{ "nmae": "x" }'),
    ['warning unknown-key x/manifest.json:1:3 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'json CRLF',
    json('{\r\n  "nmae": "x"\r\n}'),
    ['warning unknown-key x/manifest.json:2:3 Cannot use "nmae": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'json NaN',
    json('{ "maxConcurrent": NaN }'),
    [
      'error json-syntax x/manifest.json:1:20 Cannot read the document as JSON: there is a word or sign that JSON does not know',
    ],
  ],
  [
    'json huge',
    json('{ "maxConcurrent": 1e400 }'),
    [
      'error wrong-type x/manifest.json:1:20 Cannot read setting "maxConcurrent": expected a whole number, found the text "1e400"',
    ],
  ],
  [
    'json NUL',
    json('{ "env": { "A": "x\\u0000" } }'),
    [
      'error bad-value x/manifest.json:1:17 Cannot use this text: an escape in it stands for a character that no command or file can hold => Delete the escape',
    ],
  ],
  [
    'json lone surrogate',
    json('{ "description": "\\ud800" }'),
    [
      'error bad-value x/manifest.json:1:18 Cannot use this text: an escape in it stands for a character that no command or file can hold => Delete the escape',
    ],
  ],
  [
    'json proto',
    json(
      '{ "__proto__": { "name": "y" }, "constructor": 1, "env": { "__proto__": "1" }, "params": {"__proto__": {}, "toString": {}} }',
    ),
    [
      'warning unknown-key x/manifest.json:1:3 Cannot use "__proto__": an SOP knows no such setting',
      'warning unknown-key x/manifest.json:1:33 Cannot use "constructor": an SOP knows no such setting',
      'error reserved-name x/manifest.json:1:60 Cannot use "__proto__" as the name of a variable: it steers the shell or the engine => Choose another name',
      'error reserved-name x/manifest.json:1:91 Cannot use "__proto__" as the name of a param: this name is reserved, since it steers the shell or',
    ],
  ],
  [
    'json unescaped newline in text',
    json('{ "name": "x\n" }'),
    [
      'error json-syntax x/manifest.json:1:11 Cannot read the document as JSON: a text is not closed by a quote on its line',
      'error json-syntax x/manifest.json:2:1 Cannot read the document as JSON: a text is not closed by a quote on its line',
    ],
  ],
  [
    'json null values',
    json('{ "name": null, "tags": null, "steps": null }'),
    [
      'error wrong-type x/manifest.json:1:11 Cannot read setting "name": expected a text, found nothing',
      'error wrong-type x/manifest.json:1:25 Cannot read setting "tags": expected a list of texts (in Markdown separated by commas), found',
      'error wrong-type x/manifest.json:1:40 Cannot read the step: expected a table, found nothing',
    ],
  ],
  [
    'json steps null items',
    json('{ "steps": [null, 5, "B"] }'),
    [
      'error wrong-type x/manifest.json:1:13 Cannot read the step: expected a table, found nothing',
      'error wrong-type x/manifest.json:1:19 Cannot read the step: expected a table, found the number 5',
      'warning contradiction x/SOP.md:1:13 Setting "title" says something else than in x/manifest.json:1: the one in x/manifest.json:1 counts, => Make both the same, or delete one "title"',
    ],
  ],
  [
    'json step without title',
    json('{ "steps": [{ "number": 2 }] }'),
    ['error empty-title x/manifest.json:1:13 Cannot name step 2: it has no title => Write what the step does'],
  ],
  [
    'both manifests and toml broken',
    { ...beside('name = '), 'x/manifest.json': '{}' },
    [
      'error toml-syntax x/SOP.toml:1:8 Cannot read the document as TOML: there is no value => Text stands in quotes: key = "value"',
      'warning two-manifests x/manifest.json:1:1 "x/manifest.json" is not read, since "x/SOP.toml" stands beside it => Delete one of the two',
    ],
  ],
  [
    'webhook encoded',
    beside('[[triggers]]', 'type = "webhook"', 'path = "/%61pi/x"'),
    [
      'error reserved-path x/SOP.toml:3:8 Cannot use the path "/%61pi/x" for a webhook: /api belongs to the engine => Write "/webhook/%61pi/x"',
    ],
  ],
  [
    'webhook dot segment',
    beside('[[triggers]]', 'type = "webhook"', 'path = "/./api/x"'),
    ['error bad-value x/SOP.toml:3:8 Cannot read setting "path": "/./api/x" is not the path of a URL'],
  ],
  [
    'webhook reserved case',
    beside('[[triggers]]', 'type = "webhook"', 'path = "/Metrics"'),
    [
      'error reserved-path x/SOP.toml:3:8 Cannot use the path "/Metrics" for a webhook: /metrics belongs to the engine => Write "/webhook/Metrics"',
    ],
  ],
  [
    'webhook trailing slash reserved',
    beside('[[triggers]]', 'type = "webhook"', 'path = "/health/"'),
    [
      'error reserved-path x/SOP.toml:3:8 Cannot use the path "/health/" for a webhook: /health belongs to the engine => Write "/webhook/health/"',
    ],
  ],
  [
    'file_watch proto event',
    beside('[[triggers]]', 'type = "file_watch"', 'path = "/in/*"', 'events = ["constructor"]'),
    [
      'error bad-value x/SOP.toml:4:11 Cannot read setting "events": "constructor" is not one of create, modify, delete',
    ],
  ],
  [
    'command huge repeat',
    beside('[[triggers]]', 'type = "command"', "pattern = 'a{1001}'"),
    ['error bad-pattern x/SOP.toml:3:11 Cannot read pattern "a{1001}": invalid repeat count: `{1001}`'],
  ],
  [
    'command nested repeat',
    beside('[[triggers]]', 'type = "command"', "pattern = '((a{100}){100}){100}'"),
    ['error bad-pattern x/SOP.toml:3:11 Cannot read pattern "((a{100}){100}){100}": invalid repeat count: `{100}`'],
  ],
  [
    'sop trigger bad name',
    beside('[[triggers]]', 'type = "sop"', 'sop = "../y"'),
    ['error bad-value x/SOP.toml:3:7 Cannot read setting "sop": "../y" is not the name of an SOP'],
  ],
  [
    'gate named proto',
    beside('[gates.__proto__]', 'before = 1', '[gates.constructor]', 'before = 1'),
    [
      'error bad-value x/SOP.toml:1:2 Cannot use "__proto__" as the name of a gate: a name has letters, digits, "_", "." and "-", and',
    ],
  ],
  [
    'gate verification with approvers',
    beside('[gates.pre_a]', 'type = "verification"', 'command = "true"', 'approvers = ["a"]'),
    [
      'warning ignored-setting x/SOP.toml:4:1 Setting "approvers" has no effect at a verification: nobody is asked => Write type = "approval"',
    ],
  ],
  [
    'gate both timeouts',
    beside('[gates.pre_a]', 'timeout = "5m"', 'approval_timeout = "6m"'),
    [
      'warning duplicate-setting x/SOP.toml:3:1 Setting "approval_timeout" means the same as "timeout" at a gate: timeout counts',
    ],
  ],
  [
    'gate two commands',
    beside('[gates.pre_a]', 'type = "verification"', 'command = ["a", "b"]'),
    [
      'error bad-value x/SOP.toml:3:11 Cannot verify at gate "pre_a": it has 2 commands, expected one => Join them with &&',
    ],
  ],
  [
    'param names that fold',
    beside('[params]', '"a-b" = "x"', 'a_b = "y"'),
    [
      'error duplicate-name x/SOP.toml:3:1 Cannot define a param "a_b": it and "a-b" would be one variable in a step => Rename one of the two',
    ],
  ],
  [
    'param name and key differ',
    beside('[params.a]', 'name = "b"'),
    ['error bad-value x/SOP.toml:2:8 Cannot read setting "name": the value is called "a" already'],
  ],
  [
    'param default nan',
    beside('[params.a]', 'type = "number"', 'default = nan'),
    ['error bad-value x/SOP.toml:3:11 Cannot read setting "default": expected a number, found the text "NaN"'],
  ],
  [
    'param default list',
    beside('[params.a]', 'default = [1]'),
    ['error bad-value x/SOP.toml:2:11 Cannot read setting "default": expected a text, found a list'],
  ],
  [
    'cron words L',
    beside('[[triggers]]', 'type = "cron"', 'expression = "0 0 L * *"'),
    ['error bad-cron x/SOP.toml:3:19 Cannot read cron "0 0 L * *": "L" is no day of the month'],
  ],
  [
    'cron number',
    beside('[[triggers]]', 'type = "cron"', 'expression = 5'),
    [
      'error wrong-type x/SOP.toml:3:14 Cannot read setting "expression": expected a text, found the number 5 => Put it in quotes: "5"',
    ],
  ],
  [
    'steps by a misspelt slug',
    {
      'x/SOP.toml': page('[steps.shipit]', 'timeout = "5m"'),
      'x/SOP.md': page('## Step 1: Build it', '## Step 2: Ship it'),
    },
    [
      'error unknown-step x/SOP.toml:1:2 Cannot tell which step is meant: there is no step "shipit" => Did you mean "ship_it"?',
    ],
  ],
  [
    'manifest steps by slug',
    {
      'x/SOP.toml': page('[steps.ship_it]', 'timeout = "5m"'),
      'x/SOP.md': page('## Step 1: Build it', '## Step 2: Ship it'),
    },
    [],
    { steps: [{ slug: 'build_it' }, { slug: 'ship_it', timeoutMs: 300_000 }] },
  ],
  [
    'steps by name in a manifest alone',
    { 'x/SOP.toml': page('[steps.build]', 'command = "make"', '[steps.ship]', 'command = "scp"') },
    [],
    {
      steps: [
        { title: 'build', action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'make' }] } },
        { title: 'ship', action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'scp' }] } },
      ],
    },
  ],
  [
    'the Markdown asks for approval, the manifest waives',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'requires_approval = false'),
      'x/SOP.md': page('## Step 1: A (requires approval)'),
    },
    [
      'warning contradiction x/SOP.md:1:14 Setting "requires_approval" says something else than in x/SOP.toml:3: this one counts, since the => Make both the same, or delete one "requires_approval"',
    ],
    { steps: [{ requiresApproval: true }] },
  ],
  [
    'the manifest asks for approval, the Markdown waives',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'requires_approval = true'),
      'x/SOP.md': page('## Step 1: A', '', '- requires_approval: false'),
    },
    [
      'warning contradiction x/SOP.md:3:3 Setting "requires_approval" says something else than in x/SOP.toml:3: the one in x/SOP.toml:3 => Make both the same, or delete one "requires_approval"',
    ],
    { steps: [{ requiresApproval: true }] },
  ],
  [
    'manifest and Markdown contradict: timeouts',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'timeout = "5m"', 'approval_timeout = "1m"'),
      'x/SOP.md': page('## Step 1: A', '', '- timeout: 1m', '- approval_timeout: 5m'),
    },
    [
      'warning contradiction x/SOP.md:3:3 Setting "timeout" says something else than in x/SOP.toml:3: the one in x/SOP.toml:3 counts, since => Make both the same, or delete one "timeout"',
      'warning contradiction x/SOP.md:4:3 Setting "approval_timeout" says something else than in x/SOP.toml:4: this one counts, since the => Make both the same, or delete one "approval_timeout"',
    ],
    { steps: [{ timeoutMs: 300_000, approvalTimeoutMs: 300_000 }] },
  ],
  [
    'no approval timeout beats five minutes',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'approval_timeout = "none"'),
      'x/SOP.md': page('## Step 1: A', '', '- approval_timeout: 5m'),
    },
    [
      'warning contradiction x/SOP.md:3:3 Setting "approval_timeout" says something else than in x/SOP.toml:3: the one in x/SOP.toml:3 => Make both the same, or delete one "approval_timeout"',
    ],
    { steps: [{ approvalTimeoutMs: null }] },
  ],
  [
    'rejecting beats approving when the time is over',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'on_timeout = "approve"'),
      'x/SOP.md': page('## Step 1: A', '', '- on_timeout: reject'),
    },
    [
      'warning contradiction x/SOP.md:3:3 Setting "on_timeout" says something else than in x/SOP.toml:3: this one counts, since the stricter => Make both the same, or delete one "on_timeout"',
    ],
    { steps: [{ onTimeout: 'reject' }] },
  ],
  [
    'manifest and Markdown contradict: approvers',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'approvers = ["bob"]'),
      'x/SOP.md': page('## Step 1: A', '', '- approvers: alice'),
    },
    [
      'warning contradiction x/SOP.md:3:3 Setting "approvers" says something else than in x/SOP.toml:3: the one in x/SOP.toml:3 counts, since => Make both the same, or delete one "approvers"',
    ],
    { steps: [{ approvers: ['bob'] }] },
  ],
  [
    'manifest and Markdown contradict: commands',
    {
      'x/SOP.toml': page('[[steps]]', 'number = 1', 'command = "echo 2"'),
      'x/SOP.md': page('## Step 1: A', '', '```bash', 'echo 1', '```'),
    },
    [
      'warning contradiction x/SOP.toml:3:1 Setting "commands" says something else than the fence of the step: the setting counts => Keep one of the two',
    ],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'echo 2' }] } }] },
  ],
  [
    'manifest and Markdown contradict: mode alone',
    {
      'x/SOP.toml': page('execution_mode = "auto"'),
      'x/SOP.md': page('**Execution Mode**: supervised', '', '## Step 1: A'),
    },
    [
      'warning contradiction x/SOP.md:1:3 Setting "Execution Mode" says something else than in x/SOP.toml:1: this one counts, since the => Make both the same, or delete one "execution_mode"',
    ],
    { mode: 'supervised' },
  ],
  [
    'manifest and front matter contradict: name',
    { 'x/SOP.toml': page('name = "x"'), 'x/SOP.md': page('---', 'name: z', '---', '## Step 1: A') },
    [
      'warning contradiction x/SOP.md:2:1 Setting "name" says something else than in x/SOP.toml:1: the one in x/SOP.toml:1 counts, since the => Make both the same, or delete one "name"',
    ],
    { name: 'x' },
  ],
  [
    'a step of SOP.toml alone',
    beside('[[steps]]', 'number = 2', 'title = "B"'),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }] },
  ],
  [
    'a step of manifest.json alone',
    json('{ "steps": [{ "number": 1 }, { "number": 2, "title": "B" }] }'),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }] },
  ],
  [
    'front matter beside SOP.toml',
    { 'x/SOP.toml': page('name = "x"'), 'x/SOP.md': page('---', 'priority: high', '---', '', '## Steps', '', '1. A') },
    [],
    { priority: 'high' },
  ],
  ['toml inline table over lines', beside('env = {', '  A = "1"', '}'), [], { env: { A: '1' } }],
  ['toml [sop] and top', beside('name = "x"', '[sop]', 'version = "1.2.3"'), [], { name: 'x', version: '1.2.3' }],
  ['json empty object', json('{}'), [], { steps: [{ title: 'A' }] }],
  [
    'a webhook whose path begins like a reserved one',
    beside('[[triggers]]', 'type = "webhook"', 'path = "/apiary"'),
    [],
    { triggers: [{ type: 'webhook', path: '/apiary' }] },
  ],
  ['a gate that is false', beside('[gates]', 'pre_a = false'), [], { gates: [{ key: 'pre_a', required: false }] }],
  [
    'param choices numbers',
    beside('[params.a]', 'type = "choice"', 'choices = [1, 2]', 'default = 1'),
    [],
    { params: [{ type: 'choice', default: '1', choices: ['1', '2'] }] },
  ],
  [
    'param default null',
    json('{"params": {"a": null, "b": {"default": null}}}'),
    [],
    {
      params: [
        { name: 'a', type: 'string' },
        { name: 'b', type: 'string' },
      ],
    },
  ],
  [
    'SOP.toml with CRLF and a command of several lines',
    { 'x/SOP.toml': '[[steps]]\r\ntitle = "A"\r\ncommand = """\r\necho 1\r\necho 2\r\n"""\r\n' },
    [],
    { steps: [{ action: { commands: [{ script: 'echo 1\necho 2' }] } }] },
  ],
  [
    'a command with escaped CRLF',
    { 'x/manifest.json': '{ "steps": [{ "title": "A", "command": "echo 1\\r\\necho 2\\r\\n" }] }' },
    [],
    { steps: [{ action: { commands: [{ script: 'echo 1\necho 2' }] } }] },
  ],
  [
    'a command with a stray CR',
    { 'x/manifest.json': '{ "steps": [{ "title": "A", "command": "echo 1\\recho 2" }] }' },
    ['warning hidden-character x/manifest.json:1:40 This command holds the character U+000D => Delete the character'],
  ],
]
