import { list, single, type OddInput } from './odd-input.ts'

// Odd inputs: Markdown that looks like something else.

export const ODD_MARKDOWN: readonly OddInput[] = [
  ['a step heading in a code block', single('```text', '## Step 1: A', '```', '## Step 1: B', ''), []],
  ['a step heading in a comment', single('<!--', '## Step 1: A', '', '-->', '', '## Step 1: B', ''), []],
  [
    'a comment that is never closed',
    single('## Step 1: A', '', '<!-- note', '## Step 2: B', ''),
    ['warning unclosed-comment x.md:3:1 This comment is never closed, so all that follows is hidden'],
  ],
  [
    'a fence that is never closed',
    single('## Step 1: A', '', '```bash', 'echo hi', '', '## Step 2: B', ''),
    [
      'error unclosed-fence x.md:3:1 Cannot read the commands: their fence is never closed, so all that follows would be run',
    ],
  ],
  [
    'a fence of a list item that is never closed',
    list('1. **A**', '   ```bash', '   echo hi', '2. **B**'),
    [
      'error unclosed-fence x/SOP.md:4:4 Cannot read the commands: their fence is never closed, so all that follows would be run',
    ],
  ],
  [
    'a text fence that is never closed',
    single('## Step 1: A', '', '```text', 'hi', ''),
    ['warning unclosed-text-fence x.md:3:1 This fence is never closed, so all that follows is text'],
  ],
  [
    'a fence closed by too few backticks',
    single('## Step 1: A', '', '````bash', 'echo hi', '```', ''),
    [
      'error unclosed-fence x.md:3:1 Cannot read the commands: their fence is never closed, so all that follows would be run',
    ],
  ],
  ['a setting in a code block', list('1. **A**', '   ```text', '   - timeot: 5m', '   **Timeot**: 5m', '   ```'), []],
  ['a list inside a fence', list('1. **A**', '   ```bash', '   - timeout: 5m', '   1. x', '   ```'), []],
  [
    'a fence inside a nested list',
    list('1. **A**', '   - first', '     ```bash', '     echo "{{x}}"', '     ```'),
    [
      'error template-in-command x/SOP.md:6:12 Cannot fill in "{{x}}" inside a command: a value could become part of the command',
    ],
  ],
  ['a fence inside a quote is documentation', list('1. **A**', '   > ```bash', '   > echo {{x}}', '   > ```'), []],
  ['indented code is documentation', single('## Step 1: A', '', '    echo {{x}}', ''), []],
  ['an empty fence', list('1. **A**', '   ```bash', '   ```'), []],
  [
    'an unknown word behind the language',
    list('1. **A**', '   ```bash nosudo', '   true', '   ```'),
    ['warning unknown-word x/SOP.md:4:12 Cannot tell what "nosudo" means behind the language of a fence'],
  ],
  [
    'a misspelt rollback fence',
    list('1. **A**', '   ```bash rolback', '   true', '   ```'),
    [
      'error misspelt-fence-word x/SOP.md:4:12 Cannot tell what "rolback" means behind the language of a fence => Did you mean "rollback"?',
    ],
  ],
  [
    'a misspelt verify fence',
    list('1. **A**', '   ```bash verfiy', '   true', '   ```'),
    [
      'error misspelt-fence-word x/SOP.md:4:12 Cannot tell what "verfiy" means behind the language of a fence => Did you mean "verify"?',
    ],
  ],
  [
    'a step without a title in a list',
    list('1. '),
    ['error empty-title x/SOP.md:3:1 Cannot name step 1: it has no title'],
  ],
  [
    'a step heading without a title',
    single('## Step 1:', ''),
    ['error empty-title x.md:1:11 Cannot name step 1: it has no title'],
  ],
  [
    'a step heading with only a bracket list',
    single('## Step 1: [timeout: 5m]', ''),
    ['error empty-title x.md:1:12 Cannot name step 1: it has no title'],
  ],
  ['a title of stars', list('1. ** **'), ['error empty-title x/SOP.md:3:1 Cannot name step 1: it has no title']],
  [
    'gap in numbering',
    single('## Step 1: A', '## Step 2: B', '## Step 4: D', ''),
    ['warning gap x.md:3:1 There is no step 3 before step 4'],
  ],
  [
    'a larger gap in a list',
    list('1. **A**', '', '', '5. **E**'),
    ['warning gap x/SOP.md:6:1 There are no steps 2 to 4 before step 5'],
  ],
  [
    'a repeated number',
    single('## Step 1: A', '## Step 1: B', ''),
    ['warning numbering x.md:2:1 Step 1 comes after step 1: steps are counted by position, so this is step 2'],
  ],
  [
    'numbers that go backwards',
    single('## Step 2: A', '## Step 1: B', ''),
    ['warning numbering x.md:2:1 Step 1 comes after step 2: steps are counted by position, so this is step 2'],
  ],
  [
    'numbers that begin at zero',
    single('## Step 0: A', '## Step 1: B', ''),
    ['warning numbering x.md:1:1 Steps begin at 1: steps are counted by position, so this is step 1'],
  ],
  [
    'numbers that begin at three',
    list('3. **A**'),
    ['warning gap x/SOP.md:3:1 There are no steps 1 to 2 before step 3'],
  ],
  ['a list of ones', list('1. **A**', '1. **B**', '1. **C**'), []],
  ['nested brackets in a title', list('1. **Deploy [blue [v2]]**'), []],
  [
    'brackets in a title before settings',
    list('1. **Deploy [blue]** [timeot: 5m]'),
    ['warning unknown-key x/SOP.md:3:23 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'a link in a title',
    list('1. **[Docs](http://x) [if: a]** now'),
    ['warning nothing-sets x/SOP.md:3:28 Nothing sets "a" in the condition "a"'],
  ],
  [
    'a bracket list that is never closed',
    list('1. **A** [requires_approval: true'),
    ['error bad-value x/SOP.md:3:10 Cannot read the bracket list: it is never closed'],
  ],
  [
    'a bracket list with only unknown keys',
    list('1. **A** [approve: yes]'),
    [
      'warning unknown-key x/SOP.md:3:11 Cannot use "approve": a step knows no such setting => Did you mean "approver"?',
    ],
  ],
  ['a bracket list that is none', list('1. **A** [WIP] [see 5]'), []],
  ['a bracket list with an empty piece', list('1. **A** [timeout: 5m,, retries: 2]'), []],
  [
    'a bracket list with a stray word',
    list('1. **A** [timeout: 5m, fast]'),
    ['warning unknown-key x/SOP.md:3:24 Cannot use "fast": a step knows no such setting'],
  ],
  [
    'a list in a bracket list',
    list('1. **A**', '2. **B** [needs: 1, 7, timeout: 5m]'),
    ['error unknown-step x/SOP.md:4:21 Cannot compile step 2 "B", which needs another: there is no step "7"'],
  ],
  [
    'a quoted comma in a bracket list',
    list('1. **A** [if: x == "a,b", timeot: 5m]'),
    [
      'warning nothing-sets x/SOP.md:3:15 Nothing sets "x" in the condition "x == "a,b""',
      'warning unknown-key x/SOP.md:3:27 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?',
    ],
  ],
  [
    'an apostrophe in a bracket list',
    list("1. **A** [cwd: don't, timeot: 5m]"),
    ['warning unknown-key x/SOP.md:3:23 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'a misspelt flag',
    list('1. **A** [require_approval]'),
    [
      'warning unknown-key x/SOP.md:3:11 Cannot use "require_approval": a step knows no such setting => Did you mean "requires_approval"?',
    ],
  ],
  ['a flag that is no boolean', list('1. **A** [timeout]'), []],
  [
    'a misspelt field',
    single('## Step 1: A', '', '**Aproval Required**: Yes', ''),
    [
      'warning unknown-key x.md:3:3 Cannot use "Aproval Required": a step knows no such setting => Did you mean "approval_required"?',
    ],
  ],
  ['an unknown field is prose', single('## Step 1: A', '', '**Note**: careful', ''), []],
  [
    'a misspelt bullet',
    list('1. **A**', '   - timeot: 5m'),
    ['warning unknown-key x/SOP.md:4:6 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'an unknown bullet key',
    list('1. **A**', '   - my_key: 5m'),
    ['warning unknown-key x/SOP.md:4:6 Cannot use "my_key": a step knows no such setting'],
  ],
  ['a bullet with a sentence', list('1. **A**', '   - note: look twice', '   - Timeout: look'), []],
  [
    'a command in a bullet without backticks',
    list('1. **A**', '   - rollback: reboot the host'),
    [
      'warning ignored-setting x/SOP.md:4:6 Cannot take "rollback" for a command: it is not in backticks, so it is read as prose',
    ],
  ],
  [
    'a command in a field without backticks',
    single('## Step 1: A', '', '**Verify**: the service is up', ''),
    [
      'warning ignored-setting x.md:3:3 Cannot take "Verify" for a command: it is not in backticks, so it is read as prose',
    ],
  ],
  [
    'a command in a bullet in backticks',
    list('1. **A**', '   - verify: `curl -f "$SOME_URL"`'),
    ['warning undeclared-variable x/SOP.md:4:14 Nothing declares "SOME_URL", so it is empty when the command runs'],
  ],
  [
    'a misspelt field above the steps',
    single('# T', '', '**Priorty**: high', '', '## Step 1: A', ''),
    ['warning unknown-key x.md:3:3 Cannot use "Priorty": an SOP knows no such setting => Did you mean "priority"?'],
  ],
  [
    'a wrong value above the steps',
    single('# T', '', '**Priority**: hgih', '**Execution Mode**: atuo', '', '## Step 1: A', ''),
    [
      'error bad-value x.md:3:15 Cannot read setting "Priority": "hgih" is not one of low, normal, high, critical => Did you mean "high"?',
      'error bad-value x.md:4:21 Cannot read setting "Execution Mode": "atuo" is not one of auto, supervised, step_by_step, => Did you mean "auto"?',
    ],
  ],
  [
    'headings inside a step belong to it',
    single('## Step 1: A', '### Notes', 'text', '## Other', '## Step 2: B', ''),
    [],
  ],
  ['a numbered list below a step heading', single('## Steps', '### Step 1: A', '1. one', '2. two', ''), []],
  [
    'steps as numbered headings',
    single('## Steps', '### 1. A', '### 2. B [timeot: 1m]', ''),
    ['warning unknown-key x.md:3:11 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'a setext heading',
    single('Step 1: A [timeot: 5m]', '======', ''),
    ['warning unknown-key x.md:1:12 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'a heading with closing marks',
    single('## Step 1: A [timeot: 5m] ##', ''),
    ['warning unknown-key x.md:1:15 Cannot use "timeot": a step knows no such setting => Did you mean "timeout"?'],
  ],
  [
    'approval in words and No in a field',
    single('## Step 1: A (requires approval)', '', '**Approval Required**: No', ''),
    [
      'warning duplicate-setting x.md:3:3 Setting "Approval Required" says something else than in x.md:1: the one in x.md:1 counts,',
    ],
  ],
  ['(APPROVAL REQUIRED) in any case', single('## Step 1: A (Approval  required)', ''), []],
  [
    'a setting twice in one step',
    single('## Step 1: A [timeout: 5m]', '', '**Timeout**: 10m', ''),
    [
      'warning duplicate-setting x.md:3:3 Setting "Timeout" says something else than in x.md:1: this one counts, since the last one',
    ],
  ],
  [
    'a slug twice',
    single('## Step 1: A', '## Step 2: A', '## Step 3: B [needs: a_3]', ''),
    [
      'error unknown-step x.md:3:22 Cannot compile step 3 "B", which needs another: there is no step "a_3" => Did you mean "a_2"?',
    ],
  ],
]
