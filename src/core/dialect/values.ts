import type { Condition, Json } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { parseCondition } from '../condition/parse.ts'
import { parseDuration, unitMs } from '../duration.ts'
import { nearest } from '../nearest.ts'
import { normalizeKey, SETTING_TYPES, type Setting } from '../settings.ts'
import { splitAtCommas, unwrap } from './inline.ts'
import { parseJsonText } from './json.ts'
import { describe, type Located, type LocatedScalar, type LocatedTable, looseText, toJson } from './located.ts'
import type { Report } from './report.ts'
import { readInlineToml } from './toml.ts'

// values.ts: one reader per type of setting, from a located value to a typed one. A reader that answers undefined has
// reported why.

/** What a reader knows of the setting whose value it reads. */
export interface Asked {
  readonly setting: Setting
  readonly spelling: string
  readonly unit?: string
  readonly report: Report
}

export interface LocatedText {
  readonly text: string
  readonly place: Place
}

/** Refuses a value that is of another type than its setting takes. */
export const refuseType = (value: Located, { setting, spelling, report }: Asked, help?: string): undefined => {
  const expected = setting.type === 'word' ? `one of ${(setting.words ?? []).join(', ')}` : SETTING_TYPES[setting.type]
  report.add(
    'wrong-type',
    value.place,
    `Cannot read setting "${spelling}": expected ${expected}, found ${describe(value)}`,
    help,
  )
  return undefined
}

/** Refuses a value of the right type that its setting does not know. */
export const refuseValue = (place: Place, { spelling, report }: Asked, why: string, help?: string): undefined => {
  report.add('bad-value', place, `Cannot read setting "${spelling}": ${why}`, help)
  return undefined
}

/** The place of a span of a scalar's text. */
export const placeInside = ({ place, inset = 0 }: LocatedScalar, offset: number, length = 1): Place => {
  const end = place.column + (place.length ?? 1)
  const column = Math.min(place.column + inset + offset, Math.max(place.column, end - 1))
  return { file: place.file, line: place.line, column, length: Math.max(1, Math.min(length, end - column)) }
}

/** A text of Markdown as its setting reads it. */
export const looseValue = (text: string): string => scalarText(looseText(text, { file: '', line: 1, column: 1 }))

