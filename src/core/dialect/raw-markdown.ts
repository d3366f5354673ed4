import type { Block, Code, List, TextLine } from './markdown.ts'

// raw-markdown.ts: blocks back to Markdown in one form, whatever their container was. Reading the text again gives the
// same blocks, which is what makes `compile(render(definition))` the identity.

/** The text of blocks, with a blank line between two of them. */
const rawBlocks = (blocks: readonly Block[]): string =>
  blocks
    .map(rawBlock)
    .filter((text) => text !== '')
    .join('\n\n')

export const rawBlock = (block: Block): string => {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.line.text}`.trimEnd()
    case 'paragraph':
      return rawLines(block.lines)
    case 'code':
      return rawCode(block)
    case 'list':
      return rawList(block)
    case 'quote':
      return rawBlocks(block.blocks)
        .split('\n')
        .map((line) => `> ${line}`.trimEnd())
        .join('\n')
    case 'html':
      return block.content
    case 'rule':
      return '---'
    default:
      return block satisfies never
  }
}

/** Lines of a paragraph. A line that would begin another block if it stood at the margin keeps its distance. */
export const rawLines = (lines: readonly TextLine[]): string =>
  lines
    .map(({ text, indent }, index) => {
      const isRisky = index > 0 && (/^(?:=+|-+)\s*$/.test(text) || indent >= 4)
      return isRisky ? `    ${text}` : text
    })
    .join('\n')
    .trimEnd()

const rawCode = ({ fence, content }: Code): string => {
  const text = content.replace(/\n$/, '')
  if (fence === undefined)
    return text
      .split('\n')
      .map((line) => (line === '' ? '' : `    ${line}`))
      .join('\n')
  return [`${fence.markup}${fence.info}`, ...(content === '' ? [] : [text]), fence.markup].join('\n')
}

const rawList = ({ items, isTight }: List): string =>
  items
    .map(({ number, blocks }) => {
      const marker = number === undefined ? '- ' : `${number}. `
      const parts = blocks.map(rawBlock)
      const text = isTight ? parts.join('\n') : parts.join('\n\n')
      return `${marker}${indentBy(text, marker.length)}`.trimEnd()
    })
    .join(isTight ? '\n' : '\n\n')

/** All lines but the first, moved to the right. */
export const indentBy = (text: string, columns: number): string =>
  text
    .split('\n')
    .map((line, index) => (index === 0 || line === '' ? line : ' '.repeat(columns) + line))
    .join('\n')
