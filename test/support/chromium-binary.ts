import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

// chromium-binary.ts: the browser for tests of the page: found, or installed by root where the system has a package.

declare module 'vitest' {
  export interface ProvidedContext {
    /** The browser for tests of the page. */
    chromium: ChromiumBinary
  }
}

/** The browser that all tests of a run use, or why there is none. */
export type ChromiumBinary = { readonly path: string } | { readonly missing: string }

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The program: `CHROME_PATH`, else one on PATH or where macOS keeps it; undefined where there is none. */
export const findChromium = (env: Readonly<Record<string, string | undefined>> = process.env): string | undefined => {
  const { CHROME_PATH, PATH = '' } = env
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return [...(CHROME_PATH === undefined ? [] : [CHROME_PATH]), ...onPath, ...MAC].find((path) => existsSync(path))
}

/** The program, or the sentence that says what to do. */
export const provideChromium = async (say: (line: string) => void): Promise<ChromiumBinary> => {
  const found = findChromium()
  if (found !== undefined) return { path: found }
  const reason = await install(say)
  const path = findChromium()
  return path === undefined ? { missing: `no Chromium on this machine (${reason})` } : { path }
}

const install = async (say: (line: string) => void): Promise<string> => {
  const wayOut = 'install it: apt-get install chromium, or set CHROME_PATH'
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return wayOut
  say('Installing Chromium for the tests with apt-get …')
  const apt = (...args: string[]) =>
    promisify(execFile)('apt-get', ['-qq', '-y', '--no-install-recommends', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    })
  try {
    await apt('install', 'chromium').catch(async () => {
      await apt('update')
      await apt('install', 'chromium')
    })
    return 'its package has no browser'
  } catch (error) {
    return `apt-get failed: ${(error as Error).message.trim().split('\n').at(-1)}; ${wayOut}`
  }
}
