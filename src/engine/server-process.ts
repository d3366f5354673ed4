import { type ChildProcess, spawn } from 'node:child_process'
import { open, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonFile, writeFileAtomic } from './atomic-file.ts'
import type { Environment } from './find-temporal.ts'
import { endProcess, identifyProcess, isIdentity, type ProcessIdentity, sendSignal } from './process-identity.ts'

/** How long a server gets to end by itself before it is killed. It takes about a second. */
const GRACE_MS = 10_000

export interface ServerProcess {
  readonly pid: number
  /** Fulfilled with how it ended. */
  readonly exited: Promise<string>
  isRunning(): boolean
  stop(): Promise<void>
}

/**
 * Starts a server with `folder` as its directory, its output at the end of `logPath`, in a session of its own, so that
 * Ctrl-C at the terminal reaches the engine alone. Should the engine be killed, a guard ends the server; should that
 * fail too, the record that is left in `folder` lets the next start do it.
 */
export async function spawnServer(
  path: string,
  args: readonly string[],
  { folder, logPath, env }: { readonly folder: string; readonly logPath: string; readonly env: Environment },
): Promise<ServerProcess> {
  const log = await open(logPath, 'a', 0o600)
  try {
    const child = spawn(path, args, {
      cwd: folder,
      env: serverEnvironment(env),
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      windowsHide: true,
    })
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`),
      )
    })
    if (child.pid === undefined) throw new Error(await exited)
    const guard = startGuard(child.pid)
    void exited.then(() => guard?.kill('SIGKILL'))
    await record(folder, child.pid)
    return wrap(child, child.pid, exited, folder)
  } finally {
    await log.close()
  }
}

/** Ends the server that a killed engine left behind, before two of them open one database. True when there was one. */
export async function endLeftoverServer(folder: string): Promise<boolean> {
  const recorded = await readJsonFile(recordPath(folder))
  const found = [...(isIdentity(recorded) ? [recorded] : []), ...(await findByFolder(folder))]
  let ended = false
  for (const identity of found) {
    if (!(await isServer(identity))) continue
    await endProcess(identity, GRACE_MS)
    ended = true
  }
  await rm(recordPath(folder), { force: true })
  return ended
}

function wrap(child: ChildProcess, pid: number, exited: Promise<string>, folder: string): ServerProcess {
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const stop = async (): Promise<void> => {
    if (isRunning()) sendSignal(pid, 'SIGTERM')
    const killer = setTimeout(() => isRunning() && sendSignal(pid, 'SIGKILL'), GRACE_MS)
    await exited
    clearTimeout(killer)
    await rm(recordPath(folder), { force: true })
  }
  return { pid, exited, isRunning, stop }
}

/** A shell that waits for our end of its pipe to close, which happens however we end, and then ends the server. */
function startGuard(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const script = `read -r _; kill -TERM ${pid}`
  const guard = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  guard.unref()
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return guard
}

const recordPath = (folder: string): string => join(folder, 'server.json')

async function record(folder: string, pid: number): Promise<void> {
  const identity = await identifyProcess(pid)
  if (identity !== undefined) await writeFileAtomic(recordPath(folder), `${JSON.stringify(identity)}\n`)
}

/** The server needs no secret of ours, and our TEMPORAL_… variables are not meant for it. */
function serverEnvironment(env: Environment): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TZ',
    'LANG',
    'USER',
    'USERPROFILE',
    'APPDATA',
    'LOCALAPPDATA',
    'SystemRoot',
    'TEMP',
    'TMP',
  ]
  const entries = kept.map((name) => [name, env[name]] as const)
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))
}

/** On Linux also the server whose engine was killed in the instant between its start and its record. */
async function findByFolder(folder: string): Promise<readonly ProcessIdentity[]> {
  if (process.platform !== 'linux') return []
  const own = await realpath(folder)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const here = await Promise.all(pids.map(async (pid) => (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === own))
  const found = await Promise.all(pids.filter((_, index) => here[index]).map(identifyProcess))
  return found.filter((identity) => identity !== undefined)
}

async function isServer(identity: ProcessIdentity): Promise<boolean> {
  if ((await identifyProcess(identity.pid))?.startedAt !== identity.startedAt) return false
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${identity.pid}/cmdline`, 'utf8').catch(() => '')
  return command.includes('start-dev')
}
