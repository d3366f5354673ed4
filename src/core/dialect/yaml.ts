import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type ParsedNode, parseDocument } from 'yaml'
import type { Place } from '../diagnostic.ts'
import type { Located, LocatedEntry, LocatedTable } from './located.ts'
import { findDeepNesting, MAX_NESTING } from './nesting.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'

const MAX_CHARACTERS = 32 * 1024
const MAX_NODES = 20_000
const DEEP_LINE = new RegExp(`^(?: {${2 * MAX_NESTING},}|[ \\t]*(?:[-?:][ \\t]+){${MAX_NESTING / 2}})`, 'm')

/** YAML inside a source document: `start` is its first offset, `end` the one behind it. */
export interface YamlSpan {
  readonly source: SourceText
  readonly start: number
  readonly end: number
}

/** Reads front matter with the place of each key and value. Undefined when it is not a YAML table; the report says why. */
export const readYaml = (span: YamlSpan, report: Report): LocatedTable | undefined => {
  const { source, start, end } = span
  // The library knows no line that ends in CR alone. Offsets stay.
  const text = source.text.slice(start, end).replace(/\r(?!\n)/g, '\n')
  const limit = findLimit(text)
  if (limit !== undefined) {
    report.add(limit.code, source.at(start + limit.offset), `Cannot read the front matter: ${limit.reason}`)
    return undefined
  }
  const document = parseDocument(text, {
    prettyErrors: false,
    strict: true,
    logLevel: 'silent',
    // Its own search for doubles is quadratic.
    uniqueKeys: false,
  })
  for (const { pos, message, code } of document.errors) {
    const place = source.at(Math.min(start + pos[0], end), pos[1] - pos[0])
    const known = SENTENCES[code]
    const reason = known?.reason ?? lowerFirst(message)
    report.add('yaml-syntax', place, `Cannot read the front matter as YAML: ${reason}`, known?.help)
  }
  if (document.errors.length > 0) return undefined
  return locateRoot(document, span, report)
}

/** What `yaml` says, in words that name the way out. */
const SENTENCES: Readonly<Record<string, { readonly reason: string; readonly help?: string }>> = {
  TAB_AS_INDENT: { reason: 'a line is indented with a tab', help: 'Indent with spaces' },
  BLOCK_AS_IMPLICIT_KEY: { reason: 'there are two keys on one line', help: 'Put a text that holds ": " in quotes' },
  MULTILINE_IMPLICIT_KEY: { reason: 'a line holds no "key: value"', help: 'Put a text of several lines in quotes' },
  MISSING_CHAR: { reason: 'a text, list or table is not closed' },
  BAD_INDENT: { reason: 'a list or table in brackets is not closed, or not indented' },
  MULTIPLE_DOCS: { reason: 'it holds several documents', help: 'Front matter ends at the first line "---"' },
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const findLimit = (text: string): { code: 'too-large' | 'too-deep'; offset: number; reason: string } | undefined => {
  if (text.length > MAX_CHARACTERS) return { code: 'too-large', offset: 0, reason: 'it is longer than 32 KiB' }
  const offset = findDeepNesting(text) ?? DEEP_LINE.exec(text)?.index
  return offset === undefined
    ? undefined
    : { code: 'too-deep', offset, reason: 'its values are nested deeper than 100 levels' }
}

const locateRoot = (document: Document.Parsed, span: YamlSpan, report: Report): LocatedTable | undefined => {
  const place = span.source.at(span.start)
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return { kind: 'table', entries: [], place }
  const walker = new Walker(document, span, report)
  const root = walker.locate(contents, 0)
  if (root.kind === 'table') return root
  report.add(
    'yaml-syntax',
    root.place,
    'Cannot read the front matter: it holds no settings',
    'Write settings as lines "name: value"',
  )
  return undefined
}

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'object'
      ? ''
      : `${value as number | boolean | bigint | undefined}`

class Walker {
  private nodes = 0
  private readonly document: Document.Parsed
  private readonly span: YamlSpan
  private readonly report: Report

  constructor(document: Document.Parsed, span: YamlSpan, report: Report) {
    this.document = document
    this.span = span
    this.report = report
  }

  locate(node: ParsedNode | Node | null, depth: number): Located {
    const place = this.placeOf(node)
    this.nodes += 1
    // Aliases may repeat themselves without end.
    if (this.nodes > MAX_NODES || depth > MAX_NESTING) {
      if (this.nodes === MAX_NODES + 1 || depth === MAX_NESTING + 1) {
        this.report.add('too-deep', place, 'Cannot read the front matter: its aliases hold too much')
        this.nodes = MAX_NODES + 2
      }
      return { kind: 'scalar', value: null, raw: '', untyped: true, place }
    }
    if (isAlias(node)) {
      const meant = node.resolve(this.document)
      if (meant !== undefined) return this.locate(meant, depth + 1)
      const message = `Cannot read the front matter as YAML: there is no anchor "&${node.source.slice(0, 60)}"`
      this.report.add('yaml-syntax', place, message, 'A text that begins with * stands in quotes')
    }
    if (isSeq(node))
      return { kind: 'list', place, items: node.items.map((item) => this.locate(item as Node, depth + 1)) }
    if (isMap(node)) {
      const entries = node.items.map((pair) => this.entry(pair.key as Node, pair.value as Node | null, depth))
      return { kind: 'table', place, entries: this.withoutDoubles(entries) }
    }
    return isScalar(node) ? this.scalar(node, place) : { kind: 'scalar', value: null, raw: '', untyped: true, place }
  }

  private scalar(node: { value: unknown; source?: string; type?: string }, place: Place): Located {
    const { value, source, type } = node
    const raw = source ?? textOf(value)
    const isPlain = type === 'PLAIN' || type === undefined
    const isJson =
      typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
    const plain = value === null || isJson ? value : textOf(value)
    return {
      kind: 'scalar',
      value: plain,
      raw: typeof plain === 'string' ? plain : raw,
      untyped: isPlain,
      place,
      inset: type?.startsWith('QUOTE') ? 1 : 0,
    }
  }

  private withoutDoubles(entries: readonly LocatedEntry[]): readonly LocatedEntry[] {
    const seen = new Map<string, LocatedEntry>()
    for (const entry of entries) {
      if (seen.has(entry.key)) {
        const message = `Cannot read key "${entry.key}": it stands twice in its table`
        this.report.add('duplicate-key', entry.keyPlace, message, 'Delete one of the two')
      } else seen.set(entry.key, entry)
    }
    return [...seen.values()]
  }

  private entry(key: Node | null, value: Node | null, depth: number): LocatedEntry {
    const name = isScalar(key) ? textOf(key.value) : ''
    return { key: name, keyPlace: this.placeOf(key), value: this.locate(value, depth + 1) }
  }

  private placeOf(node: Node | ParsedNode | null): Place {
    const [from, to] = node?.range ?? [0, 1]
    return this.span.source.at(Math.min(this.span.start + from, this.span.end), Math.max(1, to - from))
  }
}
