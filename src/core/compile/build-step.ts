import type { Command, ExecutionMode, Step } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields, type Stricter } from '../dialect/fields.ts'
import type { LocatedEntry, LocatedTable } from '../dialect/located.ts'
import type { RawCommand, RawStep } from '../dialect/raw-step.ts'
import type { FenceUse } from '../dialect/step-fence.ts'
import type { Report } from '../dialect/report.ts'
import { isForeignStepKey } from '../dialect/zeroclaw-keys.ts'
import type { SettingKey } from '../settings.ts'
import { buildAction, readCommands } from './build-action.ts'
import { buildApproval, texts } from './build-approval.ts'
import { compact } from './compact.ts'
import { checkParamName, checkVariableName } from './names.ts'
import {
  type DraftFailure,
  readEach,
  readFailure,
  readReferences,
  readRunsOn,
  type StepReference,
} from './step-readers.ts'

// build-step.ts: from what Markdown and manifest say about a step to the step, but for what needs the other steps.

/** A step by its number, with everything that was written about it. */
export interface StepSource {
  readonly number: number
  readonly markdown?: RawStep
  readonly manifest?: LocatedTable
}

/** A step without its slug, and with references that are not yet looked up. */
export interface DraftStep {
  readonly step: Omit<Step, 'slug' | 'needs' | 'onFailure'>
  readonly needs?: readonly StepReference[]
  readonly failure?: DraftFailure
  readonly fields: Fields
  readonly place: Place
  readonly titlePlace: Place
  /** The fences that its commands come from, for findings inside them. */
  readonly fences: readonly RawCommand[]
}

export interface StepContext {
  readonly report: Report
  readonly defaults: StepDefaults | undefined
}

/** `[defaults]` of the SOP, read once for all steps. */
export interface StepDefaults {
  readonly settings: Partial<ReturnType<typeof ownSettings>>
  readonly failure: DraftFailure | undefined
  readonly assignee: string | undefined
  readonly dueMs: number | undefined
}

/** The settings that `[defaults]` may hold. */
const DEFAULTABLE: readonly SettingKey[] = [
  ...([
    'if',
    'requires_approval',
    'approve_if',
    'approval_timeout',
    'on_timeout',
    'approvers',
    'quorum',
    'exclude',
  ] as const),
  ...(['on_reject', 'remind', 'escalate_to', 'timeout', 'retries', 'retry_delay', 'idempotent', 'on_failure'] as const),
  ...(['runs_on', 'cwd', 'env', 'secrets', 'shell', 'tools', 'tags', 'max_parallel', 'assignee', 'due'] as const),
]

const MODE_STRICTNESS: readonly ExecutionMode[] = ['auto', 'priority_based', 'supervised', 'step_by_step']
export const stricterMode: Stricter<ExecutionMode> = (a, b) =>
  MODE_STRICTNESS.indexOf(a) >= MODE_STRICTNESS.indexOf(b) ? a : b
const orMore: Stricter<boolean> = (a, b) => a || b

/** Reads `[defaults]`; settings that only a single step can have are reported. */
export const readDefaults = (table: LocatedTable, report: Report): StepDefaults => {
  const fields = Fields.of('step', table, report)
  for (const key of fields.keys() as readonly SettingKey[]) {
    if (DEFAULTABLE.includes(key)) continue
    report.add(
      'ignored-setting',
      fields.keyPlace(key),
      `Setting "${key}" has no effect in [defaults]: it belongs to a single step`,
    )
  }
  const settings = ownSettings(fields)
  const kept = Object.entries(settings).filter(([key]) => DEFAULTABLE.includes(KEY_OF[key] ?? (key as SettingKey)))
  return {
    settings: Object.fromEntries(kept),
    failure: fields.read('on_failure', readFailure),
    assignee: fields.text('assignee'),
    dueMs: fields.duration('due') ?? undefined,
  }
}

export const buildStep = (source: StepSource, { report, defaults }: StepContext): DraftStep => {
  const fields = fieldsOf(source, report)
  const own = ownSettings(fields)
  const inherited = defaults === undefined ? {} : inheritedSettings(fields, defaults.settings)
  const { markdown } = source
  const fences = markdown?.commands ?? []
  const commands = merged(fields, 'commands', fences, 'run')
  const firstFence = fences.find(({ use }) => use === 'run')
  const commandsPlace = firstFence?.code.place ?? (fields.has('commands') ? fields.keyPlace('commands') : undefined)
  const parts = markdown?.parts ?? []
  const built = buildAction({ fields, commands, commandsPlace, parts }) ?? { kind: 'manual' as const }
  const action =
    built.kind === 'manual' ? compact({ assignee: defaults?.assignee, dueMs: defaults?.dueMs, ...built }) : built
  const title = fields.text('title')?.trim() ?? ''
  const titlePlace = markdown?.titlePlace ?? fields.keyPlace('title')
  if (title === '')
    report.add(
      'empty-title',
      titlePlace,
      `Cannot name step ${source.number}: it has no title`,
      'Write what the step does',
    )
  const needs = fields.read('needs', readReferences)
  const failure = fields.read('on_failure', readFailure) ?? defaults?.failure
  const step = compact({
    number: source.number,
    title,
    body: bodyOf(fields, markdown, action.kind === 'manual'),
    action,
    ...inherited,
    ...own,
    env: mergedEnv(inherited.env, own.env),
    rollback: orNone(merged(fields, 'rollback', fences, 'rollback')),
    verify: orNone(merged(fields, 'verify', fences, 'verify')),
    forEach: fields.read('for_each', readEach),
  })
  return { step, fields, place: fields.place, titlePlace, fences, ...compact({ needs, failure }) }
}

