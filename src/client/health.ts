import type { Client } from '@temporalio/client'
import type { RunSummary } from '../core/run/view.ts'
import type { Health, HealthCheck } from './client.ts'

// health.ts: what works, what does not, since when, and the way out. A check that fails is remembered, so that everybody who
// asks is told the same instant; several who ask at once cause one round of questions.

const DEADLINE_MS = 2_000
/** So long an answer is given again: `/ready` is asked without a credential. */
const FRESH_MS = 500
/** Runs that are looked through for pools that have no worker. */
const MAX_RUNS = 1_000

export interface HealthDeps {
  readonly temporal: Client
  readonly taskQueue: string
  readonly version: string
  /** Of what the engine does besides: stores, the disk, sources of triggers. */
  readonly moreChecks?: (() => Health['checks'] | Promise<Health['checks']>) | undefined
  readonly records: {
    readonly index: {
      list(filter: { limit: number; states: readonly string[] }): Promise<readonly Pick<RunSummary, 'poolWaits'>[]>
    }
  }
  readonly now?: () => number
}

/** Reads the health of an engine. Never rejects. */
export type ReadHealth = () => Promise<Health>

const check = async (failed: HealthCheck, call: () => Promise<HealthCheck>): Promise<HealthCheck> => {
  try {
    return await call()
  } catch {
    return failed
  }
}

const NO_TEMPORAL =
  'Runs stand still and go on by themselves once it answers. Look whether its process runs, at its log, and at its address'

const readChecks = async (deps: HealthDeps): Promise<Health['checks']> => {
  const { temporal, taskQueue, records, moreChecks } = deps
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    temporal.connection.withDeadline(Date.now() + DEADLINE_MS, call)
  const [server, worker, store, more] = await Promise.all([
    check({ ok: false, detail: 'Temporal cannot be reached', help: NO_TEMPORAL }, async () => {
      await within(() => temporal.workflowService.getSystemInfo({}))
      return { ok: true }
    }),
    check({ ok: false, detail: 'nobody knows: Temporal cannot be reached', help: NO_TEMPORAL }, async () => {
      const { pollers } = await within(() =>
        temporal.workflowService.describeTaskQueue({
          namespace: temporal.options.namespace,
          taskQueue: { name: taskQueue },
          taskQueueType: 1,
        }),
      )
      return (pollers?.length ?? 0) > 0
        ? { ok: true }
        : {
            ok: false,
            detail: `no worker polls task queue "${taskQueue}"`,
            help: 'Runs and decisions wait. Start a worker: sop worker, or sop serve',
          }
    }),
    readStores(records),
    Promise.resolve(moreChecks?.() ?? {}).catch((): Health['checks'] => ({})),
  ])
  const { records: writing, ...others } = more
  return { temporal: server, worker, ...store, records: worse(store.records, writing), ...others }
}

/** The record has to be readable and writable. */
const worse = (reading: HealthCheck, writing: HealthCheck | undefined): HealthCheck =>
  writing === undefined || (!reading.ok && writing.ok) ? reading : writing

const readStores = async ({
  index,
}: HealthDeps['records']): Promise<{ readonly records: HealthCheck; readonly pools?: HealthCheck }> => {
  try {
    const running = await index.list({ states: ['running'], limit: MAX_RUNS })
    const pools = [...new Set(running.flatMap(({ poolWaits = [] }) => poolWaits))].sort()
    if (pools.length === 0) return { records: { ok: true } }
    const waiting = running.filter(({ poolWaits = [] }) => poolWaits.length > 0).length
    const names = pools.map((pool) => `"${pool}"`).join(', ')
    return {
      records: { ok: true },
      pools: {
        ok: false,
        detail: `no worker of ${pools.length === 1 ? 'pool' : 'pools'} ${names}, and ${waiting} ${waiting === 1 ? 'run waits' : 'runs wait'} for one`,
        help: `Start one on a host of the pool: sop worker --pool ${pools[0]}`,
        figures: { pools: pools.length, runs: waiting },
      },
    }
  } catch {
    const help = 'Look at the database or the disk that keeps the records; runs go on by themselves once it is back'
    return { records: { ok: false, detail: 'the records cannot be read', help } }
  }
}

const statusOf = (checks: Health['checks']): Health['status'] => {
  if (checks['temporal']?.ok === false) return 'down'
  return Object.values(checks).every(({ ok }) => ok) ? 'ok' : 'degraded'
}

/**
 * Makes the reader of one engine's health. Without Temporal the engine is `down`; where anything else does not work it is
 * `degraded`.
 */
export const createHealth = (deps: HealthDeps): ReadHealth => {
  const { now = Date.now, version } = deps
  const failing = new Map<string, string>()
  let last: { readonly at: number; readonly health: Promise<Health> } | undefined

  /** A check that says itself since when is believed. */
  const dated = (name: string, found: HealthCheck): HealthCheck => {
    if (found.ok) {
      failing.delete(name)
      return found
    }
    const since = found.since ?? failing.get(name) ?? new Date(now()).toISOString()
    failing.set(name, since)
    return { ...found, since }
  }
  const read = async (): Promise<Health> => {
    const found = await readChecks(deps)
    for (const name of failing.keys()) if (found[name] === undefined) failing.delete(name)
    const checks = Object.fromEntries(Object.entries(found).map(([name, each]) => [name, dated(name, each)]))
    return { status: statusOf(checks), version, checks }
  }
  return () => {
    if (last === undefined || now() - last.at > FRESH_MS) last = { at: now(), health: read() }
    return last.health
  }
}
