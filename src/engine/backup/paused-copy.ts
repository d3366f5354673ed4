import { spawn } from 'node:child_process'
import { constants, copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SopError } from '../../core/errors.ts'
import { readJsonFile } from '../atomic-file.ts'
import { DB_FILE } from '../db-version.ts'
import { isAlive, isIdentity, sendSignal } from '../process-identity.ts'

// paused-copy.ts: copies the database of a running server. The server stands still meanwhile (SIGSTOP), so the file and its
// journal are of one instant, as after a loss of power, which SQLite recovers from. Should this process be killed in
// between, a guard lets the server go on.

/** So long a server may stand still: workers take one that is away for longer for dead. */
const MOST_PAUSE_MS = 5_000
const STAGE = 'backup-now'

export interface PausedCopy {
  /** Where the copies are: `temporal.db` and its journal. */
  readonly folder: string
  readonly files: readonly string[]
  /** Absent: no server was running. */
  readonly pausedMs?: number
  remove(): Promise<void>
}

/** Copies the database in `folder`, the server's own. @throws SopError `unavailable` where it takes too long */
export const copyDatabase = async (folder: string): Promise<PausedCopy> => {
  const stage = join(folder, STAGE)
  await rm(stage, { recursive: true, force: true })
  await mkdir(stage, { mode: 0o700 })
  const remove = (): Promise<void> => rm(stage, { recursive: true, force: true })
  try {
    const server = await runningServer(folder)
    const began = performance.now()
    const letGo = server === undefined ? () => {} : pause(server)
    let files: readonly string[]
    try {
      files = await copyAll(folder, stage)
    } finally {
      letGo()
    }
    const pausedMs = performance.now() - began
    if (server !== undefined && pausedMs > MOST_PAUSE_MS) {
      throw new SopError(
        'unavailable',
        `Cannot back up while the engine runs: copying Temporal's database took ${Math.round(pausedMs)} ms, and the server may stand still for ${MOST_PAUSE_MS} ms. Stop the engine and try again`,
      )
    }
    return { folder: stage, files, remove, ...(server !== undefined && { pausedMs }) }
  } catch (error) {
    await remove()
    throw error
  }
}

const runningServer = async (folder: string): Promise<number | undefined> => {
  const recorded = await readJsonFile(join(folder, 'server.json'))
  return isIdentity(recorded) && (await isAlive(recorded)) ? recorded.pid : undefined
}

const pause = (pid: number): (() => void) => {
  if (process.platform === 'win32')
    throw new SopError(
      'unavailable',
      'Cannot back up while the engine runs on this system. Stop the engine and try again',
    )
  const script = `sleep ${MOST_PAUSE_MS / 1000}; kill -CONT ${pid}`
  const guard = spawn('/bin/sh', ['-c', script], { stdio: 'ignore', detached: true, env: { PATH: '/usr/bin:/bin' } })
  guard.on('error', () => {})
  guard.unref()
  sendSignal(pid, 'SIGSTOP')
  return () => {
    sendSignal(pid, 'SIGCONT')
    guard.kill('SIGKILL')
  }
}

const copyAll = async (from: string, to: string): Promise<readonly string[]> => {
  const files = (await readdir(from)).filter((name) => name === DB_FILE || name === `${DB_FILE}-wal`)
  for (const name of files) await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE)
  return files
}
