// browser.mjs: what the sections about the page share: the system's Chromium, and an engine as `sop serve` starts it.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import { folder, later, pause, ROOT, say } from './rig.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

const findChromium = () => {
  const { CHROME_PATH, PATH = '' } = process.env
  const onPath = PATH.split(delimiter).flatMap((place) => NAMES.map((name) => join(place, name)))
  return [...(CHROME_PATH === undefined ? [] : [CHROME_PATH]), ...onPath].find((path) => existsSync(path))
}

/** Undefined, with a word about it, where there is no Chromium. */
export async function openBrowser() {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    say('There is no Chromium here: apt-get install chromium, or set CHROME_PATH')
    return undefined
  }
  const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  later(() => browser.close())
  return browser
}

/**
 * Starts an engine with a data directory and SOPs of its own.
 *
 * @param {string} name @param {Readonly<Record<string, string>>} sops their files @param {(dataDir: string) => Promise<void>} [prepare]
 */
export async function startEngine(name, sops, prepare) {
  const [dataDir, sopDir] = [join(folder, `${name}-data`), join(folder, `${name}-sops`)]
  await mkdir(sopDir, { recursive: true })
  for (const [file, text] of Object.entries(sops)) await writeFile(join(sopDir, file), text)
  await prepare?.(dataDir)
  const env = {
    SOP_DATA_DIR: dataDir,
    SOP_DIR: sopDir,
    SOP_API_PORT: '0',
    SOP_TEMPORAL_PORT: '0',
    SOP_TEMPORAL_UI: 'false',
  }
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'serve'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  later(async () => {
    child.kill('SIGINT')
    await ended
  })
  const file = join(dataDir, 'engine.json')
  while (!existsSync(file)) await pause(50)
  const { url, tokenPath } = JSON.parse(await readFile(file, 'utf8'))
  const token = (await readFile(tokenPath, 'utf8')).trim()
  const ask = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  return { url, get: (path) => ask('GET', path), post: (path, body) => ask('POST', path, body) }
}
