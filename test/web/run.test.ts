import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Page } from 'playwright-core'
import {
  BROWSER_TIMES,
  expectAccessible,
  expectFitsPhone,
  keepScreenshot,
  openRig,
  type Rig,
} from '../support/browser.ts'

vi.setConfig(BROWSER_TIMES)

/** Steps wait for files that stand here. */
const GO = mkdtempSync(join(tmpdir(), 'sop-go-'))

const RELEASE = `---
name: release
title: Release {{version}}
mode: auto
params:
  version: { type: string, default: "2.4.0" }
---
# Release

## Step 1: Build

\`\`\`bash
for i in $(seq 1 40); do printf 'compiling module %s of 40\\n' "$i"; done
printf '\\033[32mbuild ok\\033[0m in \\033[1m3.1 s\\033[0m\\n'
echo "build=7" >> "$SOP_OUTPUT"
\`\`\`

## Step 2: Test on Linux
- needs: 1

\`\`\`bash
echo "linux: waiting for its go"; until [ -e ${GO}/linux ]; do sleep 0.05; done; echo "linux: passed"
\`\`\`

## Step 3: Test on macOS
- needs: 1

\`\`\`bash
echo "macos: waiting for its go"; until [ -e ${GO}/macos ]; do sleep 0.05; done; echo "macos: passed"
\`\`\`

## Step 4: Roll out
- needs: 2, 3
- requires_approval: true
- point_of_no_return: true

\`\`\`bash
echo "rolled out $version"
\`\`\`

## Step 5: Tell the customers
- needs: 4

Write to everybody who asked for it.

- Mail is sent
- Status page is green
`

const LONG = `---
name: long-log
mode: auto
---
## Step 1: Print

\`\`\`bash
seq -f 'line %.0f of the log' 1 100000
printf '10%%\\r55%%\\r100%% done\\n'
head -c 102400 /dev/zero | tr '\\0' 'x'; echo
printf '\\033[31mfatal:\\033[0m <script>window.hacked = 1</script> \\000\\001\\033]0;title\\007 \\342\\200\\256evil\\n'
echo '[click](javascript:window.hacked=1)'
\`\`\`
`

const HOSTILE = `---
name: hostile
title: "<img src=x onerror=window.hacked=1> \\u202e evil"
mode: auto
params:
  region: { type: string, default: eu }
---
## Step 1: <script>window.hacked=1</script>

\`\`\`bash
exit 3
\`\`\`
`

let rig: Rig
const at = (path: string): string => `${rig.engine.file.url}${path}`

const start = async (sop: string): Promise<string> => {
  const { status, json } = await rig.engine.api('POST', `/api/v1/sops/${sop}/runs`, { body: { wait: false } })
  expect(status, JSON.stringify(json)).toBe(201)
  return (json as { runId: string }).runId
}
const go = (name: string) => writeFile(join(GO, name), '')

beforeAll(async () => {
  rig = await openRig({ sops: { 'release.md': RELEASE, 'long-log.md': LONG, 'hostile.md': HOSTILE } })
})
afterAll(async () => {
  await rig?.close()
  await rm(GO, { recursive: true, force: true })
})

const badge = (page: Page, state: string) => page.locator('.run-title').getByText(state, { exact: true })
const row = (page: Page, step: number) => page.getByRole('button', { name: new RegExp(`^Step ${step} `) })

