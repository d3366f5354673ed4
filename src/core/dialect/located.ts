import type { Json } from '../definition.ts'
import type { Place } from '../diagnostic.ts'

// located.ts: what TOML, YAML, JSON and Markdown have in common: values that know their place.

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As written, without quotes. */
  readonly raw: string
  /** Written without a type (Markdown, YAML): `yes` may be a boolean and `5` a text. */
  readonly untyped: boolean
  readonly place: Place
  /** Columns from `place` to the text itself: the quotes before it. */
  readonly inset?: number
}
export interface LocatedList {
  readonly kind: 'list'
  readonly items: readonly Located[]
  readonly place: Place
}
export interface LocatedEntry {
  readonly key: string
  readonly keyPlace: Place
  readonly value: Located
}
export interface LocatedTable {
  readonly kind: 'table'
  readonly entries: readonly LocatedEntry[]
  readonly place: Place
}
export type Located = LocatedScalar | LocatedList | LocatedTable

/**
 * The places of texts that hold a character which no variable, file or command can: a NUL, or half a surrogate pair. They
 * come from escapes.
 */
export const unsoundPlaces = (located: Located): readonly Place[] => {
  switch (located.kind) {
    case 'scalar':
      return typeof located.value === 'string' && UNSOUND.test(located.value) ? [located.place] : []
    case 'list':
      return located.items.flatMap(unsoundPlaces)
    case 'table':
      return located.entries.flatMap(({ key, keyPlace, value }) => [
        ...(UNSOUND.test(key) ? [keyPlace] : []),
        ...unsoundPlaces(value),
      ])
    default:
      return located satisfies never
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const UNSOUND = /\u0000|\p{Surrogate}/u

/** The plain value, without its places. */
export const toJson = (located: Located): Json => {
  switch (located.kind) {
    case 'scalar':
      return located.value
    case 'list':
      return located.items.map(toJson)
    case 'table':
      return Object.fromEntries(located.entries.map(({ key, value }) => [key, toJson(value)]))
    default:
      return located satisfies never
  }
}

/** What a value is, in the words of a message: `the text "abc"`, `the number 5`, `a list`, `a table`, `nothing`. */
export const describe = (located: Located): string => {
  if (located.kind === 'list') return 'a list'
  if (located.kind === 'table') return 'a table'
  const { value } = located
  if (value === null) return 'nothing'
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  return typeof value === 'number' ? `the number ${located.raw}` : String(value)
}

/** A text as Markdown gives it: untyped. */
export const looseText = (text: string, place: Place): LocatedScalar => ({
  kind: 'scalar',
  value: text,
  raw: text,
  untyped: true,
  place,
})
