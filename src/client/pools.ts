import type { Client } from '@temporalio/client'

// pools.ts: what Temporal knows of the queue of a pool, and of a command in it.

/** A command of a run in the queue of a pool. */
export interface PoolCommand {
  readonly runId: string
  readonly activityId: string
  readonly queue: string
}

/** A worker asks again at the latest after a minute; the server remembers one that died for five. */
const ASKS_WITHIN_MS = 70_000

/** Numbers of Temporal's enums. */
const SCHEDULED = 1
const ENHANCED = 1
const ACTIVITY_QUEUE = 2

/** Tells whether a command was taken, and whether its pool has a worker at all. */
export const createTemporalPools = (client: () => Client, namespace: string, now: () => number = Date.now) => ({
  look: async ({ runId, activityId, queue }: PoolCommand): Promise<'taken' | 'offered' | 'no_worker'> => {
    const { raw } = await client().workflow.getHandle(runId).describe()
    const pending = raw.pendingActivities?.find((each) => each.activityId === activityId)
    if (Number(pending?.state) !== SCHEDULED) return 'taken'
    const askedAt = await pollTimes(client(), namespace, queue)
    return askedAt.some((at) => now() - at < ASKS_WITHIN_MS) ? 'offered' : 'no_worker'
  },
})

/** When each worker of an activity queue last asked for work. The enhanced mode sums up all partitions of the queue. */
const pollTimes = async (client: Client, namespace: string, queue: string): Promise<readonly number[]> => {
  const described = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    apiMode: ENHANCED,
    taskQueueTypes: [ACTIVITY_QUEUE],
    reportPollers: true,
  })
  const pollers = Object.values(described.versionsInfo ?? {}).flatMap(
    ({ typesInfo }) => typesInfo?.[ACTIVITY_QUEUE]?.pollers ?? [],
  )
  return pollers.map(({ lastAccessTime: at }) => Number(at?.seconds ?? 0) * 1000 + (at?.nanos ?? 0) / 1e6)
}
