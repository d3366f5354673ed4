// serve.ts: one engine on this machine, from the lock on its data directory to the last process that it stops.
// Order of starting: directory, what a killed engine left, Temporal, worker, API, engine.json. Stopping is the reverse,
// so that no client finds an engine that takes no requests, and no worker loses its server.

import type { Config } from '../config.ts'
import { SopError } from '../core/errors.ts'
import type { Log } from '../log.ts'
import { createProgress, type Out, type Progress } from './console.ts'
import { type DataDir, openDataDir, shareDataDir } from './data-dir.ts'
import { type EngineFile, removeEngineFile, writeEngineFile } from './engine-file.ts'
import type { Environment } from './find-temporal.ts'
import { renderReady } from './ready.ts'
import { listenForSignals } from './signals.ts'
import { startTemporal } from './start-temporal.ts'
import { Teardown } from './teardown.ts'
import type { TemporalTarget } from './temporal-address.ts'

/** What worker and API are started with. */
export interface EngineContext {
  readonly config: Config
  readonly env: Environment
  readonly log: Log
  readonly temporal: TemporalTarget
  readonly dataDir: DataDir
}

export interface WorkerHandle {
  /** Polls no more, gives running steps their grace, and ends. */
  stop(): Promise<void>
  /** Rejected when the worker ends without being told to: the engine then stops with exit code 1. */
  readonly failed?: Promise<never>
}

export interface ApiHandle {
  /** Without a slash at the end. */
  readonly url: string
  /** A link that opens the page with a one-time credential. Default: `url`. */
  readonly pageUrl?: string
  stop(): Promise<void>
}

export interface ServeOptions<W extends WorkerHandle = WorkerHandle> {
  readonly config: Config
  readonly env: Environment
  readonly log: Log
  readonly out: Out
  readonly version: string
  readonly startWorker: (context: EngineContext) => Promise<W>
  readonly startApi: (context: EngineContext, worker: W) => Promise<ApiHandle>
  /** Called once the engine is up; the welcome run. Its failure is logged and does not stop the engine. */
  readonly onReady?: (engine: RunningEngine) => Promise<void>
  /** `false`: another process (a worker) owns the data directory; this one reads it and starts no server. Default true. */
  readonly exclusive?: boolean
  /** SIGINT, SIGTERM and SIGHUP stop the engine; a second one ends the process at once. Default true. */
  readonly handleSignals?: boolean
  /** How to call our command line in the hints. Default `npx sop`. */
  readonly command?: string
}

export interface RunningEngine {
  /** What stands in `engine.json`. */
  readonly file: EngineFile
  readonly temporal: TemporalTarget
  readonly dataDir: DataDir
  /** Stops everything in order; fulfilled when all of it is gone. */
  stop(): Promise<void>
  /** Fulfilled with the exit code once the engine has stopped, for whatever reason. */
  readonly ended: Promise<number>
}

/** What an API may take to stop beyond the five seconds that it gives its requests. */
const API_LIMIT_MS = 15_000
/** What a server may take: TERM, ten seconds, KILL. */
const SERVER_LIMIT_MS = 30_000

/**
 * Starts the engine. When a part does not start, the parts before it are stopped and the error is thrown.
 * @throws SopError with the way out; `unavailable` when a signal came before the engine was up
 */
export async function serve<W extends WorkerHandle>(options: ServeOptions<W>): Promise<RunningEngine> {
  const teardown = new Teardown(options.log)
  const interrupt = new AbortController()
  const progress = createProgress(options.out)
  const unlisten = options.handleSignals === false ? () => {} : listen(interrupt, progress)
  try {
    const started = await start(options, { teardown, progress, signal: interrupt.signal })
    const engine = watch(options, started, { teardown, interrupt: interrupt.signal, unlisten })
    progress.note(renderReady(engine, options.version, options.command))
    if (options.onReady !== undefined) void runHook(options.onReady, engine, options.log)
    return engine
  } catch (error) {
    await teardown.run()
    unlisten()
    throw error
  }
}

