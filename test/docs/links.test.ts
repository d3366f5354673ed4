import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorOf, nodesOf, type Page, pages, placeOf, readPage, ROOT } from './markdown.ts'

const isOutside = (url: string): boolean => /^[a-z][a-z+.-]*:/i.test(url)

/** What is wrong with a link of a page, or nothing. */
const faultOf = (page: Page, url: string): string | undefined => {
  const [path = '', anchor] = url.split('#')
  const target = path === '' ? page.path : join(dirname(page.path), path)
  if (!existsSync(join(ROOT, target))) return `no such file: ${target}`
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  const anchors = nodesOf(readPage(target), 'heading').map(anchorOf)
  return anchors.includes(anchor) ? undefined : `no heading "#${anchor}" in ${target}`
}

/** Paths of this repository that a page names in backticks: `src/core/run.ts`, `docs/cli.md`, `scripts/*.mjs`. */
const pathsIn = (page: Page): readonly { readonly path: string; readonly place: string }[] =>
  nodesOf(page, 'inlineCode')
    .filter(({ value }) => /^(src|test|docs|scripts|sops|tools)(\/[\w.-]+)*\/?$/.test(value))
    .map((node) => ({ path: node.value, place: placeOf(page, node) }))

describe.each(pages().map((page) => [page.path, page] as const))('%s', (_, page) => {
  test('links lead somewhere', () => {
    const faults = nodesOf(page, 'link')
      .filter(({ url }) => !isOutside(url))
      .flatMap((link) => {
        const fault = faultOf(page, link.url)
        return fault === undefined ? [] : [`${placeOf(page, link)} ${fault}`]
      })
    expect(faults).toEqual([])
  })

  test('files that it names are there', () => {
    const missing = pathsIn(page).filter(({ path }) => !existsSync(join(ROOT, path)))
    expect(missing.map(({ path, place }) => `${place} ${path}`)).toEqual([])
  })
})
