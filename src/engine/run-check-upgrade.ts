import { Client } from '@temporalio/client'
import { type Config, requireConfig } from '../config.ts'
import { createLog, type Log } from '../log.ts'
import { followStores } from '../worker/stores.ts'
import { installRuntime } from '../worker/worker.ts'
import { createProgress, type Out, type Progress } from './console.ts'
import { openDataDir } from './data-dir.ts'
import { readEngineFile } from './engine-file.ts'
import type { Environment } from './find-temporal.ts'
import { BUNDLE_PATH } from './parts.ts'
import { startTemporal } from './start-temporal.ts'
import { configuredTemporal, type TemporalTarget } from './temporal-address.ts'
import { connectTo } from './temporal-connection.ts'
import { checkUpgrade, type UpgradeReport } from './upgrade/check-upgrade.ts'

export interface RunCheckUpgradeOptions {
  readonly env: Environment
  readonly cwd: string
  /** Where progress goes. */
  readonly out: Out
  readonly concurrency: number
  /** Workflow code to check against; this build's own where it says nothing. */
  readonly bundlePath?: string
}

/** What `sop check-upgrade` found, and where. */
export interface UpgradeCheck extends UpgradeReport {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string }
}

/**
 * `sop check-upgrade`: replays the open runs of the cluster that the engine uses. The embedded server is found through
 * engine.json; where no engine runs it is started for the check, without a worker, and stopped again.
 *
 * @throws SopError `unavailable`, `unauthenticated` or `not_found` when the cluster cannot be read
 */
export const runCheckUpgrade = async (options: RunCheckUpgradeOptions): Promise<UpgradeCheck> => {
  const { config, environment } = requireConfig({ env: options.env, cwd: options.cwd })
  const log = createLog({ level: 'error' })
  const progress = createProgress(options.out)
  const server = await openCluster(config, environment, log, progress)
  try {
    return await checkCluster(server.target, { ...options, config, env: environment, log, progress })
  } finally {
    await server.stop()
  }
}

interface OpenCluster {
  readonly target: TemporalTarget
  stop(): Promise<void>
}

const openCluster = async (config: Config, env: Environment, log: Log, progress: Progress): Promise<OpenCluster> => {
  const configured = configuredTemporal(config.temporal, env)
  if (configured !== undefined) return { target: configured, stop: async () => {} }
  const engine = await readEngineFile(config.dataDir)
  if (engine.state === 'running') {
    const { address, namespace } = engine.engine.temporal
    return {
      target: { address, namespace, connectionOptions: { address }, embedded: true },
      stop: async () => {},
    }
  }
  const dataDir = await openDataDir(config.dataDir)
  try {
    const signal = new AbortController().signal
    const temporal = await startTemporal({ config, env, dataDir, log, progress, signal })
    const stop = async (): Promise<void> => {
      await temporal.stop()
      await dataDir.close()
    }
    return { target: temporal.target, stop }
  } catch (error) {
    await dataDir.close()
    throw error
  }
}

interface Checking extends RunCheckUpgradeOptions {
  readonly config: Config
  readonly log: Log
  readonly progress: Progress
}

const checkCluster = async (
  target: TemporalTarget,
  { config, env, log, progress, concurrency, bundlePath = BUNDLE_PATH }: Checking,
): Promise<UpgradeCheck> => {
  // What a failing replay logs is told by its result.
  installRuntime(createLog({ out: { write: () => true } }))
  const { address, namespace } = target
  const { taskQueue } = config.temporal
  const connection = await connectTo(target, 10_000)
  const stores = followStores(config, env, log)
  try {
    const report = await checkUpgrade({
      client: new Client({ connection, namespace }),
      taskQueue,
      bundle: { codePath: bundlePath },
      concurrency,
      readRecord: (runId) => stores.audit.read(runId),
      onProgress: (done) => progress.wait(`Replayed ${done} open runs of ${address}, namespace ${namespace} …`),
    })
    return { temporal: { address, namespace, taskQueue }, ...report }
  } finally {
    await stores.close()
    await connection.close()
  }
}
