// cluster.mjs: server, worker and API as three programs, each started again whenever it ends, as an init system would.

import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serverArguments } from '../../dist/engine/server-flags.js'
import { freePorts } from '../free-port.mjs'
import { kill } from './processes.mjs'
import { POOL } from './shapes.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const ARM = new URL('./arm.mjs', import.meta.url).href

/** Pause before a program that ended is started again. */
const RESTART_MS = 200

/** One program that is kept running until it is told to stay away. */
class Program {
  constructor(name, start, logPath) {
    this.name = name
    this.begin = start
    this.log = createWriteStream(logPath, { flags: 'a' })
    this.isWanted = false
    this.starts = 0
  }

  start() {
    this.isWanted = true
    if (this.child === undefined) this.launch()
  }

  launch() {
    this.starts += 1
    const child = this.begin()
    this.child = child
    this.log.write(`--- ${new Date().toISOString()} ${this.name} ${child.pid}\n`)
    for (const stream of [child.stdout, child.stderr]) stream.pipe(this.log, { end: false })
    this.ended = new Promise((resolve) => {
      child.once('error', resolve)
      child.once('exit', (code, signal) => {
        this.log.write(`--- ${new Date().toISOString()} ${this.name} ${child.pid} ended: ${signal ?? code}\n`)
        this.child = undefined
        resolve()
        void this.again()
      })
    })
  }

  async again() {
    await sleep(RESTART_MS)
    if (this.isWanted && this.child === undefined) this.launch()
  }

  get pid() {
    return this.child?.pid
  }

  /** @returns whether it ran */
  kill() {
    return this.pid !== undefined && kill(this.pid)
  }

  /** Ends it and keeps it away. @param {NodeJS.Signals} signal */
  async stop(signal = 'SIGTERM') {
    this.isWanted = false
    if (this.child === undefined) return
    const { pid, ended } = this
    kill(pid, signal)
    const killer = setTimeout(() => kill(pid), 60_000)
    await ended
    clearTimeout(killer)
  }
}

/** Our environment without anything that leads to another engine. */
const cleanEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(SOP_|TEMPORAL_|DATA_DIR$|STATE_DIR$|AUDIT_DIR$|VITEST|NODE_OPTIONS$)/.test(name),
    ),
  )

/**
 * @param {{ home: string, binary: string, plant?: string, log?: string }} options `home` has everything that is written
 */
export const createCluster = async ({ home, binary, plant }) => {
  const [temporalPort, apiPort] = await freePorts(2)
  const paths = {
    home,
    dataDir: join(home, 'data'),
    sopDir: join(home, 'sops'),
    faults: join(home, 'faults'),
    ledger: join(home, 'ledger.txt'),
    far: join(home, 'far'),
  }
  const environment = {
    ...cleanEnvironment(),
    TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
    TEMPORAL_CONFIG_FILE: join(home, 'no-temporal.toml'),
    SOP_DATA_DIR: paths.dataDir,
    SOP_DIR: paths.sopDir,
    SOP_API_PORT: String(apiPort),
    SOP_KILL_GRACE: '1s',
    CHAOS_FAULTS: paths.faults,
    ...(plant !== undefined && { CHAOS_PLANT: plant }),
    NODE_OPTIONS: `--import ${ARM}`,
  }
  const sop = (...args) =>
    spawn(process.execPath, [CLI, ...args], {
      cwd: home,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  const server = () =>
    spawn(binary, serverArguments({ port: temporalPort, namespace: 'default', dbFile: join(home, 'temporal.db') }), {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, CHAOS_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  /** Like a worker on another host: a folder of its own, nothing that leads to the data directory, a token of its own. */
  const poolWorker = (token) =>
    spawn(process.execPath, [CLI, 'worker', '--pool', POOL, '--url', url], {
      cwd: paths.far,
      env: {
        ...environment,
        SOP_DATA_DIR: '',
        SOP_DIR: '',
        SOP_WORKER_DIR: paths.far,
        SOP_TOKEN: token,
        CHAOS_FAULTS: join(paths.faults, POOL),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  const url = `http://127.0.0.1:${apiPort}`
  const programs = {
    server: new Program('server', server, join(home, 'server.log')),
    worker: new Program('worker', () => sop('worker'), join(home, 'worker.log')),
    api: new Program('api', () => sop('serve', '--no-worker'), join(home, 'api.log')),
  }
  return {
    paths,
    programs,
    address: environment.TEMPORAL_ADDRESS,
    url,
    start: () => Object.values(programs).forEach((program) => program.start()),
    /** Adds a worker of the pool; the API has to be up. */
    startPool: async () => {
      await mkdir(join(paths.faults, POOL), { recursive: true })
      await mkdir(paths.far, { recursive: true })
      const made = sop('token', 'create', 'host-1', '--role', 'worker', '--group', POOL)
      const [text] = await Promise.all([readText(made.stdout), new Promise((resolve) => made.once('exit', resolve))])
      programs.pool = new Program('pool', () => poolWorker(text.trim()), join(home, 'pool.log'))
      programs.pool.start()
    },
    stop: async () => {
      await programs.pool?.stop()
      await programs.api.stop()
      await programs.worker.stop()
      await programs.server.stop()
    },
  }
}
