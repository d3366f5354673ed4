import type { Place } from '../diagnostic.ts'

/** A source document by lines. Lines are what CommonMark, TOML, YAML and JSON agree on: ended by LF, CRLF or CR. */
export interface SourceText {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  /** The place of a span of the text, from an offset in UTF-16 units. The caret stays on its line. */
  at(offset: number, length?: number): Place
  /** The place of a span of a line; line and column count from 1. */
  on(line: number, column?: number, length?: number): Place
}

const LINE_END = /\r\n|\n|\r/g

export const createSourceText = (path: string, text: string): SourceText => {
  const starts = [0]
  for (const end of text.matchAll(LINE_END)) starts.push(end.index + end[0].length)
  const lines = text.split(LINE_END)
  const on = (line: number, column = 1, length = 1): Place => ({
    file: path,
    line,
    column,
    length: Math.max(1, Math.min(length, (lines[line - 1]?.length ?? 0) - column + 1)),
  })
  const at = (offset: number, length = 1): Place => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return on(low + 1, offset - (starts[low] ?? 0) + 1, length)
  }
  return { path, text, lines, at, on }
}
