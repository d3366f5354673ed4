import { type OddInput, single } from './odd-input.ts'

// odd-inputs.readings.ts: what Markdown ends or hides and every reader takes for part of a step. Nothing of it gets lost.

export const ODD_READINGS: readonly OddInput[] = [
  [
    'a fence at the margin below a step of a list',
    single('## Steps', '', '1. **Build**', '', '```bash', 'make', '```', '', '2. **Ship**', ''),
    [],
    {
      steps: [
        { title: 'Build', action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'make' }] } },
        { title: 'Ship' },
      ],
    },
  ],
  [
    'a setting at the margin below a step of a list',
    single('## Steps', '', '1. **Build**', '- requires_approval: true', '2. **Ship**', ''),
    [],
    { steps: [{ title: 'Build', requiresApproval: true }, { title: 'Ship' }] },
  ],
  [
    'prose at the margin between two steps of a list',
    single('## Steps', '', '1. A', '', 'Wait for Bob.', '', '2. B', ''),
    [],
    { steps: [{ body: 'Wait for Bob.' }, { title: 'B' }] },
  ],
  [
    'a comment between two steps of a list',
    single('## Steps', '', '1. A', '', '<!-- later -->', '', '2. B', ''),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }] },
  ],
  [
    'commands above the first step of a list',
    single('## Steps', '', '```bash', 'cd x', '```', '', '1. **Build**', ''),
    [
      'warning stray-commands x.md:3:1 These commands belong to no step, so nothing runs them => Move them below the step that they belong to',
    ],
  ],
  [
    'commands below a heading among the steps',
    single('## Steps', '', '1. A', '', '### Cleaning', '', '```bash', 'rm x', '```', '', '2. B', ''),
    [
      'warning stray-commands x.md:7:1 These commands belong to no step, so nothing runs them => Move them below the step that they belong to',
    ],
  ],
  [
    'a list under a later heading Steps',
    single('## Steps', '', '1. A', '', '## Steps', '', '1. B', ''),
    [
      'warning unread-steps x.md:5:4 These steps are not read: there are steps under an earlier heading "Steps" => Write all steps under one heading',
    ],
  ],
  [
    'a step heading below a list of steps',
    single('## Steps', '', '1. A', '', '### Step 2: B', ''),
    [
      'warning unread-steps x.md:5:13 This step is not read: the steps are a numbered list => Write all steps in the numbered list, or all as headings',
    ],
  ],
  [
    'a step 1a',
    single('## Step 1: A', '## Step 1a: B', '```bash', 'x', '```', '## Step 2: C', ''),
    [
      'warning numbering x.md:2:1 Step 1 comes after step 1: steps are counted by position, so this is step 2 => Number the steps 1, 2, 3 and so on',
    ],
    {
      steps: [
        { title: 'A' },
        { number: 2, title: 'B', action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'x' }] } },
        { title: 'C' },
      ],
    },
  ],
  [
    'a step 1.5',
    single('## Step 1: A', '## Step 1.5: B', '## Step 2: C', ''),
    [
      'warning numbering x.md:2:1 Step 1 comes after step 1: steps are counted by position, so this is step 2 => Number the steps 1, 2, 3 and so on',
    ],
    { steps: [{ title: 'A' }, { title: 'B' }, { title: 'C' }] },
  ],
  [
    'steps that say how many there are',
    single('## Step 1 of 3: A', '## Step 2/3: B', ''),
    [],
    {
      steps: [
        { number: 1, title: 'A' },
        { number: 2, title: 'B' },
      ],
    },
  ],
  [
    'a step heading with its number in words',
    single('## Step 1: A', '## Step two: B', '## Step 3: C', ''),
    [
      'warning unread-steps x.md:2:4 This heading looks like a step and is not read: it has no number => Write it as "## Step 2: Title", with its number',
      'warning gap x.md:3:1 There is no step 2 before step 3 => Number the steps 1, 2, 3 and so on',
    ],
  ],
  [
    'a step heading without a number, alone',
    single('## Step: A', 'x', ''),
    ['error no-steps x.md:1:1 Cannot run "x": it has no steps'],
  ],
  [
    'headings that only begin like a step',
    single('## Step 1: A', '', '## Step-by-step notes', '', '## Steps afterwards', ''),
    [],
    { steps: [{ title: 'A' }] },
  ],
  [
    'step headings at two levels',
    single('## Step 1: A', '### Step 2: B', '## Step 3: C', ''),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }, { title: 'C' }] },
  ],
  ['a step heading with its number in bold', single('## **Step 1:** Deploy', ''), [], { steps: [{ title: 'Deploy' }] }],
  ['a step heading in bold', single('## **Step 1: Deploy**', ''), [], { steps: [{ title: 'Deploy' }] }],
  [
    'a step number of seven digits',
    single('## Step 1234567: A', ''),
    ['warning gap x.md:1:1 There are no steps 1 to 1234566 before step 1234567 => Number the steps 1, 2, 3 and so on'],
  ],
  [
    'an indented list of steps',
    single('## Steps', '', '  1. A', '  2. B', ''),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }] },
  ],
  [
    'a list of steps with parentheses',
    single('## Steps', '', '1) A', '2) B', ''),
    [],
    { steps: [{ title: 'A' }, { title: 'B' }] },
  ],
  [
    'a fence below the field Rollback',
    single('## Step 1: A', '', '**Rollback**:', '', '```bash', 'undo', '```', ''),
    [],
    { steps: [{ action: { kind: 'manual' }, rollback: [{ interpreter: 'bash', script: 'undo' }] }] },
  ],
  [
    'a fence inside the bullet rollback',
    single('## Step 1: A', '', '- rollback:', '', '  ```bash', '  undo', '  ```', ''),
    [],
    { steps: [{ action: { kind: 'manual' }, rollback: [{ interpreter: 'bash', script: 'undo' }] }] },
  ],
  [
    'a fence and prose inside the bullet rollback',
    single('## Step 1: A', '', '- rollback:', '', '  ```bash', '  undo', '  ```', '', '  And look.', ''),
    [
      'error bad-value x.md:3:3 Cannot read setting "rollback": what stands below it is no value => Write "rollback: " and its value on one line',
    ],
  ],
  [
    'a fence below a heading Rollback inside a step',
    single('## Step 1: A', '', '```bash', 'do', '```', '', '#### Rollback', '', '```bash', 'undo', '```', ''),
    [],
    {
      steps: [
        {
          action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'do' }] },
          rollback: [{ interpreter: 'bash', script: 'undo' }],
        },
      ],
    },
  ],
  [
    'prose inside the bullet Rollback',
    single('## Step 1: A', '', '- **Rollback**:', '  - call Bob', ''),
    [
      'warning ignored-setting x.md:3:5 Cannot take "Rollback" for a command: it is not in backticks, so it is read as prose => Put the command in backticks, or in a fence marked rollback',
    ],
    { steps: [{ action: { kind: 'manual', checklist: ['Rollback:', 'call Bob'] } }] },
  ],
  [
    'a fence below the field Commands',
    single('## Step 1: A', '', '**Commands**:', '', '```bash', 'do', '```', ''),
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'do' }] } }] },
  ],
  [
    'a fence below a heading Verification inside a step',
    single('## Step 1: A', '', '#### Verification', '', '```bash', 'check', '```', ''),
    [],
    { steps: [{ action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'check' }] } }] },
  ],
  [
    'a list of approvers as bullets inside a bullet',
    single('## Step 1: A', '', '- approvers:', '  - alice', '  - bob', ''),
    [],
    { steps: [{ approvers: ['alice', 'bob'] }] },
  ],
  [
    'a list of approvers below a field',
    single('## Step 1: A', '', '**Approvers**:', '', '- alice', '- bob', ''),
    [],
    { steps: [{ approvers: ['alice', 'bob'] }] },
  ],
  [
    'a list of approvers directly below a field',
    single('## Step 1: A', '', '**Approvers:**', '- alice', '- bob', ''),
    [],
    { steps: [{ approvers: ['alice', 'bob'] }] },
  ],
  [
    'a field without a value before prose',
    single('## Step 1: A', '', '**Approvers**:', '', 'Ask Bob.', ''),
    ['warning ignored-setting x.md:3:15 Setting "Approvers" is empty, so it changes nothing'],
  ],
  [
    'approvers without a name',
    single('## Step 1: A', '', '- approvers:', ''),
    ['warning ignored-setting x.md:3:13 Setting "approvers" is empty, so it changes nothing'],
  ],
  [
    'needs without a step',
    single('## Step 1: A', '- needs:', ''),
    ['warning ignored-setting x.md:2:9 Setting "needs" is empty, so it changes nothing'],
  ],
  [
    'prose below a setting',
    single('## Step 1: A', '', '- timeout: 5m', '', '  Because it is slow.', ''),
    [
      'error bad-value x.md:3:3 Cannot read setting "timeout": what stands below it is no value => Write "timeout: " and its value on one line',
    ],
  ],
  [
    'bullets below a setting that is no list',
    single('## Step 1: A', '', '- timeout:', '  - five', '  - six', ''),
    [
      'error bad-value x.md:3:3 Cannot read setting "timeout": what stands below it is no value => Write "timeout: " and its value on one line',
    ],
  ],
  [
    'a setting in a bullet inside a bullet',
    single('## Step 1: A', '', '- Do', '  - requires_approval: true', ''),
    [
      'warning ignored-setting x.md:4:5 Setting "requires_approval" has no effect in a bullet inside a bullet => Move it to the bullets of the step',
    ],
  ],
  [
    'settings without a blank behind the colon',
    single('## Step 1: A', '', '- timeout:5m', '- requires_approval:true', ''),
    [
      'warning ignored-setting x.md:3:3 "timeout:5m" looks like a setting and is read as text => Write it as "timeout: 5m"',
      'warning ignored-setting x.md:4:3 "requires_approval:true" looks like a setting and is read as text => Write it as "requires_approval: true"',
    ],
  ],
  [
    'a setting of two words with a capital',
    single('## Step 1: A', '', '- Timeout: 5m', '- Requires approval: yes', ''),
    [
      'warning ignored-setting x.md:4:3 "Requires approval: yes" looks like a setting and is read as text => Write it as "requires_approval: yes"',
    ],
  ],
  [
    'a setting with an equals sign',
    single('## Step 1: A', '', '- timeout = 5m', ''),
    [
      'warning ignored-setting x.md:3:3 "timeout = 5m" looks like a setting and is read as text => Write it as "timeout: 5m"',
    ],
  ],
  [
    'a URL and other words with a colon',
    single('## Step 1: A', '', '- http://example.com', '- note:x', '- tools:x', ''),
    ['warning ignored-setting x.md:5:3 "tools:x" looks like a setting and is read as text => Write it as "tools: x"'],
  ],
  [
    'a hidden character in a key',
    single('## Step 1: A', '', '- requires_approval\u200b: true', ''),
    [
      'warning ignored-setting x.md:3:3 "requires_approval\u200b: true" looks like a setting and is read as text => Write it as "requires_approval: true"',
    ],
  ],
  [
    'a full-width colon',
    single('## Step 1: A', '', '- requires_approval：true', ''),
    [
      'warning ignored-setting x.md:3:3 "requires_approval：true" looks like a setting and is read as text => Write it as "requires_approval: true"',
    ],
  ],
  [
    '(needs approval) in a title',
    single('## Step 1: A (needs approval)', ''),
    [
      'warning ignored-setting x.md:1:14 "(needs approval)" is part of the title and asks for no approval => Write (requires approval), or [requires_approval: true]',
    ],
  ],
  [
    '(requires aproval) in a title',
    single('## Step 1: Deploy (requires aproval)', ''),
    [
      'warning ignored-setting x.md:1:19 "(requires aproval)" is part of the title and asks for no approval => Write (requires approval), or [requires_approval: true]',
    ],
  ],
  [
    '(approval required by DBA) in a title',
    single('## Step 1: A (approval required by DBA)', ''),
    [
      'warning ignored-setting x.md:1:14 "(approval required by DBA)" is part of the title and asks for no approval => Write (requires approval), or [requires_approval: true]',
    ],
  ],
  [
    'approval in parentheses with a setting besides',
    single('## Step 1: A (needs approval) [requires_approval: true]', ''),
    [],
    { steps: [{ title: 'A (needs approval)', requiresApproval: true }] },
  ],
  [
    'no approval in parentheses',
    single('## Step 1: A (no approval required)', ''),
    ['warning ignored-setting x.md:1:14 "(no approval required)" is part of the title and asks for no approval'],
  ],
  [
    'approval in full-width parentheses',
    single('## Step 1: 部署（requires approval）', ''),
    [],
    { steps: [{ title: '部署', requiresApproval: true }] },
  ],
  [
    'approval in the title in odd case',
    single('## Step 1: Deploy ( Approval   REQUIRED )', ''),
    [],
    { steps: [{ title: 'Deploy', requiresApproval: true }] },
  ],
  [
    'approval in the title and its waiver in brackets',
    single('## Step 1: Deploy (requires approval) [requires_approval: false]', ''),
    [
      'warning duplicate-setting x.md:1:19 Setting "requires_approval" says something else than in x.md:1: this one counts, since the stricter => Make both the same, or delete one "requires_approval"',
    ],
    { steps: [{ requiresApproval: true }] },
  ],
  [
    'a setting of several lines',
    single('## Step 1: A', '', '- if: a &&', '  b', ''),
    ['warning nothing-sets x.md:3:7 Nothing sets "b" in the condition "a && b"'],
  ],
  [
    'setting bullets and a checklist',
    single('## Step 1: A', '', '- timeout: 5m', '- Look at it', '- [ ] Tick: off', '- [x] done', ''),
    [],
    { steps: [{ timeoutMs: 300_000, action: { kind: 'manual', checklist: ['Look at it', 'Tick: off', 'done'] } }] },
  ],
  [
    'a bullet that is prose with a colon',
    single('## Step 1: A', '', '- note: look here', '- check: the dashboard', ''),
    [],
    { steps: [{ action: { kind: 'manual', checklist: ['note: look here', 'check: the dashboard'] } }] },
  ],
  [
    'settings in bullets of other marks',
    single('## Step 1: A', '', '* timeout: 5m', '', '+ retries: 2', ''),
    [],
    { steps: [{ timeoutMs: 300_000, retries: 2 }] },
  ],
  [
    'a setting twice with one value',
    single('## Step 1: A', '', '- timeout: 5m', '- timeout: 300s', ''),
    [],
    { steps: [{ timeoutMs: 300_000 }] },
  ],
  [
    'a setting in brackets and another in a bullet',
    single('## Step 1: A [timeout: 5m]', '', '- timeout: 6m', ''),
    [
      'warning duplicate-setting x.md:3:3 Setting "timeout" says something else than in x.md:1: this one counts, since the last one wins => Make both the same, or delete one "timeout"',
    ],
    { steps: [{ timeoutMs: 360_000 }] },
  ],
  [
    'a bold word that is no field',
    single('## Step 1: A', '', '**Note**: be careful', ''),
    [],
    { steps: [{ body: '**Note**: be careful' }] },
  ],
  [
    'a field without a value',
    single('## Step 1: A', '', '**Timeout**:', ''),
    [
      'error bad-value x.md:3:13 Cannot read setting "Timeout": "" is no duration: expected a number then ms, s, m, h, d or w, as in',
    ],
  ],
  [
    'a boolean with an emoji',
    single('## Step 1: A', '', '**Approval Required**: ✅ Yes', ''),
    [
      'error wrong-type x.md:3:24 Cannot read setting "Approval Required": expected true or false (in Markdown also yes and no),',
    ],
  ],
  [
    'a setting in a table',
    single('## Step 1: A', '', '| a | b |', '| - | - |', '| timeout: | 5m |', ''),
    [],
    { steps: [{ body: '| a | b |\n| - | - |\n| timeout: | 5m |' }] },
  ],
  [
    'a setting in a link reference',
    single('## Step 1: A', '', '[timeout]: 5m', ''),
    [],
    { steps: [{ body: '[timeout]: 5m' }] },
  ],
  [
    'a setting in a section behind the steps',
    single('## Step 1: A', '', 'text', '', '## Notes', '', '- timeout: bogus', ''),
    [],
    { steps: [{ title: 'A', body: 'text' }] },
  ],
  [
    'a list under "Steps" inside a step',
    single('## Step 1: A', '', '### Steps', '', '1. x', '2. y', ''),
    [],
    { steps: [{ action: { kind: 'manual', checklist: ['x', 'y'] } }] },
  ],
  [
    'a stray bracket before a bracket list',
    single('## Step 1: Fix [ bug [requires_approval: true]', ''),
    [],
    { steps: [{ title: 'Fix [ bug', requiresApproval: true }] },
  ],
  [
    'a stray bracket behind a bracket list',
    single('## Step 1: Fix [timeout: 5m] bug [', ''),
    [],
    { steps: [{ title: 'Fix bug [', timeoutMs: 300_000 }] },
  ],
  [
    'a stray closing bracket before a bracket list',
    single('## Step 1: Fix ] bug [timeout: 5m]', ''),
    [],
    { steps: [{ title: 'Fix ] bug', timeoutMs: 300_000 }] },
  ],
]
