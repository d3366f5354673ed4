import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { inject } from 'vitest'
import type { ActivityDeps } from '../../src/activities/deps.ts'
import { createRequestCancel, createTemporalAdmission } from '../../src/client/admission.ts'
import { createTemporalCommands } from '../../src/client/commands.ts'
import type { Config } from '../../src/config.ts'
import type { Catalog, CatalogEntry } from '../../src/client/catalog.ts'
import type { SopClient } from '../../src/client/client.ts'
import { createTemporalPools } from '../../src/client/pools.ts'
import { createPin } from '../../src/client/pin.ts'
import { createRunEnds } from '../../src/client/run-ends.ts'
import { createScheduledSops } from '../../src/client/scheduled-sops.ts'
import { createScheduleStore } from '../../src/client/schedule-store.ts'
import { openInstallationKey } from '../../src/client/signing.ts'
import { createTemporalClient } from '../../src/client/temporal.ts'
import { createTriggerDoor, type TriggerDoor } from '../../src/client/trigger-door.ts'
import type { Actor } from '../../src/core/access.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { SopError } from '../../src/core/errors.ts'
import type { RunPolicy } from '../../src/core/run/run.ts'
import { sopOf } from './definitions.ts'
import { createLog } from '../../src/log.ts'
import { openHostId } from '../../src/worker/host-id.ts'
import { openStores, type Stores } from '../../src/worker/stores.ts'
import { installRuntime, type RunningWorker, startWorker } from '../../src/worker/worker.ts'

/** Everything between Temporal and the client, on the shared test server, with its own task queue and data directory. */
export interface TestEngine {
  readonly client: SopClient
  as(actor: Partial<Actor['principal']>, via?: Actor['via']): SopClient
  readonly temporal: Client
  readonly taskQueue: string
  readonly dataDir: string
  readonly stores: Stores
  readonly triggers: TriggerDoor
  readonly catalog: Catalog
  /** Puts an SOP where the engine finds it. */
  add(definition: SopDefinition): void
  /** What an edit may do to it: it is there and does not compile. */
  breakSop(name: string): void
  stopWorker(): Promise<void>
  startWorker(): Promise<void>
  /** One more worker of the same task queue, of another build. It ends with the engine. */
  startBeside(workerVersioning: Config['workerVersioning']): Promise<void>
  stop(): Promise<void>
}

export interface TestEngineOptions {
  readonly sops?: readonly SopDefinition[]
  readonly policy?: Partial<RunPolicy>
  readonly environment?: Readonly<Record<string, string>>
  readonly maxCachedWorkflows?: number
  /** Another server than the one that all tests share. */
  readonly address?: string
  readonly workerVersioning?: Config['workerVersioning']
  readonly deps?: Partial<ActivityDeps> | ((real: ActivityDeps) => Partial<ActivityDeps>)
}

export const POLICY: RunPolicy = {
  defaultMode: 'supervised',
  priorityBasedStrict: false,
  stepTimeoutMs: 3_600_000,
  timezone: 'UTC',
  allowImpliedGate: true,
  agentsMayApprove: false,
  maxStepVisits: 256,
  facts: [],
  env: [],
}

const entryOf = (definition: SopDefinition): CatalogEntry => ({
  name: definition.name,
  path: `${definition.name}/SOP.toml`,
  files: [],
  compiled: { name: definition.name, definition, diagnostics: [] },
})

