import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { childResultOf } from '../core/run/child-end.ts'
import type { ChildResult } from '../core/run/input.ts'
import type { Run } from '../core/run/run.ts'
import { CHILD_ENDED, type ChildEnded, type RunSopResult } from '../workflows/messages.ts'

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

/** Tells the run whose step a run is that it ended, where that run cannot say so itself any more: it was terminated. */
export const createTellParent =
  (client: () => Client) =>
  async (run: Run): Promise<void> => {
    const { runId, parent } = run.seed
    const result = childResultOf(run)
    // One that completed has said so itself.
    if (parent === undefined || result === undefined || result.outcome === 'ok') return
    const message: ChildEnded = { runId, workId: parent.workId, result }
    try {
      await client().workflow.getHandle(parent.runId).signal(CHILD_ENDED, message)
    } catch (error) {
      // The parent is over.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
