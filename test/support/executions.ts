import type { Client, WorkflowHandle } from '@temporalio/client'

/** Executions of a run from `first` to the last, with the events and bytes of each one's history. */
export const executionsOf = async (
  temporal: Client,
  runId: string,
  first: string,
): Promise<readonly { readonly events: number; readonly bytes: number }[]> => {
  const found: { readonly events: number; readonly bytes: number }[] = []
  for (let next: string | undefined = first; next !== undefined && next !== ''; ) {
    const one: WorkflowHandle = temporal.workflow.getHandle(runId, next)
    const { historyLength, historySize = 0 } = await one.describe()
    found.push({ events: historyLength, bytes: historySize })
    const { events } = await one.fetchHistory()
    next = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined
  }
  return found
}
