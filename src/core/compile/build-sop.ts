import type {
  BlackoutPolicy,
  Command,
  Condition,
  Hint,
  NotificationToggle,
  OnRunTimeout,
  Priority,
  SopDefinition,
  Step,
} from '../definition.ts'
import { type ExecutionMode, NOTIFICATION_TOGGLES } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import type { SopDocument } from '../dialect/documents.ts'
import { Fields } from '../dialect/fields.ts'
import { describe, type Located } from '../dialect/located.ts'
import type { Report } from '../dialect/report.ts'
import { type Asked, isWithinLimit, MAX_ITEMS, readCondition, readTable, refuseType } from '../dialect/values.ts'
import { isDeterministic, readZeroclawSop } from '../dialect/zeroclaw.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { isForeignSopKey } from '../dialect/zeroclaw-keys.ts'
import { spell } from '../dialect/spell.ts'
import { normalizeKey, type SettingKey } from '../settings.ts'
import { longer, texts } from './build-approval.ts'
import { readGates } from './build-gates.ts'
import { readParams } from './build-params.ts'
import { envOf, secretsOf, stricterMode } from './build-step.ts'
import { readTriggers } from './build-triggers.ts'
import type { PlacedCondition } from './check-names.ts'
import { readCalendar } from './build-calendar.ts'
import { compact } from './compact.ts'
import type { Lookup } from './link-steps.ts'
import { readTimezone } from './timezone.ts'

// build-sop.ts: what a document says about the SOP as a whole.

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const SEMVER = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** The settings of the SOP, from manifest and Markdown. */
export const sopFields = (document: SopDocument, report: Report): Fields => {
  const fields = new Fields('sop', document.place, report, isForeignSopKey)
  fields.addAll(document.markdown, 'markdown')
  fields.addAll(document.manifest, 'manifest')
  return fields
}

/** The name of the SOP; a bad one is reported and stands, so that the SOP can be listed. */
export const readName = (fields: Fields, fallbackName: string): string => {
  const { report } = fields
  const written = fields.text('name')?.trim()
  const name = written ?? fallbackName
  if (!NAME.test(name)) {
    const place = written === undefined ? fields.place : fields.valuePlace('name')
    const meant = suggestName(name)
    const help = meant === undefined ? undefined : `Write ${spell(place, 'name', meant)}`
    report.add(
      'bad-name',
      place,
      `Cannot name the SOP "${name.slice(0, 120)}": a name has letters, digits, ".", "_" and "-", begins with a letter or digit, and has at most 100 characters`,
      help,
    )
  } else if (written !== undefined && written !== fallbackName) {
    report.add(
      'name-differs',
      fields.valuePlace('name'),
      `The SOP is called "${written}", and its folder or file "${fallbackName}": the name counts`,
    )
  }
  return name
}

const suggestName = (name: string): string | undefined => {
  const meant = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replaceAll('ß', 'ss')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 100)
    .toLowerCase()
  return meant === '' || meant === name ? undefined : meant
}

export interface SopParts {
  readonly name: string
  readonly document: SopDocument
  readonly fields: Fields
  readonly steps: readonly Step[]
  readonly find: Lookup
  /** Takes the commands of gates with their places. */
  keepCommand(command: Command, place: Place): void
  /** Takes the SOPs whose end a trigger waits for, with their places. */
  keepSop(sop: string, place: Place): void
  readonly stepHints: readonly Hint[]
  readonly stepRefusals: readonly string[]
}

export const buildSop = ({
  name,
  document,
  fields,
  steps,
  find,
  keepCommand,
  keepSop,
  stepHints,
  stepRefusals,
}: SopParts): SopDefinition => {
  const { report } = fields
  const isZeroclaw = document.dialect === 'Z'
  const secrets = secretsOf(fields)
  const timezone = readTimezone(fields)
  const triggerHints: Hint[] = []
  const keepHint = (hint: Hint): void => void triggerHints.push(hint)
  const params = fields.read('params', readParams('a param'))
  const context = { isZeroclaw, timezone, secrets: secrets ?? [], params, keepHint, keepSop }
  const triggers = fields.read('triggers', (value, asked) => readTriggers(value, asked, context))
  const hints = [...readZeroclawSop(fields, report), ...readHints(fields), ...triggerHints, ...stepHints]
  const refusals = [...(texts(fields, 'refusals') ?? []), ...stepRefusals]
  return compact({
    format: 1 as const,
    name,
    title: fields.text('title')?.trim() || document.title || name,
    description: fields.text('description')?.trim() ?? document.description ?? '',
    version: readVersion(fields),
    author: fields.text('author'),
    owner: fields.text('owner'),
    tags: texts(fields, 'tags'),
    priority: fields.word<Priority>('priority') ?? 'normal',
    mode: readMode(fields),
    cooldownMs: fields.duration('cooldown') ?? 0,
    maxConcurrent: fields.integer('max_concurrent') ?? (isZeroclaw ? 1 : undefined),
    maxParallel: fields.integer('max_parallel'),
    admission: fields.word<SopDefinition['admission']>('admission') ?? 'queue',
    releaseSlotAtGate: fields.boolean('release_slot_at_gate'),
    locks: texts(fields, 'lock'),
    blackout: readCalendar(fields, 'blackout'),
    holidays: readCalendar(fields, 'holidays'),
    blackoutPolicy: fields.word<BlackoutPolicy>('blackout_policy'),
    timezone,
    timeoutMs: fields.duration('timeout') ?? undefined,
    onRunTimeout: fields.word<OnRunTimeout>('on_run_timeout'),
    approvalTimeoutMs: fields.duration('approval_timeout', longer),
    params,
    conditions: readConditions(fields),
    gates: fields.read('gates', (value, asked) => readGates(value, asked, { findStep: find, keepCommand })),
    triggers: triggers === undefined || triggers.length === 0 ? [{ type: 'manual' as const }] : triggers,
    notifications: readNotifications(fields),
    secrets,
    env: envOf(fields),
    steps,
    hints: hints.length === 0 ? undefined : hints,
    refusals: refusals.length === 0 ? undefined : refusals,
    dialect: document.dialect,
  })
}

