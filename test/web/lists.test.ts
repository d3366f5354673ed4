import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  BROWSER_TIMES,
  expectAccessible,
  expectFitsPhone,
  expectNoViolations,
  keepScreenshot,
  openRig,
  type Rig,
} from '../support/browser.ts'
import { prepareHistory, prepareManyRuns } from '../support/many-runs.ts'
import { until } from '../support/real-engine.ts'

vi.setConfig(BROWSER_TIMES)

// The lists in a real browser: 10,000 runs, the catalog with documents that mean no good, schedules, metrics.

const MANY = 10_000
const PAST = 60

const HOSTILE = `---
name: rotate-keys
title: '<script>window.hacked = 1</script> "Rotate" keys'
description: '<img src=x onerror="window.hacked=1"> & more'
mode: auto
prority: low
params:
  region: { type: choice, choices: [eu, us], required: true, description: Where the keys are used }
  count: { type: number, default: 3 }
  fast: { type: boolean }
  pin: { type: string, secret: true, required: true, pattern: '[0-9]{4}' }
---

# <script>window.hacked = 1</script> Rotate keys

Keys of one region, with a [bad link](javascript:window.hacked=1), a [good link](https://example.org/keys),
<b onclick="window.hacked=1">raw markup</b>, ![a picture](http://picture.invalid/x.png) and <iframe src="https://example.org"></iframe>.

- [ ] told everybody

## Step 1: Look <img src=x onerror="window.hacked=1"> (requires approval)

\`\`\`bash
echo "$region $count"
\`\`\`
`

const simple = (name: string, head = ''): string =>
  `---\nname: ${name}\n${head}---\n\n# The ${name}\n\n## Step 1: Look\n\n\`\`\`bash\necho look\n\`\`\`\n`

/** Half a day away: no fire comes in the middle of a test. */
const QUIET_HOUR = (new Date().getUTCHours() + 12) % 24

/** One of the examples, for the pictures. */
const EXAMPLE = readFileSync(resolve(import.meta.dirname, '../../sops/patch-fleet.md'), 'utf8')

const SOPS = {
  'rotate-keys.md': HOSTILE,
  'patch-fleet.md': EXAMPLE,
  'gated.md': simple('gated', 'mode: supervised\npriority: high\n'),
  'broken.md': '---\nname: broken\n---\n\n# Broken\n\n## Step 1: Run\n\n```bash\necho {{version}}\n```\n',
  'nightly.md': simple(
    'nightly',
    `mode: auto\nblackout: ["sat,sun"]\ntriggers:\n  - { type: cron, expression: "0 ${QUIET_HOUR} * * *", timezone: UTC }\n  - { type: event, event: disk.full }\n`,
  ),
}

let rig: Rig
const at = (path: string): string => `${rig.engine.file.url}${path}`

beforeAll(async () => {
  rig = await openRig({
    sops: SOPS,
    prepare: async ({ dataDir }) => {
      await prepareHistory(dataDir, PAST)
      await prepareManyRuns(dataDir, MANY - PAST)
    },
  })
})
afterAll(() => rig?.close())

const post = async (path: string, body: unknown = {}): Promise<Record<string, unknown>> => {
  const { status, json } = await rig.engine.api('POST', path, { body })
  expect(status, JSON.stringify(json)).toBeLessThan(300)
  return json as Record<string, unknown>
}
const startGated = async (): Promise<string> => String((await post('/api/v1/sops/gated/runs')).runId)
const rows = (page: Page) => page.getByRole('list', { name: 'Runs' }).getByRole('listitem')
const firstRun = (page: Page): Promise<string | null> => rows(page).first().getByRole('link').getAttribute('href')