export const startTestEngine = async (options: TestEngineOptions = {}): Promise<TestEngine> => {
  const log = createLog({ level: 'error' })
  installRuntime(log)
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-engine-test-'))
  const scratchDir = join(dataDir, 'scratch')
  await mkdir(scratchDir)
  const taskQueue = `test-${randomUUID()}`
  const environment = { ...process.env, ...options.environment }
  const sops = new Map((options.sops ?? []).map((sop) => [sop.name, entryOf(sop)]))
  const key = await openInstallationKey(dataDir)
  const stores = await openStores(
    {
      dataDir,
      secretFiles: {},
      auditRetentionDays: 0,
      logRetentionDays: 90,
      deliveryRetentionDays: 30,
      timezone: 'UTC',
      maintenanceWindows: [],
      facts: {},
      envInConditions: options.policy?.env ?? [],
    },
    environment,
    log,
    { authority: key.authority, seal: (text) => key.seal(text) },
  )
  const catalog = {
    list: () => Promise.resolve([...sops.values()]),
    get: (name: string) => Promise.resolve(sops.get(name)),
  }
  const pin = createPin({ catalog, key, policy: { ...POLICY, ...options.policy } })
  const connection = await NativeConnection.connect({ address: options.address ?? inject('temporalAddress') })
  const temporal = new Client({ connection })
  const real: ActivityDeps = {
    ...stores,
    verifyWarrant: (warrant) => key.verifyWarrant(warrant),
    pinSop: (name) => pin.pin(name),
    admission: createTemporalAdmission(() => temporal, taskQueue),
    requestCancel: createRequestCancel(() => temporal),
    pools: createTemporalPools(() => temporal, 'default'),
    runEnds: createRunEnds(() => temporal),
    seal: (text) => key.seal(text),
    envPassthrough: [],
    workdir: dataDir,
    scratchDir,
    killGraceMs: 500,
    environment,
    hostId: openHostId(scratchDir),
    ...createTemporalCommands(() => temporal, 'default'),
  }
  const activities = { ...real, ...(typeof options.deps === 'function' ? options.deps(real) : options.deps) }
  let worker: RunningWorker | undefined
  const others: RunningWorker[] = []
  const newWorker = (workerVersioning = options.workerVersioning, deps = activities): Promise<RunningWorker> =>
    startWorker({
      config: {
        temporal: { namespace: 'default', taskQueue },
        maxCachedWorkflows: options.maxCachedWorkflows ?? 100,
        shutdownGraceMs: 2_000,
        ...(workerVersioning && { workerVersioning }),
      },
      connection,
      activities: deps,
      bundle: { codePath: inject('workflowBundlePath') },
    })
  const startOne = async (): Promise<void> => {
    worker = await newWorker()
  }
  const stopOne = async (): Promise<void> => {
    await worker?.stop()
    worker = undefined
  }
  await startOne()
  const triggers = createTriggerDoor({
    temporal,
    taskQueue,
    catalog,
    pin,
    key,
    records: stores,
    resolveFact: stores.resolveFact,
    deliveries: stores.deliveries,
    deliveryPayload: 'keep',
    workdir: dataDir,
    warn: (message, details) => log.warn(message, details),
  })
  const clients = createTemporalClient({
    triggers,
    deliveries: stores.deliveries,
    temporal,
    taskQueue,
    catalog,
    pin,
    key,
    records: stores,
    sopDir: join(dataDir, 'sops'),
    agentsMayCreate: false,
    version: 'test',
    resolveFact: stores.resolveFact,
    schedules: {
      store: createScheduleStore({
        temporal: () => temporal,
        taskQueue,
        seal: (text) => key.seal(text),
        now: Date.now,
      }),
      sopsOf: createScheduledSops({ taskQueue, timezone: 'UTC', authority: key.authority }, Date.now),
      blackouts: { timezone: 'UTC', readHolidays: async () => [] },
    },
  })
  const as: TestEngine['as'] = (principal, via = 'http') =>
    clients.as({ principal: { id: 'alice', kind: 'user', role: 'admin', ...principal }, via })
  return {
    client: as({}),
    as,
    temporal,
    taskQueue,
    dataDir,
    stores,
    triggers,
    catalog,
    add: (sop) => void sops.set(sop.name, entryOf(sop)),
    breakSop: (name) => {
      const { compiled, ...entry } = entryOf(sopOf({ name, steps: [] }))
      sops.set(name, { ...entry, compiled: { name: compiled.name, diagnostics: [] } })
    },
    stopWorker: stopOne,
    startWorker: startOne,
    startBeside: async (workerVersioning) => {
      // One worker of a process answers for the host.
      const { hostId: _, ...beside } = activities
      const other = await newWorker(workerVersioning, beside)
      others.push(other)
    },
    stop: async () => {
      await Promise.all([stopOne(), ...others.map((other) => other.stop())])
      await stores.close()
      await connection.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Waits until the run satisfies `is`; fails after `withinMs` with what it saw last. */
export const until = async <T>(look: () => Promise<T>, is: (value: T) => boolean, withinMs = 45_000): Promise<T> => {
  const end = Date.now() + withinMs
  for (;;) {
    const value = await look().catch(unlessBusy)
    if (!(value instanceof SopError) && is(value)) return value
    if (Date.now() > end) throw new Error(`Not seen within ${withinMs} ms; last: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** A run that has just been begun is not on record yet, and its worker has other work first. */
const unlessBusy = (error: unknown): SopError => {
  if (error instanceof SopError && error.code === 'unavailable') return error
  throw error
}