const readVersion = (fields: Fields): string => {
  const version = fields.text('version')?.trim()
  if (version === undefined || version === '') return '1.0.0'
  if (!SEMVER.test(version)) {
    fields.report.add(
      'odd-version',
      fields.valuePlace('version'),
      `Version "${version.slice(0, 60)}" is not a semantic version`,
      'Write it as 1.0.0',
    )
  }
  return version
}

const readMode = (fields: Fields): ExecutionMode | undefined => {
  const mode = fields.word<ExecutionMode>('execution_mode', stricterMode)
  return isDeterministic(fields)?.value === true ? 'auto' : mode
}

const readConditions = (fields: Fields): SopDefinition['conditions'] => {
  const table = fields.read('conditions', readTableOrText)
  if (table === undefined) return undefined
  const inner = Fields.of('conditions', table, fields.report)
  const requires = inner.read('requires', readRequires)
  const found = compact({
    requires: requires?.map(({ condition }) => condition),
    expression: inner.condition('expression'),
  })
  return Object.keys(found).length === 0 ? undefined : found
}

/** `conditions: [A, B]` and `conditions: A && B` are short for the table. */
const readTableOrText = (value: Located, asked: Asked): Extract<Located, { kind: 'table' }> | undefined => {
  if (value.kind === 'table' || (value.kind === 'scalar' && value.value === null)) return readTable(value, asked)
  const key = value.kind === 'list' ? 'requires' : 'expression'
  return { kind: 'table', place: value.place, entries: [{ key, keyPlace: value.place, value }] }
}

const readRequires = (value: Located, asked: Asked): readonly PlacedCondition[] | undefined => {
  const items = value.kind === 'list' ? value.items : [value]
  if (!isWithinLimit(items.length, value.place, asked)) return undefined
  const conditions = items.map((item) => {
    const condition = item.kind === 'scalar' ? readCondition(item, asked) : refuseType(item, asked)
    return condition === undefined ? undefined : { condition, place: item.place }
  })
  const good = conditions.filter((condition) => condition !== undefined)
  return good.length === 0 ? undefined : good
}

/** The preconditions with their places. */
export const placedConditions = (fields: Fields): readonly PlacedCondition[] => {
  const table = fields.read('conditions', readTableOrText)
  if (table === undefined) return []
  return table.entries.flatMap(({ value }) => {
    const items = value.kind === 'list' ? value.items.slice(0, MAX_ITEMS) : [value]
    return items.flatMap((item) => {
      const condition = item.kind === 'scalar' ? quietCondition(item) : undefined
      return condition === undefined ? [] : [{ condition, place: item.place }]
    })
  })
}

const SILENT: Report = {
  add: () => {},
  sourceLine: () => undefined,
  isFull: true,
  hasErrors: false,
  errorCount: 0,
  list: () => [],
}
const quietCondition = (value: Located): Condition | undefined =>
  readCondition(value, {
    setting: { key: 'expression', scopes: ['conditions'], type: 'condition', doc: '' },
    spelling: 'expression',
    report: SILENT,
  })

const readNotifications = (fields: Fields): SopDefinition['notifications'] => {
  const table = fields.table('notifications')
  if (table === undefined) return undefined
  const inner = Fields.of('notifications', table, fields.report)
  const toggles = NOTIFICATION_TOGGLES.flatMap((toggle): [NotificationToggle, boolean][] => {
    const value = inner.boolean(normalizeKey(toggle) as SettingKey)
    return value === undefined ? [] : [[toggle, value]]
  })
  const found = compact({ ...Object.fromEntries(toggles), channel: inner.text('channel') })
  return Object.keys(found).length === 0 ? undefined : found
}

const readHints = (fields: Fields): readonly Hint[] => {
  const value = fields.located('hints')
  if (value === undefined) return []
  if (value.kind !== 'list') return refuseType(value, fields.asked('hints')) ?? []
  if (!isWithinLimit(value.items.length, value.place, fields.asked('hints'))) return []
  return value.items.flatMap((item) => {
    if (item.kind !== 'table') {
      fields.report.add('wrong-type', item.place, `Cannot read the hint: expected a table, found ${describe(item)}`)
      return []
    }
    const inner = Fields.of('hint', item, fields.report)
    const key = inner.text('key')
    const json = inner.json('value')
    if (key === undefined) return []
    return [
      compact({
        key,
        value: json === undefined || json === null ? '' : withoutNulls(json),
        step: inner.integer('step'),
      }),
    ]
  })
}
