import type { APIResponse, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  BROWSER_TIMES,
  expectAccessible,
  expectFitsPhone,
  expectTitle,
  keepScreenshot,
  openRig,
  type Rig,
} from '../support/browser.ts'
import { freePorts } from '../../scripts/free-port.mjs'

vi.setConfig(BROWSER_TIMES)

let rig: Rig
const at = (path: string): string => `${rig.engine.file.url}${path}`
const cards = (page: Page, name: string) =>
  page.getByRole('article').filter({ has: page.getByRole('link', { name, exact: true }) })

const gated = (name: string, more = ''): string => `---
name: ${name}
description: Releases the shop
execution_mode: auto
params:
  version: { type: string, default: "2.0.1" }
${more}---
# Release the shop

## Step 1: Build
\`\`\`bash
echo "built release $version"
\`\`\`

## Step 2: Put it into production (requires approval)
Put the release into production. **Customers see it at once.**
\`\`\`bash
echo "released $version"
\`\`\`
`

const MANUAL = `---
name: rotate-keys
description: Rotates the keys of the payment provider
execution_mode: auto
---
# Rotate keys

## Step 1: Rotate the keys at the provider
**Assignee**: admin-on-duty

Sign in at the provider and make new keys.

- Make the new key
- Put it into the vault
- Delete the old key

`

const FRAGILE = `---
name: fragile
description: Fails the first time
execution_mode: supervised
---
# Fragile

## Step 1: Sync the mirror
\`\`\`bash
if [ -e "$SOP_RUN_DIR/tried" ]; then echo synced; else touch "$SOP_RUN_DIR/tried"; echo "mirror-3: no space left on device"; exit 1; fi
\`\`\`
`

const HOSTILE_TITLE = `<img src=x onerror="alert(1)"><script>alert(2)</script> \u202egnp.exe`
const HOSTILE = `---
name: hostile
description: What must stay text
execution_mode: auto
---
# ${HOSTILE_TITLE}

## Step 1: ${HOSTILE_TITLE} (requires approval)
[a link](javascript:alert(3)) and [another](https://example.com/x) <script>alert(4)</script>
<iframe src="https://example.com"></iframe> ![picture](https://example.com/x.png)

\u001b[31mred\u001b[0m ${'long'.repeat(25_000)}

\`\`\`bash
echo "<script>alert(5)</script>"
\`\`\`
`

beforeAll(async () => {
  const [port] = await freePorts(1)
  rig = await openRig({
    // A port that the system gives to nobody while no engine listens there: an open page finds the next one at it.
    env: { SOP_API_PORT: String(port) },
    sops: {
      'release.md': gated('release'),
      'contested.md': gated('contested'),
      'keyed.md': gated('keyed', 'priority: critical\n'),
      'parked.md': gated('parked'),
      'rotate-keys.md': MANUAL,
      'fragile.md': FRAGILE,
      'hostile.md': HOSTILE,
    },
  })
})
afterAll(() => rig?.close())

const start = async (name: string): Promise<string> => {
  const { json } = await rig.engine.api('POST', `/api/v1/sops/${name}/runs`, { body: {} })
  return (json as { runId: string }).runId
}
const tokenOf = async (name: string, role: string): Promise<string> =>
  (await rig.home.cli('token', 'create', name, '--role', role)).out.trim()
/** What the record says of the approval, once the run has completed. */
const grantOf = async (runId: string) =>
  (await rig.home.record(runId, 'run_completed')).find(({ eventType }) => eventType === 'approval_granted')

test('a first-time operator approves within three clicks of the link, and others see it at once', async (context) => {
  const runId = await start('release')
  const { page: other } = await rig.viewer(context, { token: await tokenOf('otto', 'viewer') })
  await other.goto(at('/'))
  const watched = cards(other, 'release')
  await watched.getByText('it needs the role approver').waitFor()

  const { out } = await rig.home.cli('open', '--print')
  const { page } = await rig.viewer(context, { token: null })
  // The first click is the link itself.
  await page.goto(out.trim())
  const card = cards(page, 'release')
  await card.getByText('echo "released $version"').waitFor()
  await card.getByText('2.0.1').first().waitFor()
  await expectTitle(page, '(1) Waiting for me · SOP Engine')
  await expectAccessible(page)
  await keepScreenshot(page, 'waiting')
  // The other one's card says so for some seconds: it is looked at from before the answer on.
  await Promise.all([
    watched.getByText(/approved gate/i).waitFor(),
    card.getByRole('button', { name: 'Approve' }).click(),
    page.getByText('Nothing waits for anybody').waitFor(),
  ])
  expect((await rig.home.runUntil(runId, ({ status }) => status === 'completed')).status).toBe('completed')
  const granted = await grantOf(runId)
  expect(granted?.via).toBe('web')
  expect(granted?.details).toMatchObject({ covers: expect.stringMatching(/^[0-9a-f]{64}$/) })
  await expectTitle(page, 'Waiting for me · SOP Engine')
})

