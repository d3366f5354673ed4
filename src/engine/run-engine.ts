import { startApi } from '../api/main.ts'
import { linkUrl } from '../api/session.ts'
import { findPage } from '../api/page-files.ts'
import { localPrincipal, openLocalToken } from '../client/local-token.ts'
import { createSessions } from '../client/sessions.ts'
import { readScrape } from '../client/scrape.ts'
import { openTokenStore } from '../client/tokens.ts'
import { type Config, requireConfig } from '../config.ts'
import { createLog, type Log } from '../log.ts'
import type { Out } from './console.ts'
import type { Environment } from './find-temporal.ts'
import { openParts, type Parts, type PartsOptions, startPartsWorker } from './parts.ts'
import { type ApiHandle, type EngineContext, serve, type WorkerHandle } from './serve.ts'
import { packageVersion } from './package-version.ts'
import { startSources, startWorkerSources } from './sources.ts'
import { startTemporal } from './start-temporal.ts'
import { MORE_HANDS, openDataDir } from './data-dir.ts'
import { listenForSignals } from './signals.ts'
import { createProgress } from './console.ts'
import { holdAll, readCameUp } from './backup/come-up.ts'
import { runWelcome } from './welcome.ts'

export interface RunEngineOptions {
  readonly env: Environment
  readonly cwd: string
  readonly out: Out
  /** On an empty data directory the example `welcome` is run and told of. */
  readonly welcome?: boolean
  /** `false`: only the API; a worker runs elsewhere and writes the data directory. */
  readonly worker?: boolean
}

interface PartsHandle extends WorkerHandle {
  readonly parts: Parts
}

/** `sop serve`: runs the engine until it is told to stop. @returns the exit code */
export const runEngine = async ({ env, cwd, out, welcome, worker = true }: RunEngineOptions): Promise<number> => {
  const { config, log, environment } = prepare(env, cwd)
  const version = packageVersion()
  const wasEmpty = welcome === true && config.store === 'file' && (await isNew(config))
  warnUnserved(config, log)
  let parts: Parts | undefined
  // A link is a credential: it is for a person who reads it now, not for a log that is kept.
  const showsLink = welcome === true || out.isTTY === true
  let isStopping = false
  const engine = await serve<PartsHandle>({
    config,
    env: environment,
    log,
    out,
    version,
    exclusive: worker,
    startWorker: async (context) => {
      const handle = await openWorker(context, version, worker)
      parts = handle.parts
      return handle
    },
    startApi: (context, handle) => openApi(context, handle.parts, { version, ownsDataDir: worker, showsLink }),
    onReady: async ({ ended }) => {
      void ended.then(() => {
        isStopping = true
      })
      if (wasEmpty && parts !== undefined) {
        const actor = { principal: localPrincipal(), via: 'engine' } as const
        await runWelcome(parts.clients.as(actor), out, () => isStopping)
      }
    },
  })
  return engine.ended
}

/** What the configuration asks for and this version does not do: said, never passed over. */
const warnUnserved = ({ notifications: { approvalChannel } }: Config, log: Log): void => {
  if (approvalChannel === undefined) return
  log.warn(`Notifications are not sent by this version yet: the approval channel "${approvalChannel}" has no effect`)
}

const prepare = (env: Environment, cwd: string): { config: Config; log: Log; environment: Environment } => {
  const { config, environment } = requireConfig({ env, cwd })
  return { config, log: createLog({ level: config.logLevel }), environment }
}

const openWorker = async (context: EngineContext, version: string, polls: boolean): Promise<PartsHandle> => {
  const cameUp = await readCameUp(context.config.dataDir, new Date())
  const options: PartsOptions = {
    ...context,
    version,
    stores: polls ? 'write' : 'follow',
    ...(cameUp !== undefined && { restoredAtMs: cameUp.sinceMs }),
  }
  const parts = await openParts(options)
  if (polls && cameUp !== undefined) await holdAll(parts, cameUp, context.log)
  const traces = await openTraces(parts, options)
  if (!polls) {
    return {
      parts,
      stop: async () => {
        await traces?.close()
        await parts.close()
      },
    }
  }
  const running = await startPartsWorker(parts, options)
  return {
    parts,
    failed: running.failed,
    stop: async () => {
      await running.stop()
      await traces?.close()
      await parts.close()
    },
  }
}

interface ApiStart {
  readonly version: string
  readonly ownsDataDir: boolean
  /** Whoever starts the engine gets a link that signs in. */
  readonly showsLink: boolean
}

/** What tells traces is loaded only where somebody wants them. */
const openTraces = async (parts: Parts, { config, log, version }: PartsOptions) => {
  if (config.otel.endpoint === undefined && config.otel.tracesEndpoint === undefined) return undefined
  const { startTraces } = await import('./traces.ts')
  return startTraces({ parts, config, log, version })
}

