import { proxyActivities, sleep } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import { lookOptions } from './activity-options.ts'

// pool.ts: a command that waits for a worker of its pool. Temporal tells a workflow that an activity ended, never that it
// began, so an activity of the engine's own queue is asked. It fails while nothing has changed, and Temporal's retries of it
// leave nothing in the history, however long the waiting is.

export interface PoolWatch {
  readonly runId: string
  readonly activityId: string
  /** As `runs_on` says it. */
  readonly pool: string
  /** The pool's task queue. */
  readonly queue: string
  /** What counts as taken at once, in milliseconds: only a command that waits longer is looked after. */
  readonly noticeMs: number
  /** Told when the pool turns out to have no worker, and when one has taken the command after all. */
  readonly tell: (isWaiting: boolean) => void
}

/** Watches until a worker has taken the command; ends quietly when its scope is cancelled. */
export const watchPool = async ({ runId, activityId, pool, queue, noticeMs, tell }: PoolWatch): Promise<void> => {
  const { lookAtPool } = proxyActivities<Activities>(lookOptions(`Look for a worker of pool ${pool}`))
  try {
    await sleep(noticeMs, { summary: `Is there a worker of pool ${pool}?`.slice(0, 200) })
    const found = await lookAtPool({ runId, activityId, queue, isWaiting: false })
    if (found === 'taken') return
    tell(true)
    await lookAtPool({ runId, activityId, queue, isWaiting: true })
    tell(false)
  } catch {
    // Cancelled, as a rule, because the command has ended; and whatever else it is, looking after a command never hurts it.
  }
}
