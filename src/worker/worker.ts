import { setFlagsFromString } from 'node:v8'
import {
  DefaultLogger,
  type NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions as Options,
} from '@temporalio/worker'
import type { ActivityDeps } from '../activities/deps.ts'
import { type Commands, createCommands } from '../activities/commands.ts'
import { createActivities, createHostActivities } from '../activities/index.ts'
import { hostQueue } from '../core/host.ts'
import type { Config } from '../config.ts'
import { SopError } from '../core/errors.ts'
import type { Log } from '../log.ts'
import { identityOf } from './host-id.ts'

/** What a worker is made of. */
export interface WorkerOptions {
  readonly config: Pick<Config, 'maxCachedWorkflows' | 'shutdownGraceMs'> & {
    readonly temporal: Pick<Config['temporal'], 'namespace' | 'taskQueue'>
    readonly workerVersioning?: Config['workerVersioning']
  }
  readonly connection: NativeConnection
  readonly activities: ActivityDeps
  readonly bundle: { readonly codePath: string } | { readonly code: string }
}

/** A worker that polls. `failed` rejects if it stops by itself. */
export interface RunningWorker {
  /** Stops polling, lets what runs finish within the grace period, then ends it. */
  stop(): Promise<void>
  readonly failed: Promise<never>
}

/** How often a command says that it lives, and hears that it was cancelled, at most; milliseconds (engine.md 2 "timing"). */
const HEARTBEAT_THROTTLE_MS = 1_000
/** What a dead worker costs the runs that it had in its cache. */
const STICKY_TIMEOUT_MS = 2_000

/** Commands that may be adopted at once, which is never the limit: they run already. */
const MAX_ADOPTED = 1_000
/** How often it is looked after commands that nobody waits for. */
const SWEEP_MS = 30_000
/** The first time soon: what an earlier worker left running for a run that is over has to end. */
const FIRST_SWEEP_MS = 2_000

let installed = false

/**
 * How much of what is alive may gather as garbage until it is collected. By itself V8 lets a heap grow up to four times, and on a
 * large machine lets that stand: a worker that 10,000 runs had passed through held 240 MB of nothing.
 */
const HEAP_GROWTH_PERCENT = 50

/**
 * Temporal's native runtime is one per process, and logs through our log. It owns no signals: the engine stops it.
 * `metricsAddress`: where it serves its own metrics to Prometheus; absent: nowhere.
 *
 * @throws SopError `conflict` where that address is taken
 */
export const installRuntime = (log: Log, metricsAddress?: string): void => {
  if (installed) return
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  try {
    install(log, metricsAddress)
    installed = true
  } catch (error) {
    if (metricsAddress === undefined) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SopError(
      'conflict',
      `Cannot serve Temporal's metrics on ${metricsAddress}: ${reason}. Set another SOP_METRICS_TEMPORAL_ADDRESS`,
    )
  }
}

const install = (log: Log, metricsAddress: string | undefined): void => {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const fields = meta === undefined ? {} : { temporal: meta }
      // A question that came too early is asked again (workflows/interceptors.ts).
      if (isUntasked(meta)) log.debug(message, fields)
      else if (level === 'ERROR') log.error(message, fields)
      // A worker of a pool has none, and means it.
      else if (message.startsWith('No workflows registered')) log.debug(message, fields)
      else log.warn(message, fields)
    }),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
      ...(metricsAddress !== undefined && {
        metrics: {
          prometheus: {
            bindAddress: metricsAddress,
            // As Prometheus names counters and units.
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      }),
    },
  })
}

const isUntasked = (meta: unknown): boolean =>
  /has events that wait for a workflow task/.test(JSON.stringify(meta, errorText) ?? '')

/** Errors have no fields of their own that JSON would show. */
const errorText = (_: string, value: unknown): unknown => (value instanceof Error ? value.message : value)

/** What a worker of a pool is made of: it carries out commands and no workflows. */
export interface PoolWorkerOptions {
  readonly config: Pick<Config, 'shutdownGraceMs'>
  readonly namespace: string
  readonly connection: NativeConnection
  readonly activities: ActivityDeps
  /** Task queues that it takes commands from. */
  readonly queues: readonly string[]
}

