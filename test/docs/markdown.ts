import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import MarkdownIt, { type Token } from 'markdown-it'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A page of the documentation: its path from the root of the repository, its text and its tokens. */
export interface Page {
  readonly path: string
  readonly text: string
  readonly tokens: readonly Token[]
}

/** Something that a page says, and the line where it does. */
export interface Found {
  readonly text: string
  /** `path:line`, for the message of a failing test. */
  readonly place: string
}

export interface Fence extends Found {
  readonly language: string
}

const parser = new MarkdownIt()

/** Every Markdown page that people read: the ones at the root and all of `docs/`. */
export const pages = (): readonly Page[] => {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))
  return [...readdirSync(ROOT), ...below]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map(readPage)
}

export const readPage = (path: string): Page => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return { path, text, tokens: parser.parse(text, {}) }
}

const placed = (page: Page, token: Token | undefined, text: string): Found => ({
  text,
  place: `${page.path}:${(token?.map?.[0] ?? 0) + 1}`,
})

const inlines = (page: Page, pick: (child: Token) => string | undefined): readonly Found[] => {
  let row: Token | undefined
  return page.tokens.flatMap((token) => {
    // Cells of a table have no place of their own; their row has.
    if (token.map) row = token
    return (token.children ?? []).flatMap((child) => {
      const text = pick(child)
      return text === undefined ? [] : [placed(page, row, text)]
    })
  })
}

/** Targets of the links of a page. */
export const linksOf = (page: Page): readonly Found[] =>
  inlines(page, (child) => (child.type === 'link_open' ? String(child.attrGet('href') ?? '') : undefined))

/** What a page sets in backticks, outside of fences. */
export const codeOf = (page: Page): readonly Found[] =>
  inlines(page, (child) => (child.type === 'code_inline' ? child.content : undefined))

export const fencesOf = (page: Page): readonly Fence[] =>
  page.tokens
    .filter((token) => token.type === 'fence')
    .map((token) => ({ ...placed(page, token, token.content), language: token.info.trim() }))

/** The headings of a page as GitHub makes anchors of them. */
export const anchorsOf = (page: Page): readonly string[] =>
  page.tokens
    .filter((_, index) => page.tokens[index - 1]?.type === 'heading_open')
    .map(({ children }) => (children ?? []).map(({ content }) => content).join(''))
    .map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    )

/** Rows of the pipe tables below a heading: cells as written, without the header and its rule. */
export const tableRows = (page: Page, heading: string): readonly (readonly string[])[] => {
  const lines = page.text.split('\n')
  const start = lines.findIndex((line) => line.replace(/^#+\s*/, '') === heading && line.startsWith('#'))
  if (start < 0) return []
  const section = lines.slice(start + 1)
  const end = section.findIndex((line) => line.startsWith('#'))
  return (end < 0 ? section : section.slice(0, end))
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
