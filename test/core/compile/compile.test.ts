import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
import type { SopDefinition, Step } from '../../../src/core/definition.ts'
import { ZEROCLAW_KEYS } from '../../../src/core/dialect/zeroclaw-keys.ts'
import { unsupported } from '../../../src/core/run/supported.ts'
import { type Files, frontMatter, list, manifest, single, toml } from './odd-input.ts'

const definitionOf = (files: Files, fallbackName = 'x'): SopDefinition => {
  const source = Object.entries(files).map(([path, text]) => ({ path, text }))
  const { definition, diagnostics } = compile({ files: source, fallbackName })
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics, null, 1))
  return definition
}
const stepOf = (files: Files, number = 1): Step => {
  const step = definitionOf(files).steps.find((each) => each.number === number)
  if (step === undefined) throw new Error(`no step ${number}`)
  return step
}

describe('the SOP', () => {
  test('defaults are those of rulings 1', () => {
    expect(definitionOf(single('## Step 1: A'))).toEqual({
      format: 1,
      name: 'x',
      title: 'x',
      description: '',
      version: '1.0.0',
      priority: 'normal',
      cooldownMs: 0,
      admission: 'queue',
      triggers: [{ type: 'manual' }],
      steps: [{ number: 1, slug: 'a', title: 'A', action: { kind: 'manual' } }],
      dialect: 'D',
    })
  })

  test('title and description come from the document', () => {
    const page = single(
      '# Ship *it*',
      '',
      '**Priority**: high',
      '',
      '## Overview',
      '',
      'Ships `it`. Then rests.',
      '',
      '## Step 1: A',
    )
    expect(definitionOf(page)).toMatchObject({ title: 'Ship it', description: 'Ships it.', priority: 'high' })
  })

  test.each([
    ['automatic', 'auto'],
    ['step-by-step', 'step_by_step'],
    ['Step By Step', 'step_by_step'],
    ['priorityBased', 'priority_based'],
  ])('mode %s is %s', (written, mode) => {
    expect(definitionOf(toml('[sop]', `execution_mode = "${written}"`)).mode).toBe(mode)
  })

  test('keys are found in every spelling, with units', () => {
    const page = manifest({
      cooldownMins: 5,
      'max-concurrent': 2,
      ApprovalTimeoutSecs: 30,
      timeout_hours: 2,
      steps: [{ title: 'A' }],
    })
    expect(definitionOf(page)).toMatchObject({
      cooldownMs: 300_000,
      maxConcurrent: 2,
      approvalTimeoutMs: 30_000,
      timeoutMs: 7_200_000,
    })
  })

  test('params are read in short and in long form', () => {
    const page = toml(
      '[params]',
      'version = "1.0"',
      'count = 3',
      'env = ["a", "b"]',
      'force = { type = "bool", required = true }',
      'key = { secret = true, pattern = "[a-z]+" }',
    )
    expect(definitionOf(page).params).toEqual([
      { name: 'version', type: 'string', default: '1.0' },
      { name: 'count', type: 'number', default: 3 },
      { name: 'env', type: 'choice', choices: ['a', 'b'] },
      { name: 'force', type: 'boolean', required: true },
      { name: 'key', type: 'string', pattern: '[a-z]+', secret: true },
    ])
  })

  test('defaults reach every step that does not say otherwise', () => {
    const { steps } = definitionOf({
      'x/SOP.toml': '[defaults]\ntimeout = "5m"\non_failure = "continue"\nenv = { A = "1", B = "2" }\n',
      'x/SOP.md': '## Step 1: A\n\n## Step 2: B [timeout: 1h, env: B=3]\n',
    })
    expect(steps[0]).toMatchObject({ timeoutMs: 300_000, onFailure: { kind: 'continue' }, env: { A: '1', B: '2' } })
    expect(steps[1]).toMatchObject({ timeoutMs: 3_600_000, onFailure: { kind: 'continue' }, env: { A: '1', B: '3' } })
  })

  test('gates stand where their name or their step says', () => {
    const page = toml(
      '[gates]',
      'pre_a = true',
      'post_b = { command = "true", required = false }',
      'c = { after = "do it", timeout = "none", on_timeout = "escalate" }',
    )
    expect(definitionOf(page).gates).toEqual([
      { key: 'pre_a', type: 'approval', position: { at: 'start' }, required: true },
      {
        key: 'post_b',
        type: 'verification',
        position: { at: 'end' },
        required: false,
        command: { interpreter: 'bash', script: 'true' },
      },
      {
        key: 'c',
        type: 'approval',
        position: { at: 'after', step: 1 },
        required: true,
        approvalTimeoutMs: null,
        onTimeout: 'escalate',
      },
    ])
  })

  test('a manifest without steps is listed and cannot start', () => {
    const definition = definitionOf({ 'x/SOP.toml': '[sop]\nname = "x"\n' })
    expect(definition.steps).toEqual([])
    expect(unsupported(definition)).toEqual(['SOP "x" has no steps yet: write them in SOP.md'])
  })
})

