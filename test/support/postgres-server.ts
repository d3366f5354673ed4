import { execFile } from 'node:child_process'
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../scripts/free-port.mjs'
import { type GuardedProcess, startGuarded } from './guarded-process.ts'

// postgres-server.ts: a PostgreSQL of the tests' own: its data in a temporary folder, on a free port of the loopback interface.

export interface PostgresServer {
  readonly port: number
  /** Of the database `postgres`, with password; another database takes the place of its last word. */
  readonly url: string
  /** As an operator would, at once: clients lose their connections. */
  stop(): Promise<void>
  /** Again on the same port, with the same data. */
  start(): Promise<void>
  /** Stops it and deletes the data. */
  remove(): Promise<void>
}

export const POSTGRES_USER = 'sop'
/** Has what needs percent signs in a URL. */
export const POSTGRES_PASSWORD = 'p@ss/wörd: %41'

/** The server refuses to run as root. */
interface Identity {
  readonly uid?: number
  readonly gid?: number
}

const identity = async (): Promise<Identity> => {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number((await promisify(execFile)('id', [flag, name])).stdout)),
      )
      if (uid !== undefined && gid !== undefined) return { uid, gid }
    } catch {
      // This system has no such user.
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and this system has neither the user postgres nor nobody')
}

/** Makes a server from the programs in `binaries`, and starts it. */
export const startPostgres = async (binaries: string): Promise<PostgresServer> => {
  const who = await identity()
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-postgres-'))
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, POSTGRES_PASSWORD)
  if (who.uid !== undefined && who.gid !== undefined) {
    for (const path of [folder, data, passwordFile]) await chown(path, who.uid, who.gid)
  }
  const flags = ['-U', POSTGRES_USER, '--pwfile', passwordFile, '--auth=scram-sha-256', '--no-sync', '--no-locale']
  await promisify(execFile)(join(binaries, 'initdb'), ['-D', data, ...flags, '--encoding=UTF8'], {
    ...who,
    cwd: folder,
  })
  const [port = 0] = await freePorts(1)
  let running: GuardedProcess | undefined
  const start = async (): Promise<void> => {
    running = await run(join(binaries, 'postgres'), data, port, who)
  }
  const stop = async (): Promise<void> => {
    if (running === undefined) return
    const ended = running.end()
    running = undefined
    await ended
  }
  await start()
  return {
    port,
    url: `postgresql://${POSTGRES_USER}:${encodeURIComponent(POSTGRES_PASSWORD)}@127.0.0.1:${port}/postgres`,
    start,
    stop,
    remove: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Durability is not what tests test; a server that dies with them leaves nothing. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'fsync=off',
  'full_page_writes=off',
  'shared_buffers=32MB',
  'max_connections=200',
  'unix_socket_directories=',
]

const run = async (program: string, data: string, port: number, who: Identity): Promise<GuardedProcess> => {
  const args = ['-D', data, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])]
  const env = { PATH: process.env['PATH'] ?? '', TZ: 'UTC' }
  const server = startGuarded(program, args, { ...who, cwd: data, env })
  await server.until('ready to accept connections')
  return server
}
