import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Code, Heading, InlineCode, Link, Nodes, Root, Table } from 'mdast'
import remarkParse from 'remark-parse'
import { unified } from 'unified'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A page of the documentation: its path from the root of the repository, and its parsed form. */
export interface Page {
  readonly path: string
  readonly text: string
  readonly root: Root
}

/** Every Markdown page that people read: the ones at the root and all of `docs/`. */
export const pages = (): readonly Page[] => {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))
  const atRoot = readdirSync(ROOT)
  return [...atRoot, ...below]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => readPage(path))
}

export const readPage = (path: string): Page => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return { path: relative(ROOT, join(ROOT, path)), text, root: unified().use(remarkParse).parse(text) }
}

type Kinds = { code: Code; link: Link; inlineCode: InlineCode; heading: Heading; table: Table }

/** All nodes of one kind, in document order. */
export const nodesOf = <K extends keyof Kinds>(page: Page, kind: K): readonly Kinds[K][] => {
  const found: Kinds[K][] = []
  const visit = (node: Nodes): void => {
    if (node.type === kind) found.push(node as Kinds[K])
    if ('children' in node) for (const child of node.children) visit(child)
  }
  visit(page.root)
  return found
}

/** `path:line`, for the message of a failing test. */
export const placeOf = (page: Page, node: Nodes): string => `${page.path}:${node.position?.start.line ?? 0}`

/** The text of a heading as GitHub makes an anchor of it. */
export const anchorOf = (heading: Heading): string =>
  textOf(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

const textOf = (node: Nodes): string => {
  if ('value' in node) return node.value
  return 'children' in node ? node.children.map((child) => textOf(child)).join('') : ''
}

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
