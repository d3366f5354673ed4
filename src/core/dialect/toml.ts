import { parse, TomlDate, TomlError, type TomlTableWithoutBigInt } from 'smol-toml'
import type { Place } from '../diagnostic.ts'
import type { Located, LocatedScalar, LocatedTable } from './located.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'
import { findTomlPlaces, type TomlPlace } from './toml-places.ts'

type TomlAny = TomlTableWithoutBigInt[string]

const MAX_DEPTH = 100

/** Reads a TOML document with the place of each key and value. Undefined when it is not TOML; the report says why. */
export const readToml = (source: SourceText, report: Report): LocatedTable | undefined => {
  try {
    const table = parse(source.text, { maxDepth: MAX_DEPTH })
    return locateTable(table, findTomlPlaces(source.text), source.on(1), { source, report }, 0)
  } catch (error) {
    if (error instanceof TomlError) reportSyntax(error, source, report)
    else if (error instanceof RangeError) report.add('too-deep', source.on(1), tooDeep)
    else throw error
    return undefined
  }
}

/** An inline table or list as a setting's text holds it, e.g. `{ schema = { type = "object" } }`. Undefined when it is none. */
export const readInlineToml = (text: string, place: Place): Located | undefined => {
  try {
    const { value } = parse(`value = ${text}`, { maxDepth: MAX_DEPTH })
    return value === undefined ? undefined : locateAt(value, place)
  } catch {
    return undefined
  }
}

const tooDeep = 'Cannot read the document: its values are nested deeper than 100 levels'

const reportSyntax = (error: TomlError, source: SourceText, report: Report): void => {
  const place = source.on(error.line, error.column)
  const reason = (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document:\s*/, '').trim()
  const line = source.lines[error.line - 1] ?? ''
  const list = /^\s*\[\[\s*([^\]]+?)\s*\]\]/.exec(line)?.[1]
  const earlier =
    list === undefined ? -1 : source.lines.findIndex((each) => /^\s*\[\s*([^[\]]+?)\s*\]/.exec(each)?.[1] === list)
  if (list !== undefined && earlier >= 0 && earlier < error.line - 1) {
    const why = `"[${list}]" in line ${earlier + 1} already makes it a single table`
    return report.add(
      'toml-table-and-list',
      place,
      `Cannot read "[[${list}]]": ${why}`,
      `Delete line ${earlier + 1}, "[${list}]"`,
    )
  }
  if (reason.includes('excessively nested')) return report.add('too-deep', place, tooDeep)
  const known = SENTENCES.find(({ sign }) => reason.includes(sign))
  report.add('toml-syntax', place, `Cannot read the document as TOML: ${known?.reason ?? reason}`, known?.help)
}

/** What smol-toml says, in words that name the way out. */
const SENTENCES: readonly { readonly sign: string; readonly reason: string; readonly help?: string }[] = [
  { sign: 'redefine', reason: 'the key or table stands twice', help: 'Delete or rename one of the two' },
  { sign: 'invalid value', reason: 'there is no value', help: 'Text stands in quotes: key = "value"' },
  {
    sign: 'control characters',
    reason: 'a text is not closed by a quote on its line',
    help: 'Text over several lines stands in three quotes: """',
  },
  {
    sign: 'illegal character in key',
    reason: 'there is a sign that no key has',
    help: 'A setting is written key = value, a table [name]; other keys stand in quotes',
  },
  { sign: 'losslessly', reason: 'the number is too large' },
]

interface Context {
  readonly source: SourceText
  readonly report: Report
}

const spanOf = (span: readonly [number, number] | undefined, { source }: Context, otherwise: Place): Place =>
  span === undefined ? otherwise : source.at(span[0], span[1] - span[0])

const locate = (
  value: TomlAny,
  where: TomlPlace | undefined,
  near: Place,
  context: Context,
  depth: number,
): Located => {
  const place = spanOf(where?.value ?? where?.key, context, near)
  if (depth > MAX_DEPTH) {
    context.report.add('too-deep', place, tooDeep)
    return { kind: 'table', entries: [], place }
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => locate(item, where?.items[index], place, context, depth + 1))
    return { kind: 'list', items, place }
  }
  if (isScalar(value)) return scalar(value, place, rawOf(where, context))
  return locateTable(value, where, place, context, depth)
}

const locateTable = (
  table: TomlTableWithoutBigInt,
  where: TomlPlace | undefined,
  near: Place,
  context: Context,
  depth: number,
): LocatedTable => ({
  kind: 'table',
  place: near,
  entries: Object.entries(table).map(([key, value]) => {
    const at = where?.children.get(key)
    return { key, keyPlace: spanOf(at?.key, context, near), value: locate(value, at, near, context, depth + 1) }
  }),
})

const rawOf = (where: TomlPlace | undefined, { source }: Context): string | undefined =>
  where?.value === undefined ? undefined : source.text.slice(...where.value)

const isScalar = (value: TomlAny): value is string | number | boolean | TomlDate =>
  typeof value !== 'object' || value instanceof TomlDate

const scalar = (value: string | number | boolean | TomlDate, place: Place, raw?: string): LocatedScalar => {
  const isLong = typeof value === 'string' && /^(?:"""|''')/.test(raw ?? '')
  // Where a file ends its lines in CRLF, its texts hold LF, as those of all other formats do.
  const plain = value instanceof TomlDate ? value.toISOString() : isLong ? value.replaceAll('\r\n', '\n') : value
  return {
    kind: 'scalar',
    // JSON knows neither; as a text they are refused wherever a number is expected.
    value: typeof plain === 'number' && !Number.isFinite(plain) ? String(plain) : plain,
    raw: typeof plain === 'string' ? plain : (raw ?? String(plain)),
    untyped: false,
    place,
    inset: /^(?:"""|'''|"|')/.exec(raw ?? '')?.[0].length ?? 0,
  }
}

const locateAt = (value: TomlAny, place: Place): Located => {
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => locateAt(item, place)), place }
  if (isScalar(value)) return scalar(value, place)
  const entries = Object.entries(value).map(([key, item]) => ({ key, keyPlace: place, value: locateAt(item, place) }))
  return { kind: 'table', entries, place }
}