function listen(interrupt: AbortController, progress: Progress): () => void {
  return listenForSignals({
    onFirst: (signal) => {
      progress.note(`Stopping (${signal}). Again to stop without waiting …`)
      interrupt.abort(new SopError('unavailable', `Cannot start the engine: ${signal} came before it was up`))
    },
    // The guard of the Temporal server ends it when we are gone; engine.json and lock are seen to be stale.
    onFurther: () => process.exit(130),
  })
}

interface Starting {
  readonly teardown: Teardown
  readonly progress: Progress
  readonly signal: AbortSignal
}

interface Started {
  readonly file: EngineFile
  readonly context: EngineContext
  readonly worker: WorkerHandle
  readonly pageUrl: string
}

async function start<W extends WorkerHandle>(options: ServeOptions<W>, starting: Starting): Promise<Started> {
  const { config, env, log } = options
  const { teardown, progress, signal } = starting
  const dataDir = await (options.exclusive === false ? shareDataDir : openDataDir)(config.dataDir)
  teardown.add('the data directory', 5_000, () => dataDir.close())
  await removeEngineFile(dataDir.path)
  const temporal = await startTemporal({ config, env, dataDir, log, progress, signal })
  teardown.add('Temporal', SERVER_LIMIT_MS, () => temporal.stop())
  signal.throwIfAborted()

  const context: EngineContext = { config, env, log, temporal: temporal.target, dataDir }
  const worker = await options.startWorker(context)
  const workerLimitMs = config.shutdownGraceMs + config.killGraceMs + 15_000
  teardown.add('the worker', workerLimitMs, () => worker.stop())
  signal.throwIfAborted()
  const api = await options.startApi(context, worker)
  teardown.add('the API', API_LIMIT_MS, () => api.stop())
  signal.throwIfAborted()

  const file = await writeEngineFile(dataDir.path, describeEngine(options.version, api.url, context))
  teardown.add('engine.json', 5_000, () => removeEngineFile(dataDir.path))
  return { file, context, worker, pageUrl: api.pageUrl ?? api.url }
}

function describeEngine(
  version: string,
  url: string,
  { temporal, dataDir }: EngineContext,
): Parameters<typeof writeEngineFile>[1] {
  const { address, namespace, uiUrl } = temporal
  return {
    url,
    startedAt: new Date().toISOString(),
    version,
    tokenPath: dataDir.tokenPath,
    temporal: { address, namespace, ...(uiUrl !== undefined && { uiUrl }) },
  }
}

interface Watching {
  readonly teardown: Teardown
  readonly interrupt: AbortSignal
  readonly unlisten: () => void
}

/** From here on the engine stops when it is told to, by a signal, or because its worker failed. */
function watch(
  { log }: Pick<ServeOptions, 'log'>,
  started: Started,
  watching: Watching,
): RunningEngine & { pageUrl: string } {
  const { teardown, interrupt, unlisten } = watching
  let exitCode = 0
  let finish: (code: number) => void = () => {}
  const ended = new Promise<number>((resolve) => {
    finish = resolve
  })
  const stop = async (): Promise<void> => {
    await teardown.run()
    unlisten()
    finish(exitCode)
  }
  started.worker.failed?.catch((error: Error) => {
    log.error(`The worker ended unexpectedly: ${error.message}. Stopping the engine`, { error })
    exitCode = 1
    void stop()
  })
  interrupt.addEventListener('abort', () => void stop(), { once: true })
  if (interrupt.aborted) void stop()
  const { file, context, pageUrl } = started
  return { file, temporal: context.temporal, dataDir: context.dataDir, stop, ended, pageUrl }
}

async function runHook(
  onReady: (engine: RunningEngine) => Promise<void>,
  engine: RunningEngine,
  log: Log,
): Promise<void> {
  try {
    await onReady(engine)
  } catch (error) {
    log.error(`Cannot carry out what was to follow the start: ${(error as Error).message}`, { error })
  }
}
