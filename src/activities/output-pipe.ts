import { execFile } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { removeAtExit } from './exit-cleaner.ts'

// output-pipe.ts: one real pipe for stdout and stderr together. Node gives its children socket pairs, on which
// `echo x > /dev/stderr` and `tee /dev/stderr` fail (ENXIO), and one for each stream, which loses the order of lines.

/** Pipes made by one call of mkfifo. */
const BATCH = 16

export interface OutputPipe {
  readonly reader: Readable
  /** For the child's stdout and stderr. Close it once the child has it: the end of the stream needs that. */
  readonly writeFd: number
}

export interface OutputPipes {
  open(): Promise<OutputPipe>
}

/** Pipes made in stock below `dir`; nothing of them stays there once they are open. */
export const createOutputPipes = (dir: string): OutputPipes => {
  let stock: string[] = []
  let folder: string | undefined
  let made = 0
  let filling: Promise<void> | undefined
  const newFolder = async (): Promise<string> => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    removeLeftovers(dir)
    const path = await mkdtemp(join(dir, `${PREFIX}${process.pid}-`))
    removeAtExit(path)
    return path
  }
  const fill = async (): Promise<void> => {
    if (folder === undefined || !existsSync(folder)) folder = await newFolder()
    const paths = Array.from({ length: BATCH }, () => join(folder as string, String(made++)))
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths])
    stock = paths
  }
  const take = async (): Promise<string> => {
    for (;;) {
      const path = stock.pop()
      if (path !== undefined) return path
      filling ??= fill().finally(() => {
        filling = undefined
      })
      await filling
    }
  }
  return { open: async () => openPipe(await take()) }
}

const PREFIX = '.pipes-'

/** The reader first, without waiting for a writer; after the unlink nobody else can open it. */
const openPipe = (path: string): OutputPipe => {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const writeFd = openSync(path, constants.O_WRONLY)
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd }
  } catch (error) {
    closeSync(readFd)
    throw error
  } finally {
    unlinkSync(path)
  }
}

/** Folders of workers that were killed. */
const removeLeftovers = (dir: string): void => {
  for (const name of readdirSync(dir)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (!Number.isNaN(pid) && !isThere(pid)) rmSync(join(dir, name), { recursive: true, force: true })
  }
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