test('of two people who decide at once one wins, and the other one is told who', async (context) => {
  const runId = await start('contested')
  const people = await Promise.all(
    (['ann', 'ben'] as const).map(async (name) => ({ name, token: await tokenOf(name, 'approver') })),
  )
  const pages = []
  for (const { name, token } of people) {
    const { page } = await rig.viewer(context, { token })
    await page.goto(at('/'))
    await cards(page, 'contested').getByRole('button', { name: 'Approve' }).waitFor()
    pages.push({ name, page })
  }
  // Both hands are on the button already: no look at the page comes between.
  const buttons = await Promise.all(
    pages.map(({ page }) => cards(page, 'contested').getByRole('button', { name: 'Approve' }).elementHandle()),
  )
  // The card of the loser names the other one for some seconds: both are looked at from before the answers on.
  const told = Promise.any(
    pages.map(async ({ name, page }) => {
      const [other] = people.filter((each) => each.name !== name)
      await page
        .getByText(new RegExp(`\\b${other?.name}\\b`))
        .first()
        .waitFor()
      return { loser: name, winner: other?.name }
    }),
  )
  const [{ loser, winner }] = await Promise.all([
    told,
    ...buttons.map((button) => button?.evaluate((element) => (element as HTMLElement).click())),
    rig.home.runUntil(runId, ({ status }) => status === 'completed'),
  ])
  const record = await rig.home.record(runId, 'run_completed')
  const granted = record.filter(({ eventType }) => eventType === 'approval_granted')
  expect(granted.map(({ principal }) => principal.id)).toEqual([winner])
  expect(loser).not.toBe(winner)
})

test('whoever is too late is told who decided', async (context) => {
  const runId = await start('contested')
  const { page } = await rig.viewer(context, { token: await tokenOf('late', 'approver') })
  await rig.home.runUntil(runId, ({ openGates }) => openGates.length === 1)
  // The news does not reach this page: whenever it asks, it hears what waited at first.
  let then: Promise<APIResponse> | undefined
  await page.route('**/api/v1/waiting', async (route) => {
    then ??= route.fetch()
    await route.fulfill({ response: await then })
  })
  await page.goto(at('/'))
  const card = cards(page, 'contested')
  await card.getByRole('button', { name: 'Approve' }).waitFor()
  const first = await tokenOf('first', 'approver')
  await rig.engine.api('POST', `/api/v1/runs/${runId}/approve`, { body: {}, token: first })
  await rig.home.runUntil(runId, ({ status }) => status === 'completed')
  await card.getByRole('button', { name: 'Reject' }).click()
  await card.getByRole('alert').getByText(/first/).waitFor()
})

test('by keyboard alone: to a card, a second look, a comment, approved; and the keys can be switched off', async (context) => {
  const runId = await start('keyed')
  const { page } = await rig.viewer(context)
  await page.goto(at('/'))
  await cards(page, 'keyed').waitFor()
  await page.keyboard.press('j')
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-key') ?? '')
  expect(await focused()).toContain(runId)
  expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe('solid')
  await page.keyboard.press('a')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('This procedure has the priority critical.').waitFor()
  await expectAccessible(page)
  await keepScreenshot(page, 'second-look')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  expect(await focused()).toContain(runId)
  await page.keyboard.press('?')
  await page.keyboard.press('Tab')
  await page.getByRole('checkbox', { name: 'Single keys do something' }).press('Space')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.keyboard.press('a')
  expect(await dialog.count()).toBe(0)
  await page.keyboard.press('Shift+?')
  await page.getByRole('button', { name: 'Keyboard' }).press('Enter')
  await page.getByRole('checkbox', { name: 'Single keys do something' }).press('Space')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.keyboard.press('j')
  await page.keyboard.press('a')
  await dialog.waitFor()
  await page.keyboard.type('tests are green')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await rig.home.runUntil(runId, ({ status }) => status === 'completed')
  expect((await grantOf(runId))?.details).toMatchObject({ comment: 'tests are green' })
})

test('a manual step: its checklist and its form in place, on a phone', async (context) => {
  const runId = await start('rotate-keys')
  const { page } = await rig.viewer(context)
  await page.goto(at('/'))
  const card = cards(page, 'rotate-keys')
  await card.getByRole('checkbox', { name: 'Put it into the vault' }).check()
  await rig.home.runUntil(runId, ({ openInputs }) => openInputs[0]?.checklist?.[1]?.ticked === true)
  await page.setViewportSize({ width: 360, height: 740 })
  await keepScreenshot(page, 'waiting-phone')
  await expectFitsPhone(page)
  await expectAccessible(page)
  await card.getByRole('button', { name: 'Complete', exact: true }).click()
  await rig.home.runUntil(runId, ({ status }) => status === 'completed')
})

