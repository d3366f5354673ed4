import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ReadHolidays } from '../activities/deps.ts'
import type { FiledDay } from '../core/blackout.ts'
import { SopError } from '../core/errors.ts'

export interface HolidaysOptions {
  readonly sopDir: string
  /** Path of the main file of an SOP, below the SOP directory. */
  readonly pathOf: (sop: string) => Promise<string | undefined>
  readonly now: () => Date
  /** How long the days of a file may take to work out, in milliseconds. Default 5,000. */
  readonly limitMs?: number
}

/** Larger than any calendar of holidays. */
const MAX_BYTES = 1024 * 1024
const MAX_DAYS = 10_000
const LIMIT_MS = 5_000
/** For so long one that could not be read is not tried again, in milliseconds: it may have taken all the time that it had. */
const BAD_MS = 60_000
/** Files that are known at once. */
const MAX_KNOWN = 1_000
const READER = fileURLToPath(new URL('./calendar-reader.mjs', import.meta.url))

/**
 * Reads a calendar file (RFC 5545) from the folder of an SOP, else from the SOP directory. What counts are its events of whole
 * days, with their repetitions; events with a time of day, and those that are cancelled, are passed over.
 *
 * Throws SopError `not_found` where there is none, `invalid` where it cannot be read as a calendar.
 */
export const createHolidays = ({ sopDir, pathOf, now, limitMs = LIMIT_MS }: HolidaysOptions): ReadHolidays => {
  const read = createReader(now, limitMs)
  return async (sop, file) => read(file, await placeOf(sopDir, (await pathOf(sop)) ?? '.', file))
}

/**
 * Why such a file cannot be read, as a sentence; undefined when it can. `path`: the main file of the SOP, below the SOP
 * directory.
 */
export const createCalendarProblem = (
  sopDir: string,
): ((path: string, file: string) => Promise<string | undefined>) => {
  const read = createReader(() => new Date(), LIMIT_MS)
  return async (path, file) => {
    try {
      await read(file, await placeOf(sopDir, path, file))
      return undefined
    } catch (error) {
      if (error instanceof SopError) return error.message
      return `Cannot read holidays "${file}": the system says ${(error as NodeJS.ErrnoException).code ?? String(error)}`
    }
  }
}

/** Where the file is. @throws SopError `not_found` */
const placeOf = async (sopDir: string, path: string, file: string): Promise<string> => {
  const root = await realpath(sopDir)
  const found = (await insideOf(root, join(root, dirname(path), file))) ?? (await insideOf(root, join(root, file)))
  if (found !== undefined) return found
  throw new SopError(
    'not_found',
    `Cannot read holidays "${file}": it is neither beside the SOP ("${path}") nor in the SOP directory`,
  )
}

/** The file itself, where it is there and no link leads out. */
const insideOf = async (root: string, path: string): Promise<string | undefined> => {
  try {
    const real = await realpath(path)
    return real.startsWith(`${root}${sep}`) ? real : undefined
  } catch {
    return undefined
  }
}

interface Known {
  readonly stamp: string
  readonly days: Promise<readonly FiledDay[]>
  readonly at: number
  isBad: boolean
}

/** A file is read anew when it changed, or another year began; one that could not be read also after a while. */
const createReader = (now: () => Date, limitMs: number) => {
  const known = new Map<string, Known>()
  return async (file: string, at: string): Promise<readonly FiledDay[]> => {
    const { size, mtimeMs, ctimeMs, ino } = await stat(at)
    const year = now().getUTCFullYear()
    const stamp = [ino, size, mtimeMs, ctimeMs, year].join(':')
    const before = known.get(at)
    const isOver = before?.isBad === true && now().getTime() - before.at > BAD_MS
    if (before?.stamp === stamp && !isOver) return before.days
    if (size > MAX_BYTES)
      throw new SopError('invalid', `Cannot read holidays "${file}": it is larger than ${MAX_BYTES} bytes`)
    const days = readFile(at, 'utf8').then((text) => daysOf(file, text, { year, limitMs }))
    const entry: Known = { stamp, days, at: now().getTime(), isBad: false }
    days.catch(() => {
      entry.isBad = true
    })
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(at, entry)
    return days
  }
}

type Answer = { readonly days: readonly FiledDay[] } | { readonly problem: string }

const daysOf = async (
  file: string,
  text: string,
  { year, limitMs }: { readonly year: number; readonly limitMs: number },
): Promise<readonly FiledDay[]> => {
  const answer = await ask({ text, year, most: MAX_DAYS }, limitMs)
  if ('days' in answer) return answer.days
  throw new SopError(
    'invalid',
    `Cannot read holidays "${file}": it is no calendar (RFC 5545) of days: ${answer.problem.slice(0, 200)}`,
  )
}

/** Asks the reader, and ends it when it has answered, or after the limit. */
const ask = async (workerData: object, limitMs: number): Promise<Answer> => {
  const worker = new Worker(READER, { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 256 } })
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve({ problem: `its days are not worked out after ${limitMs / 1000} s` }), limitMs)
      worker.once('message', resolve)
      worker.once('error', (error) => resolve({ problem: error.message }))
      worker.once('exit', () => resolve({ problem: 'its reader ended' }))
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
