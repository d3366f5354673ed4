import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandResult, ExecutableId } from '../core/run/task.ts'
import { OUTPUT_FILE_BYTES } from './step-output.ts'
import type { StopReason } from './stop.ts'

// spool.ts: what a worker has on disk of each command, so that the command and its end outlive the worker. One folder, an
// entry, for each block of a step; `keeper.mjs` says which files are in it. The first line of its status says what it is for.

/** What an entry is for. */
export interface SpoolTask {
  /** The execution: its workflow execution and its activity, so that no two ever share it. */
  readonly key: string
  readonly runId: string
  readonly executableId: ExecutableId
  readonly attempt: number
  readonly stepNumber: number
  readonly kind: 'shell' | 'http'
  /** Which of the step's command blocks, from 0. */
  readonly block: number
  /** Bytes that the step's log had before it. */
  readonly logBytes: number
  /** When the step began on this host; ISO-8601 UTC. */
  readonly startedAt: string
}

export interface Ending {
  readonly code?: number
  readonly signal?: string
}

/** What is known of an entry. */
export interface SpoolEntry {
  readonly entry: string
  readonly task: SpoolTask
  /** Pid of the program, which is the number of its process group. */
  readonly began?: number
  readonly failed?: { readonly code?: string; readonly message: string }
  readonly ended?: Ending
  /** All of its output is in `out`. */
  readonly isDrained: boolean
  /** Why the worker wanted it to end. */
  readonly stopping?: StopReason
  /** The step is over, and this came of it. */
  readonly result?: CommandResult
}

/** How far an entry's output was taken: so much of `out`, when the step's log had so many bytes. */
export interface ReadMark {
  readonly offset: number
  readonly logBytes: number
}

export interface Spool {
  readonly folder: string
  /** An entry that nothing is started in, for what has no process. */
  make(): string
  /** Says what the entry is for. */
  claim(entry: string, task: SpoolTask): void
  note(entry: string, line: string): void
  read(entry: string): SpoolEntry | undefined
  /** Everything that is here, the blocks of a step in order. */
  list(): readonly SpoolEntry[]
  find(key: string): readonly SpoolEntry[]
  /** Sees to it that an entry that has not begun never will. False: it has. */
  forbid(entry: string): boolean
  path(entry: string, file: 'out' | 'pipe' | 'vars'): string
  /** What the block wrote to its `$SOP_OUTPUT`. A number: so many bytes, too many to read. */
  vars(entry: string): Uint8Array | number
  mark(entry: string, mark: ReadMark): void
  readMark(entry: string): ReadMark | undefined
  /** Removes the folder where it lies among temporary files and nothing is left in it. */
  close(): void
}

/** The spool of the worker that has this scratch folder. */
export const openSpool = (scratchDir: string): Spool => {
  const folder = spoolFolder(scratchDir)
  const token = randomBytes(6).toString('hex')
  let made = 0
  const path: Spool['path'] = (entry, file) => join(folder, entry, file)
  const statusOf = (entry: string): string => join(folder, entry, 'status')
  const read = (entry: string): SpoolEntry | undefined => parseStatus(entry, textOf(statusOf(entry)))
  const list = (): readonly SpoolEntry[] =>
    readdirSync(folder)
      .flatMap((entry) => read(entry) ?? [])
      .sort((a, b) => a.task.block - b.task.block)
  return {
    folder,
    make: () => {
      const entry = `0.${token}-${++made}`
      mkdirSync(join(folder, entry), { mode: 0o700 })
      return entry
    },
    claim: (entry, task) => writeFileSync(statusOf(entry), `task ${JSON.stringify(task)}\n`, { mode: 0o600 }),
    note: (entry, line) => {
      try {
        const fd = openSync(statusOf(entry), constants.O_WRONLY | constants.O_APPEND)
        try {
          writeSync(fd, `${line}\n`)
        } finally {
          closeSync(fd)
        }
      } catch {
        // It was taken away, or the disk is full: the command goes on, and only a crash would miss this line.
      }
    },
    read,
    list,
    find: (key) => list().filter(({ task }) => task.key === key),
    forbid: (entry) => {
      try {
        closeSync(openSync(path(entry, 'out'), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
    },
    path,
    vars: (entry) => readVars(path(entry, 'vars')),
    mark: (entry, { offset, logBytes }) => {
      writeFileSync(join(folder, entry, 'read'), `${offset} ${logBytes} \n`, { mode: 0o600 })
    },
    readMark: (entry) => {
      const found = /^(\d+) (\d+) \n/.exec(textOf(join(folder, entry, 'read')))
      return found === null ? undefined : { offset: Number(found[1]), logBytes: Number(found[2]) }
    },
    close: () => {
      if (folder === join(scratchDir, NAME) || !existsSync(folder)) return
      if (readdirSync(folder).some((name) => name !== HOST_ID)) return
      rmSync(folder, { recursive: true, force: true })
      rmSync(join(scratchDir, ELSEWHERE), { force: true })
    },
  }
}

const NAME = '.spool'
/** In the spool, so that whoever has lost the spool is another host. */
export const HOST_ID = 'host-id'
/** Holds the spool's path where it is not in the scratch folder. */
const ELSEWHERE = '.spool-path'

/** Where the spool of that scratch folder lies. `>> $SOP_OUTPUT` without quotes has to work wherever the data directory lies, so its path never has a space. */
export const spoolFolder = (scratchDir: string): string => {
  mkdirSync(scratchDir, { recursive: true, mode: 0o700 })
  if (!/\s/.test(scratchDir)) {
    const folder = join(scratchDir, NAME)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }
  const known = textOf(join(scratchDir, ELSEWHERE))
  if (isOurs(known)) return known
  const folder = mkdtempSync(join(tmpdir(), '.sop-spool-'))
  writeFileSync(join(scratchDir, ELSEWHERE), folder, { mode: 0o600 })
  return folder
}

/** Folders of others are never trusted: a temporary folder is open to everybody. */
const isOurs = (folder: string): boolean => {
  const found = folder === '' ? undefined : lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

type Facts = { -readonly [K in keyof SpoolEntry]: SpoolEntry[K] }

/** A last line without its end was torn by a crash, and does not count. */
const parseStatus = (entry: string, text: string): SpoolEntry | undefined => {
  const [first = '', ...lines] = text.split('\n').slice(0, -1)
  const task = first.startsWith('task ') ? parsed<SpoolTask>(first.slice(5)) : undefined
  if (task === undefined) return undefined
  const facts: Facts = { entry, task, isDrained: false }
  for (const line of lines) {
    const space = line.indexOf(' ')
    const [word, rest] = space === -1 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
    if (word === 'began') facts.began = Number(rest)
    else if (word === 'drained') facts.isDrained = true
    else if (word === 'stopping') facts.stopping ??= rest as StopReason
    else if (word === 'failed' || word === 'ended' || word === 'result') {
      const value = parsed<never>(rest)
      if (value !== undefined) facts[word] = value
    }
  }
  return facts
}

const parsed = <T>(text: string): T | undefined => {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

const NOTHING = new Uint8Array(0)

/** Nothing where the step wrote no outputs, or put something else in their place. */
const readVars = (path: string): Uint8Array | number => {
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
