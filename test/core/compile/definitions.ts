import { poolText } from '../../../src/core/pool.ts'
import fc from '../../support/laws.ts'
import { neededBy, waitingFor } from '../../../src/core/run/graph.ts'
import { slugsFor } from '../../../src/core/compile/link-steps.ts'
import { parseCondition } from '../../../src/core/condition/parse.ts'
import {
  type Action,
  type ApprovalSettings,
  ADMISSIONS,
  BLACKOUT_POLICIES,
  type Condition,
  EXECUTION_MODES,
  type Json,
  ON_REJECT,
  ON_TIMEOUT,
  type Param,
  PRIORITIES,
  type SopDefinition,
  type SopGate,
  type Step,
  type Trigger,
} from '../../../src/core/definition.ts'

// definitions.ts: arbitrary definitions, as the compiler could have made them.

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const without = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T

/** A record whose undefined values are left out. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model).map((value) => without(value as object) as T)

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/).filter((text) => !/^(?:npm_config_)/.test(text))
const variable = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/).map((text) => `MY_${text}`)
const nasty = fc.constantFrom(
  '**',
  '`',
  '[x]',
  '[if: y]',
  '(requires approval)',
  '\\',
  '"',
  "'",
  '<b>',
  '&amp;',
  '#',
  '- a',
  '1. b',
  '_c_',
  '{{x}}',
  'é',
  '🚀',
  'שלום',
  '$',
  ',',
  ':',
  '~~',
  '!',
  '|',
  '::',
  '—',
)
const line = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: word },
      { weight: 1, arbitrary: nasty },
      { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((words) => words.join(' ').replace(/\p{C}/gu, '').replace(/\s+/g, ' ').trim())
  .filter((text) => text !== '')
const paragraph = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'))
const bodyText = fc.array(paragraph, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('\n\n'))

const CONDITIONS = [
  'tests_pass',
  '!x',
  "severity >= 'high'",
  'x == "a]b"',
  'disk_usage > 80%',
  'a && (b || c)',
  "name in ['a', 'b']",
  'previous_step == "success"',
  'x == "it\'s, ok"',
]
const condition: fc.Arbitrary<Condition> = fc.constantFrom(...CONDITIONS).map((text) => {
  const parsed = parseCondition(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.condition
})
const duration = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }),
  fc.integer({ min: 1, max: 400 }).map((n) => n * 86_400_000),
)
const timeout = fc.oneof(duration, fc.constant(null))

const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -1000, max: 1000 }),
    fc.boolean(),
    line,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value
const table = fc.dictionary(word, json, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const list = fc.uniqueArray(line, { minLength: 1, maxLength: 3 })

const script = fc
  .array(
    fc.oneof(
      word,
      fc.constantFrom(
        'echo "$x"',
        '',
        '  indented',
        '\ttab',
        '```',
        '# comment',
        "printf '%s'",
        '## Step 9: no',
        '- timeout: 5m',
        '~~~',
        'a \\',
        '   ',
      ),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((lines) => lines.join('\n').replace(/\n+$/, ''))
  .filter((text) => text.trim() !== '')
const command = fc.record({ interpreter: fc.constantFrom('bash', 'sh', 'python', 'node', 'pwsh'), script })
const commands = fc.array(command, { minLength: 1, maxLength: 2 })

const param: fc.Arbitrary<Param> = fc.oneof(
  record<Param>({
    name,
    type: fc.constant('string' as const),
    default: optional(line),
    description: optional(line),
    required: optional(fc.boolean()),
    secret: optional(fc.boolean()),
  }),
  record<Param>({ name, type: fc.constant('number' as const), default: optional(fc.integer()) }),
  record<Param>({ name, type: fc.constant('boolean' as const), default: optional(fc.boolean()) }),
  record<Param>({ name, type: fc.constant('choice' as const), choices: list }),
)
const params = fc.uniqueArray(param, { selector: (each) => each.name, minLength: 1, maxLength: 3 })

const action: fc.Arbitrary<Action> = fc.oneof(
  record({ kind: fc.constant('shell' as const), commands }),
  record({
    kind: fc.constant('manual' as const),
    checklist: optional(fc.array(line, { minLength: 1, maxLength: 3 })),
    form: optional(params),
    assignee: optional(word),
    dueMs: optional(duration),
  }) as fc.Arbitrary<Action>,
  record({ kind: fc.constant('wait' as const), durationMs: duration }),
  record({ kind: fc.constant('wait' as const), until: fc.constantFrom('09:30', '2026-03-01T09:00:00.000Z') }),
  record({
    kind: fc.constant('http' as const),
    method: fc.constantFrom('GET', 'POST'),
    url: fc.constantFrom('https://example.com/a?b=$c', '$base/health'),
    headers: optional(fc.dictionary(word, line, { minKeys: 1, maxKeys: 2, noNullPrototype: true })),
    body: optional(line),
    expect: optional(fc.uniqueArray(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 })),
  }) as fc.Arbitrary<Action>,
  record({ kind: fc.constant('sop' as const), sop: name, with: optional(table) }) as fc.Arbitrary<Action>,
)

const approval = {
  approvalTimeoutMs: optional(timeout),
  onTimeout: optional(fc.constantFrom(...ON_TIMEOUT)),
  approvers: optional(
    fc.uniqueArray(
      fc.oneof(
        word,
        word.map((each) => `group:${each}`),
        line,
      ),
      { minLength: 1, maxLength: 3 },
    ),
  ),
  quorum: optional(
    fc.oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.dictionary(word, fc.integer({ min: 1, max: 9 }), { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
    ),
  ),
  exclude: optional(list),
  onReject: optional(fc.constantFrom(...ON_REJECT)),
  remindMs: optional(duration.map((ms) => Math.max(ms, 60_000))),
  escalateTo: optional(list),
}

/** Nobody asks for more persons than are named; a group may hold any number. */
const reachable = <T extends ApprovalSettings>(settings: T): T => {
  const { approvers, quorum } = settings
  const isOpen = approvers === undefined || approvers.some((each) => each.includes(':'))
  return isOpen || typeof quorum !== 'number' ? settings : { ...settings, quorum: Math.min(quorum, approvers.length) }
}