/** A worker has many queues, and a command takes long: few questions at a time find it as quickly. */
const POOL_POLLS = 2

/** Starts to take commands from the queues of a pool. */
export const startPoolWorker = async (options: PoolWorkerOptions): Promise<RunningWorker> => {
  const { config, namespace, connection, activities, queues } = options
  const commands = createCommands(activities)
  const { runCommand } = createActivities(activities, commands)
  const shared = sharedOptions({ connection, namespace, config, activities })
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create({ ...shared, taskQueue, activities: { runCommand }, maxConcurrentActivityTaskPolls: POOL_POLLS }),
    ),
  )
  return running([...workers, ...(await hostWorkers(shared, activities, commands))], commands)
}

type Shared = Pick<
  Options,
  | 'connection'
  | 'namespace'
  | 'identity'
  | 'maxHeartbeatThrottleInterval'
  | 'defaultHeartbeatThrottleInterval'
  | 'shutdownGraceTime'
>

/** What all workers of a process have in common. */
const sharedOptions = ({
  connection,
  namespace,
  config,
  activities: { hostId },
}: Omit<PoolWorkerOptions, 'queues'>): Shared => ({
  connection,
  namespace,
  maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
  defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
  shutdownGraceTime: config.shutdownGraceMs,
  ...(hostId !== undefined && { identity: identityOf(hostId) }),
})

/** The worker of the host's own queue, which is asked only about commands whose worker was lost. */
const hostWorkers = async (
  shared: Shared,
  activities: ActivityDeps,
  commands: Commands,
): Promise<readonly Worker[]> => {
  if (activities.hostId === undefined) return []
  const worker = await Worker.create({
    ...shared,
    taskQueue: hostQueue(activities.hostId),
    activities: createHostActivities(activities, commands),
    maxConcurrentActivityTaskExecutions: MAX_ADOPTED,
    maxConcurrentActivityTaskPolls: 1,
  })
  return [worker]
}

/** The deployment that a worker belongs to, where the configuration names one. */
const deploymentOf = (versioning: Config['workerVersioning'] | undefined): Pick<Options, 'workerDeploymentOptions'> => {
  const { deployment, buildId, behavior } = versioning ?? {}
  if (deployment === undefined || buildId === undefined) return {}
  return {
    workerDeploymentOptions: {
      version: { deploymentName: deployment, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: behavior === 'auto_upgrade' ? 'AUTO_UPGRADE' : 'PINNED',
    },
  }
}

/** Starts to carry out runs. */
export const startWorker = async ({
  config,
  connection,
  activities,
  bundle,
}: WorkerOptions): Promise<RunningWorker> => {
  const commands = createCommands(activities)
  const shared = sharedOptions({ connection, namespace: config.temporal.namespace, config, activities })
  const worker = await Worker.create({
    ...shared,
    taskQueue: config.temporal.taskQueue,
    workflowBundle: bundle,
    activities: createActivities(activities, commands),
    maxCachedWorkflows: config.maxCachedWorkflows,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    ...deploymentOf(config.workerVersioning),
  })
  return running([worker, ...(await hostWorkers(shared, activities, commands))], commands)
}

const running = (workers: readonly Worker[], commands: Commands): RunningWorker => {
  commands.warm()
  const sweep = (): void => void commands.sweep().catch(() => {})
  const sweeps = setInterval(sweep, SWEEP_MS)
  const first = setTimeout(sweep, FIRST_SWEEP_MS)
  const ran = Promise.all(workers.map((worker) => worker.run()))
  const failed = ran.then(() => new Promise<never>(() => {}))
  // Whoever does not listen for a failure must not be killed by it.
  failed.catch(() => {})
  return {
    failed,
    stop: async () => {
      clearInterval(sweeps)
      clearTimeout(first)
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
      await ran.catch(() => {})
      await commands.close()
    },
  }
}
