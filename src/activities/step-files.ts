import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit } from './exit-cleaner.ts'

// step-files.ts: the scripts of steps. One private folder for each worker process. A script is written once and serves every
// run of it: creating and removing files costs more than all else that surrounds a short command. The synchronous calls take
// less time than a turn through the thread pool.

export interface StepFiles {
  /** Path of a file with that script. `name` is what `$0` and error messages show. */
  script(name: string, extension: string, text: string): string
}

const PREFIX = '.sop-steps-'
const MAX_SCRIPTS = 500
const LEFTOVER_MS = 7 * 86_400_000

export const createStepFiles = (scratchDir: string): StepFiles => {
  const scripts = new Map<string, string>()
  let folder: string | undefined
  let count = 0
  const inFolder = (name: string): string => {
    if (folder === undefined || !existsSync(folder)) {
      scripts.clear()
      folder = newFolder(scratchDir)
    }
    return join(folder, name)
  }
  return {
    script: (name, extension, text) => {
      const key = `${name}\0${extension}\0${text}`
      const known = scripts.get(key)
      // Read again each time: a step may have written there, and only what was signed may run.
      if (known !== undefined && readText(known) === text) return known
      const path = inFolder(`${name}.${++count}.${extension}`)
      writeFileSync(path, text, { mode: 0o400 })
      scripts.set(key, path)
      for (const [oldest, old] of scripts) {
        if (scripts.size <= MAX_SCRIPTS) break
        scripts.delete(oldest)
        rmSync(old, { force: true })
      }
      return path
    },
  }
}

/** `$0` without quotes has to work wherever the data directory lies, so its path never has a space. */
const newFolder = (scratchDir: string): string => {
  const parent = /\s/.test(scratchDir) ? tmpdir() : scratchDir
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  if (parent === scratchDir) removeLeftovers(parent)
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`))
  removeAtExit(folder)
  return folder
}

/** Folders of workers that were killed; not at once, since commands that outlived their worker may still write there. */
const removeLeftovers = (parent: string): void => {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(parent, name)
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY }
    if (Date.now() - mtimeMs > LEFTOVER_MS) rmSync(path, { recursive: true, force: true })
  }
}

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
