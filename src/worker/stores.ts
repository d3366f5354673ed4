import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFacts } from '../adapters/facts.ts'
import { createFileAudit } from '../adapters/file-audit.ts'
import { createFileDeliveries } from '../adapters/file-deliveries.ts'
import { createFileHeads, type HeadSigner } from '../adapters/file-heads.ts'
import { createFileLogs } from '../adapters/file-logs.ts'
import { createFileRecords } from '../adapters/file-records.ts'
import { followFileRunIndex, openFileRunIndex } from '../adapters/file-run-index.ts'
import { followFileMetrics, openFileMetrics } from '../adapters/file-metrics.ts'
import { createFileState } from '../adapters/file-state.ts'
import type { SourceMemory } from '../core/trigger/source-memory.ts'
import { openFileTraceCursors } from '../adapters/file-trace-cursors.ts'
import { createFileVault } from '../adapters/file-vault.ts'
import { createFlatFiles } from '../adapters/flat-files.ts'
import { markForks } from '../adapters/forked-audit.ts'
import type { createLeaderLock } from '../adapters/postgres/leader-lock.ts'
import { createSecrets } from '../adapters/secrets.ts'
import type {
  AuditStore,
  HeadStore,
  LogStore,
  RawRecords,
  MetricsStore,
  ResolveFact,
  RunIndex,
  Secrets,
  Vault,
} from '../activities/deps.ts'
import { runDirOf } from '../activities/run-shell.ts'
import type { Config } from '../config.ts'
import { createMeters, type Meters } from '../core/metrics/meters.ts'
import type { TraceCursors } from '../core/trace/cursors.ts'
import type { DeliveryStore } from '../core/trigger/delivery.ts'
import type { Log } from '../log.ts'
import { startDeliveryKeeper } from './delivery-keeper.ts'
import { createHeadKeeper } from './head-keeper.ts'
import { digestLogs } from './digested-logs.ts'
import { holdLogs } from './held-logs.ts'
import { limitLogs, type LogLimits } from './limited-logs.ts'
import { createLogSize, meterAppends, meterDeliveries } from './metered.ts'
import { createLogKeeper } from './log-keeper.ts'
import { createRecordKeeper } from './record-keeper.ts'
import { NOT_WRITTEN, type StoreState, watchAudit } from './watched-stores.ts'

/** The stores of a data directory, opened by its one writer. */
export interface Stores {
  readonly audit: AuditStore
  readonly index: RunIndex
  /** Says, signed, how far the record of each run was. */
  readonly heads: HeadStore
  /** Waits until the heads of what this process recorded so far are written. */
  flushHeads(): Promise<void>
  /** The records as they lie there, for whoever checks them. */
  readonly raw: RawRecords
  readonly metrics: MetricsStore
  /** How it goes with the writes of the record, and of logs. */
  recordState(): StoreState
  logState(): StoreState
  /** What this process counts of its own doing. */
  readonly meters: Meters
  /** Bytes of all logs, as they were found out last. */
  readonly logBytes: () => Promise<number>
  readonly logs: LogStore
  /** The same logs without limits: those that come from workers of pools were limited there. */
  readonly receivedLogs: LogStore
  readonly vault: Vault
  /** What became of occurrences of triggers. */
  readonly deliveries: DeliveryStore
  /** Tokens that all processes share; absent: each data directory has its own. */
  readonly tokens?: SharedTokens
  /** How far the sources of triggers came. */
  readonly state: SourceMemory
  /** Absent: whoever owns the data directory leads. */
  readonly leaderLock?: ReturnType<typeof createLeaderLock>
  /** How far traces were told; absent: this process never tells any. */
  readonly traceCursors?: () => Promise<TraceCursors>
  /** Absent: whoever owns the data directory tells them. */
  readonly traceLock?: ReturnType<typeof createLeaderLock>
  readonly secrets: Secrets
  readonly resolveFact: ResolveFact
  /** Waits until everything that was said is on disk. */
  close(): Promise<void>
}

/** Records of tokens, whatever they look like. */
export interface SharedTokens {
  read(): Promise<readonly unknown[]>
  change(change: (rows: readonly unknown[]) => readonly { readonly name: string }[]): Promise<void>
}

export type StoreConfig = Pick<
  Config,
  | 'dataDir'
  | 'stateDir'
  | 'auditDir'
  | 'secretFiles'
  | 'auditRetentionDays'
  | 'logRetentionDays'
  | 'deliveryRetentionDays'
  | 'storeDownLogBytes'
  | 'logLimitPerStepBytes'
  | 'logLimitTotalBytes'
> &
  Parameters<typeof createFacts>[0]

