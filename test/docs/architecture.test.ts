import { expect, test } from 'vitest'
import { RULES } from '../../scripts/import-rules.mjs'
import { readPage, tableRows } from './markdown.ts'

type Rule = (typeof RULES)[string]

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')

const files = ({ paths = [], notPaths = [] }: Rule): string => {
  const may = paths.includes('') ? 'everything' : code(paths)
  return notPaths.length === 0 ? may : `${may}, but not ${code(notPaths)}`
}

const packages = ({ packages: names = [] }: Rule): string => {
  if (names.includes('*')) return names.length > 1 ? 'any' : "any but Temporal's"
  return code(names.map((name) => (typeof name === 'string' ? name : name.source)))
}

/** The dependency table as `scripts/import-rules.mjs` enforces it. */
const enforced = Object.entries(RULES).map(([folder, rule]) => [
  folder,
  files(rule),
  code(rule.typePaths ?? []),
  packages(rule),
  rule.node === true ? 'yes' : 'no',
])

test('the dependency table is the one that is enforced', () => {
  expect(tableRows(readPage('docs/architecture.md'), 'Dependency rule').map((cells) => cells.join(' | '))).toEqual(
    enforced.map((cells) => cells.join(' | ')),
  )
})
