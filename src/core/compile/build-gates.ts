import type { Command, SopGate } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields } from '../dialect/fields.ts'
import { describe, type Located, type LocatedTable } from '../dialect/located.ts'
import type { Report } from '../dialect/report.ts'
import { type Asked, isWithinLimit, refuseType } from '../dialect/values.ts'
import { spell } from '../dialect/spell.ts'
import { readCommands } from './build-action.ts'
import { buildApproval } from './build-approval.ts'
import { readReferences, type StepReference } from './step-readers.ts'
import { compact } from './compact.ts'

// build-gates.ts: the `[gates]` table (rulings 7).

/** Looks up a step that a setting names; undefined, and reported, when there is none. */
export type FindStep = (reference: StepReference, what: string) => number | undefined

export interface GateContext {
  readonly findStep: FindStep
  /** Takes each command with its place, for checks that need the whole definition. */
  keepCommand(command: Command, place: Place): void
}

/** Reads `[gates]`: a table by name, or a list of tables with names. */
export const readGates = (value: Located, asked: Asked, context: GateContext): readonly SopGate[] | undefined => {
  const count = value.kind === 'table' ? value.entries.length : value.kind === 'list' ? value.items.length : 1
  if (!isWithinLimit(count, value.place, asked)) return undefined
  const gates: SopGate[] = []
  const names = new Set<string>()
  for (const { key, place, fields } of entriesOf(value, asked)) {
    if (names.has(key)) {
      asked.report.add('duplicate-name', place, `Cannot define gate "${key}": there is another one of that name`)
      continue
    }
    names.add(key)
    const gate = buildGate(key, place, fields, context)
    if (gate !== undefined) gates.push(gate)
  }
  return gates.length === 0 ? undefined : gates
}

interface Entry {
  readonly key: string
  readonly place: Place
  readonly fields: Fields
}

const entriesOf = (value: Located, asked: Asked): readonly Entry[] => {
  const { report } = asked
  if (value.kind === 'table') {
    return value.entries.flatMap((entry) => {
      const fields = new Fields('gate', entry.keyPlace, report)
      const { key, keyPlace } = entry
      if (entry.value.kind === 'table') fields.addAll(entry.value.entries, 'manifest')
      else if (!fillShort(fields, entry.value, keyPlace)) {
        const message = `Cannot read gate "${key}": expected a table, found ${describe(entry.value)}`
        report.add('wrong-type', entry.value.place, message, `Write ${key} = { type = "approval" }`)
        return []
      }
      return [{ key, place: keyPlace, fields }]
    })
  }
  if (value.kind !== 'list') return refuseType(value, asked) ?? []
  return value.items.flatMap((item) =>
    item.kind === 'table' ? namedEntry(item, report) : (refuseType(item, asked) ?? []),
  )
}

/** `pre_deploy = true`, `pre_deploy = "approval"`. */
const fillShort = (fields: Fields, value: Located, keyPlace: Place): boolean => {
  if (value.kind !== 'scalar') return false
  if (typeof value.value === 'boolean') fields.add({ key: 'required', keyPlace, value }, 'manifest')
  else if (typeof value.value === 'string') fields.add({ key: 'type', keyPlace, value }, 'manifest')
  else return false
  return true
}

const namedEntry = (table: LocatedTable, report: Report): readonly Entry[] => {
  const fields = Fields.of('gate', table, report)
  const key = fields.text('name')
  if (key !== undefined) return [{ key, place: fields.valuePlace('name'), fields }]
  if (!fields.has('name'))
    report.add(
      'missing-setting',
      table.place,
      'Cannot read the gate: it has no name',
      `Write ${spell(table.place, 'name', 'pre_deploy')}`,
    )
  return []
}

const buildGate = (
  key: string,
  place: Place,
  fields: Fields,
  { findStep, keepCommand }: GateContext,
): SopGate | undefined => {
  const { report } = fields
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(key) || key.toLowerCase() === 'start') {
    const why =
      key.toLowerCase() === 'start'
        ? 'that is the name of the approval to begin'
        : 'a name has letters, digits, "_", "." and "-", and begins with a letter'
    report.add('bad-value', place, `Cannot use "${key.slice(0, 60)}" as the name of a gate: ${why}`)
    return undefined
  }
  const command = fields.read('command', readCommands)?.[0]
  const type = fields.word<SopGate['type']>('type') ?? (fields.has('command') ? 'verification' : 'approval')
  checkCommand(key, type, place, fields)
  if (command !== undefined) keepCommand(command, fields.valuePlace('command'))
  const position = positionOf(key, place, fields, findStep)
  if (position === undefined) return undefined
  return compact({
    key,
    type,
    position,
    required: fields.boolean('required') ?? true,
    if: fields.condition('if'),
    command: type === 'verification' ? command : undefined,
    ...buildApproval(fields, fields.has('timeout') ? 'timeout' : 'approval_timeout'),
  })
}

const checkCommand = (key: string, type: SopGate['type'], place: Place, fields: Fields): void => {
  if (type === 'verification' && !fields.has('command')) {
    fields.report.add(
      'missing-setting',
      place,
      `Cannot verify at gate "${key}": it has no command`,
      `Write ${spell(place, 'command', '…')}`,
    )
  }
  if (type === 'approval' && fields.has('command')) {
    fields.report.add(
      'ignored-setting',
      fields.keyPlace('command'),
      'Setting "command" has no effect at an approval',
      `Write ${spell(place, 'type', 'verification')}`,
    )
  }
  if (type === 'verification') {
    for (const key of ['approvers', 'quorum', 'exclude', 'remind', 'escalate_to'] as const) {
      if (!fields.has(key)) continue
      const message = `Setting "${key}" has no effect at a verification: nobody is asked`
      fields.report.add('ignored-setting', fields.keyPlace(key), message, `Write ${spell(place, 'type', 'approval')}`)
    }
  }
  if (fields.has('timeout') && fields.has('approval_timeout')) {
    fields.report.add(
      'duplicate-setting',
      fields.keyPlace('approval_timeout'),
      'Setting "approval_timeout" means the same as "timeout" at a gate: timeout counts',
    )
  }
  const commands = fields.read('command', readCommands) ?? []
  if (commands.length > 1) {
    fields.report.add(
      'bad-value',
      fields.valuePlace('command'),
      `Cannot verify at gate "${key}": it has ${commands.length} commands, expected one`,
      'Join them with &&',
    )
  }
}

const positionOf = (key: string, place: Place, fields: Fields, findStep: FindStep): SopGate['position'] | undefined => {
  const { report } = fields
  const at = (['before', 'after'] as const).filter((side) => fields.has(side))
  if (at.length > 1)
    report.add(
      'bad-value',
      fields.keyPlace('after'),
      `Cannot place gate "${key}": it stands before one step and after another`,
      'Make it two gates',
    )
  const side = at[0]
  if (side !== undefined) {
    const references = fields.read(side, readReferences)
    const [reference, ...more] = references ?? []
    if (more.length > 0)
      report.add(
        'bad-value',
        fields.valuePlace(side),
        `Cannot place gate "${key}": ${side} names ${more.length + 1} steps, expected one`,
      )
    const step = reference === undefined ? undefined : findStep(reference, `Cannot place gate "${key}"`)
    return step === undefined ? undefined : { at: side, step }
  }
  if (/^pre(?:_|$)/i.test(key)) return { at: 'start' }
  if (/^post(?:_|$)/i.test(key)) return { at: 'end' }
  report.add(
    'missing-setting',
    place,
    `Cannot place gate "${key}": its name begins with neither pre_ nor post_`,
    'Write before = N or after = N',
  )
  return undefined
}