/** A jump to another branch, which the compiler refuses. */
const isStray = (steps: readonly Step[], index: number): boolean => {
  const failure = steps[index]?.onFailure
  if (failure?.kind !== 'goto' || steps.every(({ needs }) => needs === undefined)) return false
  const target = steps.findIndex(({ number }) => number === failure.step)
  return target !== index && !waitingFor({ steps }, index).has(target) && !neededBy({ steps }, index).has(target)
}

type Loose = Omit<Step, 'slug' | 'number' | 'needs' | 'onFailure'> & { needsAt?: readonly number[]; failureAt?: number }
const step: fc.Arbitrary<Loose> = record<Loose>({
  title: line,
  body: optional(bodyText),
  action,
  ...approval,
  if: optional(condition),
  requiresApproval: optional(fc.boolean()),
  approveIf: optional(condition),
  mode: optional(fc.constantFrom(...EXECUTION_MODES)),
  timeoutMs: optional(timeout),
  retries: optional(fc.integer({ min: 0, max: 9 })),
  retryDelayMs: optional(duration),
  idempotent: optional(fc.boolean()),
  failureAt: optional(fc.nat(12)),
  rollback: optional(commands),
  verify: optional(commands),
  needsAt: optional(fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 2 })),
  forEach: optional(
    fc.oneof(
      fc.constantFrom('hosts', 'params.hosts', 'steps.find.outputs.hosts'),
      fc.array(json, { minLength: 1, maxLength: 3 }),
    ),
  ),
  maxParallel: optional(fc.integer({ min: 1, max: 9 })),
  runsOn: optional(
    fc
      .tuple(word, fc.uniqueArray(word, { maxLength: 4 }))
      .map(([name, labels]) => poolText({ name, labels: [...labels].sort() })),
  ),
  cwd: optional(
    fc.oneof(
      word.map((each) => `/srv/${each}`),
      line,
    ),
  ),
  env: optional(fc.dictionary(variable, line, { minKeys: 1, maxKeys: 2, noNullPrototype: true })),
  secrets: optional(fc.uniqueArray(variable, { minLength: 1, maxLength: 2 })),
  shell: optional(fc.constant('/bin/bash -eu')),
  outputs: optional(fc.uniqueArray(name, { minLength: 1, maxLength: 2 })),
  pointOfNoReturn: optional(fc.boolean()),
  tools: optional(list),
  tags: optional(list),
})

