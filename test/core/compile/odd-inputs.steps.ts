import { commands, list, step, type OddInput } from './odd-input.ts'

// Odd inputs: settings of steps, conditions and commands.

export const ODD_STEPS: readonly OddInput[] = [
  [
    'a duration without a number',
    step('[timeout: soon]'),
    [
      'error bad-value x/SOP.md:3:24 Cannot read setting "timeout": "soon" is no duration: expected a number then ms, s, m, h,',
    ],
  ],
  [
    'a duration in months',
    step('[timeout: 1 month]'),
    [
      'error bad-value x/SOP.md:3:24 Cannot read setting "timeout": "1 month" is no duration: months and years differ in length',
    ],
  ],
  [
    'a negative duration',
    step('[timeout: -5m]'),
    ['error bad-value x/SOP.md:3:24 Cannot read setting "timeout": "-5m" is no duration: it is negative'],
  ],
  [
    'a timeout of zero',
    step('[timeout: 0]'),
    ['error bad-value x/SOP.md:3:24 Cannot read setting "timeout": a duration of zero leaves no time'],
  ],
  [
    'a duration of 200 years',
    step('[timeout: 99999d]'),
    [
      'error bad-value x/SOP.md:3:24 Cannot read setting "timeout": "99999d" is no duration: it is longer than 100 years',
    ],
  ],
  [
    'a boolean that is none',
    step('[requires_approval: maybe]'),
    [
      'error wrong-type x/SOP.md:3:34 Cannot read setting "requires_approval": expected true or false (in Markdown also yes and',
    ],
  ],
  [
    'retries that are no number',
    step('[retries: many]'),
    ['error wrong-type x/SOP.md:3:24 Cannot read setting "retries": expected a whole number, found the text "many"'],
  ],
  [
    'retries below zero',
    step('[retries: -1]'),
    ['error bad-value x/SOP.md:3:24 Cannot read setting "retries": -1 is less than 0'],
  ],
  [
    'retries of one and a half',
    step('[retries: 1.5]'),
    ['error wrong-type x/SOP.md:3:24 Cannot read setting "retries": expected a whole number, found the text "1.5"'],
  ],
  [
    'on_timeout unknown',
    step('[requires_approval: true, on_timeout: aprove]'),
    [
      'error bad-value x/SOP.md:3:52 Cannot read setting "on_timeout": "aprove" is not one of approve, reject, escalate, fail => Did you mean "approve"?',
    ],
  ],
  [
    'on_reject unknown',
    step('[on_reject: explode]'),
    [
      'error bad-value x/SOP.md:3:26 Cannot read setting "on_reject": "explode" is not one of pause, fail, cancel, rollback',
    ],
  ],
  [
    'on_failure unknown',
    step('[on_failure: retri:2]'),
    [
      'error bad-value x/SOP.md:3:27 Cannot read setting "on_failure": "retri:2" is not one of pause, fail, continue, rollback, => Did you mean "retry"?',
    ],
  ],
  [
    'on_failure retry without number',
    step('[on_failure: retry]'),
    ['error bad-value x/SOP.md:3:27 Cannot read setting "on_failure": "retry" says no number of tries'],
  ],
  [
    'on_failure retry zero',
    step('[on_failure: retry:0]'),
    ['error bad-value x/SOP.md:3:27 Cannot read setting "on_failure": "retry:0" says no number of tries'],
  ],
  [
    'on_failure goto without step',
    step('[on_failure: goto]'),
    ['error bad-value x/SOP.md:3:27 Cannot read setting "on_failure": "goto" names no step'],
  ],
  [
    'on_failure goto an unknown step',
    step('[on_failure: goto:9]'),
    ['error unknown-step x/SOP.md:3:27 Cannot compile step 1 "Do it", which goes on elsewhere: there is no step "9"'],
  ],
  [
    'needs an unknown name',
    list('1. **Build**', '2. **Test** [needs: bild]'),
    [
      'error unknown-step x/SOP.md:4:21 Cannot compile step 2 "Test", which needs another: there is no step "bild" => Did you mean "build"?',
    ],
  ],
  [
    'needs an unknown number',
    list('1. **Build**', '2. **Test** [needs: 5]'),
    ['error unknown-step x/SOP.md:4:21 Cannot compile step 2 "Test", which needs another: there is no step "5"'],
  ],
  [
    'needs itself',
    list('1. **Build** [needs: 1]'),
    ['error cycle x/SOP.md:3:15 Cannot order the steps: 1 needs 1, in a circle'],
  ],
  [
    'needs in a circle',
    list('1. **A** [needs: 3]', '2. **B** [needs: 1]', '3. **C** [needs: 2]'),
    ['error cycle x/SOP.md:3:11 Cannot order the steps: 1 needs 3 needs 2 needs 1, in a circle'],
  ],
  [
    'commands and wait',
    list('1. **A** [wait: 5m]', '   ```bash', '   true', '   ```'),
    ['error two-actions x/SOP.md:4:4 Cannot do two things in one step: it would run commands and wait'],
  ],
  [
    'wait and http',
    step('[wait: 5m, http: GET https://example.com]'),
    ['error two-actions x/SOP.md:3:25 Cannot do two things in one step: it would wait and send a request'],
  ],
  [
    'commands and sop',
    list('1. **A** [sop: other]', '   ```bash', '   true', '   ```'),
    ['error two-actions x/SOP.md:4:4 Cannot do two things in one step: it would run commands and run another SOP'],
  ],
  [
    'commands and form',
    list('1. **A** [form: note]', '   ```bash', '   true', '   ```'),
    ['error two-actions x/SOP.md:4:4 Cannot do two things in one step: it would run commands and ask for values'],
  ],
  [
    'an assignee of commands',
    list('1. **A** [assignee: alice, due: 2h]', '   ```bash', '   true', '   ```'),
    [
      'warning ignored-setting x/SOP.md:3:11 Setting "assignee" has no effect here: it belongs to a manual step',
      'warning ignored-setting x/SOP.md:3:28 Setting "due" has no effect here: it belongs to a manual step',
    ],
  ],
  [
    'expect without http',
    step('[expect: 200]'),
    ['warning ignored-setting x/SOP.md:3:15 Setting "expect" has no effect here: it belongs to a step with http'],
  ],
  [
    'with without sop',
    list('1. **A**', '   - with: { a = 1 }'),
    ['warning ignored-setting x/SOP.md:4:6 Setting "with" has no effect here: it belongs to a step with sop'],
  ],
  [
    'with that is no table',
    list('1. **A** [sop: other]', '   - with: fast'),
    [
      'error wrong-type x/SOP.md:4:12 Cannot read setting "with": expected a value, list or table, found the text "fast"',
    ],
  ],
  [
    'a sop of a bad name',
    step('[sop: ../etc]'),
    ['error bad-value x/SOP.md:3:20 Cannot read setting "sop": "../etc" is not the name of an SOP'],
  ],
  [
    'wait for nothing known',
    step('[wait: later]'),
    [
      'error wrong-type x/SOP.md:3:21 Cannot read setting "wait": expected a duration such as "10m", a time such as "18:00", or',
    ],
  ],
  [
    'wait until a day without zone',
    step('[wait: 2026-03-01T09:00]'),
    ['error bad-value x/SOP.md:3:21 Cannot read setting "wait": "2026-03-01T09:00" is no instant with a zone'],
  ],
  [
    'wait until a day that is none',
    step('[wait: 2026-13-41T09:00:00Z]'),
    ['error bad-value x/SOP.md:3:21 Cannot read setting "wait": "2026-13-41T09:00:00Z" is no instant'],
  ],
  [
    'wait without end',
    step('[wait: none]'),
    ['error bad-value x/SOP.md:3:21 Cannot read setting "wait": a wait without end never ends'],
  ],
  [
    'http without a scheme',
    step('[http: example.com]'),
    ['error bad-value x/SOP.md:3:21 Cannot read setting "url": "example.com" is not an http or https URL'],
  ],
  [
    'http with another scheme',
    step('[http: ftp://example.com]'),
    ['error bad-value x/SOP.md:3:21 Cannot read setting "url": "ftp://example.com" is not an http or https URL'],
  ],
  [
    'http with an unknown method',
    step('[http: FETCH https://example.com]'),
    [
      'error bad-value x/SOP.md:3:21 Cannot read setting "method": "FETCH" is not one of GET, HEAD, POST, PUT, PATCH, DELETE, O',
    ],
  ],
  [
    'http with a bad status',
    step('[http: GET https://example.com, expect: 99]'),
    ['error bad-value x/SOP.md:3:54 Cannot read setting "expect": "99" is no HTTP status'],
  ],
  [
    'http with words',
    step('[http: call the server please]'),
    [
      'error wrong-type x/SOP.md:3:21 Cannot read setting "http": expected a URL with an optional method, as in "GET https://exa',
    ],
  ],
  [
    'a condition that cannot be read',
    step('[if: a &&]'),
    ['error bad-condition x/SOP.md:3:22 Cannot read condition "a &&": it ends too early'],
  ],
  [
    'a condition that is empty',
    step('[if: ]'),
    ['error bad-condition x/SOP.md:3:18 Cannot read condition "": it is empty'],
  ],
  [
    'a condition of two names',
    step('[if: tests pass]'),
    ['error bad-condition x/SOP.md:3:25 Cannot read condition "tests pass": unexpected character: \'s\''],
  ],
  [
    'an assignment as condition',
    step('[if: a = 1]'),
    ['error bad-condition x/SOP.md:3:21 Cannot read condition "a = 1": it assigns with a single "="'],
  ],
  [
    'a condition whose name nothing sets',
    step('[if: tests_pass]'),
    ['warning nothing-sets x/SOP.md:3:19 Nothing sets "tests_pass" in the condition "tests_pass"'],
  ],
  [
    'a condition whose name is misspelt',
    list('1. **Build** [outputs: artifact]', '2. **B** [if: artefact]'),
    [
      'warning nothing-sets x/SOP.md:4:15 Nothing sets "artefact" in the condition "artefact" => Did you mean "artifact"?',
    ],
  ],
  [
    'a template in a command',
    commands('echo {{version}}'),
    [
      'error template-in-command x/SOP.md:5:9 Cannot fill in "{{version}}" inside a command: a value could become part of the command',
    ],
  ],
  [
    'two templates in a command',
    commands('echo ok', 'deploy {{ a }} {{b.c}}'),
    [
      'error template-in-command x/SOP.md:6:11 Cannot fill in "{{ a }}" inside a command: a value could become part of the command',
      'error template-in-command x/SOP.md:6:19 Cannot fill in "{{b.c}}" inside a command: a value could become part of the command',
    ],
  ],
  ['a Go template in a command', commands("docker ps --format '{{.Names}}'", 'go run {{end}}'), []],
  ['a template in prose', list('1. **Deploy {{version}}**', '   Ship {{version}} now.'), []],
  [
    'a variable that nothing declares',
    commands('echo ok', 'curl "$API_URL/x"'),
    ['warning undeclared-variable x/SOP.md:6:10 Nothing declares "API_URL", so it is empty when the command runs'],
  ],
  [
    'a variable with a default',
    commands(
      'curl "${API_URL:-http://x}" "$HOME" $lower',
      "awk '$NF'",
      'X=1; echo $X',
      'export Y=2',
      'echo $Y',
      'read ZED',
      'echo $ZED',
      'for AB in 1; do echo $AB; done',
    ),
    [],
  ],
  ['a variable in a comment and in single quotes', commands('# $NOT_ME', "echo '$NOR_ME'", 'echo \\$NOR_THIS'), []],
  [
    'a hidden character in a command',
    commands('echo a\u202eb'),
    [
      'warning hidden-character x/SOP.md:5:10 This command holds the character U+202E, which cannot be seen: it may not do what it shows',
    ],
  ],
  [
    'an env of a reserved name',
    list('1. **A**', '   - env: { PATH = "/x", LD_PRELOAD = "y", GOOD = "1" }'),
    [
      'error reserved-name x/SOP.md:4:11 Cannot use "PATH" as the name of a variable: it steers the shell or the engine',
      'error reserved-name x/SOP.md:4:11 Cannot use "LD_PRELOAD" as the name of a variable: it steers the shell or the engine',
    ],
  ],
  [
    'an env of a bad name',
    list('1. **A** [env: A-B=1]'),
    [
      'error bad-value x/SOP.md:3:16 Cannot use "A-B" as the name of a variable: a name has letters, digits and "_", and begins',
    ],
  ],
  [
    'an env that is no table',
    list('1. **A** [env: production]'),
    [
      'error wrong-type x/SOP.md:3:16 Cannot read setting "env": expected a table of names and values, found the text "productio',
    ],
  ],
  [
    'a secret of a bad name',
    list('1. **A** [secrets: my-secret]'),
    [
      'error bad-value x/SOP.md:3:20 Cannot use "my-secret" as the name of a secret: a name has letters, digits and "_", and be',
    ],
  ],
  [
    'a secret of a reserved name',
    list('1. **A** [secrets: BASH_ENV]'),
    [
      'error reserved-name x/SOP.md:3:20 Cannot use "BASH_ENV" as the name of a secret: it steers the shell or the engine',
    ],
  ],
  [
    'an output of a reserved name',
    list('1. **A** [outputs: SOP_RESULT]'),
    [
      'error reserved-name x/SOP.md:3:20 Cannot use "SOP_RESULT" as the name of an output: this name is reserved, since it steers t',
    ],
  ],
  [
    'an output of a bad name',
    list('1. **A** [outputs: a b]'),
    [
      'error bad-value x/SOP.md:3:20 Cannot use "a b" as the name of an output: a name has letters, digits, "_" and "-", and be',
    ],
  ],
  [
    'quorum of zero',
    step('[quorum: 0]'),
    ['error bad-value x/SOP.md:3:23 Cannot read setting "quorum": 0 is less than 1'],
  ],
  [
    'reminders without a pause between them',
    step('[remind: 30s]'),
    ['error bad-value x/SOP.md:3:23 Cannot read setting "remind": reminders are at least 1 minute apart'],
  ],
  [
    'quorum of words',
    step('[quorum: all]'),
    [
      'error wrong-type x/SOP.md:3:23 Cannot read setting "quorum": expected a number, or a number per group as in { dba = 1, sr',
    ],
  ],
  [
    'quorum of a group without number',
    step('[quorum: dba=x]'),
    ['error bad-value x/SOP.md:3:23 Cannot read setting "quorum": group "dba" needs a whole number of at least 1'],
  ],
  [
    'an unknown mode of a step',
    step('[mode: sometimes]'),
    [
      'error bad-value x/SOP.md:3:21 Cannot read setting "mode": "sometimes" is not one of auto, supervised, step_by_step, prio',
    ],
  ],
  [
    'for_each of an empty list',
    list('1. **A**', '   - for_each: []'),
    ['error bad-value x/SOP.md:4:16 Cannot read setting "for_each": the list is empty, so the step would never run'],
  ],
  [
    'max_parallel of zero',
    step('[max_parallel: 0]'),
    ['error bad-value x/SOP.md:3:29 Cannot read setting "max_parallel": 0 is less than 1'],
  ],
  [
    'a form field of a reserved name',
    list('1. **A**', '   - form: { PATH = { type = "string" } }'),
    [
      'error reserved-name x/SOP.md:4:12 Cannot use "PATH" as the name of a form field: this name is reserved, since it steers the',
    ],
  ],
  [
    'a form field of an unknown type',
    list('1. **A**', '   - form: { note = { type = "txet" } }'),
    [
      'error bad-value x/SOP.md:4:12 Cannot read setting "type": "txet" is not one of string, number, boolean, choice => Did you mean "text"?',
    ],
  ],
  [
    'an unknown ZeroClaw kind',
    list('1. **A** — Do it.', '   - kind: exectue'),
    [
      'error bad-value x/SOP.md:4:12 Cannot read setting "kind": "exectue" is not one of execute, checkpoint, capability => Did you mean "execute"?',
    ],
  ],
  [
    'a ZeroClaw jump',
    list('1. **A** — Do it.', '   - next: 3', '2. **B** — More.', '3. **C** — Last.', '   - terminal: true'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" jumps to step 3 by "next", which this engine does not carry out: no run can sta',
    ],
  ],
  [
    'a ZeroClaw capability',
    list('1. **A** — Do it.', '   - kind: capability', '   - capability: x.y'),
    [
      'warning zeroclaw-refused x/SOP.md:4:6 Step 1 "A" runs the capability "x.y", which this engine does not carry out: no run can sta',
    ],
  ],
  [
    'a ZeroClaw policy with approvers',
    list('1. **A** — Do it.', '   - policy: prod', '   - approvers: alice'),
    [
      'hint zeroclaw-hint x/SOP.md:4:6 Setting "policy" changes nothing here: policies stand in a config that is not here: write',
    ],
  ],
]
