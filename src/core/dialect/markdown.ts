import MarkdownIt, { type Token } from 'markdown-it'
import type { Place } from '../diagnostic.ts'
import { MAX_NESTING } from './nesting.ts'
import type { Report } from './report.ts'
import type { SourceText } from './source-text.ts'

// markdown.ts: the blocks of a Markdown document with their places. Only blocks: what stands inside a line is kept as its
// author wrote it, and read by `inline.ts` where it means something.

/** A line of text where it stands. `indent` counts the spaces that stood before it. */
export interface TextLine {
  readonly text: string
  readonly place: Place
  readonly indent: number
}
export interface Heading {
  readonly kind: 'heading'
  readonly level: number
  readonly line: TextLine
}
export interface Paragraph {
  readonly kind: 'paragraph'
  readonly lines: readonly TextLine[]
}
export interface Code {
  readonly kind: 'code'
  /** Absent: code by indentation. */
  readonly fence?: { readonly markup: string; readonly info: string; readonly isClosed: boolean }
  readonly content: string
  readonly place: Place
  /** Line of the first line of `content`. */
  readonly contentLine: number
}
export interface ListItem {
  /** The printed number of an ordered list. */
  readonly number?: number
  readonly blocks: readonly Block[]
  readonly place: Place
}
export interface List {
  readonly kind: 'list'
  readonly isOrdered: boolean
  readonly isTight: boolean
  readonly items: readonly ListItem[]
  readonly place: Place
}
export interface Quote {
  readonly kind: 'quote'
  readonly blocks: readonly Block[]
}
export interface Html {
  readonly kind: 'html'
  readonly content: string
  readonly place: Place
}
export interface Rule {
  readonly kind: 'rule'
}
export type Block = Heading | Paragraph | Code | List | Quote | Html | Rule

const OPTIONS = { html: true, maxNesting: MAX_NESTING }
const parser = new MarkdownIt(OPTIONS)
parser.core.ruler.enableOnly(['normalize', 'block'])
// References and tables are prose to us, and stay as they are written.
parser.block.ruler.disable(['reference', 'table'])

// A document of nothing but list markers would take seconds; prose of the same size has a hundredth of the blocks.
const MAX_TOKENS = 300_000
class TooManyBlocks extends Error {
  readonly line: number
  constructor(line: number) {
    super('too many blocks')
    this.line = line
  }
}
parser.block.ruler.before('code', 'limit', ({ tokens, line }) => {
  if (tokens.length > MAX_TOKENS) throw new TooManyBlocks(line)
  return false
})

/** Front matter: the offsets of its YAML, and the number of lines that it takes, dashes included. */
export interface FrontMatter {
  readonly start: number
  readonly end: number
  readonly lines: number
}

const KEY = /^[A-Za-z][\w -]*:(?:\s|$)/

/** `---` on the first line that is not blank, up to the next `---` or `...`. */
export const findFrontMatter = (source: SourceText, report: Report): FrontMatter | undefined => {
  const { lines, text, on } = source
  const first = lines.findIndex((line) => line.trim() !== '')
  if (/^\+\+\+[ \t]*$/.test(lines[first] ?? '')) {
    const message = 'Cannot read the front matter: it stands between lines "+++"'
    report.add('yaml-syntax', on(first + 1, 1, 3), message, 'Write it as YAML between two lines "---"')
    return undefined
  }
  if (!/^---[ \t]*$/.test(lines[first] ?? '') || first === lines.length - 1) return undefined
  // A rule is Markdown; front matter looks like "key: value".
  const isSure = KEY.test(lines[first + 1] ?? '')
  if (first > 0 && !isSure) return undefined
  const last = lines.findIndex((line, index) => index > first && /^(?:---|\.\.\.)[ \t]*$/.test(line))
  if (last === -1 && !isSure) return undefined
  const start = offsetOfLine(source, first + 1)
  if (last !== -1) return { start, end: offsetOfLine(source, last), lines: last + 1 }
  const message = 'Cannot read the front matter: it never ends'
  report.add('unclosed-front-matter', on(first + 1, 1, 3), message, 'Write a line "---" behind it')
  return { start: text.length, end: text.length, lines: lines.length }
}

const offsetOfLine = (source: SourceText, index: number): number => {
  let offset = 0
  for (let line = 0; line < index; line++) {
    offset += source.lines[line]?.length ?? 0
    offset += source.text.startsWith('\r\n', offset) ? 2 : 1
  }
  return offset
}

/** The blocks of a document. `skipLines` of its first lines are front matter. */
export const readMarkdown = (source: SourceText, skipLines: number, report: Report): readonly Block[] => {
  const text = source.lines.map((line, index) => (index < skipLines ? '' : line)).join('\n')
  const tokens = parse(text, source, report)
  const deep = tokens.find(({ level, nesting }) => nesting === 1 && level >= MAX_NESTING - 1)
  if (deep !== undefined) {
    report.add(
      'too-deep',
      source.on((deep.map?.[0] ?? 0) + 1),
      'Cannot read the document: lists or quotes are nested deeper than 100 levels',
    )
  }
  return new Builder(source, tokens, report).blocks()
}

