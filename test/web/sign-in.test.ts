import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  BROWSER_TIMES,
  expectAccessible,
  expectFitsPhone,
  keepScreenshot,
  openRig,
  type Rig,
} from '../support/browser.ts'

vi.setConfig(BROWSER_TIMES)

let rig: Rig
const at = (path: string): string => `${rig.engine.file.url}${path}`

beforeAll(async () => {
  rig = await openRig({})
})
afterAll(() => rig?.close())

test('a person without a session is asked for a token, by keyboard, and gets where the link led', async (context) => {
  const { page } = await rig.viewer(context, { token: null })
  await page.goto(at('/runs?state=running'))
  await page.getByRole('heading', { name: 'Sign in to SOP Engine' }).waitFor()
  await expectAccessible(page)
  await keepScreenshot(page, 'sign-in')
  await page.keyboard.press('Tab')
  await page.keyboard.type('sop_wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('the token is unknown or revoked').waitFor()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(rig.engine.token)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/runs?state=running')
})

test('a link of "sop open" signs in once, and leaves no code in the address', async (context) => {
  const { out } = await rig.home.cli('open', '--print')
  const { page } = await rig.viewer(context, { token: null })
  await page.goto(out.trim())
  await page.getByRole('heading', { name: 'Waiting for me' }).waitFor()
  expect(page.url()).toBe(at('/'))
  expect(await page.evaluate(() => document.cookie)).toBe('')
  const { page: other } = await rig.viewer(context, { token: null })
  await other.goto(out.trim())
  await other.getByRole('alert').getByText('it was used already').waitFor()
  await expectFitsPhone(other)
})

test('a link never leads to another site', async (context) => {
  const { page } = await rig.viewer(context)
  for (const next of ['//evil.example/x', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    await page.goto(at(`/login?next=${encodeURIComponent(next)}`))
    await page.getByRole('heading', { name: 'Waiting for me' }).waitFor()
    expect(new URL(page.url()).origin).toBe(new URL(rig.engine.file.url).origin)
  }
})

test('a session that ends in an open page is asked for again, over what stands there', async (context) => {
  const { out: token } = await rig.home.cli('token', 'create', 'eve', '--role', 'operator')
  const { page } = await rig.viewer(context, { token: token.trim() })
  await page.goto(at('/'))
  await page.getByRole('heading', { name: 'Waiting for me' }).waitFor()
  await rig.home.cli('token', 'revoke', 'eve')
  // By an event: where the stream was quicker to tell, the dialog lies over the link already.
  await page.getByRole('link', { name: 'Runs', exact: true }).dispatchEvent('click')
  await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
  const again = (await rig.home.cli('token', 'create', 'eve', '--role', 'operator')).out.trim()
  await page.getByLabel('Token').fill(again)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to SOP Engine' }).waitFor()
})
