import type { ActivateInput, Next, WorkflowInterceptors, WorkflowInternalsInterceptor } from '@temporalio/workflow'

// interceptors.ts: goes around what the worker asks of a workflow.

/**
 * A query that waited for a worker brings along events that no workflow task has handled yet, and the SDK applies them with
 * the query, at the instant of the task before: a decision of today would be on record as taken when the run was parked.
 * Such an activation is told by a longer history with news under an unchanged instant. It fails the query, which its sender asks again,
 * and the run is read anew with the next task. A task that was meant by mistake would merely be tried again.
 */
export const interceptors = (): WorkflowInterceptors => ({ internals: [noEventsWithoutTask()] })

const noEventsWithoutTask = (): WorkflowInternalsInterceptor => {
  let before: { readonly at: string; readonly historyLength: ActivateInput['activation']['historyLength'] } | undefined
  return {
    activate: (input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void => {
      const { timestamp, historyLength } = input.activation
      if (timestamp !== undefined && timestamp !== null) {
        const at = `${String(timestamp.seconds)}.${timestamp.nanos ?? 0}`
        if (before?.at === at && before.historyLength !== historyLength && hasNews(input)) {
          throw untasked()
        }
        before = { at, historyLength }
      }
      next(input)
    },
  }
}

/** Events that changed nothing, such as the end of a run, may well stand behind its last task. */
const hasNews = ({ activation: { jobs } }: ActivateInput): boolean =>
  (jobs ?? []).some(({ queryWorkflow, removeFromCache }) => !queryWorkflow && !removeFromCache)

/** Frozen without a stack: the SDK logs it, and a stack of the bundle has the whole bundle in its first line. */
const untasked = (): Error => {
  const error = new Error('Cannot answer: the history has events that wait for a workflow task. Ask again')
  error.stack = error.message
  return Object.freeze(error)
}
