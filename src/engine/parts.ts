import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import type { NativeConnection } from '@temporalio/worker'
import type { ActivityDeps } from '../activities/deps.ts'
import { createCalendarProblem, createHolidays } from '../adapters/holidays.ts'
import { chooseStores } from '../worker/choose-stores.ts'
import { openHostId } from '../worker/host-id.ts'
import type { Stores } from '../worker/stores.ts'
import { installRuntime, type RunningWorker, startWorker } from '../worker/worker.ts'
import { createRequestCancel, createTemporalAdmission } from '../client/admission.ts'
import { createTemporalCommands } from '../client/commands.ts'
import type { Health } from '../client/client.ts'
import { type Catalog, createCatalog } from '../client/catalog.ts'
import { createTemporalPools } from '../client/pools.ts'
import { readRun } from '../client/find-run.ts'
import { keepSources } from '../client/keep-sources.ts'
import { createRunEnds, createTellParent } from '../client/run-ends.ts'
import { createPin, type Pin } from '../client/pin.ts'
import { createEndedRuns } from '../client/ended-runs.ts'
import { type InstallationKey, openInstallationKey } from '../client/signing.ts'
import type { BlackoutDeps } from '../client/scheduled-blackouts.ts'
import { createScheduledSops, type ScheduledSops, type ScheduleReport } from '../client/scheduled-sops.ts'
import { createScheduleStore, type ScheduleStore } from '../client/schedule-store.ts'
import { createTemporalClient } from '../client/temporal.ts'
import { createTriggerDoor, type TriggerDoor } from '../client/trigger-door.ts'
import { createWebhookDoor, type WebhookDoor } from '../client/webhook-door.ts'
import { createWorkerDoor, type WorkerDoor } from '../client/worker-door.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Environment } from './find-temporal.ts'
import { connectNative } from './native-connection.ts'
import { runsOnOf } from './pool-deps.ts'
import { runPolicy } from './run-policy.ts'
import { restoredCheck } from './backup/come-up.ts'
import { createDiskCheck } from './disk-check.ts'
import { createHealthWatch } from './health-watch.ts'
import { storeChecks } from './store-checks.ts'
import { createScratchKeeper } from './scratch-keeper.ts'
import { createSweeper } from './sweeper.ts'
import type { TemporalTarget } from './temporal-address.ts'

// parts.ts: what worker and API are built of, and the one place that builds it.

/** The workflow code as the build made it, beside this file's folder. */
export const BUNDLE_PATH = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url))

export interface PartsOptions {
  readonly config: Config
  readonly env: Environment
  readonly log: Log
  readonly temporal: TemporalTarget
  readonly version: string
  /** `write`: this process carries out runs and keeps their records. `follow`: an API whose workers are elsewhere. */
  readonly stores: 'write' | 'follow'
  /** Set where this installation came up from a backup. */
  readonly restoredAtMs?: number
  readonly bundlePath?: string
}

/** Checks of the health besides those of the client. */
export type MoreChecks = () => Health['checks'] | Promise<Health['checks']>

/** Everything that a worker and an API share in one process. */
export interface Parts {
  readonly stores: Stores
  readonly catalog: Catalog
  readonly key: InstallationKey
  readonly pin: Pin
  readonly temporal: Client
  readonly connection: NativeConnection
  readonly clients: ReturnType<typeof createTemporalClient>
  readonly workers: WorkerDoor
  /** Where every source of triggers brings what happened. */
  readonly triggers: TriggerDoor
  readonly webhooks: WebhookDoor
  readonly schedules: {
    readonly store: ScheduleStore
    readonly sopsOf: ScheduledSops
    readonly report: ScheduleReport
    readonly blackouts: BlackoutDeps
  }
  /** Adds checks to the health, asked for whenever somebody asks how the engine is. */
  watchHealth(checks: MoreChecks): void
  close(): Promise<void>
}

/** Opens the stores and the connection; nothing polls or serves yet. */
export const openParts = async ({
  config,
  env,
  log,
  temporal: target,
  version,
  stores: how,
}: PartsOptions): Promise<Parts> => {
  installRuntime(log, config.metrics.temporalAddress)
  const key = await openInstallationKey(config.dataDir, { pem: env['SOP_INSTALLATION_KEY'] })
  const installation = {
    authority: key.authority,
    vaultKey: key.secretFor('vault'),
    seal: (text: string) => key.seal(text),
  }
  const opened = await chooseStores(how, { config, environment: env, log, installation })
  const catalog = createCatalog({
    sopDir: config.sopDir,
    workdir: config.workdir,
    calendarProblem: createCalendarProblem(config.sopDir),
  })
  const pin = createPin({ catalog, key, policy: runPolicy(config) })
  const warn = (message: string, details: Readonly<Record<string, unknown>>): void => log.warn(message, details)
  const stores = { ...opened, audit: keepSources(opened.audit, pin.sourceOf, warn) }
  const connection = await connectNative(target)
  const temporal = new Client({ connection, namespace: target.namespace })
  const schedules = openSchedules(temporal, key, config, catalog)
  const moreChecks: MoreChecks[] = []
  /** What starts a run, whoever asks for it. */
  const starting = {
    temporal,
    taskQueue: config.temporal.taskQueue,
    catalog,
    pin,
    key,
    records: stores,
    resolveFact: stores.resolveFact,
    deliveries: stores.deliveries,
  }
  const triggers = createTriggerDoor({
    ...starting,
    deliveryPayload: config.deliveryPayload,
    workdir: config.workdir,
    warn,
  })
  const clients = createTemporalClient({
    ...(target.uiUrl !== undefined && { temporalUi: { url: target.uiUrl, namespace: target.namespace } }),
    moreChecks: async () => {
      const found = await Promise.all(moreChecks.map(async (each) => each()))
      return Object.fromEntries(found.flatMap((checks) => Object.entries(checks)))
    },
    ...starting,
    triggers,
    sopDir: config.sopDir,
    agentsMayCreate: config.agentsMayCreate,
    version,
    schedules,
  })
  const healthWatch = createHealthWatch({ read: clients.health, log })
  const watched: Pick<Parts, 'watchHealth'> = { watchHealth: (checks) => void moreChecks.push(checks) }
  watched.watchHealth(() => storeChecks(stores))
  watched.watchHealth(() => restoredCheck(config.dataDir))
  watched.watchHealth(createDiskCheck({ dataDir: config.dataDir, lowBytes: config.diskLowBytes }))
  return {
    ...watched,
    stores,
    catalog,
    key,
    pin,
    temporal,
    connection,
    clients,
    triggers,
    webhooks: createWebhookDoor({
      catalog,
      triggers,
      secrets: stores.secrets,
      warn,
    }),
    schedules,
    workers: createWorkerDoor({
      readRun: (runId) => readRun({ temporal, records: stores }, runId),
      logs: stores.receivedLogs,
      vault: stores.vault,
      warn,
      welcome: {
        version,
        authority: key.authority,
        taskQueue: config.temporal.taskQueue,
        temporal: { address: target.address, namespace: target.namespace },
      },
    }),
    close: async () => {
      healthWatch.close()
      await stores.close()
      await connection.close()
    },
  }
}

