import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { AdmissionAnswer, AdmissionRequest } from '../core/admission.ts'
import {
  ADMISSION_ASK,
  ADMISSION_RELEASE,
  ADMISSION_REQUEST,
  ADMISSION_WORKFLOW,
  ADMISSION_YIELD,
  admissionId,
  RUN_WORKFLOW,
} from '../workflows/messages.ts'

/** Speaks to the admission workflow of a task queue; the first request starts it. */
export const createTemporalAdmission = (client: () => Client, taskQueue: string) => ({
  request: createRequest(client, taskQueue),
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

/**
 * Whoever asks holds a place for a workflow task meanwhile, and the answer needs one as well: a worker has 40. Temporal lets 10
 * updates of one workflow be under way at a time unless it is told otherwise; what it refuses is asked by signal.
 */
const ASKED_AT_ONCE = 20
const ANSWER_MS = 2_000

/**
 * An update brings the answer back at once, which saves a run that need not wait a signal and a workflow task. Whatever keeps
 * it from coming (nobody asked before, too many ask, an older build has the workflow), the request goes by signal, as one that
 * is repeated is taken as once.
 */
const createRequest = (client: () => Client, taskQueue: string) => {
  let asking = 0
  const ask = async (request: AdmissionRequest): Promise<AdmissionAnswer | undefined> => {
    asking += 1
    try {
      const { connection, workflow } = client()
      const handle = workflow.getHandle(admissionId(taskQueue))
      const asked = () =>
        handle.executeUpdate<AdmissionAnswer | null, [AdmissionRequest]>(ADMISSION_ASK, { args: [request] })
      return (await connection.withDeadline(Date.now() + ANSWER_MS, asked)) ?? undefined
    } catch {
      return undefined
    } finally {
      asking -= 1
    }
  }
  return async (request: AdmissionRequest): Promise<AdmissionAnswer | undefined> => {
    const answer = asking < ASKED_AT_ONCE ? await ask(request) : undefined
    if (answer !== undefined) return answer
    await client().workflow.signalWithStart(ADMISSION_WORKFLOW, {
      workflowId: admissionId(taskQueue),
      taskQueue,
      args: [],
      signal: ADMISSION_REQUEST,
      signalArgs: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'Slots and cooldowns of all SOPs',
    })
    return undefined
  }
}

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
