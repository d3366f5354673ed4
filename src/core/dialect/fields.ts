import type { Place } from '../diagnostic.ts'
import { didYouMean } from '../nearest.ts'
import { findSetting, normalizeKey, type Scope, type SettingKey, spellingsOf } from '../settings.ts'
import type { Located, LocatedEntry, LocatedTable } from './located.ts'
import type { Report } from './report.ts'
import {
  type Asked,
  readBoolean,
  readCondition,
  readDuration,
  readInteger,
  readJsonValue,
  readList,
  readMap,
  readTable,
  readText,
  readWord,
} from './values.ts'

/** Where a setting stands: it decides which of two contradicting values wins (rulings 4). */
export type Origin = 'manifest' | 'markdown'

interface Given {
  readonly asked: Asked
  readonly value: Located
  readonly keyPlace: Place
  readonly origin: Origin
}

/** Which of two values asks for more: the winner of a contradiction. Without it the manifest wins. */
export type Stricter<T> = (a: T, b: T) => T

/** Keys that another system knows and that are no settings of ours. */
export type Foreign = (normalizedKey: string) => boolean

/**
 * The settings that a document gives to one thing (an SOP, a step, a gate…), and the only door from them to typed values.
 * What is wrong is reported with its place; the reader then gets undefined, as if the setting were not there.
 */
export class Fields {
  readonly scope: Scope
  /** Where the thing itself stands. */
  readonly place: Place
  readonly report: Report
  private readonly given = new Map<string, Given[]>()
  private readonly foreign: LocatedEntry[] = []
  private readonly done = new Map<string, unknown>()
  private readonly isForeign: Foreign

  constructor(scope: Scope, place: Place, report: Report, isForeign: Foreign = () => false) {
    this.scope = scope
    this.place = place
    this.report = report
    this.isForeign = isForeign
  }

  static of(scope: Scope, table: LocatedTable, report: Report, isForeign?: Foreign): Fields {
    const fields = new Fields(scope, table.place, report, isForeign)
    fields.addAll(table.entries, 'manifest')
    return fields
  }

  addAll(entries: readonly LocatedEntry[], origin: Origin): void {
    for (const entry of entries) this.add(entry, origin)
  }

  /** Takes a setting; a key that nobody knows is reported. */
  add(entry: LocatedEntry, origin: Origin): void {
    const { key, keyPlace, value } = entry
    const normalized = normalizeKey(key)
    const found = findSetting(this.scope, key)
    if (this.isForeign(normalized)) this.foreign.push(entry)
    if (found !== undefined) {
      const { setting, unit } = found
      const asked: Asked = { setting, spelling: key, report: this.report, ...(unit === undefined ? {} : { unit }) }
      const list = this.given.get(setting.key)
      if (list === undefined) this.given.set(setting.key, [{ asked, value, keyPlace, origin }])
      else list.push({ asked, value, keyPlace, origin })
    } else if (!this.isForeign(normalized)) this.reportUnknown(key, keyPlace)
  }

  private reportUnknown(key: string, place: Place): void {
    if (this.report.isFull) return
    const isOfStep = this.scope === 'sop' && findSetting('step', key) !== undefined
    const help = isOfStep
      ? 'It belongs to a step; for every step write it in defaults'
      : didYouMean(normalizeKey(key), spellingsOf(this.scope))
    const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key
    this.report.add('unknown-key', place, `Cannot use "${shown}": ${ARTICLES[this.scope]} knows no such setting`, help)
  }

  has(key: SettingKey): boolean {
    return this.given.has(key)
  }

  keys(): readonly string[] {
    return [...this.given.keys()]
  }

  /** Where the key stands, else where the thing itself stands. */
  keyPlace(key: SettingKey): Place {
    return this.given.get(key)?.at(-1)?.keyPlace ?? this.place
  }

  valuePlace(key: SettingKey): Place {
    return this.given.get(key)?.at(-1)?.value.place ?? this.place
  }

  /** A key of another system as it stands; the last one, if several. */
  foreignEntry(key: string): LocatedEntry | undefined {
    return this.foreign.findLast((entry) => normalizeKey(entry.key) === key)
  }

  /** All keys of another system. */
  foreignEntries(): readonly LocatedEntry[] {
    return this.foreign
  }

  /** The value of a setting by a reader of its own. Read once, so that nothing is reported twice. */
  read<T>(
    key: SettingKey,
    reader: (value: Located, asked: Asked) => T | undefined,
    stricter?: Stricter<T>,
  ): T | undefined {
    const list = this.given.get(key)
    if (list === undefined) return undefined
    if (this.done.has(key)) return this.done.get(key) as T | undefined
    const values = list.flatMap((given) => {
      const value = reader(given.value, given.asked)
      return value === undefined ? [] : [{ given, value }]
    })
    const value = this.settle(key, values, stricter)
    this.done.set(key, value)
    return value
  }

