import { setTimeout as sleep } from 'node:timers/promises'
import type { Keeper, Start } from './keeper.ts'
import type { Watch } from './keeper-watch.ts'
import { endFamily, type Family, isGroupAlive } from './processes.ts'
import { readSpool } from './spool-reader.ts'
import type { ReadMark, Spool } from './spool.ts'

// run-process.ts: one program from its start until the last of its processes is gone.

/** A program to begin, or one that an earlier worker began. */
export type ProcessSpec =
  | { readonly kind: 'start'; readonly entry: string; readonly start: Start }
  | { readonly kind: 'attach'; readonly entry: string; readonly from: number }

export interface ProcessPorts {
  readonly keeper: Keeper
  readonly spool: Spool
  readonly killGraceMs: number
  /** Ends the program and everything that it began. */
  readonly stop: AbortSignal
  /** Gets stdout and stderr as they come. A program that is far ahead of it waits. */
  readonly onOutput: (bytes: Uint8Array) => Promise<void>
  /** How far the log is, once so much of the output was given on; undefined where it cannot be said just now. */
  readonly markAt: (offset: number) => ReadMark | undefined
  readonly onStart?: (pid: number) => void
}

export interface ProcessEnd {
  readonly exitCode?: number
  readonly signal?: string
  /** Nobody saw how it ended. */
  readonly isLost: boolean
  /** It was ended because of `stop`. */
  readonly wasStopped: boolean
  /** Something in its group went on after it and was ended. */
  readonly leftBehind: boolean
  /** Something outside of its group still holds its output; what that writes is not recorded any more. */
  readonly holdsOutput: boolean
  /** Pids that could not be ended. */
  readonly survivors: readonly number[]
}

/** Time that a background process gets to finish by itself once the program has ended, e.g. `> >(tee log)`. */
export const LINGER_MS = 2000

/** Time that a new keeper gets to take over the pipe of one that was killed. */
const TAKE_OVER_MS = 3000

/** The environment entry that only this command has. */
export const markOf = (spool: Spool, entry: string): string => `SOP_OUTPUT=${spool.path(entry, 'vars')}`

/**
 * Runs the program in a process group of its own and resolves when nothing of the group is left.
 * On `stop` also what has left the group is ended; at a normal end a daemon that has left it (setsid) may live on.
 *
 * @throws {NodeJS.ErrnoException} when the program cannot be started
 * @throws {KeeperDied} when it never began, and can be begun again
 */
export const runProcess = async (spec: ProcessSpec, ports: ProcessPorts): Promise<ProcessEnd> => {
  const { keeper, spool } = ports
  const { entry } = spec
  const mark = markOf(spool, entry)
  const watch = spec.kind === 'start' ? keeper.start(entry, spec.start) : keeper.attach(entry, mark)
  const pgid = await watch.began
  if (pgid !== undefined) ports.onStart?.(pgid)
  const reader = readSpool({
    path: spool.path(entry, 'out'),
    from: spec.kind === 'attach' ? spec.from : 0,
    onOutput: ports.onOutput,
    drained: watch.drained,
    onProgress: (offset) => {
      const at = ports.markAt(offset)
      if (at !== undefined) spool.mark(entry, at)
    },
  })
  const { wasStopped, leftBehind, survivors } = await untilGone(
    watch,
    pgid === undefined ? undefined : { pgid, mark },
    ports,
  )
  const ending = survivors.includes(pgid ?? 0) ? {} : await watch.ended
  // The next keeper may still be on its way to what is left in the pipe.
  if ('isLost' in ending) await Promise.race([watch.drained, sleep(TAKE_OVER_MS)])
  const isWhole = await reader.finish()
  if (!isWhole) keeper.leave(entry)
  const { code, signal } = ending
  return {
    ...(code === undefined ? {} : { exitCode: code }),
    ...(signal === undefined ? {} : { signal }),
    isLost: 'isLost' in ending,
    wasStopped,
    leftBehind,
    holdsOutput: !isWhole,
    survivors,
  }
}

type Gone = Pick<ProcessEnd, 'wasStopped' | 'leftBehind' | 'survivors'>

const untilGone = async (
  { ended }: Watch,
  family: Required<Family> | undefined,
  { stop, killGraceMs }: ProcessPorts,
): Promise<Gone> => {
  if (family === undefined) return { wasStopped: stop.aborted, leftBehind: false, survivors: [] }
  const { pgid } = family
  const stopped = aborted(stop)
  const wasStopped = await Promise.race([ended.then(() => false), stopped.then(() => true)])
  const leftBehind = !wasStopped && !(await endsByItself(pgid, stopped))
  const survivors = wasStopped || leftBehind ? await endFamily(wasStopped ? family : { pgid }, killGraceMs) : []
  return { wasStopped, leftBehind, survivors }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Whether the group is gone within the linger time; a stop cuts that short. */
const endsByItself = async (pgid: number, stopped: Promise<void>): Promise<boolean> => {
  let isStopped = false
  void stopped.then(() => {
    isStopped = true
  })
  const until = performance.now() + LINGER_MS
  for (let pauseMs = 2; await isGroupAlive(pgid); pauseMs = Math.min(pauseMs * 2, 100)) {
    if (isStopped || performance.now() >= until) return false
    await Promise.race([sleep(pauseMs), stopped])
  }
  return true
}
