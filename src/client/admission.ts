import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { AdmissionRequest } from '../core/admission.ts'
import { ADMISSION_RELEASE, ADMISSION_REQUEST, ADMISSION_WORKFLOW, admissionId } from '../workflows/messages.ts'

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
  release: async (runId: string): Promise<void> => {
    try {
      await client().workflow.getHandle(admissionId(taskQueue)).signal(ADMISSION_RELEASE, { runId })
    } catch (error) {
      // Nobody keeps slots, so none is held.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  },
  findGone: async (runIds: readonly string[]): Promise<readonly string[]> => {
    const gone = await Promise.all(runIds.map(async (runId) => ((await isOpen(client(), runId)) ? [] : [runId])))
    return gone.flat()
  },
})

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
