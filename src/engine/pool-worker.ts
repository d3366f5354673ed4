// pool-worker.ts: `sop worker --pool`. A worker of a pool needs Temporal, the engine's API and a folder of its own; no file
// of the engine. Order of starting: folder, welcome, key, Temporal, what the last worker left, queues. Stopping: reverse.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import type { ActivityDeps } from '../activities/deps.ts'
import { createTemporalAdmission } from '../client/admission.ts'
import { createTemporalCommands } from '../client/commands.ts'
import { findEngine } from '../client/find-engine.ts'
import type { Welcome } from '../client/worker-door.ts'
import { createWorkerClient, type WorkerClient } from '../client/worker-http.ts'
import { type Config, requireConfig } from '../config.ts'
import { SopError } from '../core/errors.ts'
import { type Pool, poolQueue, poolText, readPool, servedBy } from '../core/pool.ts'
import { createLog, type Log } from '../log.ts'
import { openHostId } from '../worker/host-id.ts'
import { limitLogs } from '../worker/limited-logs.ts'
import { createSpooledLogs } from '../worker/spooled-logs.ts'
import { installRuntime, type RunningWorker, startPoolWorker } from '../worker/worker.ts'
import { createProgress, type Out, type Progress } from './console.ts'
import { openWorkerDir } from './data-dir.ts'
import type { Environment } from './find-temporal.ts'
import { pinAuthority } from './pinned-authority.ts'
import { poolDeps } from './pool-deps.ts'
import { createScratchKeeper } from './scratch-keeper.ts'
import { listenForSignals } from './signals.ts'
import { Teardown } from './teardown.ts'
import { configuredTemporal, type TemporalTarget } from './temporal-address.ts'

export interface PoolWorkerOptions {
  readonly env: Environment
  readonly cwd: string
  readonly out: Out
  readonly pool: string
  readonly labels?: readonly string[]
  /** Where the engine's API is; default: SOP_URL, else the engine of this machine. */
  readonly url?: string
  /** A worker's token; default: SOP_TOKEN, else the local one of this machine. */
  readonly token?: string
}

/** How long a start waits for the engine between two questions, at most, in milliseconds. */
const MOST_PAUSE_MS = 5_000
/** What logs may still take to reach the engine when the worker stops, in milliseconds. */
const LAST_LOGS_MS = 10_000

/** Serves a pool until it is told to stop. @returns the exit code */
export const runPoolWorker = async (options: PoolWorkerOptions): Promise<number> => {
  const found = readPool(options.pool, options.labels ?? [])
  if (!found.ok) throw new SopError('invalid', `Cannot serve pool: ${found.reason}`)
  const { config, environment: env } = requireConfig({ env: options.env, cwd: options.cwd })
  const log = createLog({ level: config.logLevel })
  const progress = createProgress(options.out)
  const teardown = new Teardown(log)
  const interrupt = new AbortController()
  const unlisten = listenForSignals({ onFirst: () => interrupt.abort(), onFurther: () => process.exit(130) })
  try {
    const worker = await start({
      options,
      config,
      env,
      log,
      progress,
      teardown,
      pool: found.pool,
      signal: interrupt.signal,
    })
    if (worker === undefined) return 0
    return await new Promise<number>((resolve) => {
      if (interrupt.signal.aborted) resolve(0)
      interrupt.signal.addEventListener('abort', () => resolve(0), { once: true })
      worker.failed.catch((error: Error) => {
        log.error(`The worker ended unexpectedly: ${error.message}`, { error })
        resolve(1)
      })
    })
  } finally {
    progress.note('Stopping …')
    await teardown.run()
    unlisten()
  }
}

interface Starting {
  readonly options: PoolWorkerOptions
  readonly config: Config
  readonly env: Environment
  readonly log: Log
  readonly progress: Progress
  readonly teardown: Teardown
  readonly pool: Pool
  readonly signal: AbortSignal
}

