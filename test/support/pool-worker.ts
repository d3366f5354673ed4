import { Context, heartbeat } from '@temporalio/activity'
import { NativeConnection, Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import type { HostActivities } from '../../src/activities/index.ts'
import { hostQueue } from '../../src/core/host.ts'
import { poolQueue } from '../../src/core/pool.ts'
import type { CommandResult, CommandTask } from '../../src/core/run/task.ts'
import type { TestEngine } from './engine.ts'

/** A stub of a worker of a pool: it does `work` for every command. @returns what stops it */
export const servePool = (
  { taskQueue }: TestEngine,
  pool: string,
  work: (task: CommandTask) => Promise<CommandResult>,
): Promise<() => Promise<void>> => serve(poolQueue(taskQueue, pool), { runCommand: work })

/** A stub of what a host answers for commands whose worker was lost. @returns what stops it */
export const serveHost = (hostId: string, activities: HostActivities): Promise<() => Promise<void>> =>
  serve(hostQueue(hostId), activities)

/** What a worker does that dies: it says where it is, and is heard of no more. */
export const dieOn = (hostId: string, pid: number | undefined = 1): Promise<never> => {
  heartbeat({ hostId, ...(pid !== undefined && { pid }) })
  return Context.current().cancelled
}

const serve = async (taskQueue: string, activities: object): Promise<() => Promise<void>> => {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') })
  const worker = await Worker.create({ connection, taskQueue, activities })
  const ran = worker.run()
  return async () => {
    worker.shutdown()
    await ran
    await connection.close()
  }
}