describe('the dialect follows from the syntax of the steps', () => {
  test.each<[string, Files]>([
    ['A', list('1. **A** [if: x]')],
    ['B', { 'x/SOP.md': '### Step 1: A\n' }],
    ['B', manifest({ steps: [{ title: 'A' }] }, '## Step 1: A\n')],
    ['C', toml('[conditions]')],
    ['D', frontMatter('name: x', '## Step 1: A')],
    ['Z', list('1. **A** — do it')],
    ['Z', list('1. **A**', '   - requires_confirmation: true')],
    ['Z', { 'x/SOP.toml': '[[steps]]\ntitle = "A"\n' }],
    ['A', single('## Steps', '', '1. **A** — do it')],
  ])('%s', (dialect, files) => {
    expect(definitionOf(files).dialect).toBe(dialect)
  })
})

describe('a step', () => {
  test('takes settings from title, brackets, fields and bullets', () => {
    const page = list(
      '1. **Deploy** [if: ready, timeout: 5m] (requires approval)',
      '   **Approvers**: alice, group:dba',
      '',
      '   Prose stays.',
      '',
      '   - on_failure: retry:2',
      '   - tags: `a`, "b c"',
    )
    expect(stepOf(page)).toMatchObject({
      title: 'Deploy',
      body: 'Prose stays.',
      if: { text: 'ready' },
      timeoutMs: 300_000,
      requiresApproval: true,
      approvers: ['alice', 'group:dba'],
      onFailure: { kind: 'retry', times: 2 },
      tags: ['a', 'b c'],
    })
  })

  test('runs the fences of shells and interpreters, in order; others are prose', () => {
    const page = single(
      '## Step 1: A',
      '',
      '```bash',
      'one',
      '```',
      '```json',
      '{}',
      '```',
      '~~~python',
      'two',
      '~~~',
      '```js',
      'three',
      '```',
    )
    expect(stepOf(page)).toMatchObject({
      body: '```json\n{}\n```',
      action: {
        kind: 'shell',
        commands: [
          { interpreter: 'bash', script: 'one' },
          { interpreter: 'python', script: 'two' },
          { interpreter: 'node', script: 'three' },
        ],
      },
    })
  })

  test('keeps rollback and verify apart from what it runs', () => {
    const page = single(
      '## Step 1: A',
      '',
      '```bash',
      'do',
      '```',
      '```bash rollback',
      'undo',
      '```',
      '```bash verify',
      'look',
      '```',
    )
    expect(stepOf(page)).toMatchObject({
      action: { kind: 'shell', commands: [{ script: 'do' }] },
      rollback: [{ script: 'undo' }],
      verify: [{ script: 'look' }],
    })
  })

  test('of a manual step the bullets are the checklist, of another they are prose', () => {
    const bullets = ['- Look at **all** dashboards', '  - also `this`', '- [ ] Call [Bob](tel:1)']
    expect(stepOf(single('## Step 1: A', '', ...bullets)).action).toEqual({
      kind: 'manual',
      checklist: ['Look at all dashboards', 'also this', 'Call Bob'],
    })
    expect(stepOf(single('## Step 1: A', '', ...bullets, '', '```bash', 'x', '```')).body).toContain(
      '- Look at **all** dashboards',
    )
  })

  test.each<[string, object]>([
    ['wait: 10m', { kind: 'wait', durationMs: 600_000 }],
    ['wait: 9:30', { kind: 'wait', until: '09:30' }],
    ['wait: 2026-03-01T10:00:00+01:00', { kind: 'wait', until: '2026-03-01T09:00:00.000Z' }],
    ['http: https://example.com/', { kind: 'http', method: 'GET', url: 'https://example.com/' }],
    [
      'http: POST https://example.com/$id -> 201 202',
      { kind: 'http', method: 'POST', url: 'https://example.com/$id', expect: [201, 202] },
    ],
    ['sop: other', { kind: 'sop', sop: 'other' }],
    ['assignee: alice, due: 2h', { kind: 'manual', assignee: 'alice', dueMs: 7_200_000 }],
  ])('[%s]', (settings, action) => {
    expect(stepOf(list(`1. **A** [${settings}]`)).action).toEqual(action)
  })

  test('names the steps that it needs by number, slug or title', () => {
    expect(stepOf(list('1. **Build it**', '2. **Test**', '3. **Ship** [needs: 1, test]'), 3).needs).toEqual([1, 2])
    expect(stepOf(list('1. **Build it**', '2. **Ship** [needs: Build It]'), 2).needs).toEqual([1])
  })

  test('slugs are unique and keep letters of every alphabet', () => {
    const slugs = definitionOf(
      list('1. **Größe prüfen!**', '2. **A-b**', '3. **A b**', '4. **A_b**', '5. **🚀**'),
    ).steps.map(({ slug }) => slug)
    expect(slugs).toEqual(['größe_prüfen', 'a_b', 'a_b_2', 'a_b_3', 'step_5'])
  })

  test('printed numbers stay when they go up', () => {
    expect(definitionOf(single('## Step 1: A', '## Step 4: B')).steps.map(({ number }) => number)).toEqual([1, 4])
    expect(definitionOf(list('1. **A**', '1. **B**')).steps.map(({ number }) => number)).toEqual([1, 2])
  })
})