describe('one run', () => {
  test('is followed live through parallel branches, decided and completed by keyboard, to its end', async (context) => {
    const { page } = await rig.viewer(context)
    const runId = await start('release')
    await page.goto(at(`/runs/${runId}`))
    await page.getByRole('heading', { name: 'Release 2.4.0', level: 1 }).waitFor()
    await page.getByRole('button', { name: /^Step 2 Test on Linux.*running/ }).waitFor()
    await page.getByRole('button', { name: /^Step 3 Test on macOS.*running/ }).waitFor()
    await row(page, 3).click()
    const log = page.getByRole('log', { name: 'Output' })
    await log.getByText('macos: waiting for its go').waitFor()
    // What cannot be done says why, with the focus alone.
    const resume = page.getByRole('button', { name: 'Resume', exact: true })
    await resume.focus()
    await page.getByText('Resume: The run is not paused').waitFor()
    await page.getByRole('region', { name: 'What happens next' }).getByText('Approval: Roll out').waitFor()
    await keepScreenshot(page, 'run')
    await expectAccessible(page)

    await go('macos')
    await log.getByText('macos: passed').waitFor()
    await page.getByRole('button', { name: /^Step 3 Test on macOS.*success/ }).waitFor()
    await go('linux')
    const gate = page.getByRole('article', { name: 'Roll out' })
    await gate.getByText('rolled out $version').waitFor()
    await gate.getByRole('button', { name: 'Approve' }).press('Enter')
    // It cannot be undone, so it wants a second look.
    const dialog = page.getByRole('dialog', { name: 'Approve: Roll out' })
    await dialog
      .getByText(/is a point of no return/)
      .first()
      .waitFor()
    await page.keyboard.type('Tests are green')
    await page.keyboard.press('ControlOrMeta+Enter')
    await dialog.waitFor({ state: 'detached' })

    const todo = page.getByRole('article', { name: 'Tell the customers' })
    await todo.getByRole('checkbox', { name: 'Mail is sent' }).press('Space')
    await rig.home.runUntil(runId, ({ openInputs }) => openInputs[0]?.checklist?.[0]?.ticked === true)
    await todo.getByLabel('Comment for the record').fill('All told')
    await todo.getByRole('button', { name: 'Complete', exact: true }).press('Enter')
    await badge(page, 'completed').waitFor()
    await page.getByText('Nothing: the run is over.').waitFor()

    await page.getByRole('link', { name: /^Audit/ }).click()
    await page.getByText(/on the page approved gate "4-roll_out": "Tests are green"\.$/).waitFor()
    await page.getByText(/^The run completed after/).waitFor()
    await page.getByLabel('As recorded').check()
    await page.getByText('"eventType": "run_completed"').waitFor()
    await page.getByRole('button', { name: 'Check it' }).click()
    await page.getByText('events are as they were written').waitFor()
    await page.getByRole('link', { name: 'Params and outputs' }).click()
    await page.getByText('2.4.0', { exact: true }).waitFor()
    await expectAccessible(page)
    await page.getByRole('link', { name: 'Output', exact: true }).click()
    await page.emulateMedia({ colorScheme: 'dark' })
    await row(page, 1).click()
    await log.getByText('build ok').waitFor()
    await keepScreenshot(page, 'run-dark')
    await expectFitsPhone(page)
    await keepScreenshot(page, 'run-phone')
  })

  test('shows 100,000 lines, finds and copies them, and lets nothing in them do anything', async (context) => {
    const { page, context: browser } = await rig.viewer(context)
    await browser.grantPermissions(['clipboard-read', 'clipboard-write'])
    const runId = await start('long-log')
    await page.goto(at(`/runs/${runId}`))
    const log = page.getByRole('log', { name: 'Output' })
    await badge(page, 'completed').waitFor()
    await log.getByText('[click](javascript:window.hacked=1)').waitFor()
    await log.getByText('<script>window.hacked = 1</script>').waitFor()
    await log.getByText('100% done', { exact: true }).waitFor()
    expect(await log.getByText('55%').count()).toBe(0)
    // 100 KB in one line are thirteen rows more.
    await page.getByText('100,016 lines').waitFor()
    // The rest of it is not in the page.
    expect(await log.locator('.log-row').count()).toBeLessThan(120)

    await log.evaluate((box) => box.scrollTo({ top: 0 }))
    await log.getByText('line 1 of the log', { exact: true }).waitFor()
    await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }))
    await log.getByText('line 50000 of the log', { exact: true }).waitFor()
    expect(Number(await page.locator('.log').getAttribute('data-held'))).toBeLessThan(7_000)

    await page.getByLabel('Search the output').fill('LINE 777')
    await page.getByText('1 of 111', { exact: true }).waitFor()
    await log.getByText('line 777 of the log').waitFor()
    await page.getByLabel('Search the output').press('Enter')
    await page.getByText('2 of 111', { exact: true }).waitFor()
    await log.getByText('line 7770 of the log').waitFor()
    await page.getByLabel('Search the output').press('Shift+Enter')
    await page.getByLabel('Search the output').press('Shift+Enter')
    await page.getByText('111 of 111', { exact: true }).waitFor()
    await log.getByText('line 77799 of the log').waitFor()
    expect(await log.locator('mark').first().textContent()).toBe('line 777')

    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByText('Copied').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    expect(copied.split('\n').length).toBe(100_005)
    expect(copied).toContain('\n100% done\n')
    expect(copied).not.toContain('\u001b')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(`${runId}-1-step-1.log`)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })

  test('shows hostile names and comments as text, and a failure with what can be done about it', async (context) => {
    const { page } = await rig.viewer(context)
    const runId = await start('hostile')
    await rig.home.runUntil(runId, ({ status }) => status === 'failed')
    await page.goto(at(`/runs/${runId}`))
    await page.getByRole('heading', { name: '<img src=x onerror=window.hacked=1>' }).waitFor()
    await page.getByRole('button', { name: /^Step 1 <script>window.hacked=1<\/script>.*failed/ }).waitFor()
    const cancel = page.getByRole('button', { name: 'Cancel', exact: true })
    expect(await cancel.getAttribute('aria-disabled')).toBe('true')
    await cancel.press('Enter')
    await page.getByText(/^Cancel: Run ".*" is already failed$/).waitFor()
    await page.getByRole('button', { name: 'Retry', exact: true }).click()
    await page.getByText('Change params').press('Enter')
    await page.getByRole('textbox', { name: 'region' }).fill('us')
    await page.getByLabel('Comment').fill('<b onclick="window.hacked=1">again</b>')
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('link', { name: /^Audit/ }).click()
    await page
      .getByText(
        'opened the closed run again from step 1, with other params: region: "<b onclick="window.hacked=1">again</b>".',
      )
      .waitFor()
    await page.getByRole('link', { name: 'Params and outputs' }).click()
    await page.getByText('us', { exact: true }).waitFor()
    await expectAccessible(page)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })
})