const trigger: fc.Arbitrary<Trigger> = fc.oneof(
  fc.constant({ type: 'manual' }),
  record({
    type: fc.constant('cron'),
    expression: fc.constantFrom('0 2 * * *', '@daily', '*/5 9-17 * * mon-fri'),
    timezone: optional(fc.constantFrom('UTC', 'Europe/Berlin')),
    overlap: optional(fc.constant('skip')),
    catchUpMs: optional(duration),
    jitterMs: optional(duration),
    params: optional(table),
  }) as fc.Arbitrary<Trigger>,
  record({
    type: fc.constant('webhook'),
    path: word.map((each) => `/webhook/${each}`),
    methods: optional(fc.constant(['POST'])),
    secret: optional(variable),
    idempotencyKey: optional(word),
    condition: optional(condition),
  }) as fc.Arbitrary<Trigger>,
  record({
    type: fc.constant('file_watch'),
    path: word.map((each) => `/srv/${each}/*.gz`),
    events: fc.constantFrom(['create'], ['modify', 'delete']),
  }) as fc.Arbitrary<Trigger>,
  record({
    type: fc.constant('command'),
    pattern: fc.constantFrom('^deploy:', '(?i)x (.+)$'),
    captureGroups: fc.boolean(),
  }) as fc.Arbitrary<Trigger>,
  record({ type: fc.constant('event'), event: word, condition: optional(condition) }) as fc.Arbitrary<Trigger>,
  record({ type: fc.constant('mqtt'), topic: fc.constant('ci/+/done') }) as fc.Arbitrary<Trigger>,
  record({ type: fc.constant('amqp'), routingKey: fc.constant('a.*.#') }) as fc.Arbitrary<Trigger>,
  record({
    type: fc.constant('sop'),
    sop: name,
    on: fc.constantFrom(['completed'], ['failed', 'cancelled']),
  }) as fc.Arbitrary<Trigger>,
)

const gateSettings = {
  type: fc.constantFrom('approval', 'verification'),
  required: fc.boolean(),
  if: optional(condition),
  ...approval,
}
const gates = (numbers: readonly number[]): fc.Arbitrary<readonly SopGate[]> =>
  fc.uniqueArray(
    fc
      .record({
        settings: record<object>(gateSettings as never),
        prefix: fc.constantFrom('pre_', 'post_', 'at_', 'by_'),
        key: word,
        at: fc.constantFrom(...numbers),
        command: command,
      })
      .map(({ settings, prefix, key, at, command: run }) => {
        const position = {
          pre_: { at: 'start' },
          post_: { at: 'end' },
          at_: { at: 'before', step: at },
          by_: { at: 'after', step: at },
        }[prefix]
        const gate = reachable({ key: `${prefix}${key}`, position, ...settings } as unknown as SopGate)
        return gate.type === 'verification' ? { ...gate, command: run } : gate
      }),
    { selector: (gate) => gate.key, minLength: 1, maxLength: 2 },
  )

