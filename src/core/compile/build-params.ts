import { RE2JS } from 're2js'
import type { Param, ParamType } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields } from '../dialect/fields.ts'
import { describe, type Located, type LocatedEntry } from '../dialect/located.ts'
import type { Report } from '../dialect/report.ts'
import { type Asked, fromText, isWithinLimit, refuseType } from '../dialect/values.ts'
import { spell } from '../dialect/spell.ts'
import { compact } from './compact.ts'
import { foldName } from '../param-names.ts'
import { checkParamName } from './names.ts'

// build-params.ts: typed values, of an SOP (`params`) or of a manual step (`form`). Written as a table by name, as a list of
// tables with names, or in short: `version = "1.0"` is a default, `env = ["a", "b"]` a choice, `version = "number"`… is not
// a type but a default, too.

/** Reads params or form fields. */
export const readParams =
  (what: string) =>
  (value: Located, asked: Asked): readonly Param[] | undefined => {
    const found = fromText(value)
    const count = found.kind === 'table' ? found.entries.length : found.kind === 'list' ? found.items.length : 1
    if (!isWithinLimit(count, value.place, asked)) return undefined
    const named = found.kind === 'scalar' ? readNames(found, asked) : entriesOf(found, asked)
    if (named === undefined) return undefined
    const params: Param[] = []
    const names = new Set<string>()
    const folded = new Map<string, string>()
    for (const { name, place, fields } of named) {
      if (!checkParamName(name, place, what, asked.report)) continue
      if (names.has(name)) {
        asked.report.add('duplicate-name', place, `Cannot define ${what} "${name}": there is another one of that name`)
        continue
      }
      const clash = folded.get(foldName(name))
      folded.set(foldName(name), name)
      if (clash !== undefined) {
        const message = `Cannot define ${what} "${name}": it and "${clash}" would be one variable in a step`
        asked.report.add('duplicate-name', place, message, 'Rename one of the two')
      }
      names.add(name)
      const param = buildParam(name, fields, asked.report)
      if (param !== undefined) params.push(param)
    }
    return params.length === 0 ? undefined : params
  }

interface Named {
  readonly name: string
  readonly place: Place
  readonly fields: Fields
}

/** In Markdown: `form: name, count`. */
const readNames = (value: Located, asked: Asked): readonly Named[] | undefined => {
  if (value.kind !== 'scalar' || !value.untyped || typeof value.value !== 'string') return refuseType(value, asked)
  return value.value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => ({ name, place: value.place, fields: new Fields('param', value.place, asked.report) }))
}

const entriesOf = (value: Located, asked: Asked): readonly Named[] | undefined => {
  const { report } = asked
  if (value.kind === 'table') {
    return value.entries.map((entry) => ({ name: entry.key, place: entry.keyPlace, fields: fieldsOf(entry, report) }))
  }
  if (value.kind !== 'list') return refuseType(value, asked)
  return value.items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string') {
      return [{ name: item.value, place: item.place, fields: new Fields('param', item.place, report) }]
    }
    if (item.kind !== 'table') return refuseType(item, asked) ?? []
    const fields = Fields.of('param', item, report)
    const name = fields.text('name')
    if (name !== undefined) return [{ name, place: fields.valuePlace('name'), fields }]
    if (!fields.has('name'))
      report.add(
        'missing-setting',
        item.place,
        'Cannot read the value: it has no name',
        `Write ${spell(item.place, 'name', '…')}`,
      )
    return []
  })
}

const fieldsOf = ({ key, keyPlace, value }: LocatedEntry, report: Report): Fields => {
  const fields = new Fields('param', keyPlace, report)
  if (value.kind === 'table') fields.addAll(value.entries, 'manifest')
  else if (value.kind === 'list') fields.add({ key: 'choices', keyPlace, value }, 'manifest')
  else if (value.value !== null) fields.add({ key: 'default', keyPlace, value }, 'manifest')
  const name = fields.text('name')
  if (name !== undefined && name !== key) {
    report.add(
      'bad-value',
      fields.valuePlace('name'),
      `Cannot read setting "name": the value is called "${key}" already`,
    )
  }
  return fields
}

