import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Connection } from '@temporalio/client'
import { freePorts } from '../../scripts/free-port.mjs'
import { startGuarded } from './guarded-process.ts'
import { createDatabase, execute, serverUrl } from './postgres.ts'

// cluster.ts: a Temporal server on PostgreSQL, as an operator would run it: schema tool, server, a namespace. Nothing of our engine.

export interface Cluster {
  readonly address: string
  readonly namespace: string
  /** What the server has said, its last part. */
  said(): string
  stop(): Promise<void>
}

/** The folder with `temporal-server` and `temporal-sql-tool`, built where they are missing; else why there are none. */
export const clusterPrograms = async (): Promise<{ folder: string } | { missing: string }> => {
  const script = resolve(import.meta.dirname, '../../scripts/temporal-server.mjs')
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script])
    return { folder: stdout.trim().split('\n').at(-1) ?? '' }
  } catch (error) {
    return { missing: (error as { stderr?: string }).stderr?.trim() ?? String(error) }
  }
}

const NAMESPACE = 'team'
const SHARDS = '4'
const RETENTION_S = 30 * 86_400

const DYNAMIC_CONFIG = `
activity.enableStandalone:
  - value: false
`

export const startCluster = async (folder: string): Promise<Cluster> => {
  const home = await mkdtemp(join(tmpdir(), 'sop-test-cluster-'))
  const dynamicConfig = join(home, 'dynamic.yaml')
  await writeFile(dynamicConfig, DYNAMIC_CONFIG)
  const login = await makeRole()
  const [main, visibility] = await Promise.all([
    makeSchema(folder, login, 'temporal'),
    makeSchema(folder, login, 'visibility'),
  ])
  const names = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((name) => [
    `${name}_GRPC_PORT`,
    `${name}_MEMBERSHIP_PORT`,
  ])
  const ports = await freePorts(names.length + 1)
  const server = startGuarded(join(folder, 'temporal-server'), ['start'], {
    cwd: home,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      DB: 'postgres12',
      DB_PORT: main.port,
      POSTGRES_SEEDS: main.hostname,
      POSTGRES_USER: main.username,
      POSTGRES_PWD: main.password,
      DBNAME: main.pathname.slice(1),
      VISIBILITY_DBNAME: visibility.pathname.slice(1),
      SQL_MAX_CONNS: '10',
      SQL_MAX_IDLE_CONNS: '10',
      NUM_HISTORY_SHARDS: SHARDS,
      BIND_ON_IP: '127.0.0.1',
      DYNAMIC_CONFIG_FILE_PATH: dynamicConfig,
      LOG_LEVEL: 'warn',
      FRONTEND_HTTP_PORT: String(ports.at(-1)),
      ...Object.fromEntries(names.map((name, at) => [name, String(ports[at])])),
    },
  })
  const stop = async (): Promise<void> => {
    await server.end()
    await rm(home, { recursive: true, force: true })
  }
  const address = `127.0.0.1:${ports[0]}`
  try {
    await makeNamespace(address)
    return { address, namespace: NAMESPACE, said: server.said, stop }
  } catch (error) {
    await stop()
    throw new Error(`Temporal did not start: ${(error as Error).message}\n${server.said()}`, { cause: error })
  }
}

/** A login of its own: Temporal cannot use a password like the one of our tests. */
const makeRole = async (): Promise<URL> => {
  const url = new URL(serverUrl())
  const role = `temporal_${randomUUID().slice(0, 8)}`
  await execute(url.href, `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'temporal'`)
  return Object.assign(url, { username: role, password: 'temporal' })
}

/** A database with the tables of one of Temporal's two stores. */
const makeSchema = async (folder: string, server: URL, name: 'temporal' | 'visibility'): Promise<URL> => {
  const url = new URL(await createDatabase(server.href))
  const login = ['--plugin', 'postgres12', '--endpoint', url.hostname, '--port', url.port, '--user', url.username]
  const run = (...args: readonly string[]) =>
    promisify(execFile)(join(folder, 'temporal-sql-tool'), [...login, '--database', url.pathname.slice(1), ...args], {
      env: { ...process.env, SQL_PASSWORD: url.password },
    })
  await run('setup-schema', '--version', '0.0')
  await run('update-schema', '--schema-name', `postgresql/v12/${name}`)
  return url
}

const makeNamespace = async (address: string): Promise<void> => {
  const giveUpAt = Date.now() + 240_000
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 5_000 })
      try {
        await connection.workflowService.registerNamespace({
          namespace: NAMESPACE,
          workflowExecutionRetentionPeriod: { seconds: RETENTION_S as never },
        })
        return
      } finally {
        await connection.close()
      }
    } catch (error) {
      if (/already exists/i.test((error as Error).message)) return
      if (Date.now() > giveUpAt) throw error
      await new Promise((wait) => setTimeout(wait, 250))
    }
  }
}
