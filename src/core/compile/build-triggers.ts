import { type Condition, type Json, TRIGGER_TYPES, type Trigger } from '../definition.ts'
import { type Located, type LocatedTable, toJson } from '../dialect/located.ts'
import { type Asked, fromText, isWithinLimit, refuseType, refuseValue } from '../dialect/values.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { docOf } from '../dialect/zeroclaw-keys.ts'
import { spell } from '../dialect/spell.ts'
import { didYouMean } from '../nearest.ts'
import { normalizeKey, type Setting, SETTINGS } from '../settings.ts'
import { buildTrigger } from './build-trigger.ts'
import { GivenTrigger, type TriggerContext } from './given-trigger.ts'

// build-triggers.ts: why a run may begin (product.md 5).

/** Types of other systems, and what they are here. */
const TYPES: Readonly<Record<string, Trigger['type']>> = {
  schedule: 'cron',
  scheduled: 'cron',
  timer: 'cron',
  http: 'webhook',
  hook: 'webhook',
  filesystem: 'file_watch',
  file: 'file_watch',
  filewatch: 'file_watch',
  chat: 'command',
  shell_command: 'command',
  message: 'command',
  channel: 'event',
  cloudevent: 'event',
  rabbitmq: 'amqp',
  sop_completed: 'sop',
}
const UNSERVED = ['peripheral', 'calendar']

/** Reads `[[triggers]]`, and the empty `[triggers]` of seed 000. */
export const readTriggers = (value: Located, asked: Asked, context: TriggerContext): readonly Trigger[] => {
  const given = fromText(value)
  const items = given.kind === 'list' ? given.items : given.kind === 'table' ? tablesOf(given) : [given]
  if (!isWithinLimit(items.length, value.place, asked)) return []
  return items.flatMap((item) => {
    const table = item.kind === 'table' ? item : shortTrigger(item, asked)
    const trigger = table === undefined ? undefined : readTrigger(new GivenTrigger(table, asked.report, context))
    return trigger === undefined ? [] : [trigger]
  })
}

/** `triggers: [manual, cron: …]`: a word is a trigger without settings. */
const shortTrigger = (item: Located, asked: Asked): LocatedTable | undefined => {
  if (item.kind !== 'scalar' || typeof item.value !== 'string') return refuseType(item, asked)
  return { kind: 'table', place: item.place, entries: [{ key: 'type', keyPlace: item.place, value: item }] }
}

/** `[triggers]` with a type is one trigger; with tables by type it is several; empty it is none. */
const tablesOf = (table: LocatedTable): readonly Located[] => {
  const isOne = table.entries.some(({ key, value }) => normalizeKey(key) === 'type' || value.kind === 'scalar')
  if (isOne) return [table]
  return table.entries.flatMap(({ key, keyPlace, value }) => {
    const tables = value.kind === 'list' ? value.items : [value]
    return tables.map((each): Located => {
      if (each.kind !== 'table' || each.entries.some((entry) => normalizeKey(entry.key) === 'type')) return each
      const type: Located = { kind: 'scalar', value: key, raw: key, untyped: false, place: keyPlace }
      return { ...each, entries: [{ key: 'type', keyPlace, value: type }, ...each.entries] }
    })
  })
}

const readTrigger = (given: GivenTrigger): Trigger | undefined => {
  const written = given.fields.text('type')?.trim()
  if (written === undefined) {
    if (!given.fields.has('type'))
      given.report.add(
        'missing-setting',
        given.table.place,
        'Cannot read the trigger: it has no type',
        `Write ${spell(given.table.place, 'type', 'manual')}, or one of ${TRIGGER_TYPES.join(', ')}`,
      )
    return undefined
  }
  const word = normalizeKey(written)
  const type = TRIGGER_TYPES.find((each) => each === word) ?? (Object.hasOwn(TYPES, word) ? TYPES[word] : undefined)
  const condition = given.fields.condition('condition')
  if (type !== undefined && type !== 'unserved') {
    checkKeys(given, type)
    const trigger = buildTrigger(given, type)
    return trigger === undefined ? undefined : withCondition(trigger, condition)
  }
  if (UNSERVED.includes(word)) return withCondition(unserved(given, word), condition)
  const help = didYouMean(word, [...TRIGGER_TYPES, ...Object.keys(TYPES), ...UNSERVED])
  return refuseValue(
    given.fields.valuePlace('type'),
    given.fields.asked('type'),
    `"${written.slice(0, 60)}" is not one of ${TRIGGER_TYPES.join(', ')}`,
    help,
  )
}

const checkKeys = ({ fields, report, context }: GivenTrigger, type: string): void => {
  for (const key of fields.keys()) {
    const setting = (SETTINGS as readonly Setting[]).find((each) => each.key === key && each.scopes.includes('trigger'))
    if (setting?.triggers === undefined || setting.triggers.includes(type)) continue
    const place = fields.keyPlace(setting.key as 'path')
    report.add('ignored-setting', place, `Setting "${key}" has no effect on a trigger of type ${type}`)
  }
  for (const { key, keyPlace, value } of fields.foreignEntries()) {
    const normalized = normalizeKey(key)
    if (normalized === 'channel') continue
    context.keepHint({ key: `trigger.${normalized}`, value: withoutNulls(toJson(value)) })
    report.add('zeroclaw-hint', keyPlace, `Setting "${key}" changes nothing here: ${docOf('trigger', normalized)}`)
  }
}

const unserved = ({ fields, table, report }: GivenTrigger, name: string): Trigger => {
  const place = fields.valuePlace('type')
  report.add(
    'unserved',
    place,
    `Nothing here can begin a run by a trigger of type "${name}": it is shown and never fires`,
  )
  const settings = table.entries.filter(({ key }) => !['type', 'condition'].includes(normalizeKey(key)))
  return {
    type: 'unserved',
    name,
    settings: withoutNulls(toJson({ ...table, entries: settings })) as Readonly<Record<string, Json>>,
  }
}

const withCondition = (trigger: Trigger, condition: Condition | undefined): Trigger =>
  condition === undefined ? trigger : { ...trigger, condition }
