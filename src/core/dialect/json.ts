import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Located, LocatedEntry } from './located.ts'
import { findDeepNesting } from './nesting.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'

/** Reads a JSON document with the place of each key and value. Undefined when it is not JSON; the report says why. */
export const readJson = (source: SourceText, report: Report): Located | undefined => {
  const deep = findDeepNesting(source.text)
  if (deep !== undefined) {
    report.add('too-deep', source.at(deep), 'Cannot read the document: its values are nested deeper than 100 levels')
    return undefined
  }
  const errors: ParseError[] = []
  const root = parseTree(source.text, errors, { disallowComments: true, allowTrailingComma: false })
  reportErrors(errors, source, report)
  return root === undefined || errors.length > 0 ? undefined : locate(root, source, report)
}

/** JSON inside a setting's text, e.g. `{"type": "object"}`. */
export const parseJsonText = (
  text: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false } => {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false }
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'there is a word or sign that JSON does not know',
  InvalidNumberFormat: 'there is a number that JSON does not know',
  PropertyNameExpected: 'a key in quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a closing } is expected',
  CloseBracketExpected: 'a closing ] is expected',
  EndOfFileExpected: 'the document goes on after its end',
  InvalidCommentToken: 'JSON has no comments',
  UnexpectedEndOfComment: 'JSON has no comments',
  UnexpectedEndOfString: 'a text is not closed by a quote on its line',
  UnexpectedEndOfNumber: 'a number ends too early',
  InvalidUnicode: 'a \\u escape needs four digits',
  InvalidEscapeCharacter: 'a text holds an escape that JSON does not know',
  InvalidCharacter: 'a text holds a control character',
}

/** One finding for a line: what follows on the same line is most often a consequence of the first. */
const reportErrors = (errors: readonly ParseError[], source: SourceText, report: Report): void => {
  const seen = new Set<number>()
  for (const { error, offset, length } of errors) {
    const place = source.at(offset, length)
    if (report.isFull) return
    if (seen.has(place.line)) continue
    seen.add(place.line)
    const before = source.text
      .slice(Math.max(0, offset - 200), offset)
      .trimEnd()
      .at(-1)
    const isTrailing = before === ',' && /[}\]]/.test(source.text[offset] ?? '')
    const why = source.text.trim() === '' ? 'it is empty' : (SENTENCES[printParseErrorCode(error)] ?? 'it is not valid')
    const help = isTrailing ? 'Delete the comma before the closing bracket' : undefined
    report.add('json-syntax', place, `Cannot read the document as JSON: ${why}`, help)
  }
}

const locate = (node: Node, source: SourceText, report: Report): Located => {
  const place = source.at(node.offset, node.length)
  if (node.type === 'array') {
    return { kind: 'list', place, items: (node.children ?? []).map((item) => locate(item, source, report)) }
  }
  if (node.type === 'object') return { kind: 'table', place, entries: entriesOf(node, source, report) }
  const raw = source.text.slice(node.offset, node.offset + node.length)
  const value = node.value as string | number | boolean | null
  const isFinite = typeof value !== 'number' || Number.isFinite(value)
  return {
    kind: 'scalar',
    value: isFinite ? value : raw,
    raw: typeof value === 'string' ? value : raw,
    untyped: false,
    place,
    inset: typeof value === 'string' ? 1 : 0,
  }
}

const entriesOf = (node: Node, source: SourceText, report: Report): readonly LocatedEntry[] => {
  const entries = new Map<string, LocatedEntry>()
  for (const { children: [key, value] = [] } of node.children ?? []) {
    if (key === undefined || value === undefined) continue
    const name = String(key.value)
    const keyPlace = source.at(key.offset, key.length)
    if (entries.has(name)) {
      report.add(
        'duplicate-key',
        keyPlace,
        `Cannot read key "${name}": it stands twice in its table`,
        'Delete one of the two',
      )
    }
    entries.set(name, { key: name, keyPlace, value: locate(value, source, report) })
  }
  return [...entries.values()]
}
