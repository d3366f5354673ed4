import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isProcessOf, isFamilyAlive, pgidOf } from './processes.ts'
import type { Ending, Spool, SpoolEntry } from './spool.ts'

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

/** The end of a program; `isLost`: it is gone, and what it ended with is not known. */
export type KeptEnding = Ending & { readonly isLost?: true }

/** What is heard of one command. */
export interface Watch {
  /** Pid of the program and number of its group; undefined where no process of it was found. Rejects where it cannot start. */
  readonly began: Promise<number | undefined>
  readonly ended: Promise<KeptEnding>
  readonly drained: Promise<void>
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

/** The keeper died before it began the command: it can be begun by the next one. */
export class KeeperDied extends Error {}

const PROGRAM = fileURLToPath(new URL('./keeper.mjs', import.meta.url))
const STOCK = 16
const POLL_MS = 50
const LOOK_EVERY = 10
const CLOSE_MS = 5_000

interface Waiting {
  began(pid: number): void
  failed(error: { readonly code?: string; readonly message: string }): void
  ended(ending: Ending): void
  drained(): void
  died(): void
}

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
  const context: Context = { spool, waiting, isKept, takeOver: (entry) => send({ verb: 'takeOver', entry }) }
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

interface Context {
  readonly spool: Spool
  readonly waiting: Map<string, Waiting>
  readonly isKept: (entry: string) => boolean
  readonly takeOver: (entry: string) => void
}

const deferred = <T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } => {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((done, fail) => {
    resolve = done
    reject = fail
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

const errorOf = ({ code, message }: { readonly code?: string; readonly message: string }): Error =>
  Object.assign(new Error(message), { code: code ?? 'EUNKNOWN' })

/** Hears from the keeper itself, and goes by the spool once that has died. */
const watchStarted = (context: Context, entry: string, mark: string): Watch => {
  const { spool, waiting } = context
  const [began, ended, drained] = [deferred<number | undefined>(), deferred<KeptEnding>(), deferred<void>()]
  // A reader of our own: where the keeper dies, the command waits instead of being ended by a broken pipe.
  const pipe = openPipe(spool.path(entry, 'pipe'))
  let isBegun = false
  const closePipe = once(() => {
    if (pipe !== undefined) closeSync(pipe)
  })
  const over = (): void => {
    waiting.delete(entry)
    closePipe()
  }
  /** The end of the program and the end of its output come in any order. */
  let isHalf = false
  const half = (): void => {
    if (isHalf) waiting.delete(entry)
    isHalf = true
  }
  waiting.set(entry, {
    began: (pid) => {
      isBegun = true
      began.resolve(pid)
    },
    failed: (error) => {
      over()
      began.reject(errorOf(error))
    },
    ended: (ending) => {
      half()
      ended.resolve(ending)
    },
    drained: () => {
      half()
      closePipe()
      drained.resolve()
    },
    died: () => {
      waiting.delete(entry)
      if (!isBegun && spool.forbid(entry)) {
        over()
        began.reject(new KeeperDied('The process that starts commands has died'))
        return
      }
      const rest = follow(context, entry, mark)
      rest.began.then(began.resolve, began.reject)
      void rest.ended.then(ended.resolve)
      void rest.drained.then(() => {
        closePipe()
        drained.resolve()
      })
    },
  })
  return { began: began.promise, ended: ended.promise, drained: drained.promise }
}

const once = (work: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}

const openPipe = (path: string): number | undefined => {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** Goes by what the spool says. */
const follow = (context: Context, entry: string, mark: string): Watch => {
  const { spool, isKept, takeOver } = context
  const [began, ended, drained] = [deferred<number | undefined>(), deferred<KeptEnding>(), deferred<void>()]
  const tell = (state: SpoolEntry): void => {
    if (state.began !== undefined) began.resolve(state.began)
    if (state.failed !== undefined && state.began === undefined) began.reject(errorOf(state.failed))
    if (state.isDrained) drained.resolve()
    if (state.ended !== undefined) ended.resolve(state.ended)
  }
  /** Nobody will write down how it ended: it is watched until its processes are gone. */
  const watchProcesses = async (state: SpoolEntry): Promise<'gone' | 'alive'> => {
    const pgid = state.began ?? pgidOf(mark)
    began.resolve(pgid)
    return pgid !== undefined && (await isFamilyAlive({ pgid, mark })) ? 'alive' : 'gone'
  }
  const isOver = (state: SpoolEntry): boolean =>
    state.began === undefined ? state.failed !== undefined : state.isDrained && (state.ended !== undefined || isLost)
  let isLost = false
  const run = async (): Promise<void> => {
    let isTaken = false
    for (let turn = 0; ; turn++) {
      const state = spool.read(entry)
      if (state === undefined) return
      tell(state)
      if (isOver(state)) return
      if (turn % LOOK_EVERY === 0 && !isKept(entry)) {
        if (!isTaken && !state.isDrained) takeOver(entry)
        isTaken = true
        isLost = state.ended === undefined && (await watchProcesses(state)) === 'gone'
        // Between the two looks the keeper may have written its last words.
        const last = isLost ? spool.read(entry) : undefined
        if (last !== undefined) tell(last)
        if (isLost) ended.resolve({ isLost: true })
      }
      await sleep(POLL_MS)
    }
  }
  const end = (): void => {
    began.resolve(undefined)
    ended.resolve({ isLost: true })
    drained.resolve()
  }
  run().then(end, end)
  return { began: began.promise, ended: ended.promise, drained: drained.promise }
}
