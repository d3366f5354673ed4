import type { Client } from '@temporalio/client'
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
interface CommandPlace {
  readonly runId: string
  readonly executableId: string
  readonly stepNumber: number
  readonly attempt: number
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
  isWanted: async ({ runId, executableId, stepNumber, attempt }: CommandPlace): Promise<boolean> => {
    if (!(await isOpen(client(), runId))) return false
    // Of gates and undos a view does not say which attempt is under way: they are wanted as long as the run is open.
    if (!/^(step|verify):/.test(executableId)) return true
    const view = await client().workflow.getHandle(runId).query<RunView>('status')
    const step = view.stepResults.find((each) => each.number === stepNumber)
    const item = /\[(\d+)\]$/.exec(executableId)?.[1]
    if (step === undefined) return true
    if (item === undefined) return step.status === 'running' && step.attempt === attempt
    // A view shows the first of the items; of one that it does not show nobody says that it is over.
    const shown = step.items?.shown.find((each) => each.item === Number(item))
    return (
      step.status === 'running' && (shown === undefined || (shown.status === 'running' && shown.attempt === attempt))
    )
  },
})