  private settle<T>(key: string, values: readonly { given: Given; value: T }[], stricter?: Stricter<T>): T | undefined {
    let winner = values[0]
    for (const next of values.slice(1)) {
      if (winner === undefined || isSame(winner.value, next.value)) continue
      const isContradiction = winner.given.origin !== next.given.origin
      const byManifest: { given: Given; value: T } = next.given.origin === 'markdown' && isContradiction ? winner : next
      const chosen: T = stricter === undefined ? byManifest.value : stricter(winner.value, next.value)
      this.reportTwice(key, [winner, next], { isContradiction, chosen, hasStricter: stricter !== undefined })
      winner = isSame(chosen, winner.value) ? winner : next
    }
    return winner?.value
  }

  private reportTwice<T>(
    key: string,
    [first, second]: readonly [{ given: Given; value: T }, { given: Given; value: T }],
    { isContradiction, chosen, hasStricter }: { isContradiction: boolean; chosen: T; hasStricter: boolean },
  ): void {
    // The finding points at the Markdown, which is what people edit.
    const [at, other] = second.given.origin === 'manifest' && isContradiction ? [first, second] : [second, first]
    const { file, line } = other.given.keyPlace
    const which = isSame(chosen, at.value) ? 'this one' : `the one in ${file}:${line}`
    const why = hasStricter ? 'the stricter one' : isContradiction ? 'the manifest' : 'the last one'
    const code = isContradiction ? 'contradiction' : 'duplicate-setting'
    const message = `Setting "${at.given.asked.spelling}" says something else than in ${file}:${line}: ${which} counts, since ${why} wins`
    this.report.add(code, at.given.keyPlace, message, `Make both the same, or delete one "${key}"`)
  }

  text(key: SettingKey): string | undefined {
    return this.read(key, readText)
  }
  boolean(key: SettingKey, stricter?: Stricter<boolean>): boolean | undefined {
    return this.read(key, readBoolean, stricter)
  }
  integer(key: SettingKey, stricter?: Stricter<number>): number | undefined {
    return this.read(key, readInteger, stricter)
  }
  /** Milliseconds; `null` is "none". */
  duration(key: SettingKey, stricter?: Stricter<number | null>): number | null | undefined {
    return this.read(key, readDuration, stricter)
  }
  /** One of the words of the setting, in its own spelling. */
  word<W extends string>(key: SettingKey, stricter?: Stricter<W>): W | undefined {
    return this.read(key, readWord as (value: Located, asked: Asked) => W | undefined, stricter)
  }
  list(key: SettingKey): ReturnType<typeof readList> {
    return this.read(key, readList)
  }
  map(key: SettingKey): ReturnType<typeof readMap> {
    return this.read(key, readMap)
  }
  json(key: SettingKey): ReturnType<typeof readJsonValue> | undefined {
    return this.read(key, readJsonValue)
  }
  condition(key: SettingKey): ReturnType<typeof readCondition> {
    return this.read(key, readCondition)
  }
  table(key: SettingKey): LocatedTable | undefined {
    return this.read(key, readTable)
  }
  /** The value as it stands, for what only its owner can read. */
  located(key: SettingKey): Located | undefined {
    // Another reader may have had the setting already, and then its answer is kept, not the value.
    return this.done.has(key) ? this.given.get(key)?.[0]?.value : this.read(key, (value) => value)
  }
  /** What a reader needs to refuse a value of this setting later. */
  asked(key: SettingKey): Asked {
    const asked = this.given.get(key)?.at(-1)?.asked
    return (
      asked ?? {
        setting: { key, scopes: [this.scope], type: 'text', doc: '' },
        spelling: key,
        report: this.report,
      }
    )
  }
}

const ARTICLES: Readonly<Record<Scope, string>> = {
  sop: 'an SOP',
  step: 'a step',
  gate: 'a gate',
  trigger: 'a trigger',
  param: 'a param',
  conditions: 'the table of conditions',
  notifications: 'the table of notifications',
  http: 'an HTTP request',
  hint: 'a hint',
}

/** Places do not count: the same value written twice is no contradiction. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a, withoutPlace) === JSON.stringify(b, withoutPlace)

const PLACES = ['place', 'keyPlace']
const withoutPlace = (key: string, value: unknown): unknown => (PLACES.includes(key) ? undefined : value)
