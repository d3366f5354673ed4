import type { Client } from '@temporalio/client'
import type { Health } from './client.ts'

const DEADLINE_MS = 2_000

export interface HealthDeps {
  readonly temporal: Client
  readonly taskQueue: string
  readonly version: string
  /** Of what the engine does besides: sources of triggers. */
  readonly moreChecks?: () => Health['checks']
  readonly records: { readonly index: { list(filter: { limit: number }): Promise<unknown> } }
}

type Check = { readonly ok: boolean; readonly detail?: string }

const check = async (detail: string, call: () => Promise<Check>): Promise<Check> => {
  try {
    return await call()
  } catch {
    return { ok: false, detail }
  }
}

/** What works and what does not. Without Temporal the engine is down; where anything else does not work it is degraded. */
export const readHealth = async ({
  temporal,
  taskQueue,
  version,
  records,
  moreChecks,
}: HealthDeps): Promise<Health> => {
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    temporal.connection.withDeadline(Date.now() + DEADLINE_MS, call)
  const [server, worker, store] = await Promise.all([
    check('Temporal cannot be reached', async () => {
      await within(() => temporal.workflowService.getSystemInfo({}))
      return { ok: true }
    }),
    check('nobody knows: Temporal cannot be reached', async () => {
      const { pollers } = await within(() =>
        temporal.workflowService.describeTaskQueue({
          namespace: temporal.options.namespace,
          taskQueue: { name: taskQueue },
          taskQueueType: 1,
        }),
      )
      return (pollers?.length ?? 0) > 0
        ? { ok: true }
        : { ok: false, detail: `no worker polls task queue "${taskQueue}"` }
    }),
    check('the records cannot be read', async () => {
      await records.index.list({ limit: 1 })
      return { ok: true }
    }),
  ])
  const more = moreChecks?.() ?? {}
  const isWhole = worker.ok && store.ok && Object.values(more).every(({ ok }) => ok)
  return {
    status: !server.ok ? 'down' : isWhole ? 'ok' : 'degraded',
    version,
    checks: { temporal: server, worker, records: store, ...more },
  }
}
