import { createFacts } from '../adapters/facts.ts'
import { createFlatFiles } from '../adapters/flat-files.ts'
import { markForks } from '../adapters/forked-audit.ts'
import { createPostgresAudit } from '../adapters/postgres/audit.ts'
import { openDatabase, withPassword } from '../adapters/postgres/database.ts'
import { claimInstallation } from '../adapters/postgres/installation.ts'
import { createPostgresDeliveries } from '../adapters/postgres/deliveries.ts'
import { createPostgresHeads } from '../adapters/postgres/heads.ts'
import { createLeaderLock, TRACE_LOCK } from '../adapters/postgres/leader-lock.ts'
import { createPostgresLogs } from '../adapters/postgres/logs.ts'
import { createPostgresRecords } from '../adapters/postgres/records.ts'
import { createPostgresMetrics } from '../adapters/postgres/metrics.ts'
import { createPostgresRunIndex, settleRestoredRows } from '../adapters/postgres/run-index.ts'
import { createPostgresState } from '../adapters/postgres/state.ts'
import { createPostgresTokens } from '../adapters/postgres/tokens.ts'
import { createPostgresTraceCursors } from '../adapters/postgres/trace-cursors.ts'
import { createPostgresVault } from '../adapters/postgres/vault.ts'
import { createSecrets } from '../adapters/secrets.ts'
import { createMeters } from '../core/metrics/meters.ts'
import { SopError } from '../core/errors.ts'
import type { StoresOptions } from './choose-stores.ts'
import { startDeliveryKeeper } from './delivery-keeper.ts'
import { createHeadKeeper } from './head-keeper.ts'
import { limitLogs } from './limited-logs.ts'
import { createLogSize, meterAppends, meterDeliveries } from './metered.ts'
import { createLogKeeper } from './log-keeper.ts'
import { createRecordKeeper } from './record-keeper.ts'
import { digestLogs } from './digested-logs.ts'
import { holdLogs } from './held-logs.ts'
import { heldDir, heldLimit, logLimits, type Stores } from './stores.ts'
import { watchAudit } from './watched-stores.ts'

/** So long a log waits for the database before it goes to the disk of the worker. */
const LOG_PATIENCE_MS = 1_500

/** The stores of a team: one database for any number of APIs and workers. Each of them may write. */
export const openTeamStores = async (how: 'write' | 'follow', options: StoresOptions): Promise<Stores> => {
  const { config, environment, log, installation } = options
  const { databaseUrl: url, databasePassword: password, stateDir, auditDir } = config
  if (url === undefined) throw new SopError('invalid', 'Cannot open the records: SOP_DATABASE_URL is not set')
  const warn = (message: string, details: Readonly<Record<string, unknown>>): void => log.warn(message, details)
  const db = await openDatabase({ url, ...(password !== undefined && { password }), warn })
  try {
    await claimInstallation(db, installation.authority)
    await settleRestoredRows(db)
  } catch (error) {
    await db.close()
    throw error
  }
  const whole = withPassword({ url, ...(password !== undefined && { password }) })
  const now = (): Date => new Date()
  const index = createPostgresRunIndex({ db })
  const metrics = createPostgresMetrics({ db, warn })
  if (how === 'write') void metrics.heal().catch((error: unknown) => warn('the metrics cannot be counted', { error }))
  const logs = createPostgresLogs({ db })
  const limits = logLimits(config)
  const keeper = createLogKeeper({ logs, index, retention: { days: config.logRetentionDays, ...limits }, now, log })
  if (how === 'write') keeper.start()
  const held = holdLogs({
    logs: createPostgresLogs({ db, patienceMs: LOG_PATIENCE_MS, heldBytes: 0 }),
    dir: heldDir(config.dataDir),
    ...heldLimit(config),
    warn,
  })
  if (how === 'write') await held.resume()
  const meters = createMeters()
  const deliveries = meterDeliveries(createPostgresDeliveries({ db }), meters)
  const deliveryKeeper =
    how === 'write' ? startDeliveryKeeper({ deliveries, days: config.deliveryRetentionDays, now, log }) : undefined
  const flat = createFlatFiles({
    ...(stateDir !== undefined && { stateDir }),
    ...(auditDir !== undefined && { auditDir }),
  })
  const heads = createPostgresHeads({ db, signer: installation, now })
  const headKeeper = createHeadKeeper({ heads, index, log, isOnlyWriter: false })
  const audit = createPostgresAudit({ db, listeners: [metrics, flat, headKeeper, meterAppends(meters, now)], warn })
  if (how === 'write') headKeeper.start(audit)
  const watched = watchAudit(markForks(audit))
  const vault = createPostgresVault({ db, key: installation.vaultKey })
  const recordKeeper = createRecordKeeper({
    audit,
    index,
    heads,
    logs,
    vault,
    removeFiles: flat.remove,
    days: config.auditRetentionDays,
    now,
    log,
  })
  if (how === 'write') recordKeeper.start()
  return {
    audit: watched.store,
    recordState: watched.state,
    index,
    heads,
    flushHeads: headKeeper.flush,
    raw: createPostgresRecords({ db }),
    metrics,
    meters,
    logBytes: createLogSize(logs, now),
    logs: limitLogs(digestLogs(held.store), { ...limits, budget: keeper.budget, now }),
    logState: held.state,
    receivedLogs: logs,
    vault,
    deliveries,
    tokens: createPostgresTokens({ db }),
    state: createPostgresState({ db }),
    leaderLock: createLeaderLock({ url: whole }),
    traceCursors: async () => createPostgresTraceCursors({ db }),
    traceLock: createLeaderLock({ url: whole, lock: TRACE_LOCK }),
    secrets: createSecrets({ environment, files: config.secretFiles }),
    resolveFact: createFacts(config, now, { environment }),
    close: async () => {
      await held.close()
      await recordKeeper.close()
      await keeper.close()
      await deliveryKeeper?.close()
      await headKeeper.close()
      await db.close()
    },
  }
}
