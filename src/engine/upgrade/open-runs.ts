import { type Client, type WorkflowExecutionInfo, WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client'
import { ADMISSION_WORKFLOW, RUN_WORKFLOW } from '../../workflows/messages.ts'
import type { History } from './replay.ts'

// open-runs.ts: what a live cluster knows of its open executions: the list, their histories, and what they say themselves.

/** One open execution of ours. */
export interface OpenRun {
  readonly workflowId: string
  /** `runSop`, or the workflow that keeps slots. */
  readonly type: string
}

/** What was read of it; without a history it closed meanwhile. */
export interface ReadRun extends OpenRun {
  readonly history?: History
  /** Its own answer to what it shows; absent where no worker answered. */
  readonly live?: unknown
}

export interface Cluster {
  readonly client: Client
  readonly taskQueue: string
}

/** Time that a worker has to answer a query, in milliseconds. */
const QUERY_MS = 3_000

/** The open executions of the engine's task queue, as Temporal lists them. */
export async function* listOpen({ client, taskQueue }: Cluster): AsyncGenerator<OpenRun> {
  const types = [RUN_WORKFLOW, ADMISSION_WORKFLOW].map((type) => `WorkflowType = '${type}'`).join(' OR ')
  const query = `ExecutionStatus = 'Running' AND (${types})`
  for await (const { workflowId, type, taskQueue: queue } of client.workflow.list({
    query,
  }) as AsyncIterable<WorkflowExecutionInfo>) {
    if (queue === taskQueue) yield { workflowId, type }
  }
}

/** Whether anybody polls for workflow tasks; asking runs that nobody serves would cost the time limit of each. */
export const hasWorker = async ({ client, taskQueue }: Cluster): Promise<boolean> => {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: 1,
  })
  return (pollers ?? []).length > 0
}

/** Reads the history of an execution, and asks it what it shows where `asks` is true. */
export const readRun = async ({ client }: Cluster, run: OpenRun, asks: boolean): Promise<ReadRun> => {
  const handle = client.workflow.getHandle(run.workflowId)
  try {
    const history = await handle.fetchHistory()
    if (isClosed(history)) return run
    const live = asks ? await ask(client, run) : undefined
    return { ...run, history, ...(live !== undefined && { live }) }
  } catch (error) {
    if (isNotFound(error)) return run
    throw error
  }
}

const GRPC_NOT_FOUND = 5

const isNotFound = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND)

const ask = async (client: Client, { workflowId, type }: OpenRun): Promise<unknown> => {
  try {
    return await client.withDeadline(Date.now() + QUERY_MS, () =>
      client.workflow.getHandle(workflowId).query(type === ADMISSION_WORKFLOW ? 'queue' : 'status'),
    )
  } catch (error) {
    // A worker that cannot answer for this run is what the check is for; the record is compared instead.
    if (error instanceof Error && (isGrpcServiceError(error) || error.name.startsWith('Query'))) return undefined
    if (isGrpcServiceError((error as Error).cause)) return undefined
    throw error
  }
}

const CLOSING = [
  'workflowExecutionCompletedEventAttributes',
  'workflowExecutionFailedEventAttributes',
  'workflowExecutionCanceledEventAttributes',
  'workflowExecutionTerminatedEventAttributes',
  'workflowExecutionTimedOutEventAttributes',
] as const

const isClosed = ({ events }: History): boolean => {
  const last = events?.at(-1)
  return last != null && CLOSING.some((name) => last[name] != null)
}