describe('manifest and Markdown are merged by number', () => {
  const merged = definitionOf(
    manifest(
      {
        description: 'from the manifest',
        executionMode: 'auto',
        steps: [
          { number: 1, title: 'A', requiresApproval: false, approvalTimeoutMins: 5, retries: 3 },
          { number: 3, title: 'C' },
        ],
      },
      '# T\n\nFrom Markdown.\n\n**Execution Mode**: supervised\n\n### Step 1: A\n\n**Approval Required**: Yes\n**Approval Timeout**: none\n**Retries**: 1\n\n### Step 2: B\n',
    ),
  )

  test('of two gates the stricter wins, of other settings the manifest', () => {
    expect(merged.steps[0]).toMatchObject({ requiresApproval: true, approvalTimeoutMs: null, retries: 3 })
    expect(merged).toMatchObject({ mode: 'supervised', description: 'from the manifest' })
  })

  test('steps that stand in only one of them are kept', () => {
    expect(merged.steps.map(({ number, title }) => `${number} ${title}`)).toEqual(['1 A', '2 B', '3 C'])
  })
})

describe('dialect Z', () => {
  test('a checkpoint is a gate with nothing behind it', () => {
    expect(stepOf(list('1. **Ask** — a person decides', '   - kind: checkpoint'))).toMatchObject({
      requiresApproval: true,
      action: { kind: 'wait', durationMs: 0 },
    })
  })

  test('steps are counted by position, one run at a time, crons in UTC', () => {
    const page = {
      ...list('3. **A** — x', '4. **B** — y'),
      'x/SOP.toml': '[sop]\nname = "x"\n[[triggers]]\ntype = "cron"\nexpression = "@daily"\n',
    }
    const definition = definitionOf(page)
    expect(definition.steps.map(({ number }) => number)).toEqual([1, 2])
    expect(definition).toMatchObject({ dialect: 'Z', maxConcurrent: 1, triggers: [{ type: 'cron', timezone: 'UTC' }] })
  })

  test('what would make another run of it keeps it from starting', () => {
    const definition = definitionOf(list('1. **A** — x', '   - next: 1', '2. **B** — y'))
    expect(unsupported(definition)).toEqual([expect.stringContaining('jumps to step 1 by "next"')])
    expect(definition.hints).toContainEqual({ key: 'next', value: '1', step: 1 })
  })

  test('a jump to the following step and an end at the last step change nothing', () => {
    expect(
      unsupported(definitionOf(list('1. **A** — x', '   - next: 2', '2. **B** — y', '   - terminal: true'))),
    ).toEqual([])
  })

  const KEYS = {
    sop: 'name description version priority execution_mode deterministic cooldown_secs max_concurrent admission_policy max_pending_approvals agent triggers positions steps',
    step: 'tools allow_tools deny_tools requires_confirmation kind capability with input output when next terminal depends_on switch on_failure mode agent call policy prompt edit',
    trigger:
      'type expression path topic condition routing_key events channel alias board signal calendar_source calendar_ids',
    config:
      'sops_dir default_execution_mode max_concurrent_total approval_timeout_secs max_finished_runs maintenance_interval_secs persist_runs run_store_backend run_state_dir approval_mode approval_timeout_action step_scope_enforce step_mandatory_tools step_schema_enforce max_step_visits max_step_retries untrusted_payload_max_bytes untrusted_input_guard untrusted_guard_sensitivity untrusted_frame_warning untrusted_outbound_redact procedural_memory_enabled members required_group quorum request_route escalation_route',
  }
  test.each(Object.entries(KEYS))('every key of its format stands in the table: %s', (at, keys) => {
    const known = ZEROCLAW_KEYS.filter((entry) => entry.at === at).map(({ key }) => key)
    expect([...known].sort()).toEqual(keys.split(' ').sort())
  })
})