const mergedEnv = (a: Step['env'], b: Step['env']): Step['env'] => (a === undefined ? b : { ...a, ...b })

const fieldsOf = ({ markdown, manifest }: StepSource, report: Report): Fields => {
  const place = markdown?.place ?? manifest?.place ?? { file: '', line: 1, column: 1 }
  const fields = new Fields('step', place, report, isForeignStepKey)
  if (markdown !== undefined) {
    fields.add(textEntry('title', markdown.title, markdown.titlePlace), 'markdown')
    fields.addAll(markdown.settings, 'markdown')
  }
  fields.addAll(manifest?.entries ?? [], 'manifest')
  return fields
}

const textEntry = (key: string, value: string, place: Place): LocatedEntry => ({
  key,
  keyPlace: place,
  value: { kind: 'scalar', value, raw: value, untyped: false, place },
})

/** What both a step and `[defaults]` may say. */
const ownSettings = (fields: Fields) =>
  compact({
    ...buildApproval(fields),
    if: fields.condition('if'),
    requiresApproval: fields.boolean('requires_approval', orMore),
    approveIf: fields.condition('approve_if'),
    mode: fields.word<ExecutionMode>('mode', stricterMode),
    timeoutMs: fields.duration('timeout'),
    retries: fields.integer('retries'),
    retryDelayMs: fields.duration('retry_delay') ?? undefined,
    idempotent: fields.boolean('idempotent'),
    maxParallel: fields.integer('max_parallel'),
    runsOn: fields.read('runs_on', readRunsOn),
    cwd: fields.text('cwd'),
    env: envOf(fields),
    secrets: secretsOf(fields),
    shell: fields.text('shell'),
    outputs: outputsOf(fields),
    pointOfNoReturn: fields.boolean('point_of_no_return'),
    tools: texts(fields, 'tools'),
    tags: texts(fields, 'tags'),
  })

const inheritedSettings = (fields: Fields, settings: StepDefaults['settings']): StepDefaults['settings'] =>
  Object.fromEntries(
    Object.entries(settings).filter(([key]) => key === 'env' || !fields.has(KEY_OF[key] ?? (key as SettingKey))),
  )

const KEY_OF: Readonly<Record<string, SettingKey>> = {
  requiresApproval: 'requires_approval',
  approveIf: 'approve_if',
  approvalTimeoutMs: 'approval_timeout',
  onTimeout: 'on_timeout',
  onReject: 'on_reject',
  remindMs: 'remind',
  escalateTo: 'escalate_to',
  timeoutMs: 'timeout',
  retryDelayMs: 'retry_delay',
  maxParallel: 'max_parallel',
  runsOn: 'runs_on',
}

const orNone = (commands: readonly Command[]): readonly Command[] | undefined =>
  commands.length === 0 ? undefined : commands

/** Commands of fences and of the setting; where the two contradict each other, the manifest wins. */
const merged = (
  fields: Fields,
  key: 'commands' | 'rollback' | 'verify',
  fences: readonly RawCommand[],
  use: FenceUse,
): readonly Command[] => {
  const fenced = fences.filter((fence) => fence.use === use).map(({ interpreter, script }) => ({ interpreter, script }))
  const given = fields.read(key, readCommands)
  if (given === undefined) return fenced
  if (fenced.length === 0) return given
  const isSame = JSON.stringify(given) === JSON.stringify(fenced)
  if (!isSame) {
    const message = `Setting "${key}" says something else than the fence of the step: the setting counts`
    fields.report.add('contradiction', fields.keyPlace(key), message, 'Keep one of the two')
  }
  return given
}

const bodyOf = (fields: Fields, markdown: RawStep | undefined, isManual: boolean): string | undefined => {
  const parts = (markdown?.parts ?? []).filter((part) => part.kind === 'prose' || !isManual)
  const prose = parts
    .map(({ text }) => text)
    .join('\n\n')
    .trim()
  const given = fields.text('description')?.trim()
  if (prose !== '' && given !== undefined && given !== prose) {
    fields.report.add(
      'contradiction',
      fields.keyPlace('description'),
      'The description says something else than the text of the step: the text counts',
      'Delete the description',
    )
  }
  return prose !== '' ? prose : given === '' ? undefined : given
}

/** Variables for commands. */
export const envOf = (fields: Fields): Readonly<Record<string, string>> | undefined => {
  const entries = fields.map('env')
  if (entries === undefined || entries.length === 0) return undefined
  const good = entries.filter(({ name, place }) =>
    checkVariableName({ text: name, place }, 'a variable', fields.report),
  )
  return Object.fromEntries(good.map(({ name, text }) => [name, text]))
}

/** Names of secrets; each becomes a variable. */
export const secretsOf = (fields: Fields): readonly string[] | undefined => {
  const names = fields.list('secrets')?.filter((name) => checkVariableName(name, 'a secret', fields.report))
  return names === undefined || names.length === 0 ? undefined : [...new Set(names.map(({ text }) => text))]
}

const outputsOf = (fields: Fields): readonly string[] | undefined => {
  const names = fields
    .list('outputs')
    ?.filter(({ text, place }) => checkParamName(text, place, 'an output', fields.report))
  return names === undefined || names.length === 0 ? undefined : [...new Set(names.map(({ text }) => text))]
}
