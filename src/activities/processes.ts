import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

// processes.ts: finding and ending all processes of a step: its process group, and what has left the group (setsid)
// but is a descendant or carries the step's mark in its environment.

/** How the processes of one step are known. */
export interface Family {
  readonly pgid: number
  /** An environment entry that only this step has, e.g. `SOP_OUTPUT=/…/output`. Absent: the group alone counts. */
  readonly mark?: string
}

interface ProcessRow {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
}

/** Time that the system gets to clear away what was killed. */
const KILL_WAIT_MS = 10_000

/** Whether a live process is in the group. Zombies that nobody collects do not count. */
export const isGroupAlive = async (pgid: number): Promise<boolean> =>
  signal(-pgid, 0) && (await liveFamily({ pgid })).length > 0

/** Whether a live process of exactly this family, not of a later group with the same number, is in the group. */
export const isFamilyAlive = async ({ pgid, mark }: Required<Family>): Promise<boolean> => {
  if (!signal(-pgid, 0)) return false
  if (process.platform === 'linux') return readProc().some((row) => row.pgid === pgid && hasMark(row.pid, mark))
  // Elsewhere no process shows its environment, and the number of the group has to do.
  return (await liveFamily({ pgid })).length > 0
}

/** The group of the processes that carry the mark; undefined where there is none, or no way to see it. */
export const pgidOf = (mark: string): number | undefined =>
  process.platform === 'linux' ? readProc().find((row) => hasMark(row.pid, mark))?.pgid : undefined

/** Whether the process is there and has the text in its command line. */
export const isProcessOf = (pid: number, text: string): boolean => {
  if (!signal(pid, 0)) return false
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
      : execFileSync('ps', ['-ww', '-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).includes(text)
  } catch {
    return false
  }
}

/**
 * Ends the family: TERM at once, KILL after the grace period, again and again until nothing is left.
 *
 * @returns pids that could not be ended (another user's, or stuck in the kernel); empty as a rule
 */
export const endFamily = async (family: Family, graceMs: number): Promise<readonly number[]> => {
  const startedAt = performance.now()
  // Each is asked once: to many programs a second TERM means to drop everything and not to clean up.
  const asked = new Set(await liveFamily({ pgid: family.pgid }))
  askToEnd(-family.pgid)
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    const live = await liveFamily(family, asked)
    if (live.length === 0) return []
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs > graceMs + KILL_WAIT_MS) return live
    for (const pid of live) {
      if (elapsedMs >= graceMs) signal(pid, 'SIGKILL')
      else if (!asked.has(pid)) askToEnd(pid)
      asked.add(pid)
    }
    await sleep(elapsedMs < graceMs ? Math.min(pauseMs, graceMs - elapsedMs + 1) : pauseMs)
  }
}

/** A stopped process takes TERM only once it runs again. */
const askToEnd = (pid: number): void => {
  signal(pid, 'SIGTERM')
  signal(pid, 'SIGCONT')
}

/** False: there is no such process. A process that belongs to somebody else counts as there. */
const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Pids of the family; `known` are members found before, whose children belong to it even when their parents are gone. */
const liveFamily = async (
  { pgid, mark }: Family,
  known: ReadonlySet<number> = new Set(),
): Promise<readonly number[]> => {
  const rows = process.platform === 'linux' ? readProc() : await readPs()
  const isNear = (row: ProcessRow): boolean =>
    row.pgid === pgid || (mark !== undefined && (known.has(row.pid) || hasMark(row.pid, mark)))
  const members = new Set(rows.filter((row) => row.pid !== process.pid && isNear(row)).map((row) => row.pid))
  if (mark === undefined) return [...members]
  for (let before = -1; before !== members.size; ) {
    before = members.size
    for (const row of rows) if (members.has(row.ppid)) members.add(row.pid)
  }
  return [...members]
}

const hasMark = (pid: number, mark: string): boolean => {
  try {
    return Buffer.concat([NUL, readFileSync(`/proc/${pid}/environ`)]).includes(`\0${mark}\0`)
  } catch {
    return false
  }
}

const NUL = Buffer.from([0])

const readProc = (): readonly ProcessRow[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      // The command's name stands in brackets and may hold anything, brackets too.
      const [state, ppid, pgid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state === 'Z' || state === 'X' ? [] : [{ pid: Number(name), ppid: Number(ppid), pgid: Number(pgid) }]
    } catch {
      return []
    }
  })

const readPs = async (): Promise<readonly ProcessRow[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { maxBuffer: 2 ** 26 })
  return stdout.split('\n').flatMap((line) => {
    const [pid, ppid, pgid, state = ''] = line.trim().split(/\s+/)
    return pid === undefined || state === '' || state.startsWith('Z')
      ? []
      : [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid) }]
  })
}
