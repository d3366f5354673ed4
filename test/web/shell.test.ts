import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { BROWSER_TIMES, expectAccessible, expectFitsPhone, expectTitle, openRig, type Rig } from '../support/browser.ts'

vi.setConfig(BROWSER_TIMES)

let rig: Rig

beforeAll(async () => {
  rig = await openRig({})
})
afterAll(() => rig?.close())

test('every address of the page is the page, in the theme that the viewer chose', async (context) => {
  const { page } = await rig.viewer(context)
  await page.goto(`${rig.engine.file.url}/runs`)
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
  await expectTitle(page, 'Runs · SOP Engine')
  await page.getByRole('link', { name: 'SOPs', exact: true }).click()
  await page.getByRole('heading', { name: 'SOPs', level: 1 }).waitFor()
  await expectAccessible(page)
  await page.getByLabel('Theme').selectOption('dark')
  await page.reload()
  await page.getByRole('heading', { name: 'SOPs', level: 1 }).waitFor()
  expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark')
  await expectFitsPhone(page)
})
