import type { Client } from '@temporalio/client'
import { type ExecutionRef, isInViews, isStillWanted } from '../core/run/execution-view.ts'
import type { RunView } from '../core/run/view.ts'
import { isOpen } from './admission.ts'

// commands.ts: what Temporal knows of a command, for workers that look after commands whose worker was lost.

/** One activity of one workflow execution. */
interface ActivityPlace {
  readonly runId: string
  readonly executionId: string
  readonly activityId: string
}

/** One execution of a command of a run. */
interface CommandPlace extends ExecutionRef {
  readonly runId: string
}

/** Events of a history's end in which the activity is looked for; it was lost just now. */
const PAGE = 200

/** Asks Temporal which host began an activity, and a run whether it still waits for a command. */
export const createTemporalCommands = (client: () => Client, namespace: string) => ({
  /** The id of the host that began it, from the identity of its worker; undefined when none did. */
  findHost: async ({ runId, executionId, activityId }: ActivityPlace): Promise<string | undefined> => {
    const { history } = await client().workflowService.getWorkflowExecutionHistoryReverse({
      namespace,
      execution: { workflowId: runId, runId: executionId },
      maximumPageSize: PAGE,
    })
    const events = history?.events ?? []
    const scheduled = events.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityId === activityId,
    )?.eventId
    const started = events.find(
      (event) => event.activityTaskStartedEventAttributes?.scheduledEventId?.toString() === scheduled?.toString(),
    )
    return /\/([0-9a-f]{16})$/.exec(started?.activityTaskStartedEventAttributes?.identity ?? '')?.[1]
  },

  /** @throws where neither Temporal nor the run can be asked */
  isWanted: async (command: CommandPlace): Promise<boolean> => {
    const { runId } = command
    if (!(await isOpen(client(), runId))) return false
    if (!isInViews(command)) return true
    return isStillWanted(await client().workflow.getHandle(runId).query<RunView>('status'), command)
  },
})
