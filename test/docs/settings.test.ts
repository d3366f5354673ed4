import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { CONFIG_VARIABLES } from '../../src/config/settings.ts'
import { ROLES } from '../../src/core/run/principal.ts'
import { codeOf, fencesOf, pages, readPage, tableRows } from './markdown.ts'

const tomls = fencesOf(readPage('docs/operations.md')).filter(({ language }) => language === 'toml')

test('the operations page shows settings', () => {
  expect(tomls).not.toHaveLength(0)
})

test.each(tomls.map(({ place, text }) => [place, text] as const))('%s is a config without a finding', (_, text) => {
  const readFile = (path: string): string | undefined => (path.endsWith('sop.config.toml') ? text : undefined)
  const { problems } = readConfig({ env: {}, cwd: '/nowhere', readFile })
  expect(problems).toEqual([])
})

/** Variables of ours that are no setting: what steps see, what stands beside the config, and what makes tests longer. */
const OTHERS =
  /^SOP_(PARAM_\w+|TRIGGER_\w*|QUEUED|LONG_RUN|RUN_ID|RUN_DIR|STEP|ATTEMPT|ITEM|ITEM_NUMBER|OUTPUT|INSTALLATION_KEY|TEMPORAL_DOWNLOAD_URL)$/

describe.each(pages().map((page) => [page.path, page] as const))('%s', (_, page) => {
  test('names only variables that somebody reads', () => {
    const unknown = codeOf(page).flatMap(({ text, place }) =>
      [...text.matchAll(/\bSOP_[A-Z_]+[A-Z]\b/g)]
        .filter(([name]) => !CONFIG_VARIABLES.includes(name) && !OTHERS.test(name))
        .map(([name]) => `${place} ${name}`),
    )
    expect(unknown).toEqual([])
  })
})

test('the security page explains every role, in the order in which they add up', () => {
  const rows = tableRows(readPage('docs/security.md'), 'Who may do what')
  expect(rows.map(([role]) => role)).toEqual(ROLES)
})