const parse = (text: string, source: SourceText, report: Report): readonly Token[] => {
  try {
    return parser.parse(text, {})
  } catch (error) {
    if (!(error instanceof TooManyBlocks)) throw error
    report.add(
      'too-large',
      source.on(error.line + 1),
      'Cannot read the document: it has too many paragraphs and list items',
    )
    return []
  }
}

class Builder {
  private at = 0
  private readonly source: SourceText
  private readonly tokens: readonly Token[]
  private readonly report: Report

  constructor(source: SourceText, tokens: readonly Token[], report: Report) {
    this.source = source
    this.tokens = tokens
    this.report = report
  }

  /** The blocks up to the end of the document, or of the container that is open. */
  blocks(): readonly Block[] {
    const blocks: Block[] = []
    for (let token = this.tokens[this.at]; token !== undefined && token.nesting !== -1; token = this.tokens[this.at]) {
      this.at += 1
      const block = this.block(token)
      if (block !== undefined) blocks.push(block)
    }
    this.at += 1
    return blocks
  }

  private block(token: Token): Block | undefined {
    switch (token.type) {
      case 'heading_open':
        return { kind: 'heading', level: Number(token.tag.slice(1)), line: this.headingLine() }
      case 'paragraph_open':
        return { kind: 'paragraph', lines: this.paragraphLines() }
      case 'bullet_list_open':
      case 'ordered_list_open':
        return this.list(token)
      case 'blockquote_open':
        return { kind: 'quote', blocks: this.blocks() }
      case 'fence':
      case 'code_block':
        return this.code(token)
      case 'html_block':
        return this.html(token)
      case 'hr':
        return { kind: 'rule' }
      default:
        return undefined
    }
  }

  private headingLine(): TextLine {
    const inline = this.tokens[this.at]
    this.at += 2
    const number = (inline?.map?.[0] ?? 0) + 1
    const text = (inline?.content ?? '')
      .split('\n')
      .map((line) => line.trim())
      .join(' ')
    const column = Math.max(0, (this.source.lines[number - 1] ?? '').indexOf(text.slice(0, 20))) + 1
    return { text, indent: 0, place: this.source.on(number, column, text.length) }
  }

  private paragraphLines(): readonly TextLine[] {
    const inline = this.tokens[this.at]
    this.at += 2
    const first = (inline?.map?.[0] ?? 0) + 1
    return (inline?.content ?? '').split('\n').map((content, index) => this.textLine(content, first + index))
  }

  private textLine(content: string, number: number): TextLine {
    const text = content.trim()
    const line = (this.source.lines[number - 1] ?? '').trimEnd()
    const place = this.source.on(number, Math.max(0, line.length - text.length) + 1, text.length)
    const hasBreak = content.endsWith('  ')
    return { text: hasBreak ? `${text}  ` : text, place, indent: content.length - content.trimStart().length }
  }

  private list(open: Token): List {
    const items: ListItem[] = []
    let isTight = true
    while (this.tokens[this.at]?.type === 'list_item_open') {
      const token = this.tokens[this.at] as Token
      this.at += 1
      const line = (token.map?.[0] ?? 0) + 1
      const text = this.source.lines[line - 1] ?? ''
      const marker = /(?:[-+*]|\d+[.)])(?=\s|$)/.exec(text)
      const place = this.source.on(line, (marker?.index ?? 0) + 1, marker?.[0].length ?? 1)
      const firstChild = this.tokens[this.at]
      if (firstChild?.type === 'paragraph_open' && !firstChild.hidden) isTight = false
      const number = token.info === '' ? undefined : Number(token.info)
      items.push({ ...(number === undefined ? {} : { number }), blocks: this.blocks(), place })
    }
    this.at += 1
    const place = items[0]?.place ?? this.source.on(1)
    return { kind: 'list', isOrdered: open.type === 'ordered_list_open', isTight, items, place }
  }

  private code(token: Token): Code {
    const [first, end] = token.map ?? [0, 0]
    const text = this.source.lines[first] ?? ''
    if (token.type === 'code_block') {
      return { kind: 'code', content: token.content, place: this.source.on(first + 1), contentLine: first + 1 }
    }
    const column = Math.max(0, text.indexOf(token.markup)) + 1
    const place = this.source.on(first + 1, column, text.length)
    const isClosed = end - 1 > first && (this.source.lines[end - 1] ?? '').trimEnd().endsWith(token.markup)
    const fence = { markup: token.markup, info: token.info.trim(), isClosed }
    return { kind: 'code', fence, content: token.content, place, contentLine: first + 2 }
  }

  private html(token: Token): Html {
    const place = this.source.on((token.map?.[0] ?? 0) + 1, 1, 4)
    if (/^\s*<!--(?![\s\S]*-->)/.test(token.content)) {
      this.report.add(
        'unclosed-comment',
        place,
        'This comment is never closed, so all that follows is hidden',
        'Write --> behind the comment',
      )
    }
    return { kind: 'html', content: token.content.trimEnd(), place }
  }
}
