import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { AdmissionRequest } from '../core/admission.ts'
import {
  ADMISSION_RELEASE,
  ADMISSION_REQUEST,
  ADMISSION_WORKFLOW,
  ADMISSION_YIELD,
  admissionId,
  RUN_WORKFLOW,
} from '../workflows/messages.ts'

/** Speaks to the admission workflow of a task queue; the first request starts it. */
export const createTemporalAdmission = (client: () => Client, taskQueue: string) => ({
  request: async (request: AdmissionRequest): Promise<void> => {
    await client().workflow.signalWithStart(ADMISSION_WORKFLOW, {
      workflowId: admissionId(taskQueue),
      taskQueue,
      args: [],
      signal: ADMISSION_REQUEST,
      signalArgs: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'Slots and cooldowns of all SOPs',
    })
  },
  release: (runId: string): Promise<void> => tell(client(), taskQueue, ADMISSION_RELEASE, { runId }),
  yield: (place: { readonly runId: string; readonly turn: number }): Promise<void> =>
    tell(client(), taskQueue, ADMISSION_YIELD, place),
  findGone: async (runIds: readonly string[]): Promise<readonly string[]> => {
    const unsure = runIds.length > FEW ? await notListed(client(), runIds) : runIds
    const gone: string[] = []
    for (let at = 0; at < unsure.length; at += FEW) {
      const some = unsure.slice(at, at + FEW)
      const found = await Promise.all(some.map(async (runId) => ((await isOpen(client(), runId)) ? [] : [runId])))
      gone.push(...found.flat())
    }
    return gone
  },
})

/** Runs that are asked for one by one, at once. */
const FEW = 20

/** The list of open runs lags behind by moments: who is not in it is asked for. */
const notListed = async (client: Client, runIds: readonly string[]): Promise<readonly string[]> => {
  const left = new Set(runIds)
  for await (const { workflowId } of client.workflow.list({
    query: `WorkflowType = "${RUN_WORKFLOW}" AND ExecutionStatus = "Running"`,
    pageSize: 1_000,
  })) {
    left.delete(workflowId)
  }
  return [...left]
}

const tell = async (client: Client, taskQueue: string, signal: string, argument: object): Promise<void> => {
  try {
    await client.workflow.getHandle(admissionId(taskQueue)).signal(signal, argument)
  } catch (error) {
    // Nobody keeps slots, so none is held.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

/** Cancels a run's execution in Temporal; one that is closed already is left alone. */
export const createRequestCancel =
  (client: () => Client) =>
  async (runId: string): Promise<void> => {
    try {
      await client().workflow.getHandle(runId).cancel()
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }

/** Whether a workflow of that id runs. */
export const isOpen = async (client: Client, runId: string): Promise<boolean> => {
  try {
    const { status } = await client.workflow.getHandle(runId).describe()
    return status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}