/** A scalar as text; the backticks or quotes that Markdown puts around it are not part of it. */
/** The text of a scalar; what Markdown gives is freed of quotes and backticks. */
export const scalarText = (value: LocatedScalar): string => {
  const text = typeof value.value === 'string' ? value.value : value.raw
  if (!value.untyped) return text
  const inner = unwrap(text).text
  const quoted = /^(["'])(.*)\1$/s.exec(inner)
  return quoted?.[2] !== undefined && !quoted[2].includes(quoted[1] ?? '') ? quoted[2] : inner
}

export const readText = (value: Located, asked: Asked): string | undefined => {
  if (value.kind !== 'scalar' || value.value === null) return refuseType(value, asked)
  if (typeof value.value === 'string' || value.untyped) return scalarText(value)
  return refuseType(value, asked, `Put it in quotes: "${value.raw}"`)
}

const YES = ['true', 'yes', 'y', 'on', 'required', '1']
const NO = ['false', 'no', 'n', 'off', 'none', 'not required', '0']

export const readBoolean = (value: Located, asked: Asked): boolean | undefined => {
  if (value.kind !== 'scalar') return refuseType(value, asked)
  if (typeof value.value === 'boolean') return value.value
  const word = String(value.value ?? '')
    .trim()
    .toLowerCase()
  if (value.untyped && YES.includes(word)) return true
  if (value.untyped && NO.includes(word)) return false
  return refuseType(value, asked, word === 'true' || word === 'false' ? `Write ${word} without quotes` : undefined)
}

export const readInteger = (value: Located, asked: Asked): number | undefined => {
  if (value.kind !== 'scalar') return refuseType(value, asked)
  const isLooseNumber = value.untyped && typeof value.value === 'string' && /^[+-]?\d{1,15}$/.test(value.value.trim())
  const number = isLooseNumber ? Number(value.value) : value.value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    const isText = typeof value.value === 'string' && /^\d+$/.test(value.value)
    return refuseType(value, asked, isText ? 'Write the number without quotes' : undefined)
  }
  const { least, most } = asked.setting
  if (least !== undefined && number < least) return refuseValue(value.place, asked, `${number} is less than ${least}`)
  if (most !== undefined && number > most) return refuseValue(value.place, asked, `${number} is more than ${most}`)
  return number
}

/** Milliseconds; `null` is "none". */
export const readDuration = (value: Located, asked: Asked): number | null | undefined => {
  if (value.kind !== 'scalar' || value.value === null || typeof value.value === 'boolean')
    return refuseType(value, asked)
  const unit = asked.unit === undefined ? undefined : unitMs(asked.unit)
  const parsed = parseDuration(scalarText(value), unit)
  if (!parsed.ok) {
    return refuseValue(value.place, asked, `"${scalarText(value).slice(0, 60)}" is no duration: ${parsed.reason}`)
  }
  if (parsed.ms === 0 && asked.setting.zero !== true) {
    return refuseValue(value.place, asked, 'a duration of zero leaves no time', 'Write "none" for no limit')
  }
  return parsed.ms
}

export const readWord = (value: Located, asked: Asked): string | undefined => {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return refuseType(value, asked)
  const text = scalarText(value)
  const word = normalizeKey(text)
  const { words = [], synonyms = {} } = asked.setting
  if (words.includes(word)) return word
  if (Object.hasOwn(synonyms, word)) return synonyms[word]
  const meant = nearest(word, [...words, ...Object.keys(synonyms)])
  const why = `"${text.slice(0, 60)}" is not one of ${words.join(', ')}`
  return refuseValue(value.place, asked, why, meant === undefined ? undefined : `Did you mean "${meant}"?`)
}

/** Texts with their places. A single text is a list of one; in Markdown commas separate. */
export const readList = (value: Located, asked: Asked): readonly LocatedText[] | undefined => {
  const plain = looseItems(value)
  if (plain !== undefined && (plain.length > 0 || value.kind !== 'scalar' || value.value !== ''))
    return isWithinLimit(plain.length, value.place, asked) ? plain : undefined
  const found = fromText(value)
  if (found.kind === 'scalar' && found.untyped && found.value === '') {
    asked.report.add('ignored-setting', value.place, `Setting "${asked.spelling}" is empty, so it changes nothing`)
    return undefined
  }
  if (found.kind === 'list') {
    if (!isWithinLimit(found.items.length, value.place, asked)) return undefined
    const texts = found.items.map((item) => readItem(item, asked))
    return texts.every((text) => text !== undefined) ? texts : undefined
  }
  if (found.kind === 'table' || found.value === null || typeof found.value === 'boolean')
    return refuseType(value, asked)
  return [{ text: found.raw, place: found.place }]
}

/** Longest list of a setting. */
export const MAX_ITEMS = 1_000

/** Whether a list is one that a person may have meant; else it is reported. */
export const isWithinLimit = (count: number, place: Place, { spelling, report }: Asked): boolean => {
  if (count <= MAX_ITEMS) return true
  report.add(
    'too-many-items',
    place,
    `Cannot read setting "${spelling}": it has ${count} items, and at most ${MAX_ITEMS} are read`,
  )
  return false
}

/** The items of a list as Markdown writes it: `a, b`, `[a, b]`, with or without quotes and backticks. */
const looseItems = (value: Located): readonly LocatedText[] | undefined => {
  if (value.kind !== 'scalar' || !value.untyped || typeof value.value === 'boolean' || value.value === null)
    return undefined
  const inner = unwrap(value.raw)
  const list = /^\[([^[\]{}]*)\]$/.exec(inner.text)
  if (list === null && /^[[{]/.test(inner.text)) return undefined
  const start = inner.offset + (list === null ? 0 : 1)
  return splitAtCommas(list?.[1] ?? inner.text).map(({ text, offset }) => ({
    text: scalarText(looseText(text, value.place)),
    place: placeInside(value, start + offset, text.length),
  }))
}

const readItem = (item: Located, asked: Asked): LocatedText | undefined => {
  if (item.kind !== 'scalar' || item.value === null) {
    const why = `expected a list of texts, found ${describe(item)} in it`
    asked.report.add('wrong-type', item.place, `Cannot read setting "${asked.spelling}": ${why}`)
    return undefined
  }
  return { text: scalarText(item), place: item.place }
}

/** A text that Markdown gives and that holds a list or table, as that list or table; else the value itself. */
export const fromText = (value: Located): Located => {
  if (value.kind !== 'scalar' || !value.untyped || typeof value.value !== 'string') return value
  const { text } = unwrap(value.value.trim())
  if (!/^[[{]/.test(text) || text.length > 64_000) return value
  const parsed = parseJsonText(text)
  return (parsed.ok ? locateJson(parsed.value as Json, value.place, 0) : readInlineToml(text, value.place)) ?? value
}

const locateJson = (json: Json, place: Place, depth: number): Located | undefined => {
  if (depth > 100) return undefined
  if (json === null || typeof json !== 'object') {
    return { kind: 'scalar', value: json, raw: String(json), untyped: false, place }
  }
  const inner = Object.entries(json).map(([key, item]) => ({ key, value: locateJson(item, place, depth + 1) }))
  if (inner.some((entry) => entry.value === undefined)) return undefined
  const entries = inner.map(({ key, value }) => ({ key, keyPlace: place, value: value as Located }))
  if (Array.isArray(json)) return { kind: 'list', items: entries.map(({ value }) => value), place }
  return { kind: 'table', entries, place }
}

export const readTable = (value: Located, asked: Asked): LocatedTable | undefined => {
  const table = fromText(value)
  return table.kind === 'table' ? table : refuseType(value, asked)
}

/** Names and texts; in Markdown also `A=1, B=2`. */
export const readMap = (
  value: Located,
  asked: Asked,
): readonly (LocatedText & { readonly name: string })[] | undefined => {
  const table = fromText(value)
  if (table.kind === 'scalar' && table.untyped) return readLooseMap(table, asked)
  if (table.kind !== 'table') return refuseType(value, asked)
  const texts = table.entries.map(({ key, keyPlace, value: item }) => {
    if (item.kind !== 'scalar' || item.value === null) {
      const why = `expected a text for "${key.slice(0, 60)}", found ${describe(item)}`
      asked.report.add('wrong-type', item.place, `Cannot read setting "${asked.spelling}": ${why}`)
      return undefined
    }
    return { name: key, text: typeof item.value === 'string' ? item.value : item.raw, place: keyPlace }
  })
  return texts.every((text) => text !== undefined) ? texts : undefined
}

const readLooseMap = (
  value: LocatedScalar,
  asked: Asked,
): readonly (LocatedText & { readonly name: string })[] | undefined => {
  const pieces = splitAtCommas(unwrap(value.raw).text)
  const pairs = pieces.map(({ text, offset }) => {
    const found = /^([\w.:-]+)\s*[=:]\s*(.*)$/s.exec(text)
    const place = placeInside(value, offset, text.length)
    return found?.[1] === undefined
      ? undefined
      : { name: found[1], text: scalarText(looseText(found[2] ?? '', place)), place }
  })
  return pairs.every((pair) => pair !== undefined) ? pairs : refuseType(value, asked, 'Write NAME=value, NAME=value')
}

/** Any value. */
export const readJsonValue = (value: Located): Json => {
  const found = fromText(value)
  if (found.kind !== 'scalar' || !found.untyped || typeof found.value !== 'string') return toJson(found)
  const text = scalarText(found)
  if (text !== found.value) return text
  return text === 'true' || text === 'false'
    ? text === 'true'
    : /^-?\d{1,15}(?:\.\d+)?$/.test(text)
      ? Number(text)
      : text
}

export const readCondition = (value: Located, asked: Asked): Condition | undefined => {
  if (value.kind !== 'scalar' || value.value === null) return refuseType(value, asked)
  if (typeof value.value === 'number' && !value.untyped) return refuseType(value, asked)
  const inner = value.untyped
    ? unwrap(value.raw)
    : { text: typeof value.value === 'string' ? value.value : value.raw, offset: 0 }
  const parsed = parseCondition(inner.text)
  if (!parsed.ok) {
    asked.report.add('bad-condition', placeInside(value, inner.offset + parsed.column - 1), parsed.message, parsed.help)
    return undefined
  }
  for (const warning of parsed.warnings) asked.report.add('odd-condition', value.place, warning)
  return parsed.condition
}
