import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/**
 * One process, told from a later one that got the same pid: `startedAt` is whatever the system says about its start,
 * to be compared and never read.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly startedAt: string
}

/** Identifies a running process; undefined when there is none with that pid. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid)
  return startedAt === undefined ? undefined : { pid, startedAt }
}

/** Whether exactly this process still runs. A zombie counts as gone. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt
}

/** Whether a value read from a file has the shape of an identity. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startedAt } = (value ?? {}) as { pid?: unknown; startedAt?: unknown }
  return Number.isInteger(pid) && (pid as number) > 0 && typeof startedAt === 'string'
}

/** Ends exactly this process: TERM, then KILL after `graceMs`. Does nothing when it is gone. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isAlive(identity))) return
    sendSignal(identity.pid, signal)
    const deadline = Date.now() + (signal === 'SIGTERM' ? graceMs : 5_000)
    while (Date.now() < deadline && (await isAlive(identity))) await sleep(25)
  }
}

/** Sends a signal; a process that is gone already is not an error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may hold blanks and brackets itself: fields count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${await bootId()}/${fields[19]}`
  } catch {
    return undefined
  }
}

/** Start ticks count from boot, so the boot belongs to the identity. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return 'boot'
  }
}

async function startByPs(pid: number): Promise<string | undefined> {
  if (process.platform === 'win32') return startOnWindows(pid)
  try {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { env })
    const [state = '', ...start] = stdout.trim().split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
  } catch {
    return undefined
  }
}

/** Windows tells no start time cheaply: the pid alone has to do. */
function startOnWindows(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    return 'running'
  } catch {
    return undefined
  }
}