/** A definition as the compiler makes them, of dialect A. */
export const definitions: fc.Arbitrary<SopDefinition> = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 5 }), fc.nat(2), fc.boolean())
  .chain(([loose, gapAt, hasGap]) => {
    const numbers = loose.map((_, index) => index + 1 + (hasGap && index >= gapAt + 1 ? 1 : 0))
    const slugs = slugsFor(loose.map(({ title }, index) => ({ title, number: numbers[index] ?? 0 })))
    const drafts = loose.map(({ needsAt, failureAt, ...rest }, index): Step => {
      const needs = needsAt
        ?.map((at) => numbers[at % Math.max(1, index)] ?? 1)
        .filter((number) => number < (numbers[index] ?? 0))
      const kinds = ['pause', 'fail', 'continue', 'rollback'] as const
      const failure =
        failureAt === undefined
          ? undefined
          : failureAt < 4
            ? { kind: kinds[failureAt] }
            : failureAt < 8
              ? { kind: 'retry', times: failureAt }
              : { kind: 'goto', step: numbers[failureAt % numbers.length] }
      return without({
        number: numbers[index] ?? 0,
        slug: slugs[index] ?? '',
        ...reachable(rest),
        needs: needs?.length ? [...new Set(needs)] : undefined,
        onFailure: failure,
      } as never)
    })
    const steps = drafts.map((step, index) =>
      isStray(drafts, index) ? without({ ...step, onFailure: undefined } as never) : step,
    )
    return record<SopDefinition>({
      format: fc.constant(1 as const),
      name,
      title: line,
      description: fc.oneof(line, fc.constant('')),
      version: fc.constantFrom('1.0.0', '2.1.0-rc.1'),
      author: optional(line),
      owner: optional(line),
      tags: optional(list),
      priority: fc.constantFrom(...PRIORITIES),
      mode: optional(fc.constantFrom(...EXECUTION_MODES)),
      cooldownMs: fc.oneof(fc.constant(0), duration),
      maxConcurrent: optional(fc.integer({ min: 1, max: 9 })),
      maxParallel: optional(fc.integer({ min: 1, max: 500 })),
      admission: fc.constantFrom(...ADMISSIONS),
      releaseSlotAtGate: optional(fc.boolean()),
      locks: optional(list),
      blackout: optional(fc.subarray(['22:00-06:00', 'sat,sun', '12-24..01-02', '0 2 * * 0 for 4h'], { minLength: 1 })),
      holidays: optional(fc.subarray(['2026-12-25', '12-26', 'days/national.ics'], { minLength: 1 })),
      blackoutPolicy: optional(fc.constantFrom(...BLACKOUT_POLICIES)),
      timezone: optional(fc.constantFrom('UTC', 'Asia/Tokyo')),
      timeoutMs: optional(duration),
      onRunTimeout: optional(fc.constantFrom('fail' as const, 'rollback' as const)),
      approvalTimeoutMs: optional(timeout),
      params: optional(params),
      conditions: optional(
        fc.oneof(
          fc.record({ requires: fc.array(condition, { minLength: 1, maxLength: 2 }) }),
          fc.record({ expression: condition, requires: fc.array(condition, { minLength: 1, maxLength: 1 }) }),
        ),
      ),
      gates: optional(gates(numbers)),
      triggers: fc.array(trigger, { minLength: 1, maxLength: 3 }),
      notifications: optional(fc.record({ onRunFailed: fc.boolean(), channel: line })),
      secrets: optional(fc.uniqueArray(variable, { minLength: 1, maxLength: 2 })),
      env: optional(fc.dictionary(variable, line, { minKeys: 1, maxKeys: 2, noNullPrototype: true })),
      steps: fc.constant(steps),
      hints: optional(
        fc.array(record({ key: word, value: json, step: optional(fc.integer({ min: 1, max: 9 })) }), {
          minLength: 1,
          maxLength: 2,
        }),
      ),
      refusals: optional(list),
      dialect: fc.constant('A' as const),
    } as never)
  })