test('10,000 runs: found by filters that are a link, kept by name, walked through by keyboard', async (context) => {
  const { page } = await rig.viewer(context)
  await page.goto(at('/runs'))
  await page.getByText(/^10,000\+? runs$/).waitFor()
  await rows(page).nth(5).waitFor()
  expect(await rows(page).count()).toBeLessThan(60)
  await keepScreenshot(page, 'runs')
  await expectAccessible(page)

  // Down to runs that were not loaded at first, without the mouse.
  await rows(page).first().getByRole('link').focus()
  for (const key of ['ArrowDown', 'j', 'End']) await page.keyboard.press(key)
  const focused = (): Promise<number> =>
    page.evaluate<number>('Number(document.activeElement?.getAttribute("data-index"))')
  await until(focused, (index) => index === 199)
  // The last one is the last of what is loaded; there it loads on.
  const atEnd = async (): Promise<number> => {
    await page.keyboard.press('End')
    return focused()
  }
  await until(atEnd, (index) => index >= 399)
  expect(await rows(page).count()).toBeLessThan(60)
  await page.keyboard.press('Home')
  await until(focused, (index) => index === 0)

  await page.getByRole('button', { name: 'State' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('checkbox', { name: 'Failed' }).press('Space')
  await page.keyboard.press('Escape')
  await page.getByRole('searchbox', { name: 'Search runs' }).fill('HOST-7 disk')
  await page.waitForURL(/q=HOST-7\+disk/)
  // The address is there before the list: at first all that failed are still counted.
  const count = await until(
    async () => (await page.getByText(/^\d+ runs$/).textContent()) ?? '',
    (text) => Number.parseInt(text, 10) < 500,
  )
  expect(Number.parseInt(count, 10)).toBeGreaterThan(1)
  expect(new Set(await rows(page).locator('.badge').allTextContents())).toEqual(new Set(['failed']))

  await page.getByRole('button', { name: 'Keep this filter…' }).click()
  await page.getByLabel('Name').fill('Full disks')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Full disks' }).waitFor()
  const address = page.url()
  const { page: other } = await rig.viewer(context)
  await other.goto(address)
  await other.getByText(count, { exact: true }).waitFor()
  await page.goto(at('/runs'))
  await page.getByRole('link', { name: 'Full disks' }).click()
  await page.waitForURL(address)

  await other.goto(at('/runs?q=nothing+is+called+so'))
  await other.getByText('No run fits these filters').waitFor()
  await other.goto(at('/runs?state=nonsense'))
  await other
    .getByRole('alert')
    .getByText(/expected some of pending/)
    .waitFor()
})

test('runs that come and change move no row under the pointer', async (context) => {
  const { page } = await rig.viewer(context)
  await page.goto(at('/runs'))
  await rows(page).nth(5).waitFor()
  const mine = await startGated()
  await rows(page).first().getByText(mine).waitFor()

  await rows(page).nth(2).hover()
  const below = await rows(page).nth(2).getByRole('link').getAttribute('href')
  const second = await startGated()
  await page.getByRole('button', { name: '1 new: show' }).waitFor()
  expect(await firstRun(page)).toBe(`/runs/${mine}`)
  expect(await rows(page).nth(2).getByRole('link').getAttribute('href')).toBe(below)
  await post(`/api/v1/runs/${mine}/reject`, { reason: 'not today' })
  await rows(page).first().getByText('cancelled').waitFor()
  // By keyboard: a pointer that leaves the rows lets them move, which would take the button away from under it.
  await page.getByRole('button', { name: '1 new: show' }).press('Enter')
  await rows(page).first().getByText(second).waitFor()

  await page.emulateMedia({ colorScheme: 'dark' })
  await expectFitsPhone(page)
  await rows(page).first().getByText('approval to begin').waitFor()
  await keepScreenshot(page, 'runs-phone')
  await page.getByRole('link', { name: 'Needs a person' }).click()
  await rows(page).first().getByText(second).waitFor()
  await expectAccessible(page)
  await post(`/api/v1/runs/${second}/cancel`)
})

test('a document that means no good is shown as text, and started by its form once its values fit', async (context) => {
  const { page } = await rig.viewer(context)
  page.on('dialog', (dialog) => {
    throw new Error(dialog.message())
  })
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(at('/sops'))
  await page.getByText('5 SOPs, 1 broken').waitFor()
  await page.getByText('<script>window.hacked = 1</script> "Rotate" keys').waitFor()
  await keepScreenshot(page, 'sops')
  await expectAccessible(page)

  await page.getByRole('link', { name: 'rotate-keys', exact: true }).click()
  const procedure = page.getByRole('article', { name: 'Procedure' })
  await procedure.getByText('raw markup').waitFor()
  await procedure.getByText('Did you mean "priority"?').waitFor()
  expect(await procedure.locator('img, script, iframe, b, [onclick]').count()).toBe(0)
  expect(
    await procedure.locator('a[href^="http"]').evaluateAll((links) => links.map((each) => each.getAttribute('href'))),
  ).toEqual(['https://example.org/keys'])
  expect(await procedure.locator('a[href^="javascript"]').count()).toBe(0)
  await page
    .getByRole('complementary', { name: 'Settings' })
    .getByText('string · required · pattern [0-9]{4} · secret')
    .waitFor()
  await expectAccessible(page)

  await page.getByRole('link', { name: 'Start', exact: true }).click()
  await page.getByRole('combobox', { name: /^region/ }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.type('many')
  await page.keyboard.press('Enter')
  await page.getByText('Not started: correct the values above.').waitFor()
  await page.getByText('it must be a number').waitFor()
  expect(await page.getByText('it is required and was not given').count()).toBe(2)
  await expect
    .poll(() => page.evaluate('document.activeElement?.getAttribute("aria-invalid")'), { timeout: 20_000 })
    .toBe('true')
  await expectNoViolations(page)

  await page.getByRole('combobox', { name: /^region/ }).selectOption('eu')
  await page.getByLabel('count').fill('7')
  const pin = page.getByLabel(/^pin/)
  expect(await pin.getAttribute('type')).toBe('password')
  await pin.fill('1234')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByRole('heading', { name: /It would start/ }).waitFor()
  await page.getByRole('region', { name: 'Preview' }).getByText('echo "$region $count"').waitFor()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL(/\/runs\/sop_run_/)
  const runId = new URL(page.url()).pathname.slice('/runs/'.length)
  expect(await rig.home.runUntil(runId, () => true)).toMatchObject({
    params: { region: 'eu', count: 7, pin: expect.stringContaining('secret') as string },
  })

  await page.goto(at('/sops/patch-fleet'))
  await page.getByRole('article', { name: 'Procedure' }).getByText('Two hosts at most are out of service').waitFor()
  await keepScreenshot(page, 'sop')
  await page.getByRole('link', { name: 'Start', exact: true }).click()
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByRole('heading', { name: /It would start/ }).waitFor()
  await keepScreenshot(page, 'sop-start')
  await page.goto(at('/sops/broken?tab=source'))
  await page.getByText('Write "$version", in double quotes').waitFor()
  expect(await page.locator('.source-finding > code').textContent()).toMatch(/^ {5}\^+$/)
  await page.goto(at('/sops/nothing-here'))
  await page
    .getByRole('alert')
    .getByText(/Cannot find SOP "nothing-here"/)
    .waitFor()
  expect(await page.evaluate('window.hacked')).toBeUndefined()
  expect(asked.filter((url) => !url.startsWith(rig.engine.file.url))).toEqual([])
  await post(`/api/v1/runs/${runId}/cancel`)
})

test('what changed between two definitions that ran is shown line by line, and the runs of an SOP with their times', async (context) => {
  const runs = [String((await post('/api/v1/sops/nightly/runs', { force: true })).runId)]
  const path = join(rig.home.sopDir, 'nightly.md')
  await writeFile(path, (await readFile(path, 'utf8')).replace('echo look', 'echo look twice'))
  runs.push(String((await post('/api/v1/sops/nightly/runs', { force: true })).runId))
  for (const run of runs) await rig.home.runUntil(run, ({ status }) => status === 'completed')
  const { page } = await rig.viewer(context)
  await page.goto(at('/sops/nightly?tab=versions'))
  const changes = page.getByRole('region', { name: 'Changes in nightly.md' })
  await changes.getByText('echo look twice').waitFor()
  expect(await changes.locator('.diff-removed code').allTextContents()).toEqual(['echo look'])
  expect(await changes.locator('.diff-added code').allTextContents()).toEqual(['echo look twice'])
  await expectAccessible(page)
  await keepScreenshot(page, 'sop-versions')
  await page.getByRole('link', { name: 'Runs', exact: true }).last().click()
  await page.getByRole('region', { name: 'Last runs' }).getByText('completed').nth(1).waitFor()
  await post('/api/v1/sops/nightly/runs', { force: true })
  await page.getByRole('region', { name: 'Last runs' }).getByText('completed').nth(2).waitFor()
  await expectNoViolations(page)
  await page.getByRole('link', { name: 'All 3 runs of nightly' }).waitFor()
  await expectFitsPhone(page)
})

test('a schedule is paused with a note and resumed by keyboard, fires now, and says which fires start nothing', async (context) => {
  // Nothing tells an open page that a schedule has come into being.
  await until(
    () => rig.engine.api('GET', '/api/v1/schedules'),
    ({ json }) => JSON.stringify(json).includes('"state":"active"'),
  )
  const { page } = await rig.viewer(context)
  await page.goto(at('/schedules'))
  const schedule = page.getByRole('listitem', { name: 'Schedule of nightly' })
  await schedule.getByText('active').waitFor()
  await page.getByRole('heading', { name: /^\d+ of them start nothing$/ }).waitFor()
  await page
    .getByText(/blackout "sat,sun"/)
    .first()
    .waitFor()
  await keepScreenshot(page, 'schedules')
  await expectAccessible(page)
  await schedule.getByRole('button', { name: 'Pause… nightly' }).press('Enter')
  await page.getByLabel('Note').fill('until the <b>disk</b> is replaced')
  await page.keyboard.press('Enter')
  await schedule.getByText('until the <b>disk</b> is replaced').waitFor()
  await schedule.getByText('Paused.').waitFor()
  await schedule.getByRole('button', { name: 'Resume… nightly' }).press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).press('Enter')
  await schedule.getByText('active').waitFor()
  await schedule.getByRole('button', { name: 'Backfill… nightly' }).click()
  await page.getByLabel('From').fill('2199-01-01T00:00')
  await page.getByLabel('To, not included').fill('2199-01-02T00:00')
  await page.getByRole('dialog').getByRole('button', { name: 'Backfill' }).click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await page.keyboard.press('Escape')
  await schedule.getByRole('button', { name: 'Run now… nightly' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click()
  await schedule.getByRole('status').getByRole('link', { name: 'its run' }).waitFor()

  await page.getByRole('link', { name: 'Test a trigger' }).click()
  await page.getByLabel('What comes').selectOption('event')
  await page.getByLabel('Name of the event').fill('disk.full')
  await page.getByLabel('Payload, as JSON').fill('{"host": ')
  await page.getByRole('button', { name: 'Test' }).click()
  await page.getByRole('alert').getByText('It is not JSON').waitFor()
  await page.getByLabel('Payload, as JSON').fill('{"host": "db1"}')
  await page.getByRole('button', { name: 'Test' }).click()
  await page.getByRole('region', { name: 'What would start' }).getByText('would start').waitFor()
  await expectNoViolations(page)

  await post('/api/v1/events', { event: 'disk.full', payload: { host: '<i>db1</i>' } })
  await page.getByRole('link', { name: 'Triggers', exact: true }).click()
  await page.getByRole('link', { name: 'all deliveries of nightly' }).last().click()
  const delivery = page.getByRole('listitem').filter({ hasText: 'disk.full' }).first()
  await delivery.getByText('started').waitFor()
  await delivery.locator('summary').press('Enter')
  await delivery.getByText('"host": "<i>db1</i>"').waitFor()
  await delivery.getByRole('button', { name: 'Deliver again' }).click()
  await page.getByText(/^It started/).waitFor()
  await expectNoViolations(page)
  await keepScreenshot(page, 'deliveries')
  await expectFitsPhone(page)
})

test('figures of a month stand in charts, with a table behind each, by SOP and by step', async (context) => {
  const { page } = await rig.viewer(context)
  await page.goto(at('/insights'))
  await page.getByRole('heading', { name: 'How runs ended' }).waitFor()
  await page.getByRole('region', { name: 'Waited for' }).getByText('group:dba').waitFor()
  await expectAccessible(page)
  await keepScreenshot(page, 'insights')
  await page.getByText('As a table').first().press('Enter')
  const table = page.getByRole('region', { name: 'How runs ended' })
  await table.getByRole('rowheader').first().waitFor()
  expect(await table.getByRole('rowheader').count()).toBe(30)
  await page.getByLabel('7 days').click()
  await until(
    () => table.getByRole('rowheader').count(),
    (count) => count === 7,
  )
  await page.getByRole('region', { name: 'By SOP' }).getByRole('link', { name: 'db-backup' }).click()
  await page.getByRole('region', { name: 'By step' }).getByText('Migrate').waitFor()
  expect(new URL(page.url()).search).toBe('?days=7&sop=db-backup')
  await expectNoViolations(page)
  await expectFitsPhone(page)
})
