import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorsOf, codeOf, type Found, linksOf, type Page, pages, readPage, ROOT } from './markdown.ts'

const isOutside = (url: string): boolean => /^[a-z][a-z+.-]*:/i.test(url)

/** What is wrong with a link of a page, or nothing. */
const faultOf = (page: Page, url: string): string | undefined => {
  const [path = '', anchor] = url.split('#')
  const target = path === '' ? page.path : join(dirname(page.path), path)
  if (!existsSync(join(ROOT, target))) return `no such file: ${target}`
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  return anchorsOf(readPage(target)).includes(anchor) ? undefined : `no heading "#${anchor}" in ${target}`
}

/** Paths of this repository that a page names in backticks, e.g. `src/core` or `docs/cli.md`. */
const pathsIn = (page: Page): readonly Found[] =>
  codeOf(page).filter(({ text }) => /^(src|test|docs|scripts|tools)(\/[\w.-]+)*\/?$/.test(text))

describe.each(pages().map((page) => [page.path, page] as const))('%s', (_, page) => {
  test('links lead somewhere', () => {
    const faults = linksOf(page)
      .filter(({ text }) => !isOutside(text))
      .flatMap(({ text, place }) => {
        const fault = faultOf(page, text)
        return fault === undefined ? [] : [`${place} ${fault}`]
      })
    expect(faults).toEqual([])
  })

  test('files that it names are there', () => {
    const missing = pathsIn(page).filter(({ text }) => !existsSync(join(ROOT, text)))
    expect(missing.map(({ text, place }) => `${place} ${text}`)).toEqual([])
  })
})