const buildParam = (name: string, fields: Fields, report: Report): Param | undefined => {
  const before = report.hasErrors
  const choices = fields.list('choices')?.map(({ text }) => text)
  const standard = fields.json('default')
  const type = fields.word<ParamType>('type') ?? (choices === undefined ? typeOf(standard) : 'choice')
  if (type === 'choice' && (choices === undefined || choices.length === 0)) {
    if (!fields.has('choices'))
      report.add(
        'missing-setting',
        fields.place,
        `Cannot define choice "${name}": it has no choices`,
        `Write ${spell(fields.place, 'choices', ['…', '…'])}`,
      )
    else report.add('bad-value', fields.keyPlace('choices'), `Cannot define choice "${name}": it has no choices`)
  }
  const param = compact({
    name,
    type,
    description: fields.text('description'),
    required: fields.boolean('required'),
    default: defaultOf(fields, type, choices),
    choices: type === 'choice' ? choices : undefined,
    pattern: patternOf(fields, type, standard),
    secret: fields.boolean('secret'),
  })
  if (type !== 'choice' && choices !== undefined) {
    report.add(
      'ignored-setting',
      fields.keyPlace('choices'),
      `Setting "choices" has no effect on a ${type}`,
      `Write ${spell(fields.place, 'type', 'choice')}`,
    )
  }
  return before === report.hasErrors || report.hasErrors ? param : undefined
}

const typeOf = (value: unknown): ParamType =>
  typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string'

const defaultOf = (fields: Fields, type: ParamType, choices: readonly string[] | undefined): Param['default'] => {
  const value = fields.json('default')
  const located = fields.located('default')
  if (value === undefined || value === null || located === undefined) return undefined
  const refuse = (why: string): undefined => {
    fields.report.add('bad-value', fields.valuePlace('default'), `Cannot read setting "default": ${why}`)
    return undefined
  }
  switch (type) {
    case 'number':
    case 'boolean':
      return typeof value === type
        ? (value as number | boolean)
        : refuse(`expected a ${type}, found ${describe(located)}`)
    case 'choice':
      if (located.kind !== 'scalar') return refuse(`expected one of its choices, found ${describe(located)}`)
      if (choices === undefined || choices.includes(located.raw)) return located.raw
      return refuse(`"${located.raw.slice(0, 60)}" is not one of ${choices.join(', ')}`)
    case 'string':
      if (located.kind === 'scalar' && (typeof value === 'string' || located.untyped)) return located.raw
      return refuse(`expected a text, found ${describe(located)}`)
    default:
      return type satisfies never
  }
}

const patternOf = (fields: Fields, type: ParamType, standard: unknown): string | undefined => {
  const pattern = fields.text('pattern')
  if (pattern === undefined) return undefined
  if (type !== 'string') {
    fields.report.add('ignored-setting', fields.keyPlace('pattern'), `Setting "pattern" has no effect on a ${type}`)
    return undefined
  }
  const compiled = compilePattern(pattern, fields.valuePlace('pattern'), fields.report)
  if (compiled !== undefined && typeof standard === 'string' && !compiled.matches(standard)) {
    fields.report.add(
      'bad-value',
      fields.valuePlace('default'),
      `Cannot read setting "default": it does not match ${pattern}`,
    )
  }
  return pattern
}

/** The pattern as RE2 runs it; undefined, and reported, when RE2 does not. */
export const compilePattern = (pattern: string, place: Place, report: Report): RE2JS | undefined => {
  try {
    if (pattern.length > 1_000) throw new Error('it is longer than 1,000 characters')
    return RE2JS.compile(pattern)
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/^error parsing regexp: /, '')
    const help = /\(\?[=!<]|\\[1-9]/.test(pattern) ? 'RE2 knows neither look-around nor back-references' : undefined
    report.add('bad-pattern', place, `Cannot read pattern "${pattern.slice(0, 60)}": ${reason}`, help)
    return undefined
  }
}
