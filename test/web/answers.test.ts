import { mkdtempSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  BROWSER_TIMES,
  expectAccessible,
  expectFitsPhone,
  keepScreenshot,
  openRig,
  type Rig,
} from '../support/browser.ts'
import { type Home, until } from '../support/real-engine.ts'

vi.setConfig(BROWSER_TIMES)

// What a run may stand still for besides a gate, answered on the page: a typed form, a step that may have run, an item, the
// queue; and what the page does when a store is away, or the engine does not know any more where the page was.

/** Commands wait for files that stand here. */
const GO = mkdtempSync(join(tmpdir(), 'sop-go-'))
const go = (name: string) => writeFile(join(GO, name), '')
const waitFor = (name: string): string => `until [ -e ${GO}/${name} ]; do sleep 0.05; done`

const FORM = [
  'count = { type = "number", required = true, description = "How many keys were made" }',
  'region = { type = "choice", choices = ["eu", "us"], required = true }',
  'ticket = { type = "string", pattern = "OPS-[0-9]+" }',
  'revoked = { type = "boolean" }',
].join(', ')

const SOPS = {
  'keys.md': `---\nname: keys\nmode: auto\n---\n## Step 1: Rotate the keys\n\nMake new keys.\n\n**Form**: { ${FORM} }\n`,
  'charge.md': `---
name: charge
mode: auto
---
# Charge the customers

## Step 1: Charge all open invoices

\`\`\`bash
echo "charging invoice 1 of 300"; ${waitFor('charge')}; echo "all charged"
\`\`\`

## Step 2: Send the receipts

\`\`\`bash
echo sent
\`\`\`
`,
  'patch.md': `---
name: patch
mode: auto
---
# Patch the fleet

## Step 1: Patch each host
- for_each: ["web-1", "db-1", "db-2"]
- on_failure: pause

\`\`\`bash
echo "patching $item"; [ "$item" != db-1 ] || [ -e ${GO}/db-1 ] || { echo "dpkg was interrupted"; exit 100; }; echo "$item is up to date"
\`\`\`
`,
  'single.md': `---\nname: single\nmode: auto\nmax_concurrent: 1\n---\n# One at a time\n\n## Step 1: Migrate\n\n\`\`\`bash\n${waitFor('single')}\n\`\`\`\n`,
  'print.md': `---\nname: print\nmode: auto\n---\n## Step 1: Print\n\n\`\`\`bash\necho "what is printed meanwhile"; ${waitFor('print')}; echo "the last line"\n\`\`\`\n`,
}

let rig: Rig
const at = (path: string): string => `${rig.engine.file.url}${path}`
const cards = (page: Page, name: string) =>
  page.getByRole('article').filter({ has: page.getByRole('link', { name, exact: true }) })
const start = async (sop: string): Promise<string> => {
  const { status, json } = await rig.engine.api('POST', `/api/v1/sops/${sop}/runs`, { body: { wait: false } })
  expect(status, JSON.stringify(json)).toBe(201)
  return (json as { runId: string }).runId
}
const tokenOf = async (name: string, role: string): Promise<string> =>
  (await rig.home.cli('token', 'create', name, '--role', role)).out.trim()

/** The log store is elsewhere: a link goes and comes back in one step, so that the engine makes no folder in between. */
const storeOf = ({ path }: Home): string => join(path, 'log store')
const putLogs = async ({ dataDir }: Home, make: (path: string) => Promise<void>): Promise<void> => {
  await make(join(dataDir, 'logs.next'))
  await rename(join(dataDir, 'logs.next'), join(dataDir, 'logs'))
}

/** Runs whose command died with everything that watched over it. */
let lost: readonly string[]

beforeAll(async () => {
  rig = await openRig({
    sops: SOPS,
    prepare: async (home) => {
      await mkdir(storeOf(home), { mode: 0o700 })
      await mkdir(home.dataDir, { mode: 0o700 })
      await putLogs(home, (path) => symlink(storeOf(home), path))
    },
  })
  lost = [await start('charge'), await start('charge'), await start('charge')]
  for (const runId of lost) {
    await until(
      () => rig.home.cli('logs', runId),
      ({ out }) => out.includes('charging invoice 1 of 300'),
      60_000,
    )
  }
  await rig.engine.end('SIGKILL')
  await rig.home.fail(/keeper\.mjs|step-1-1\.\d+\.bash/)
  rig.engine = await rig.home.serve()
  await go('charge')
  for (const runId of lost) await rig.home.runUntil(runId, ({ paused }) => paused?.kind === 'unknown', 120_000)
}, 600_000)
afterAll(async () => {
  await rig?.close()
  await rm(GO, { recursive: true, force: true })
})

