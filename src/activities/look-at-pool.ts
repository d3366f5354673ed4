import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type { ActivityDeps, PoolLook } from './deps.ts'

/** A command in the queue of a pool; `isWaiting`: it is known already that no worker was there. */
export interface LookTask extends PoolLook {
  readonly isWaiting: boolean
}

/**
 * Says whether a worker has taken a command of a pool, or that there is none that could. Where there is nothing new to say it
 * fails, so that Temporal asks again later without a trace in the history.
 */
export const lookAtPool =
  ({ pools }: Pick<ActivityDeps, 'pools'>) =>
  async ({ isWaiting, ...command }: LookTask): Promise<'taken' | 'no_worker'> => {
    const found = await pools.look(command)
    if (found === 'taken') return found
    if (found === 'no_worker' && !isWaiting) return found
    throw ApplicationFailure.create({
      message: isWaiting ? 'no worker has taken it yet' : 'its workers are busy',
      type: 'NothingNew',
      // Nothing is wrong: no line in the log, no count among the failures.
      category: ApplicationFailureCategory.BENIGN,
    })
  }
