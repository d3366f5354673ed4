import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EVENT_TYPES } from '../../src/core/run/event.ts'
import { anchorsOf, linksOf, readPage, ROOT, tableRows } from './markdown.ts'

const decisions = readdirSync(join(ROOT, 'docs/decisions')).filter(
  (name) => name.endsWith('.md') && name !== 'README.md',
)

test('the page of event names lists every event type, and no other', () => {
  const page = readPage('docs/decisions/0004-event-names.md')
  const rows = tableRows(page, '0004 · Names of events, and their form on the wire')
  const names = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, name]) => name))
  expect([...names].sort()).toEqual([...EVENT_TYPES].sort())
})

test('decision pages have numbers of their own', () => {
  const numbers = decisions.map((name) => name.slice(0, 4))
  expect(numbers.filter((number) => !/^\d{4}$/.test(number))).toEqual([])
  expect(new Set(numbers).size).toBe(numbers.length)
})

test.each(decisions)('%s fits on one screen', (name) => {
  const page = readPage(join('docs/decisions', name))
  expect(page.text.split('\n').length).toBeLessThanOrEqual(70)
  expect(anchorsOf(page)).not.toHaveLength(0)
})

test('the index of decisions lists every page', () => {
  const listed = linksOf(readPage('docs/decisions/README.md')).map(({ text }) => text)
  expect(listed.filter((link) => /^\d{4}-/.test(link))).toEqual([...decisions].sort())
})
