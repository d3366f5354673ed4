import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Commands } from '../../src/activities/commands.ts'
import type { ActivityDeps } from '../../src/activities/deps.ts'
import { createActivities, createHostActivities } from '../../src/activities/index.ts'
import { EVENT_TYPES } from '../../src/core/run/event.ts'
import {
  ADMISSION_ASK,
  ADMISSION_COMMAND,
  ADMISSION_QUEUE,
  ADMISSION_RELEASE,
  ADMISSION_REQUEST,
  ADMISSION_VERDICT,
  ADMISSION_WORKFLOW,
  ADMISSION_YIELD,
  auditQuery,
  CHILD_ENDED,
  RUN_WORKFLOW,
  statusQuery,
} from '../../src/workflows/messages.ts'
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

test('the page of event names lists what else stands in histories, and nothing else', () => {
  const rows = tableRows(readPage('docs/decisions/0004-event-names.md'), 'Names besides those of events')
  const listed = (what: string): readonly string[] =>
    rows
      .filter(([of = '']) => of.startsWith(what))
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name))
      .sort()
  const deps = {} as ActivityDeps
  const commands = {} as Commands
  expect(listed('activities on the engine')).toEqual(Object.keys(createActivities(deps, commands)).sort())
  expect(listed('activities on a host')).toEqual(Object.keys(createHostActivities(deps, commands)).sort())
  expect(listed('workflows')).toEqual([ADMISSION_WORKFLOW, RUN_WORKFLOW].sort())
  expect(listed('messages of a run')).toEqual(
    [CHILD_ENDED, ADMISSION_VERDICT, statusQuery.name, auditQuery.name].sort(),
  )
  expect(listed('messages of admission')).toEqual(
    [ADMISSION_REQUEST, ADMISSION_ASK, ADMISSION_RELEASE, ADMISSION_YIELD, ADMISSION_COMMAND, ADMISSION_QUEUE].sort(),
  )
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