/** @returns undefined when it was told to stop before it was up */
const start = async (starting: Starting): Promise<RunningWorker | undefined> => {
  const { options, config, env, log, progress, teardown, pool, signal } = starting
  const dir = await openWorkerDir(config.workerDir)
  teardown.add('the folder of the worker', 5_000, () => dir.close())
  const engine = findEngine({
    dataDir: config.dataDir,
    url: options.url ?? config.url,
    token: options.token ?? config.token,
  })
  const client = createWorkerClient(engine)
  const welcome = await waitForWelcome(client, engine.url, starting)
  if (welcome === undefined) return undefined
  await pinAuthority(config.workerDir, { authority: welcome.authority, url: engine.url })
  installRuntime(log, config.metrics.temporalAddress)
  const target = targetOf(welcome, config, env)
  const connection = await connect(target)
  teardown.add('the connection to Temporal', 5_000, () => connection.close())

  const warn = (message: string, details: Readonly<Record<string, unknown>>): void => log.warn(message, details)
  const spooled = createSpooledLogs({ dir: join(config.workerDir, 'logs'), taker: client, warn })
  teardown.add('the logs', LAST_LOGS_MS + 5_000, () => spooled.close(LAST_LOGS_MS))
  await spooled.resume()
  const limits = config.logLimitPerStepBytes === undefined ? {} : { perStepBytes: config.logLimitPerStepBytes }
  const logs = limitLogs(spooled, { ...limits, budget: NO_BUDGET, now: () => new Date() })
  const deps = {
    ...poolDeps({ config, env, pool, client, authority: welcome.authority, logs }),
    ...commandDeps(new Client({ connection, namespace: target.namespace }), welcome.taskQueue, log),
  }
  await mkdir(deps.scratchDir, { recursive: true, mode: 0o700 })
  const keeper = createScratchKeeper({ scratchDir: deps.scratchDir, client, spooled, warn })
  teardown.add('the scratch folders', 5_000, () => keeper.close())
  if (signal.aborted) return undefined

  const queues = servedBy(pool).map((runsOn) => poolQueue(welcome.taskQueue, runsOn))
  const activities = { ...deps, hostId: openHostId(deps.scratchDir) }
  const worker = await startPoolWorker({ config, namespace: target.namespace, connection, activities, queues })
  teardown.add('the worker', config.shutdownGraceMs + config.killGraceMs + 15_000, () => worker.stop())
  progress.note(
    `Worker of pool "${poolText(pool)}" for the engine at ${engine.url}, Temporal at ${target.address}. Ctrl-C stops it`,
  )
  return worker
}

/** What looking after commands needs, whose worker was lost: Temporal tells which of them a run still waits for. */
const commandDeps = (
  temporal: Client,
  taskQueue: string,
  log: Log,
): Pick<ActivityDeps, 'admission' | 'isWanted' | 'findHost' | 'onOrphan'> => ({
  admission: createTemporalAdmission(() => temporal, taskQueue),
  ...createTemporalCommands(() => temporal, temporal.options.namespace),
  onOrphan: (orphan) => log.warn('ended a command that a lost worker had left running', orphan),
})

/** The disk of a worker is not the store: what waits there is limited step by step. */
const NO_BUDGET = { room: () => Number.POSITIVE_INFINITY, take: () => {} }

/** The engine may start after its workers, so being away is waited for; being refused is not. */
const waitForWelcome = async (
  client: WorkerClient,
  url: string,
  { progress, signal }: Starting,
): Promise<Welcome | undefined> => {
  for (let pauseMs = 250; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)) {
    try {
      return await client.welcome()
    } catch (error) {
      if (!(error instanceof SopError) || error.code !== 'unavailable') throw error
      progress.wait(`Waiting for the engine at ${url} …`)
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}

/** As this host is configured, else where the engine says that its server is. */
const targetOf = ({ temporal }: Welcome, config: Config, env: Environment): TemporalTarget =>
  configuredTemporal(config.temporal, env) ?? {
    ...temporal,
    connectionOptions: { address: temporal.address },
    embedded: false,
  }

const connect = async ({ address, connectionOptions }: TemporalTarget): Promise<NativeConnection> => {
  try {
    return await NativeConnection.connect(connectionOptions)
  } catch (error) {
    throw new SopError(
      'unavailable',
      `Cannot reach Temporal at "${address}" from this host: ${(error as Error).message}. The server that an engine starts for ` +
        'itself takes connections of its own host only; name one that can be reached with TEMPORAL_ADDRESS or a Temporal profile',
      { address },
      error,
    )
  }
}
