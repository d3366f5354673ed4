import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Progress } from './console.ts'
import type { DataDir } from './data-dir.ts'
import { assertUsable, findDb, planDb } from './db-version.ts'
import { startDevServer } from './dev-server.ts'
import type { Environment } from './find-temporal.ts'
import { resolveTemporal } from './resolve-temporal.ts'
import { endLeftoverServer } from './server-process.ts'
import { configuredTemporal, type TemporalTarget } from './temporal-address.ts'
import type { TemporalBinary } from './temporal-binary.ts'
import { checkTemporal } from './temporal-connection.ts'

export interface StartTemporalOptions {
  readonly config: Config
  readonly env: Environment
  readonly dataDir: DataDir
  readonly log: Log
  readonly progress: Progress
  readonly signal?: AbortSignal
}

export interface RunningTemporal {
  readonly target: TemporalTarget
  stop(): Promise<void>
}

/**
 * Uses the Temporal server that the configuration or a profile names, after a check; starts our own where none is named,
 * after ending one that a killed engine left.
 *
 * @throws SopError that says what is wrong and the way out
 */
export async function startTemporal(options: StartTemporalOptions): Promise<RunningTemporal> {
  const { config, env, dataDir, log, progress } = options
  const ended = await endLeftoverServer(dataDir.temporalDir)
  if (ended) progress.note('Ended the Temporal server that an engine left here when it was killed')
  const configured = configuredTemporal(config.temporal, env)
  if (configured === undefined) return await startOwn(options)
  progress.note(`Using Temporal at ${configured.address}, namespace ${configured.namespace}`)
  await checkTemporal(configured, log)
  return { target: configured, stop: async () => {} }
}

async function startOwn(options: StartTemporalOptions): Promise<RunningTemporal> {
  const { namespace, port, ui, uiPort, retentionDays } = options.config.temporal
  const binary = await findBinary(options)
  return await startDevServer({
    ...options,
    binary,
    folder: options.dataDir.temporalDir,
    namespace,
    port,
    ...(ui && { uiPort }),
    retentionDays,
  })
}

/** A CLI that must not open the present database is passed over, e.g. when a package manager replaced the one on PATH. */
async function findBinary(options: StartTemporalOptions): Promise<TemporalBinary> {
  const { cliPath } = options.config.temporal
  const found = await findDb(options.dataDir.temporalDir)
  assertUsable(options.dataDir.temporalDir, found)
  const accepts = (server: string): string | undefined => {
    const plan = planDb(found, server)
    return plan.kind === 'refuse' ? plan.reason : undefined
  }
  return await resolveTemporal({ ...options, accepts, ...(cliPath && { cliPath }) })
}
