import MarkdownIt from 'markdown-it'

// inline.ts: what stands inside a line: bold titles, bracket lists, fields, and plain text.

const OPTIONS = { html: false, linkify: false, maxNesting: 20 }
const inlineParser = new MarkdownIt(OPTIONS)
const LONGEST = 2_000

/** What a reader sees: without emphasis, links and escapes. */
export const plainText = (markdown: string): string => {
  if (markdown.length > LONGEST || !/[\\*_`[\]<&!~]/.test(markdown)) return markdown.trim()
  const parts = (inlineParser.parseInline(markdown, {})[0]?.children ?? []).map((token) => {
    if (token.type === 'softbreak' || token.type === 'hardbreak') return ' '
    if (token.type === 'image') return token.content
    return token.nesting === 0 ? token.content : ''
  })
  return parts.join('').trim()
}

/** Escapes a plain text so that `plainText` gives it back. */
export const escapeText = (text: string): string => text.replace(/[\\`*_[\]<>&~!]/g, '\\$&')

export interface Group {
  readonly start: number
  /** Behind the closing bracket. */
  readonly end: number
}

// Each one that never closes costs a look at the whole text.
const MAX_OPEN = 16

/** The outermost `[…]` of a text, whatever stray `[` stand before them. Links (`[x](y)`), images and escaped brackets are none. */
export const findGroups = (text: string): readonly Group[] => {
  const groups: Group[] = []
  let open = 0
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at)) {
    if (isEscaped(text, at)) {
      at += 1
      continue
    }
    const end = closingBracket(text, at, true) ?? closingBracket(text, at, false)
    if (end === undefined) {
      if (++open > MAX_OPEN) return groups
      at += 1
      continue
    }
    if (text[end] !== '(' && text[at - 1] !== '!') groups.push({ start: at, end })
    at = end
  }
  return groups
}

const isEscaped = (text: string, at: number): boolean => {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes += 1
  return slashes % 2 === 1
}

const closingBracket = (text: string, start: number, readsQuotes: boolean): number | undefined => {
  let depth = 0
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quote !== '') quote = character === quote ? '' : quote
    else if (readsQuotes && (character === '"' || character === "'")) quote = character
    else if (character === '[') depth += 1
    else if (character === ']' && --depth === 0) return at + 1
  }
  return undefined
}

export interface Piece {
  readonly text: string
  readonly offset: number
}

/** Splits at commas that stand outside quotes and brackets (rulings 6). Pieces are trimmed and know their offset. */
export const splitAtCommas = (text: string): readonly Piece[] => {
  const pieces: Piece[] = []
  let start = 0
  for (const end of commasOf(text)) {
    pieces.push(pieceOf(text, start, end))
    start = end + 1
  }
  return pieces.filter((piece) => piece.text !== '')
}

const pieceOf = (text: string, start: number, end: number): Piece => {
  const part = text.slice(start, end)
  return { text: part.trim(), offset: start + part.length - part.trimStart().length }
}

const commasOf = (text: string): readonly number[] => {
  const commas: number[] = []
  const find = (readsQuotes: boolean): boolean => {
    commas.length = 0
    let depth = 0
    let quote = ''
    for (let at = 0; at < text.length; at++) {
      const character = text[at] ?? ''
      if (quote !== '') quote = character === quote ? '' : quote
      else if (readsQuotes && (character === '"' || character === "'")) quote = character
      else if ('[({'.includes(character)) depth += 1
      else if ('])}'.includes(character)) depth = Math.max(0, depth - 1)
      else if (character === ',' && depth === 0) commas.push(at)
    }
    return quote === ''
  }
  // An apostrophe is no quote: don't.
  if (!find(true)) find(false)
  return [...commas, text.length]
}

export interface KeyValue {
  readonly key: string
  readonly keyOffset: number
  readonly value: string
  readonly valueOffset: number
}

const PAIR = /^([A-Za-z][\w -]{0,60}?)\s*(?:[:=](?!=))\s*/

/** `key: value` or `key = value`. */
export const readPair = ({ text, offset }: Piece): KeyValue | undefined => {
  const found = PAIR.exec(text)
  if (found?.[1] === undefined) return undefined
  return {
    key: found[1],
    keyOffset: offset,
    value: text.slice(found[0].length),
    valueOffset: offset + found[0].length,
  }
}

const FIELD = /^(\*\*|__)([^*_:][^*:]{0,60}?)\s*(?::\1|\1\s*:)\s*/

/** A field line: `**Timeout**: 5m`, `**Timeout:** 5m`. */
export const readField = (line: string): KeyValue | undefined => {
  const found = FIELD.exec(line)
  if (found?.[2] === undefined) return undefined
  return { key: found[2], keyOffset: 2, value: line.slice(found[0].length).trim(), valueOffset: found[0].length }
}

const BULLET = /^([a-z][a-z0-9_-]{0,60}):(?:\s+|$)/

/** A setting bullet: `timeout: 5m`, the key in lower case. */
export const readBullet = (line: string): KeyValue | undefined => {
  const found = BULLET.exec(line)
  if (found?.[1] === undefined) return undefined
  return { key: found[1], keyOffset: 0, value: line.slice(found[0].length).trim(), valueOffset: found[0].length }
}

/** The bold text that a line begins with, and what follows. */
export const readBold = (
  line: string,
): { readonly bold: string; readonly rest: string; readonly restOffset: number } | undefined => {
  const marks = line.slice(0, 2)
  if ((marks !== '**' && marks !== '__') || line[2] === ' ') return undefined
  for (let at = 2; at < line.length; at++) {
    if (line[at] === '\\') at += 1
    else if (line.startsWith(marks, at)) {
      // The last two of `***` close the bold text.
      const end = line[at + 2] === marks[0] ? at + 1 : at
      if (end === 2) return undefined
      return { bold: line.slice(2, end), rest: line.slice(end + 2), restOffset: end + 2 }
    }
  }
  return undefined
}

/** A value in backticks, or in quotes, means what is inside. */
export const unwrap = (text: string): { readonly text: string; readonly offset: number; readonly isCode: boolean } => {
  const code = /^(`+)(?!`)([\s\S]*[^`])\1$/.exec(text)
  if (code?.[2] !== undefined && !code[2].includes(code[1] ?? '`')) {
    const inner = /^ .*[^ ].* $/.test(code[2]) ? code[2].slice(1, -1) : code[2]
    return { text: inner, offset: text.indexOf(inner), isCode: true }
  }
  return { text, offset: 0, isCode: false }
}