test('a step of which nobody knows whether it ran: it ran, it did not, or once more, with a comment', async (context) => {
  const { page } = await rig.viewer(context)
  const [ran = '', didNot = '', again = ''] = lost
  await page.goto(at('/'))
  await cards(page, 'charge').nth(2).waitFor()
  const card = (runId: string) => page.locator(`[data-key^="${runId}/unknown/"]`)
  await card(ran)
    .getByText(/^Nobody knows whether step 1 "Charge all open invoices" ran/)
    .waitFor()
  // A plain retry would run it again without a word about it.
  expect(await card(ran).getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0)
  await keepScreenshot(page, 'unknown')
  await expectAccessible(page)
  await card(ran).getByLabel('Comment for the record').fill('all 300 stand in the ledger')
  await card(ran).getByRole('button', { name: 'It ran', exact: true }).click()
  await rig.home.runUntil(ran, ({ status }) => status === 'completed')
  await card(didNot).getByLabel('Comment for the record').fill('the ledger is empty')
  await card(didNot).getByRole('button', { name: 'It did not run: run it' }).click()
  await rig.home.runUntil(didNot, ({ status }) => status === 'completed')

  // The last one on its own screen, where the log says how far it came.
  await card(again).getByRole('link', { name: 'All of its output' }).click()
  await page.getByRole('log', { name: 'Output' }).getByText('charging invoice 1 of 300').waitFor()
  await expectAccessible(page)
  await expectFitsPhone(page)
  const own = page.getByRole('article', { name: 'Charge all open invoices' })
  await own.getByRole('button', { name: 'Run it again, though it may have run' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('its effect may happen twice').waitFor()
  await dialog.getByLabel('Comment for the record').fill('the bank takes each invoice once')
  await dialog.getByRole('button', { name: 'Run it again, though it may have run' }).click()
  await page.locator('.run-title').getByText('completed', { exact: true }).waitFor()

  const said = async (runId: string) =>
    (await rig.home.record(runId, 'run_completed')).find(({ via }) => via === 'web')?.details
  expect(await said(ran)).toMatchObject({ comment: 'all 300 stand in the ledger' })
  expect(await said(didNot)).toMatchObject({ comment: 'the ledger is empty', outcome: 'did_not_run' })
  expect(await said(again)).toMatchObject({ comment: 'the bank takes each invoice once' })
})

test('the typed form of a manual step: what does not fit is said at its field, and what was typed stays', async (context) => {
  const runId = await start('keys')
  const { page } = await rig.viewer(context)
  await page.goto(at('/'))
  const card = cards(page, 'keys')
  await card.getByRole('textbox', { name: /^count/ }).fill('many')
  await card.getByRole('textbox', { name: /^ticket/ }).fill('none')
  const complete = card.getByRole('button', { name: 'Complete', exact: true })
  await complete.click()
  const field = (name: string) => card.locator('.field', { has: page.getByText(name, { exact: true }) })
  await field('count').locator('.field-error').waitFor()
  await field('region').locator('.field-error').waitFor()
  await field('ticket').locator('.field-error').waitFor()
  expect(await field('revoked').locator('.field-error').count()).toBe(0)
  expect(await card.getByRole('textbox', { name: /^count/ }).getAttribute('aria-invalid')).toBe('true')
  expect(await card.getByRole('textbox', { name: /^count/ }).inputValue()).toBe('many')
  await expectAccessible(page)
  await keepScreenshot(page, 'form')
  // By keyboard to the end.
  await card.getByRole('textbox', { name: /^count/ }).fill('3')
  await page.keyboard.press('Tab')
  await page.keyboard.type('us')
  await page.keyboard.press('Tab')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('OPS-812')
  await complete.press('Enter')
  const done = await rig.home.runUntil(runId, ({ status }) => status === 'completed')
  expect(done.outputs).toMatchObject({ count: 3, region: 'us', ticket: 'OPS-812' })
  expect(done.outputs).not.toHaveProperty('revoked')
})

test('items: the one that failed is shown first, each has its log, and is tried again alone', async (context) => {
  const runId = await start('patch')
  await rig.home.runUntil(runId, ({ status }) => status === 'paused')
  const { page } = await rig.viewer(context)
  await page.goto(at('/'))
  await cards(page, 'patch').getByRole('button', { name: 'Retry item 2' }).waitFor()
  await page.goto(at(`/runs/${runId}`))
  const log = page.getByRole('log', { name: 'Output' })
  await log.getByText('dpkg was interrupted').waitFor()
  await page.getByRole('combobox', { name: 'Item', exact: true }).selectOption({ label: '1' })
  await log.getByText('web-1 is up to date').waitFor()
  await page.getByRole('button', { name: 'Its output, item 2' }).click()
  await log.getByText('dpkg was interrupted').waitFor()
  expect(new URL(page.url()).searchParams.get('item')).toBe('2')
  await expectAccessible(page)
  await keepScreenshot(page, 'items')
  await go('db-1')
  await page.getByRole('group', { name: 'Item 2' }).getByRole('button', { name: 'Retry item 2' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Retry item 2' }).click()
  await page.locator('.run-title').getByText('completed', { exact: true }).waitFor()
  await page.getByLabel('Attempt').waitFor()
  await log.getByText('db-1 is up to date').waitFor()
})

test('a run in the queue: its place, who is before it; moved, let in and dropped by whom it is given to, with a reason', async (context) => {
  const first = await start('single')
  await rig.home.runUntil(first, ({ status }) => status === 'running')
  // One after the other, so that their places are known.
  const waits = async (): Promise<string> => {
    const runId = await start('single')
    await rig.home.runUntil(runId, ({ status, reason }) => status === 'pending' && reason !== undefined)
    return runId
  }
  const [second, third] = [await waits(), await waits()]
  const { page: other } = await rig.viewer(context, { token: await tokenOf('olga', 'operator') })
  await other.goto(at(`/runs/${third}`))
  await other.getByRole('group', { name: 'The queue' }).getByRole('button', { name: 'Let it in now' }).press('Enter')
  await other.getByText(/^Let it in now: Cannot .* it needs the role admin/).waitFor()

  const { page } = await rig.viewer(context)
  await page.goto(at(`/runs/${third}`))
  const queue = page.getByRole('region', { name: 'The queue' })
  await queue.getByText('Place 2 of 2').waitFor()
  await queue.getByRole('link', { name: first }).waitFor()
  await expectAccessible(page)
  await keepScreenshot(page, 'queue')
  const order = async (name: string, reason: string, press: string): Promise<void> => {
    await queue.getByRole('button', { name }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill(reason)
    await page.getByRole('dialog').getByRole('button', { name: press }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await order('Move to the front', 'the hotfix goes first', 'Move it')
  await queue.getByText('Place 1 of 2').waitFor()
  await order('Let it in now', 'cannot wait', 'Let it in now')
  await page.locator('.run-title').getByText('running', { exact: true }).waitFor()
  await queue.waitFor({ state: 'detached' })
  await page.goto(at(`/runs/${second}`))
  await expectFitsPhone(page)
  await order('Drop it', 'done by hand', 'Drop it')
  await page.locator('.run-title').getByText('cancelled', { exact: true }).waitFor()
  await page.getByRole('link', { name: /^Audit/ }).click()
  await page
    .getByText(/done by hand/)
    .first()
    .waitFor()
  await go('single')
  await rig.home.runUntil(third, ({ status }) => status === 'completed')
})

test('while the log store is away a run says so on its own screen, shows what it prints, and is right when it is back', async (context) => {
  await putLogs(rig.home, (path) => writeFile(path, 'no folder'))
  const runId = await start('print')
  const { page } = await rig.viewer(context)
  await page.goto(at(`/runs/${runId}`))
  const log = page.getByRole('log', { name: 'Output' })
  await log.getByText('what is printed meanwhile').waitFor()
  const note = page.getByText(/^The log store takes nothing since/)
  await note.waitFor()
  await page.reload()
  await page.getByText(/^Logs cannot be written/).waitFor()
  await page.getByRole('button', { name: 'What to do' }).click()
  await page.getByRole('dialog').getByText('nothing is lost').waitFor()
  await page.keyboard.press('Escape')
  await note.waitFor()
  await expectAccessible(page)
  await keepScreenshot(page, 'held-output')
  await page.getByRole('button', { name: 'Hide' }).click()
  await expectFitsPhone(page)
  await putLogs(rig.home, (path) => symlink(storeOf(rig.home), path))
  await note.waitFor({ state: 'detached' })
  await go('print')
  await log.getByText('the last line').waitFor()
  await log.getByText('what is printed meanwhile').waitFor()
  await rig.home.runUntil(runId, ({ status }) => status === 'completed')
})

test('a page whose place the engine does not know any more begins anew by itself', async (context) => {
  const { page } = await rig.viewer(context, { expectedErrors: [/ERR_/] })
  let lastId: string | undefined
  let refusals = 0
  let isDown = false
  await page.route('**/api/v1/stream**', async (route) => {
    if (isDown) return route.abort()
    const headers = { ...route.request().headers(), ...(lastId !== undefined && { 'last-event-id': lastId }) }
    lastId = undefined
    if (headers['last-event-id']?.includes('after=never') === true) refusals += 1
    return route.continue({ headers })
  })
  await page.goto(at('/runs'))
  await page.getByText('Live', { exact: true }).waitFor()
  const missed = async (id: string): Promise<void> => {
    isDown = true
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await page.getByText('Reconnecting …', { exact: true }).waitFor()
    const runId = await start('keys')
    await rig.home.runUntil(runId, ({ openInputs }) => openInputs.length === 1)
    lastId = id
    isDown = false
    await page.getByRole('list', { name: 'Runs' }).getByText(runId).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await rig.engine.api('POST', `/api/v1/runs/${runId}/cancel`, { body: {} })
    const row = page.getByRole('listitem').filter({ hasText: runId })
    await row.getByText('cancelled', { exact: true }).waitFor()
  }
  // A cursor of another engine, or of one that was restored.
  await missed('runs=of-another-time')
  // What is no place at all is refused; the page forgets it.
  await missed('run=x&after=never')
  expect(refusals).toBe(1)
})
