import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import type { ChildResult } from '../core/run/input.ts'
import type { RunSopResult } from '../workflows/messages.ts'

/** Looks at Temporal how runs ended, for the runs that wait for them (engine.md 2: a message may have found nobody). */
export const createRunEnds = (client: () => Client) => ({
  find: async (runId: string): Promise<ChildResult | undefined> => {
    const handle = client().workflow.getHandle(runId)
    try {
      const { status } = await handle.describe()
      if (status.name === 'RUNNING' || status.name === 'PAUSED') return undefined
      const { outputs } = (await handle.result()) as RunSopResult
      return { outcome: 'ok', outputs }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { outcome: 'failed', reason: 'nobody knows its run any more' }
      if (!(error instanceof WorkflowFailedError)) throw error
      const isCancelled = error.cause?.name === 'CancelledFailure'
      return { outcome: isCancelled ? 'cancelled' : 'failed', reason: error.cause?.message ?? error.message }
    }
  },
})
