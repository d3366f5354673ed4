import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFamilyAlive, pgidOf } from './processes.ts'
import type { Ending, Spool, SpoolEntry } from './spool.ts'

// keeper-watch.ts: how one command of the keeper is heard of: from the keeper itself, and from the spool once that has died.

/** The end of a program; `isLost`: it is gone, and what it ended with is not known. */
export type KeptEnding = Ending & { readonly isLost?: true }

/** What is heard of one command. */
export interface Watch {
  /** Pid of the program and number of its group; undefined where no process of it was found. Rejects where it cannot start. */
  readonly began: Promise<number | undefined>
  readonly ended: Promise<KeptEnding>
  readonly drained: Promise<void>
}

/** The keeper died before it began the command: it can be begun by the next one. */
export class KeeperDied extends Error {}

const POLL_MS = 50
const LOOK_EVERY = 10

/** Whoever waits for news of one command. */
export interface Waiting {
  began(pid: number): void
  failed(error: { readonly code?: string; readonly message: string }): void
  ended(ending: Ending): void
  drained(): void
  died(): void
}

/** What watching needs of the keeper. */
export interface WatchContext {
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
export const watchStarted = (context: WatchContext, entry: string, mark: string): Watch => {
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

/** Goes by what the spool says: a command that somebody else began, or whose keeper died. */
export const follow = (context: WatchContext, entry: string, mark: string): Watch => {
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