const openSchedules = (
  temporal: Client,
  key: InstallationKey,
  config: Config,
  catalog: Catalog,
): Parts['schedules'] => {
  const { taskQueue } = config.temporal
  const now = (): number => Date.now()
  return {
    store: createScheduleStore({ temporal: () => temporal, taskQueue, seal: (text) => key.seal(text), now }),
    sopsOf: createScheduledSops({ taskQueue, timezone: config.timezone, authority: key.authority }, now),
    report: { pausedByUs: () => [] },
    blackouts: {
      timezone: config.timezone,
      readHolidays: createHolidays({
        sopDir: config.sopDir,
        pathOf: async (sop) => (await catalog.get(sop))?.path,
        now: () => new Date(),
      }),
    },
  }
}

/** Starts to carry out runs with these parts. */
export const startPartsWorker = async (parts: Parts, options: PartsOptions): Promise<RunningWorker> => {
  const { config, env, log, bundlePath = BUNDLE_PATH } = options
  const scratchDir = `${config.dataDir}/scratch`
  const { stores, key, pin, connection, temporal, schedules } = parts
  const activities: ActivityDeps = {
    audit: stores.audit,
    logs: stores.logs,
    secrets: stores.secrets,
    vault: stores.vault,
    resolveFact: stores.resolveFact,
    readHolidays: schedules.blackouts.readHolidays,
    // A step of a pool has no business here, whoever sends it.
    verifyWarrant: (warrant) => runsOnOf(warrant.executable) === undefined && key.verifyWarrant(warrant),
    pinSop: (name) => pin.pin(name),
    admission: createTemporalAdmission(() => temporal, config.temporal.taskQueue),
    requestCancel: createRequestCancel(() => temporal),
    pools: createTemporalPools(() => temporal, options.temporal.namespace),
    runEnds: createRunEnds(() => temporal),
    seal: (text) => key.seal(text),
    envPassthrough: config.envPassthrough,
    workdir: config.workdir,
    scratchDir,
    killGraceMs: config.killGraceMs,
    environment: env,
    hostId: openHostId(scratchDir),
    ...createTemporalCommands(() => temporal, options.temporal.namespace),
    ...(options.restoredAtMs !== undefined && { restoredAtMs: options.restoredAtMs }),
    onOrphan: (orphan) => log.warn('ended a command that a lost worker had left running', orphan),
  }
  const { deployment, buildId } = config.workerVersioning
  if (deployment !== undefined) {
    const command = `temporal worker deployment set-current-version --deployment-name ${deployment} --build-id ${buildId}`
    log.info(
      `This worker is build "${buildId}" of deployment "${deployment}". New runs come to it once that is current`,
      {
        command,
      },
    )
  }
  const worker = await startWorker({
    config: { ...config, temporal: { ...config.temporal, namespace: options.temporal.namespace } },
    connection,
    activities,
    bundle: { codePath: bundlePath },
  })
  const sweeper = createSweeper({
    stores,
    ended: createEndedRuns(temporal),
    admission: activities.admission,
    tellParent: createTellParent(() => temporal),
    log,
    now: () => Date.now(),
  })
  sweeper.start()
  const keeper = config.store === 'postgres' ? await keepScratch(scratchDir, stores, log) : undefined
  return {
    failed: worker.failed,
    stop: async () => {
      await keeper?.close()
      await sweeper.close()
      await worker.stop()
    },
  }
}

/** Of several workers one records the end of a run and clears its own folder; the others find out by the list of runs. */
const keepScratch = async (
  scratchDir: string,
  { index }: Stores,
  log: Log,
): Promise<ReturnType<typeof createScratchKeeper>> => {
  await mkdir(scratchDir, { recursive: true, mode: 0o700 })
  return createScratchKeeper({
    scratchDir,
    client: { runState: async (runId) => (await index.get(runId))?.status },
    spooled: { settle: async () => {} },
    warn: (message, details) => log.warn(message, details),
  })
}
