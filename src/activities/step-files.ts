import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit } from './exit-cleaner.ts'
import { OUTPUT_FILE_BYTES } from './step-output.ts'

// step-files.ts: the files that a step needs besides its own: its script, and the place for its outputs. One private folder
// for each worker process. A script is written once and serves every run of it: creating and removing files costs more
// than all else that surrounds a short command. The synchronous calls take less time than a turn through the thread pool.

export interface StepFiles {
  /** Path of a file with that script. `name` is what `$0` and error messages show. */
  script(name: string, extension: string, text: string): string
  /** An empty file for `$SOP_OUTPUT`, never used before: what an earlier step left running must not write there. */
  newOutput(): Promise<string>
  /** What the step wrote; the file goes. A number: so many bytes, too many to read. */
  takeOutput(path: string): Uint8Array | number
}

const PREFIX = '.sop-steps-'
/** Output files made ahead: on a busy disk making one takes longer than a short command does. */
const STOCK = 16
const MAX_SCRIPTS = 500
const LEFTOVER_MS = 7 * 86_400_000

export const createStepFiles = (scratchDir: string): StepFiles => {
  const scripts = new Map<string, string>()
  let stock: string[] = []
  let isFilling = false
  let folder: string | undefined
  let count = 0
  const inFolder = (name: string): string => {
    if (folder === undefined || !existsSync(folder)) {
      scripts.clear()
      stock = []
      folder = newFolder(scratchDir)
    }
    return join(folder, name)
  }
  const makeOutput = async (): Promise<string> => {
    const path = inFolder(`output.${++count}`)
    await writeFile(path, '', { flag: 'wx', mode: 0o600 })
    return path
  }
  const fillStock = async (): Promise<void> => {
    if (isFilling || stock.length > STOCK / 2) return
    isFilling = true
    try {
      for (let i = stock.length; i < STOCK; i++) stock.push(await makeOutput())
    } catch {
      // Told by the step that finds the stock empty and makes its own.
    } finally {
      isFilling = false
    }
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
    newOutput: async () => {
      inFolder('')
      const ready = stock.shift()
      void fillStock()
      return ready ?? makeOutput()
    },
    takeOutput: (path) => {
      const bytes = readOutput(path)
      rm(path, { force: true, recursive: true }).catch(() => {})
      return bytes
    },
  }
}

/** `>> $SOP_OUTPUT` without quotes has to work wherever the data directory lies, so its path never has a space. */
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

const NOTHING = new Uint8Array(0)

/** Nothing where the step wrote no outputs, or put something else in their place. */
const readOutput = (path: string): Uint8Array | number => {
  let fd: number | undefined
  try {
    // On a pipe a plain open would wait for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = fstatSync(fd)
    if (!stats.isFile()) return NOTHING
    return stats.size > OUTPUT_FILE_BYTES ? stats.size : readFileSync(fd)
  } catch {
    return NOTHING
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
