import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isProcessOf } from './processes.ts'
import type { Ending, Spool } from './spool.ts'
import { type Watch, type Waiting, type WatchContext, watchStarted, follow } from './keeper-watch.ts'

// keeper.ts: the worker's side of `keeper.mjs`, the small process that starts the commands. What the keeper tells at once is
// in the spool as well, so one that was begun by an earlier worker, or whose keeper died, is followed there.

/** What the keeper needs to start a program. */
export interface Start {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** A file that the program reads as its stdin; absent: /dev/null. */
  readonly stdin?: string
}

export interface Keeper {
  /** Gets ready, so that the first command does not wait. */
  warm(): void
  /** A fresh entry. */
  take(): Promise<string>
  /** Begins the command. `began` rejects with `KeeperDied` where it never began for that reason. */
  start(entry: string, start: Start): Watch
  /** Follows a command that somebody else began. `mark` is in its environment. */
  attach(entry: string, mark: string): Watch
  /** Takes no more of its output. */
  leave(entry: string): void
  remove(entry: string): void
  /** Whether the keeper that began the entry still runs. */
  isKept(entry: string): boolean
  /** Ends the keeper once its last command is over. */
  close(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('./keeper.mjs', import.meta.url))
const STOCK = 16
const CLOSE_MS = 5_000

interface Said {
  readonly entry?: string
  readonly began?: number
  readonly failed?: { readonly code?: string; readonly message: string }
  readonly ended?: Ending
  readonly drained?: true
  readonly stock?: readonly string[]
  readonly noStock?: string
}

/** The keeper of a spool; it is started when it is needed first, and again when it has died. */
export const createKeeper = (spool: Spool, path: string): Keeper => {
  const waiting = new Map<string, Waiting>()
  let running: ChildProcess | undefined
  let isClosed = false
  let stock: string[] = []
  let isFilling = false
  let takers: { resolve(entry: string): void; reject(error: Error): void }[] = []

  const hear = (said: Said): void => {
    const { entry = '', stock: made, noStock, began, failed, ended, drained } = said
    const waits = waiting.get(entry)
    if (began !== undefined) waits?.began(began)
    if (failed !== undefined) waits?.failed(failed)
    if (ended !== undefined) waits?.ended(ended)
    if (drained === true) waits?.drained()
    if (made !== undefined) {
      isFilling = false
      stock.push(...made)
      serve()
    }
    if (noStock !== undefined) {
      isFilling = false
      const refused = takers
      takers = []
      for (const { reject } of refused) reject(Object.assign(new Error(noStock), { code: 'ENOSPOOL' }))
    }
  }
  const died = (): void => {
    running = undefined
    stock = []
    isFilling = false
    for (const waits of [...waiting.values()]) waits.died()
    if (takers.length > 0) fill()
  }
  const send = (message: object): void => {
    running ??= launch(spool.folder, path, hear, died)
    running.stdin?.write(`${JSON.stringify(message)}\n`)
  }
  const fill = (): void => {
    if (isFilling || isClosed) return
    isFilling = true
    send({ verb: 'stock', count: Math.max(STOCK, takers.length) })
  }
  const serve = (): void => {
    for (let taker = takers[0]; taker !== undefined && stock.length > 0; taker = takers[0]) {
      takers = takers.slice(1)
      taker.resolve(stock.shift() as string)
    }
    if (stock.length < STOCK / 2) fill()
  }
  const isKept = (entry: string): boolean => isKeeper(keeperOf(entry))
  const context: WatchContext = { spool, waiting, isKept, takeOver: (entry) => send({ verb: 'takeOver', entry }) }
  return {
    warm: () => {
      if (stock.length === 0) fill()
    },
    take: () =>
      new Promise((resolve, reject) => {
        takers.push({ resolve, reject })
        serve()
      }),
    start: (entry, start) => {
      const watch = watchStarted(context, entry, `SOP_OUTPUT=${spool.path(entry, 'vars')}`)
      send({ verb: 'start', entry, ...start })
      return watch
    },
    attach: (entry, mark) => follow(context, entry, mark),
    leave: (entry) => send({ verb: 'leave', entry }),
    remove: (entry) => {
      if (running === undefined) rmSync(join(spool.folder, entry), { recursive: true, force: true })
      else send({ verb: 'remove', entry })
    },
    isKept,
    close: async () => {
      isClosed = true
      const child = running
      if (child === undefined) return removeFresh(spool)
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.stdin?.end()
      await Promise.race([gone, sleep(CLOSE_MS, undefined, { ref: false })])
    },
  }
}

const launch = (folder: string, path: string, hear: (said: Said) => void, died: () => void): ChildProcess => {
  removeUnused(folder)
  const token = randomBytes(6).toString('hex')
  // Small heaps: it hands bytes on. A session of its own, so that Ctrl-C at a terminal reaches the worker alone.
  const child = spawn(process.execPath, ['--max-semi-space-size=1', PROGRAM, folder, token], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: path },
  })
  child.unref()
  const { stdin, stdout } = child
  stdin.on('error', () => {})
  for (const stream of [stdin, stdout]) (stream as unknown as { unref(): void }).unref()
  let isOver = false
  const over = (): void => {
    if (isOver) return
    isOver = true
    died()
  }
  child.once('error', over)
  // What it said last is heard first.
  child.once('close', over)
  createInterface({ input: stdout }).on('line', (line) => hear(JSON.parse(line) as Said))
  return child
}

const ENTRY = /^\d+\.[0-9a-f]+-\d+$/

/** Entries that a keeper made and that nobody took before it was killed. */
const removeUnused = (folder: string): void => {
  for (const entry of readdirSync(folder).filter((name) => ENTRY.test(name))) {
    if (!hasStatus(folder, entry) && !isKeeper(keeperOf(entry)))
      rmSync(join(folder, entry), { recursive: true, force: true })
  }
}

const removeFresh = ({ folder }: Spool): void => {
  try {
    removeUnused(folder)
  } catch {
    // The folder is gone already.
  }
}

const hasStatus = (folder: string, entry: string): boolean => existsSync(join(folder, entry, 'status'))

const keeperOf = (entry: string): string => entry.slice(0, entry.lastIndexOf('-'))

/** `<pid>.<token>`: the pid alone may belong to another process by now. */
const isKeeper = (name: string): boolean => {
  const [pid = '', token = ''] = name.split('.')
  return token !== '' && isProcessOf(Number(pid), token)
}
