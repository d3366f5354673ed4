import { frontMatter, manifest, settings, toml, type OddInput } from './odd-input.ts'

// Odd inputs: settings of the SOP, params, gates, and manifest against Markdown.

export const ODD_SETTINGS: readonly OddInput[] = [
  [
    'an unknown key of the SOP',
    settings('nme = "x"'),
    ['warning unknown-key x/SOP.toml:2:1 Cannot use "nme": an SOP knows no such setting => Did you mean "name"?'],
  ],
  [
    'an unknown key of the SOP that is near to nothing',
    settings('zzz = 1'),
    ['warning unknown-key x/SOP.toml:2:1 Cannot use "zzz": an SOP knows no such setting'],
  ],
  [
    'an unknown table',
    toml('[sop]', 'name = "x"', '[gtes]', '[metadata]'),
    [
      'warning unknown-key x/SOP.toml:3:2 Cannot use "gtes": an SOP knows no such setting => Did you mean "gates"?',
      'warning unknown-key x/SOP.toml:4:2 Cannot use "metadata": an SOP knows no such setting',
    ],
  ],
  [
    'a name of a wrong type',
    settings('name = 5'),
    ['error wrong-type x/SOP.toml:2:8 Cannot read setting "name": expected a text, found the number 5'],
  ],
  [
    'a name that is empty',
    settings('name = ""'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "": a name has letters, digits, ".", "_" and "-", begins with a letter',
    ],
  ],
  [
    'a name with a space',
    settings('name = "my sop"'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "my sop": a name has letters, digits, ".", "_" and "-", begins with a',
    ],
  ],
  [
    'a name with ../',
    settings('name = "../x"'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "../x": a name has letters, digits, ".", "_" and "-", begins with a le',
    ],
  ],
  [
    'a name with a slash',
    settings('name = "a/b"'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "a/b": a name has letters, digits, ".", "_" and "-", begins with a let',
    ],
  ],
  [
    'a name of 101 characters',
    settings(`name = "${'a'.repeat(101)}"`),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    ],
  ],
  [
    'a name in umlauts',
    settings('name = "Größe"'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP "Größe": a name has letters, digits, ".", "_" and "-", begins with a l',
    ],
  ],
  [
    'a name that begins with a dot',
    settings('name = ".x"'),
    [
      'error bad-name x/SOP.toml:2:8 Cannot name the SOP ".x": a name has letters, digits, ".", "_" and "-", begins with a lett',
    ],
  ],
  [
    'a name that differs from the folder',
    settings('name = "y"'),
    ['hint name-differs x/SOP.toml:2:8 The SOP is called "y", and its folder or file "x": the name counts'],
  ],
  [
    'a version that is a number',
    settings('version = 1.0'),
    ['error wrong-type x/SOP.toml:2:11 Cannot read setting "version": expected a text, found the number 1.0'],
  ],
  [
    'a version that is not semantic',
    settings('version = "v1"'),
    ['warning odd-version x/SOP.toml:2:11 Version "v1" is not a semantic version'],
  ],
  [
    'a YAML version that is a number',
    frontMatter('version: 1.0', '## Step 1: A'),
    ['warning odd-version x.md:2:10 Version "1.0" is not a semantic version'],
  ],
  [
    'an unknown priority',
    settings('priority = "hihg"'),
    [
      'error bad-value x/SOP.toml:2:12 Cannot read setting "priority": "hihg" is not one of low, normal, high, critical => Did you mean "high"?',
    ],
  ],
  [
    'a priority that is a number',
    settings('priority = 1'),
    [
      'error wrong-type x/SOP.toml:2:12 Cannot read setting "priority": expected one of low, normal, high, critical, found the num',
    ],
  ],
  [
    'an unknown mode',
    settings('execution_mode = "autp"'),
    [
      'error bad-value x/SOP.toml:2:18 Cannot read setting "execution_mode": "autp" is not one of auto, supervised, step_by_step, => Did you mean "auto"?',
    ],
  ],
  ['modes in other words', settings('execution_mode = "Step-By-Step"', 'priority = "Medium"'), []],
  [
    'a cooldown of words',
    settings('cooldown = "often"'),
    [
      'error bad-value x/SOP.toml:2:12 Cannot read setting "cooldown": "often" is no duration: expected a number then ms, s, m, h',
    ],
  ],
  [
    'a cooldown that is true',
    settings('cooldown_secs = true'),
    [
      'error wrong-type x/SOP.toml:2:17 Cannot read setting "cooldown_secs": expected a duration such as "90s", "5 minutes" or "1h',
    ],
  ],
  ['a cooldown with two units', settings('cooldown_mins = "1h"'), []],
  [
    'a timeout with an unknown unit',
    settings('timeout_fortnights = 2'),
    ['warning unknown-key x/SOP.toml:2:1 Cannot use "timeout_fortnights": an SOP knows no such setting'],
  ],
  [
    'max_concurrent of zero',
    settings('max_concurrent = 0'),
    ['error bad-value x/SOP.toml:2:18 Cannot read setting "max_concurrent": 0 is less than 1'],
  ],
  [
    'max_concurrent as text',
    settings('max_concurrent = "3"'),
    [
      'error wrong-type x/SOP.toml:2:18 Cannot read setting "max_concurrent": expected a whole number, found the text "3"',
    ],
  ],
  [
    'an unknown admission',
    settings('admission = "qeue"'),
    [
      'error bad-value x/SOP.toml:2:13 Cannot read setting "admission": "qeue" is not one of queue, reject, coalesce => Did you mean "queue"?',
    ],
  ],
  [
    'a boolean in quotes',
    settings('release_slot_at_gate = "true"'),
    [
      'error wrong-type x/SOP.toml:2:24 Cannot read setting "release_slot_at_gate": expected true or false (in Markdown also yes a',
    ],
  ],
  [
    'a timezone that nobody knows',
    settings('timezone = "Mars/Olympus"'),
    ['error bad-value x/SOP.toml:2:12 Cannot read setting "timezone": "Mars/Olympus" is not the name of a timezone'],
  ],
  [
    'tags that are a table',
    settings('tags = { a = 1 }'),
    [
      'error wrong-type x/SOP.toml:2:8 Cannot read setting "tags": expected a list of texts (in Markdown separated by commas), fo',
    ],
  ],
  [
    'tags with a table inside',
    settings('tags = ["a", { b = 1 }]'),
    ['error wrong-type x/SOP.toml:2:14 Cannot read setting "tags": expected a list of texts'],
  ],
  [
    'a description that is a list',
    settings('description = ["a"]'),
    ['error wrong-type x/SOP.toml:2:15 Cannot read setting "description": expected a text, found a list'],
  ],
  [
    'a description in JSON that is null',
    manifest({ name: 'x', description: null, steps: [{ title: 'A' }] }),
    ['error wrong-type x/manifest.json:3:18 Cannot read setting "description": expected a text, found nothing'],
  ],
  [
    'params of a reserved name',
    settings('[params]', 'PATH = "x"', 'SOP_X = "y"'),
    [
      'error reserved-name x/SOP.toml:3:1 Cannot use "PATH" as the name of a param: this name is reserved, since it steers the shell',
      'error reserved-name x/SOP.toml:4:1 Cannot use "SOP_X" as the name of a param: this name is reserved, since it steers the shel',
    ],
  ],
  [
    'a param of a bad name',
    settings('[params]', '"a b" = "x"'),
    [
      'error bad-value x/SOP.toml:3:1 Cannot use "a b" as the name of a param: a name has letters, digits, "_" and "-", and begi',
    ],
  ],
  [
    'a param of an unknown type',
    settings('[params.a]', 'type = "strin"'),
    [
      'error bad-value x/SOP.toml:3:8 Cannot read setting "type": "strin" is not one of string, number, boolean, choice => Did you mean "string"?',
    ],
  ],
  [
    'a choice without choices',
    settings('[params.a]', 'type = "choice"'),
    ['error missing-setting x/SOP.toml:2:2 Cannot define choice "a": it has no choices'],
  ],
  [
    'a choice with an empty list',
    settings('[params.a]', 'choices = []'),
    ['error bad-value x/SOP.toml:3:1 Cannot define choice "a": it has no choices'],
  ],
  [
    'a default that is no choice',
    settings('[params.a]', 'choices = ["x", "y"]', 'default = "z"'),
    ['error bad-value x/SOP.toml:4:11 Cannot read setting "default": "z" is not one of x, y'],
  ],
  [
    'a default of the wrong type',
    settings('[params.a]', 'type = "number"', 'default = "five"'),
    ['error bad-value x/SOP.toml:4:11 Cannot read setting "default": expected a number, found the text "five"'],
  ],
  [
    'a default that does not match',
    settings('[params.a]', 'pattern = "v\\\\d+"', 'default = "x"'),
    ['error bad-value x/SOP.toml:4:11 Cannot read setting "default": it does not match v\\d+'],
  ],
  [
    'a pattern that RE2 does not run',
    settings('[params.a]', 'pattern = "(?=x)"'),
    ['error bad-pattern x/SOP.toml:3:11 Cannot read pattern "(?=x)": invalid or unsupported Perl syntax: `(?=`'],
  ],
  [
    'a pattern that is broken',
    settings('[params.a]', 'pattern = "(x"'),
    ['error bad-pattern x/SOP.toml:3:11 Cannot read pattern "(x": missing closing ): `(x`'],
  ],
  [
    'a pattern of a number',
    settings('[params.a]', 'type = "number"', 'pattern = "x"'),
    ['warning ignored-setting x/SOP.toml:4:1 Setting "pattern" has no effect on a number'],
  ],
  [
    'choices of a number',
    settings('[params.a]', 'type = "number"', 'choices = ["1"]'),
    ['warning ignored-setting x/SOP.toml:4:1 Setting "choices" has no effect on a number'],
  ],
  [
    'a param twice',
    manifest({ name: 'x', params: [{ name: 'a' }, { name: 'a' }], steps: [{ title: 'A' }] }),
    ['error duplicate-name x/manifest.json:8:15 Cannot define a param "a": there is another one of that name'],
  ],
  [
    'a param without name',
    manifest({ name: 'x', params: [{ type: 'string' }], steps: [{ title: 'A' }] }),
    ['error missing-setting x/manifest.json:4:5 Cannot read the value: it has no name'],
  ],
  [
    'an unknown key of a param',
    settings('[params.a]', 'requird = true'),
    [
      'warning unknown-key x/SOP.toml:3:1 Cannot use "requird": a param knows no such setting => Did you mean "required"?',
    ],
  ],
  [
    'conditions that cannot be read',
    settings('[conditions]', 'requires = ["a b", "c"]', 'expression = "x =="'),
    [
      'error bad-condition x/SOP.toml:3:16 Cannot read condition "a b": unexpected character: \'b\'',
      'warning nothing-sets x/SOP.toml:3:20 Nothing sets "c" in the condition "c"',
      'error bad-condition x/SOP.toml:4:19 Cannot read condition "x ==": it ends too early',
    ],
  ],
  [
    'requires of numbers',
    settings('[conditions]', 'requires = [1]'),
    [
      'error wrong-type x/SOP.toml:3:13 Cannot read setting "requires": expected a list of texts (in Markdown separated by commas)',
    ],
  ],
  [
    'an unknown key of conditions',
    settings('[conditions]', 'require_all = ["business_hours"]'),
    ['warning unknown-key x/SOP.toml:3:1 Cannot use "require_all": the table of conditions knows no such setting'],
  ],
  [
    'a gate without a place',
    settings('[gates]', 'check = { type = "approval" }'),
    ['error missing-setting x/SOP.toml:3:1 Cannot place gate "check": its name begins with neither pre_ nor post_'],
  ],
  [
    'a gate before an unknown step',
    settings('[gates]', 'check = { before = 7 }'),
    ['error unknown-step x/SOP.toml:3:20 Cannot place gate "check": there is no step "7"'],
  ],
  [
    'a gate before a misspelt step',
    { 'x/SOP.toml': '[gates]\ncheck = { before = "biuld" }\n', 'x/SOP.md': '## Step 1: Build\n' },
    ['error unknown-step x/SOP.toml:2:20 Cannot place gate "check": there is no step "biuld" => Did you mean "build"?'],
  ],
  [
    'a gate before and after',
    settings('[gates]', 'check = { before = 1, after = 1 }'),
    ['error bad-value x/SOP.toml:3:23 Cannot place gate "check": it stands before one step and after another'],
  ],
  [
    'a gate of an unknown type',
    settings('[gates]', 'pre_x = { type = "aproval" }'),
    [
      'error bad-value x/SOP.toml:3:18 Cannot read setting "type": "aproval" is not one of approval, verification => Did you mean "approval"?',
    ],
  ],
  [
    'a verification without a command',
    settings('[gates]', 'post_x = { type = "verification" }'),
    ['error missing-setting x/SOP.toml:3:1 Cannot verify at gate "post_x": it has no command'],
  ],
  [
    'an approval with a command',
    settings('[gates]', 'post_x = { type = "approval", command = "true" }'),
    ['warning ignored-setting x/SOP.toml:3:31 Setting "command" has no effect at an approval'],
  ],
  [
    'a gate that is a number',
    settings('[gates]', 'pre_x = 5'),
    ['error wrong-type x/SOP.toml:3:9 Cannot read gate "pre_x": expected a table, found the number 5'],
  ],
  [
    'a gate called start',
    settings('[gates]', 'start = { before = 1 }'),
    [
      'error bad-value x/SOP.toml:3:1 Cannot use "start" as the name of a gate: that is the name of the approval to begin',
    ],
  ],
  [
    'a gate with a timeout of words',
    settings('[gates]', 'pre_x = { timeout = "soon" }'),
    [
      'error bad-value x/SOP.toml:3:21 Cannot read setting "timeout": "soon" is no duration: expected a number then ms, s, m, h,',
    ],
  ],
  [
    'an unknown key of a gate',
    settings('[gates]', 'pre_x = { aprovers = ["a"] }'),
    [
      'warning unknown-key x/SOP.toml:3:11 Cannot use "aprovers": a gate knows no such setting => Did you mean "approvers"?',
    ],
  ],
  [
    'a template in a gate command',
    settings('[gates]', 'post_x = { command = "echo {{x}}" }'),
    [
      'error template-in-command x/SOP.toml:3:22 Cannot fill in "{{x}}" inside a command: a value could become part of the command',
    ],
  ],
  [
    'notifications of words',
    settings('[notifications]', 'onRunFailed = "yes"', 'onRunFaild = true'),
    [
      'error wrong-type x/SOP.toml:3:15 Cannot read setting "onRunFailed": expected true or false (in Markdown also yes and no), f',
      'warning unknown-key x/SOP.toml:4:1 Cannot use "onRunFaild": the table of notifications knows no such setting => Did you mean "on_run_failed"?',
    ],
  ],
  [
    'defaults that belong to a step',
    settings('[defaults]', 'timeout = "5m"', 'title = "x"', 'commands = "true"'),
    [
      'warning ignored-setting x/SOP.toml:4:1 Setting "title" has no effect in [defaults]: it belongs to a single step',
      'warning ignored-setting x/SOP.toml:5:1 Setting "commands" has no effect in [defaults]: it belongs to a single step',
    ],
  ],
  [
    'a manifest step twice',
    manifest({
      name: 'x',
      steps: [
        { number: 1, title: 'A' },
        { number: 1, title: 'B' },
      ],
    }),
    ['error duplicate-number x/manifest.json:8:5 Cannot read step 1: another one has that number'],
  ],
  [
    'a manifest step without title',
    manifest({ name: 'x', steps: [{ number: 1 }] }),
    ['error empty-title x/manifest.json:4:5 Cannot name step 1: it has no title'],
  ],
  [
    'a manifest step that is a number',
    manifest({ name: 'x', steps: [5] }),
    ['error wrong-type x/manifest.json:4:5 Cannot read the step: expected a table, found the number 5'],
  ],
  [
    'an unknown key of a manifest step',
    manifest({ name: 'x', steps: [{ title: 'A', requiresAproval: true }] }),
    [
      'warning unknown-key x/manifest.json:6:7 Cannot use "requiresAproval": a step knows no such setting => Did you mean "requires_approval"?',
    ],
  ],
  [
    'manifest and Markdown contradict: approval',
    manifest(
      { name: 'x', steps: [{ number: 1, title: 'A', requiresApproval: false, approvalTimeoutMins: 5 }] },
      '### Step 1: A\n\n**Approval Required**: Yes\n**Approval Timeout**: 10 minutes\n',
    ),
    [
      'warning contradiction x/SOP.md:3:3 Setting "Approval Required" says something else than in x/manifest.json:7: this one counts',
      'warning contradiction x/SOP.md:4:3 Setting "Approval Timeout" says something else than in x/manifest.json:8: this one counts,',
    ],
  ],
  [
    'manifest and Markdown contradict: title and timeout',
    manifest({ name: 'x', steps: [{ number: 1, title: 'A', timeout: '5m' }] }, '### Step 1: B\n\n**Timeout**: 10m\n'),
    [
      'warning contradiction x/SOP.md:1:13 Setting "title" says something else than in x/manifest.json:6: the one in x/manifest.json:',
      'warning contradiction x/SOP.md:3:3 Setting "Timeout" says something else than in x/manifest.json:7: the one in x/manifest.jso',
    ],
  ],
  [
    'manifest and Markdown contradict: mode and priority',
    manifest(
      { name: 'x', executionMode: 'auto', priority: 'low' },
      '# T\n\n**Execution Mode**: step_by_step\n**Priority**: high\n\n### Step 1: B\n',
    ),
    [
      'warning contradiction x/SOP.md:3:3 Setting "Execution Mode" says something else than in x/manifest.json:3: this one counts, s',
      'warning contradiction x/SOP.md:4:3 Setting "Priority" says something else than in x/manifest.json:4: the one in x/manifest.js',
    ],
  ],
  [
    'a manifest step that Markdown lacks',
    manifest(
      {
        name: 'x',
        steps: [
          { number: 1, title: 'A' },
          { number: 3, title: 'C' },
        ],
      },
      '### Step 1: A\n### Step 2: B\n',
    ),
    [],
  ],
  [
    'a definition larger than 1 MiB',
    { 'x.md': '## Step 1: A\n\n```bash\n' + '"'.repeat(600_000) + '\n```\n' },
    ['error too-large x.md:1:1 Cannot use the definition: it has 1200290 bytes of JSON'],
  ],
]
