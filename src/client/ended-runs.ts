import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client'
import type { OutsideEnd } from '../core/run/ended-outside.ts'
import type { RunEvent } from '../core/run/event.ts'
import { RUN_WORKFLOW } from '../workflows/messages.ts'

// ended-runs.ts: what Temporal knows of runs that it has closed.

/** How an execution ended, and the events that its history holds: they may not have reached the record. */
export interface ClosedExecution {
  /** Absent where the workflow closed itself, after its whole record was written. */
  readonly end?: OutsideEnd
  readonly events: readonly RunEvent[]
}

export interface EndedRuns {
  /** Ids of the runs that Temporal lists as open. The list may be a moment behind. */
  open(): Promise<ReadonlySet<string>>
  /** How the run was closed; undefined while it is open, and where Temporal does not know it. */
  endOf(runId: string): Promise<ClosedExecution | undefined>
}

/** Reads the ends of runs from a cluster. */
export const createEndedRuns = (temporal: Client): EndedRuns => ({
  open: async () => {
    const ids = new Set<string>()
    const query = `WorkflowType = "${RUN_WORKFLOW}" AND ExecutionStatus = "Running"`
    for await (const { workflowId } of temporal.workflow.list({ query, pageSize: 1000 })) ids.add(workflowId)
    return ids
  },
  endOf: async (runId) => {
    const described = await describe(temporal, runId)
    if (described === undefined || described.status.name === 'RUNNING') return undefined
    const { events } = await temporal.workflow.getHandle(runId, described.runId).fetchHistory()
    const history = events ?? []
    const end = endFrom(history.at(-1), described)
    return { ...(end && { end }), events: carriedEvents(temporal, history) }
  },
})

const describe = async (temporal: Client, runId: string): Promise<WorkflowExecutionDescription | undefined> => {
  try {
    return await temporal.workflow.getHandle(runId).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

type History = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>
type HistoryEvent = History[number]

const endFrom = (
  last: HistoryEvent | undefined,
  { closeTime }: WorkflowExecutionDescription,
): OutsideEnd | undefined => {
  const at = (closeTime ?? new Date(0)).toISOString()
  const terminated = last?.workflowExecutionTerminatedEventAttributes
  if (terminated) {
    return { kind: 'terminated', at, ...text('by', terminated.identity), ...text('reason', terminated.reason) }
  }
  if (last?.workflowExecutionTimedOutEventAttributes) return { kind: 'timed_out', at }
  const failed = last?.workflowExecutionFailedEventAttributes
  if (failed) return { kind: 'failed', at, ...text('reason', failed.failure?.message) }
  return last?.workflowExecutionCanceledEventAttributes ? { kind: 'cancelled', at } : undefined
}

const text = <K extends string>(key: K, value: string | null | undefined): { readonly [P in K]?: string } =>
  value === undefined || value === null || value === '' ? {} : ({ [key]: value } as { [P in K]: string })

/** Events that are in history as inputs of activities, in their order, each once. */
const carriedEvents = (temporal: Client, history: History): readonly RunEvent[] => {
  const found = new Map<number, RunEvent>()
  const { payloadConverter } = temporal.options.loadedDataConverter
  for (const { activityTaskScheduledEventAttributes: scheduled } of history) {
    const [payload] = scheduled?.input?.payloads ?? []
    if (!payload || !EVENTFUL.includes(scheduled?.activityType?.name ?? '')) continue
    const { events } = payloadConverter.fromPayload<{ readonly events?: readonly RunEvent[] }>(payload)
    for (const event of events ?? []) found.set(event.sequence, event)
  }
  return [...found.values()].sort((a, b) => a.sequence - b.sequence)
}

/** Activities whose argument carries events to the record. */
const EVENTFUL: readonly string[] = ['recordAudit', 'runCommand']