const openApi = async (
  context: EngineContext,
  parts: Parts,
  { version, ownsDataDir, showsLink }: ApiStart,
): Promise<ApiHandle> => {
  const { config, log } = context
  const api = await openBareApi(context, parts, { version, showsLink })
  const sources = await startSources({ parts, config, log, ownsDataDir })
  return {
    ...api,
    stop: async () => {
      await sources.close()
      await api.stop()
    },
  }
}

const openBareApi = async (
  { config, log, temporal }: EngineContext,
  parts: Parts,
  { version, showsLink }: Pick<ApiStart, 'version' | 'showsLink'>,
): Promise<ApiHandle> => {
  const local = await openLocalToken(config.dataDir)
  const tokens = openTokenStore({
    dataDir: config.dataDir,
    rows: parts.stores.tokens,
    localPrincipal: localPrincipal(),
  })
  const sessions = createSessions({ key: parts.key.secretFor('sessions'), tokens })
  const api = await startApi({
    config,
    clientFor: (actor) => parts.clients.as(actor),
    tokens,
    sessions,
    workers: parts.workers,
    webhooks: parts.webhooks,
    health: () => parts.clients.health(),
    monitoring: {
      ...config.metrics,
      scrape: () => readScrape({ ...parts.stores, version, health: parts.clients.health }),
    },
    log,
    version,
    temporalUiUrl: temporal.uiUrl,
    page: findPage(),
  })
  const holder = showsLink ? await tokens.identify(local.token) : undefined
  if (holder === undefined) return api
  return { ...api, pageUrl: linkUrl(config.api.publicUrl ?? api.url, sessions.link(holder.identity).code) }
}

/** `sop worker`: carries out runs of a server that others started, until it is told to stop. */
export const runWorker = async ({ env, cwd, out }: Omit<RunEngineOptions, 'welcome' | 'worker'>): Promise<number> => {
  const { config, log, environment } = prepare(env, cwd)
  const progress = createProgress(out)
  const dataDir = await openDataDir(config.dataDir, MORE_HANDS)
  try {
    const interrupt = new AbortController()
    const temporal = await startTemporal({ config, env: environment, dataDir, log, progress, signal: interrupt.signal })
    const cameUp = await readCameUp(config.dataDir, new Date())
    const options: PartsOptions = {
      config,
      env: environment,
      log,
      temporal: temporal.target,
      version: packageVersion(),
      stores: 'write',
      ...(cameUp !== undefined && { restoredAtMs: cameUp.sinceMs }),
    }
    const parts = await openParts(options)
    // Before it takes any work: an address that is taken ends it.
    const metrics = await openWorkerMetrics(parts, options).catch(async (error: unknown) => {
      await parts.close()
      await temporal.stop()
      throw error
    })
    if (cameUp !== undefined) await holdAll(parts, cameUp, log)
    const running = await startPartsWorker(parts, options)
    const sources = await startWorkerSources({ parts, config, log })
    const traces = await openTraces(parts, options)
    progress.note(`Worker of task queue "${config.temporal.taskQueue}" on ${temporal.target.address}. Ctrl-C stops it`)
    const code = await new Promise<number>((resolve) => {
      listenForSignals({ onFirst: () => resolve(0), onFurther: () => process.exit(130) })
      running.failed.catch((error: Error) => {
        log.error(`The worker ended unexpectedly: ${error.message}`, { error })
        resolve(1)
      })
    })
    progress.note('Stopping …')
    await metrics?.close()
    await sources.close()
    await running.stop()
    await traces?.close()
    await parts.close()
    await temporal.stop()
    return code
  } finally {
    await dataDir.close()
  }
}

/** Of a worker without an API; its address is for it alone, since an engine with an API tells all of it there. */
const openWorkerMetrics = async ({ stores }: Parts, { config, log, version }: PartsOptions) => {
  const address = config.metrics.workerAddress
  if (address === undefined) return undefined
  const [{ serveWorkerMetrics }, { createWorkerExposition }] = await Promise.all([
    import('./worker-metrics.ts'),
    import('../api/prometheus/worker-exposition.ts'),
  ])
  const served = await serveWorkerMetrics({ address, log, exposition: createWorkerExposition({ ...stores, version }) })
  log.info(`The worker's metrics are served at ${served.url}`)
  return served
}

const isNew = async ({ dataDir }: Config): Promise<boolean> => {
  const { readdir } = await import('node:fs/promises')
  try {
    return !(await readdir(dataDir)).includes('runs')
  } catch {
    return true
  }
}
