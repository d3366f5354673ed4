import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutputPipes } from './output-pipe.ts'
import { endFamily, type Family, isGroupAlive } from './processes.ts'

// run-process.ts: one program from its start until the last of its processes is gone.

export interface ProcessSpec {
  readonly program: string
  readonly args: readonly string[]
  /** A file that the program reads as its stdin; absent: /dev/null. */
  readonly stdinFile?: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** See `Family.mark`. */
  readonly mark: string
}

export interface ProcessPorts {
  readonly pipes: OutputPipes
  readonly killGraceMs: number
  /** Ends the program and everything that it began. */
  readonly stop: AbortSignal
  /** Gets stdout and stderr as they come. The program waits until it has taken them. */
  readonly onOutput: (bytes: Uint8Array) => Promise<void>
  readonly onStart?: (pid: number) => void
}

export interface ProcessEnd {
  readonly exitCode?: number
  readonly signal?: string
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
/** Silence after which a pipe that somebody still holds is given up. */
const QUIET_MS = 250
const DRAIN_LIMIT_MS = 5000

/**
 * Runs the program in a process group of its own and resolves when nothing of the group is left.
 * On `stop` also what has left the group is ended; at a normal end a daemon that has left it (setsid) may live on.
 *
 * @throws {NodeJS.ErrnoException} when the program cannot be started
 */
export const runProcess = async (spec: ProcessSpec, ports: ProcessPorts): Promise<ProcessEnd> => {
  const { child, reader } = await start(spec, ports)
  const pgid = child.pid as number
  ports.onStart?.(pgid)
  const exited = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  const drain = drainInto(reader, ports.onOutput)
  const stopped = aborted(ports.stop)
  const wasStopped = await Promise.race([exited.then(() => false), stopped.then(() => true)])
  const family: Family = wasStopped ? { pgid, mark: spec.mark } : { pgid }
  const leftBehind = !wasStopped && !(await endsByItself(pgid, stopped))
  const survivors = wasStopped || leftBehind ? await endFamily(family, ports.killGraceMs) : []
  const { code, signal } = survivors.includes(pgid) ? { code: null, signal: null } : await exited
  const holdsOutput = !(await drain.finish())
  return {
    ...(code === null ? {} : { exitCode: code }),
    ...(signal === null ? {} : { signal }),
    wasStopped,
    leftBehind,
    holdsOutput,
    survivors,
  }
}

const start = async (
  spec: ProcessSpec,
  { pipes }: ProcessPorts,
): Promise<{ readonly child: ChildProcess; readonly reader: Readable }> => {
  const { reader, writeFd } = await pipes.open()
  let stdin: number | undefined
  try {
    stdin = spec.stdinFile === undefined ? undefined : openSync(spec.stdinFile, 'r')
    const child = spawn(spec.program, spec.args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      stdio: [stdin ?? 'ignore', writeFd, writeFd],
      // A group and session of its own: the whole of it can be ended by one number.
      detached: true,
    })
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    return { child, reader }
  } catch (error) {
    reader.destroy()
    throw error
  } finally {
    closeSync(writeFd)
    if (stdin !== undefined) closeSync(stdin)
  }
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

interface Drain {
  /** Takes what is still in the pipe; false: somebody holds it open, and it was given up. */
  finish(): Promise<boolean>
}

const drainInto = (reader: Readable, onOutput: (bytes: Uint8Array) => Promise<void>): Drain => {
  let busySince: number | undefined
  let lastAt = performance.now()
  const done = (async () => {
    for await (const bytes of reader as AsyncIterable<Uint8Array>) {
      busySince = performance.now()
      await onOutput(bytes)
      busySince = undefined
      lastAt = performance.now()
    }
    return true
  })().catch(() => false)
  return {
    finish: async () => {
      const from = performance.now()
      lastAt = Math.max(lastAt, from)
      for (;;) {
        const ended = await Promise.race([done, sleep(20).then(() => undefined)])
        if (ended !== undefined) return ended
        const now = performance.now()
        const isQuiet = busySince === undefined && now - lastAt >= QUIET_MS
        if (!isQuiet && now - from < DRAIN_LIMIT_MS) continue
        reader.destroy()
        await done
        return false
      }
    },
  }
}
