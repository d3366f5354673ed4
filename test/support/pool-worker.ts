import { NativeConnection, Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import { poolQueue } from '../../src/core/pool.ts'
import type { CommandResult, CommandTask } from '../../src/core/run/task.ts'
import type { TestEngine } from './engine.ts'

/** A stub of a worker of a pool: it does `work` for every command. @returns what stops it */
export const servePool = async (
  { taskQueue }: TestEngine,
  pool: string,
  work: (task: CommandTask) => Promise<CommandResult>,
): Promise<() => Promise<void>> => {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') })
  const worker = await Worker.create({
    connection,
    taskQueue: poolQueue(taskQueue, pool),
    activities: { runCommand: work },
  })
  const ran = worker.run()
  return async () => {
    worker.shutdown()
    await ran
    await connection.close()
  }
}