test('a run that a failure paused goes on from its card', async (context) => {
  const runId = await start('fragile')
  const { page } = await rig.viewer(context, { colorScheme: 'dark' })
  await page.goto(at('/'))
  const card = cards(page, 'fragile')
  await card.getByText('runs of this mode need approval to begin').waitFor()
  await card.getByRole('button', { name: 'Approve' }).click()
  await card.getByText('Paused', { exact: true }).waitFor()
  // What it printed stands open: it is what somebody has to judge.
  await card.getByText('mirror-3: no space left on device').waitFor()
  await expectAccessible(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await keepScreenshot(page, 'waiting-dark')
  await card.getByRole('button', { name: 'Retry', exact: true }).click()
  expect((await rig.home.runUntil(runId, ({ status }) => status === 'completed')).status).toBe('completed')
})

test('a page that nobody looks at lets go of its stream, and is right when somebody does', async (context) => {
  const { page } = await rig.viewer(context)
  await page.clock.install()
  await page.goto(at('/'))
  await page.getByText('Live', { exact: true }).waitFor()
  const show = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  await show(true)
  await Promise.all([
    page.waitForEvent('requestfailed', (request) => request.url().includes('/api/v1/stream')),
    page.clock.fastForward('01:05'),
  ])
  await page.getByText('Resting', { exact: true }).waitFor()
  const runId = await start('release')
  await rig.home.runUntil(runId, ({ openGates }) => openGates.length === 1)
  expect(await cards(page, 'release').count()).toBe(0)
  await show(false)
  await cards(page, 'release').waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  await Promise.all([
    cards(page, 'release')
      .getByText(/approved gate/i)
      .waitFor(),
    rig.engine.api('POST', `/api/v1/runs/${runId}/approve`, { body: {} }),
  ])
})

test('what people wrote stays text', async (context) => {
  const runId = await start('hostile')
  const { page } = await rig.viewer(context)
  const alerts: string[] = []
  page.on('dialog', (dialog) => {
    alerts.push(dialog.message())
    void dialog.dismiss()
  })
  await page.goto(at('/'))
  const card = cards(page, 'hostile')
  await card.getByText('<script>alert(2)</script>').first().waitFor()
  await card.getByText('\\u202egnp.exe').first().waitFor()
  await card.getByText('echo "<script>alert(5)</script>"').waitFor()
  expect(await card.locator('script, iframe, img, a[href^="javascript"]').count()).toBe(0)
  expect(await card.getByRole('link', { name: 'another' }).getAttribute('rel')).toBe('noopener noreferrer')
  expect(await card.textContent()).not.toContain('\u001b')
  await expectFitsPhone(page)
  await card.getByLabel('Comment for the record').fill('<script>alert(6)</script>\u202e')
  await card.getByRole('button', { name: 'Reject' }).click()
  // The gate's card gives way to that of the paused run; the comment stands in the record, as it was typed.
  await card.getByText('Paused', { exact: true }).waitFor()
  await page.goto(at(`/runs/${runId}`))
  await page.getByRole('link', { name: /^Audit/ }).click()
  await page
    .getByText(/<script>alert\(6\)<\/script>/)
    .first()
    .waitFor()
  expect(await page.locator('main script, main iframe, main img').count()).toBe(0)
  expect(alerts).toEqual([])
})

test('a session that ends keeps what was typed', async (context) => {
  await start('parked')
  const { page } = await rig.viewer(context, { token: await tokenOf('eve', 'approver') })
  await page.goto(at('/'))
  const card = cards(page, 'parked')
  await card.getByLabel('Comment for the record').fill('half a thought')
  await rig.home.cli('token', 'revoke', 'eve')
  // By an event: where the stream was quicker to tell, the dialog lies over the button already.
  await card.getByRole('button', { name: 'Approve' }).dispatchEvent('click')
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await dialog.getByLabel('Token').fill(await tokenOf('eve', 'approver'))
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(await card.getByLabel('Comment for the record').inputValue()).toBe('half a thought')
})

test('a connection that is lost comes back by itself, with all that happened meanwhile', async (context) => {
  const { page } = await rig.viewer(context, { expectedErrors: [/ERR_/] })
  await page.goto(at('/'))
  const card = cards(page, 'parked')
  await card.getByLabel('Comment for the record').fill('half a thought')
  await page.getByText('Live', { exact: true }).waitFor()
  await rig.engine.end('SIGKILL')
  await page.getByText('Connection lost, reconnecting').waitFor()
  await expectAccessible(page)
  rig.engine = await rig.home.serve()
  const runId = await start('release')
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByText('Connection lost, reconnecting').waitFor({ state: 'detached' })
  await cards(page, 'release').getByText('Put it into production').waitFor()
  expect(await card.getByLabel('Comment for the record').inputValue()).toBe('half a thought')
  await cards(page, 'release').getByRole('button', { name: 'Approve' }).click()
  await rig.home.runUntil(runId, ({ status }) => status === 'completed')
})
