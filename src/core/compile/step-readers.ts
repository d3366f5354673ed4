import type { OnFailure, Step } from '../definition.ts'
import { type Located, toJson } from '../dialect/located.ts'
import {
  type Asked,
  fromText,
  isWithinLimit,
  type LocatedText,
  readList,
  readText,
  refuseType,
  refuseValue,
} from '../dialect/values.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { parseList } from '../condition/list.ts'
import { nearest } from '../nearest.ts'
import { plainItems } from './written-lists.ts'
import { parsePool, poolText, readPool } from '../pool.ts'

// step-readers.ts: readers of the settings that only steps have.

/** A reference to a step as written: a number, a slug or a title. */
export type StepReference = LocatedText

export type DraftFailure = Exclude<OnFailure, { kind: 'goto' }> | { readonly kind: 'goto'; readonly to: StepReference }

/** References to steps: numbers, slugs or titles; `none` and an empty list are none. */
export const readReferences = (value: Located, asked: Asked): readonly StepReference[] | undefined => {
  const given = fromText(value)
  if (given.kind === 'scalar' && given.raw.trim().toLowerCase() === 'none') return []
  if (given.kind === 'scalar' && typeof given.value === 'number') return [{ text: given.raw, place: given.place }]
  if (given.kind !== 'list') return readList(given, asked)
  if (!isWithinLimit(given.items.length, value.place, asked)) return undefined
  const items = given.items.map((item) =>
    item.kind === 'scalar' && item.value !== null ? { text: item.raw, place: item.place } : refuseType(item, asked),
  )
  return items.every((item) => item !== undefined) ? items : undefined
}

const FAILURES = ['pause', 'fail', 'continue', 'rollback'] as const

/** What happens when a step fails. */
export const readFailure = (value: Located, asked: Asked): DraftFailure | undefined => {
  const text = readText(value, asked)?.trim()
  if (text === undefined) return undefined
  const [, verb = '', argument] = /^([A-Za-z_-]+)(?:\s*:\s*(.*))?$/s.exec(text) ?? []
  const word = verb.toLowerCase()
  const plain = FAILURES.find((each) => each === word)
  if (plain !== undefined && argument === undefined) return { kind: plain }
  if (word === 'retry' && argument !== undefined && /^\d{1,4}$/.test(argument) && Number(argument) > 0) {
    return { kind: 'retry', times: Number(argument) }
  }
  if (word === 'retry')
    return refuseValue(value.place, asked, `"${text.slice(0, 60)}" says no number of tries`, 'Write retry:3')
  if (word === 'goto' && argument) return { kind: 'goto', to: { text: argument, place: value.place } }
  if (word === 'goto') return refuseValue(value.place, asked, `"${text.slice(0, 60)}" names no step`, 'Write goto:3')
  const meant = nearest(word, [...FAILURES, 'retry', 'goto'])
  return refuseValue(
    value.place,
    asked,
    `"${text.slice(0, 60)}" is not one of pause, fail, continue, rollback, retry:N, goto:N`,
    meant === undefined ? undefined : `Did you mean "${meant}"?`,
  )
}

/** What a step runs once for: items, or the name of a value that holds them. */
export const readEach = (value: Located, asked: Asked): Step['forEach'] | undefined => {
  const given = fromText(value)
  if (given.kind === 'table') return refuseType(given, asked)
  if (given.kind === 'list') {
    const items = given.items.map(toJson).flatMap((item) => (item === null ? [] : [withoutNulls(item)]))
    return items.length === 0
      ? refuseValue(value.place, asked, 'the list is empty, so the step would never run')
      : items
  }
  const text = readText(given, asked)?.trim()
  if (text === undefined || text === '') return text === '' ? refuseType(value, asked) : undefined
  if (given.untyped && text.includes(',') && !/[([]/.test(text)) {
    return (readList(given, asked) ?? []).map((item) => item.text)
  }
  const parsed = parseList(text)
  // What the words of `[a, b]` mean is known once the SOP is: see written-lists.ts.
  return parsed.ok || (given.untyped && plainItems(text) !== undefined)
    ? text
    : refuseValue(value.place, asked, parsed.message.replace('condition', 'expression'), parsed.help)
}

/** Where a step runs: `dba`, `dba[eu]`, or a list of the pool and its labels. */
export const readRunsOn = (value: Located, asked: Asked): string | undefined => {
  const whole = value.kind === 'scalar' && typeof value.value === 'string' ? readText(value, asked)?.trim() : undefined
  const items = whole?.endsWith(']') === true && !whole.startsWith('[') ? [whole] : texts(value, asked)
  if (items === undefined) return undefined
  const [pool = '', ...labels] = items
  const found = labels.length === 0 ? parsePool(pool) : readPool(pool, labels)
  return found.ok ? poolText(found.pool) : refuseValue(value.place, asked, found.reason)
}

const texts = (value: Located, asked: Asked): readonly string[] | undefined =>
  readList(value, asked)?.map(({ text }) => text.trim())
