import { mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect, inject, type TestContext } from 'vitest'
import type { ChromiumBinary } from './chromium-binary.ts'
import { createHome, type Home, type HomeOptions, type RunningEngine } from './real-engine.ts'

// browser.ts: the page in a real browser, on a real engine: one engine and one browser for a test file, and a context of its
// own (cookies, storage) for each viewer.

/**
 * For `vi.setConfig`: a browser, an engine and a Temporal server share what two other test files leave of the machine. What
 * is waited for comes as soon as it can; these say when it counts as lost.
 */
export const BROWSER_TIMES = { testTimeout: 300_000, hookTimeout: 300_000 } as const
const SEEN_MS = 60_000

export interface Viewer {
  readonly page: Page
  readonly context: BrowserContext
}

export interface ViewerOptions extends BrowserContextOptions {
  /** Signs in by this token. Default: the local one (an admin). `null`: nobody is signed in. */
  readonly token?: string | null
  /** Texts of errors in the browser's console that this test causes on purpose. */
  readonly expectedErrors?: readonly RegExp[]
}

export interface Rig {
  readonly home: Home
  /** The engine that is asked; a test that starts another one puts it here. */
  engine: RunningEngine
  /** Opens a browser of a person's own. Skips the test where there is no Chromium; whatever the page logs as an error fails it. */
  viewer(test: TestContext, options?: ViewerOptions): Promise<Viewer>
  /** Ends browser and engine. */
  close(): Promise<void>
}

export interface RigOptions extends HomeOptions {
  /** What has to be there before the engine starts, e.g. records. */
  readonly prepare?: (home: Home) => Promise<void>
}

/** Starts an engine for the browser. For `beforeAll`; call `close` in `afterAll`. */
export const openRig = async ({ prepare, ...options }: RigOptions): Promise<Rig> => {
  const home = await createHome(options)
  const engine = await start(home, prepare)
  let browser: Promise<Browser> | undefined
  const rig: Rig = {
    home,
    engine,
    viewer: async (test, { token = rig.engine.token, expectedErrors = [], ...contextOptions } = {}) => {
      const binary: ChromiumBinary = inject('chromium')
      if ('missing' in binary) return test.skip(binary.missing)
      browser ??= launch(binary.path)
      const context = await (await browser).newContext({
        viewport: { width: 1280, height: 800 },
        locale: 'en-GB',
        timezoneId: 'Europe/Berlin',
        ...contextOptions,
      })
      context.setDefaultTimeout(SEEN_MS)
      const errors: string[] = []
      context.on('weberror', (error) => errors.push(error.error().stack ?? error.error().message))
      context.on('console', (message) => {
        // A refused request is for the page to show, and for the test to look at.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          errors.push(message.text())
      })
      test.onTestFinished(async () => {
        await context.close()
        expect(errors.filter((text) => !expectedErrors.some((pattern) => pattern.test(text)))).toEqual([])
      })
      if (token !== null) await signIn(context, rig.engine.file.url, token)
      return { context, page: await context.newPage() }
    },
    close: async () => {
      try {
        await (await browser)?.close()
      } finally {
        await home.remove()
      }
    },
  }
  return rig
}

/** Where it does not come up, nobody has it to close. */
const start = async (home: Home, prepare: RigOptions['prepare']): Promise<RunningEngine> => {
  try {
    await prepare?.(home)
    return await home.serve()
  } catch (error) {
    await home.remove()
    throw error
  }
}

/** Gets the cookie of a session, as the sign-in screen does. */
const signIn = async (context: BrowserContext, url: string, token: string): Promise<void> => {
  const headers = { 'X-SOP-Client': 'web', Origin: url }
  const answer = await context.request.post(`${url}/api/v1/session`, { data: { token }, headers })
  expect(answer.status(), await answer.text()).toBe(204)
}

const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    timeout: 120_000,
    args: ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  })

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Holds what is shown against the rules of axe for WCAG 2.2 AA. */
export const expectNoViolations = async (page: Page): Promise<void> => {
  // By the debugger: the page's own policy allows no script but its own.
  await page.evaluate(axe.source)
  // As text: what runs in a browser has no types here.
  const run = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(WCAG)} } })`
  const { violations } = await page.evaluate<AxeResults>(run)
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    at: nodes.slice(0, 5).map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary ?? ''}`),
  }))
  expect(found).toEqual([])
}

/** The same in light and in dark. */
export const expectAccessible = async (page: Page): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await expectNoViolations(page)
  }
  await page.emulateMedia({ colorScheme: null })
}

/** Nothing is cut off or has to be scrolled sideways on a phone 360 px wide. */
export const expectFitsPhone = async (page: Page): Promise<void> => {
  await page.setViewportSize({ width: 360, height: 740 })
  // What a script lays out by the width follows a frame later.
  const width = () => page.evaluate<number>('document.documentElement.scrollWidth')
  await expect.poll(width, { timeout: 20_000 }).toBeLessThanOrEqual(360)
}

/** The title of the tab follows what is shown a moment later. */
export const expectTitle = (page: Page, title: string): Promise<void> =>
  expect.poll(() => page.title(), { timeout: 20_000 }).toBe(title)

const SCREENS = resolve(import.meta.dirname, '../../docs/screens')

/** Keeps a picture for the documents: with `UPDATE=1`, or where there is none yet. */
export const keepScreenshot = async (page: Page, name: string): Promise<void> => {
  const path = join(SCREENS, `${name}.png`)
  if (process.env.UPDATE !== '1' && existsSync(path)) return
  await mkdir(SCREENS, { recursive: true })
  await page.screenshot({ path, animations: 'disabled' })
}