/** Opens the stores for writing. The data directory must be this process's own (engine/data-dir.ts). */
export const openStores = async (
  config: StoreConfig,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
  signer: HeadSigner,
): Promise<Stores> => {
  const { dataDir, stateDir, auditDir } = config
  const warn = (message: string, details: Readonly<Record<string, unknown>>): void => log.warn(message, details)
  const index = await openFileRunIndex({ dataDir, warn })
  const metrics = await openFileMetrics({ dataDir, warn })
  const flat = createFlatFiles({
    ...(stateDir !== undefined && { stateDir }),
    ...(auditDir !== undefined && { auditDir }),
  })
  const now = (): Date => new Date()
  const files = createFileLogs({ dataDir })
  const limits = logLimits(config)
  const keeper = createLogKeeper({
    logs: files,
    index,
    retention: { days: config.logRetentionDays, ...limits },
    now,
    log,
  })
  keeper.start()
  const held = holdLogs({ logs: files, dir: heldDir(dataDir), ...heldLimit(config), warn })
  await held.resume()
  const meters = createMeters()
  const deliveries = meterDeliveries(createFileDeliveries({ dataDir, warn }), meters)
  const deliveryKeeper = startDeliveryKeeper({ deliveries, days: config.deliveryRetentionDays, now, log })
  const heads = createFileHeads({ dataDir, signer, now, warn })
  const headKeeper = createHeadKeeper({ heads, index, log, isOnlyWriter: true })
  const audit = createFileAudit({
    dataDir,
    listeners: [index, metrics, flat, headKeeper, meterAppends(meters, now)],
    warn,
  })
  headKeeper.start(audit)
  const watched = watchAudit(markForks(audit))
  const vault = createFileVault({ dataDir })
  const recordKeeper = createRecordKeeper({
    audit,
    index,
    heads,
    logs: files,
    vault,
    removeFiles: async (runId) => {
      await flat.remove(runId)
      await rm(runDirOf(join(dataDir, 'scratch'), runId), { recursive: true, force: true })
    },
    days: config.auditRetentionDays,
    now,
    log,
  })
  recordKeeper.start()
  return {
    audit: watched.store,
    recordState: watched.state,
    index,
    heads,
    flushHeads: headKeeper.flush,
    raw: createFileRecords({ dataDir }),
    metrics,
    meters,
    logBytes: createLogSize(files, now),
    logs: limitLogs(digestLogs(held.store), { ...limits, budget: keeper.budget, now }),
    logState: held.state,
    receivedLogs: files,
    vault,
    state: createFileState({ dataDir }),
    deliveries,
    traceCursors: () => openFileTraceCursors({ dataDir }),
    secrets: createSecrets({ environment, files: config.secretFiles }),
    resolveFact: createFacts(config, now, { environment }),
    close: async () => {
      await held.close()
      await recordKeeper.close()
      await keeper.close()
      await deliveryKeeper.close()
      await audit.flush()
      await headKeeper.close()
      await index.flush()
      await metrics.flush()
    },
  }
}

/** The same stores for a process beside the writer: it reads, and puts only values of secret params. */
export const followStores = (
  config: StoreConfig,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): Stores => {
  const { dataDir } = config
  const warn = (message: string, details: Readonly<Record<string, unknown>>): void => log.warn(message, details)
  const meters = createMeters()
  const files = createFileLogs({ dataDir })
  return {
    audit: createFileAudit({ dataDir, warn }),
    recordState: () => NOT_WRITTEN,
    logState: () => NOT_WRITTEN,
    index: followFileRunIndex({ dataDir, warn }),
    heads: createFileHeads({ dataDir, warn }),
    flushHeads: async () => {},
    raw: createFileRecords({ dataDir }),
    metrics: followFileMetrics({ dataDir, warn }),
    meters,
    logBytes: createLogSize(files, () => new Date()),
    logs: files,
    receivedLogs: files,
    vault: createFileVault({ dataDir }),
    state: createFileState({ dataDir }),
    deliveries: meterDeliveries(createFileDeliveries({ dataDir, warn }), meters),
    secrets: createSecrets({ environment, files: config.secretFiles }),
    resolveFact: createFacts(config, () => new Date(), { environment }),
    close: async () => {},
  }
}

/** Where output waits for a log store that is away. */
export const heldDir = (dataDir: string): string => join(dataDir, 'held-logs')

export const heldLimit = ({ storeDownLogBytes: limitBytes }: StoreConfig): { readonly limitBytes?: number } =>
  limitBytes === undefined ? {} : { limitBytes }

/** The configured limits, as adapters take them. */
export const logLimits = ({
  logLimitPerStepBytes: perStepBytes,
  logLimitTotalBytes: totalBytes,
}: StoreConfig): Pick<LogLimits, 'perStepBytes' | 'totalBytes'> => ({
  ...(perStepBytes !== undefined && { perStepBytes }),
  ...(totalBytes !== undefined && { totalBytes }),
})
