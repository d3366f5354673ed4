import { widthOf as widthOfText } from '../../core/printable.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the escape character that starts a colour.
const COLOURS = /\u001b\[[0-9;:]*m/g

/** Terminal columns that a text takes; its colours take none. */
export const widthOf = (text: string): number => widthOfText(text.replace(COLOURS, ''))

/** The text cut to so many columns, with an ellipsis where something is missing. Takes no colours. */
export const fit = (text: string, columns: number): string => {
  if (widthOf(text) <= columns) return text
  let cut = ''
  let width = 0
  for (const character of text) {
    const next = width + widthOfText(character)
    if (next > columns - 1) break
    cut += character
    width = next
  }
  return `${cut}…`
}

/** One line: newlines and runs of blanks become one blank. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/**
 * Rows as aligned columns, two blanks apart, without trailing blanks. Headings are left out when there are none. Cells
 * may hold colours.
 */
export const renderTable = (headings: readonly string[], rows: readonly (readonly string[])[], indent = ''): string => {
  const all = headings.length > 0 ? [headings, ...rows] : rows
  const widths: number[] = []
  for (const row of all)
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, widthOf(oneLine(cell)))))
  const line = (row: readonly string[]): string =>
    indent +
    row
      .map((cell, index) => oneLine(cell) + ' '.repeat((widths[index] ?? 0) - widthOf(oneLine(cell))))
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}

/** `Key: value` lines, one blank apart so that they are easy to pick out; pairs without a value are left out. */
export const renderFacts = (facts: readonly (readonly [string, string | undefined])[]): string =>
  facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')
