import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { RunEvent } from '../core/run/event.ts'
import type { ImpliedEvents } from '../core/verify/history.ts'
import { RUN_WORKFLOW } from '../workflows/messages.ts'

// run-history.ts: which events the history of a run handed to the record, as arguments of activities, and how far the
// record said that it has them.

/** What Temporal knows of a run: `gone` where it knows nothing, `unavailable` where it does not answer. */
export type HistoryAnswer = ImpliedEvents | 'gone' | 'unavailable'

export interface RunHistories {
  of(runId: string): Promise<HistoryAnswer>
  /** Ids of the runs that Temporal lists, in pieces; none where it does not answer. */
  ids(): AsyncIterable<readonly string[]>
}

/** Activities whose argument carries events to the record. */
export const EVENTFUL: readonly string[] = ['recordAudit', 'runCommand']

/** Links of a chain of executions that are followed back. */
const MAX_EXECUTIONS = 1_000
const PIECE = 1_000

/** Reads histories of a cluster; of runs that the engine of another task queue has, records are not here. */
export const createRunHistories = (temporal: Client, taskQueue: string): RunHistories => ({
  of: async (runId) => {
    try {
      return await impliedEvents(temporal, runId)
    } catch (error) {
      return error instanceof WorkflowNotFoundError ? 'gone' : 'unavailable'
    }
  },
  ids: async function* () {
    const query = `WorkflowType = "${RUN_WORKFLOW}" AND TaskQueue = ${JSON.stringify(taskQueue)}`
    let piece: string[] = []
    for await (const { workflowId } of temporal.workflow.list({ query, pageSize: PIECE })) {
      piece.push(workflowId)
      if (piece.length < PIECE) continue
      yield piece
      piece = []
    }
    yield piece
  },
})

const impliedEvents = async (temporal: Client, runId: string): Promise<ImpliedEvents> => {
  const described = await temporal.workflow.getHandle(runId).describe()
  const found = new Map<number, RunEvent>()
  let ackedTo = 0
  let executionId: string | undefined = described.runId
  let isFirst = true
  for (let link = 0; executionId !== undefined && link < MAX_EXECUTIONS; link++) {
    const events = await historyOf(temporal, runId, executionId, isFirst)
    if (events === undefined) break
    const told = readHistory(temporal, events)
    // What a later execution told counts.
    for (const event of told.events) if (!found.has(event.sequence)) found.set(event.sequence, event)
    ackedTo = Math.max(ackedTo, told.ackedTo)
    executionId = told.continues
    isFirst = false
  }
  const isAll = ['COMPLETED', 'FAILED', 'CANCELLED'].includes(described.status.name) && found.size > 0
  const events = [...found.values()].sort((a, b) => a.sequence - b.sequence)
  return { events, ackedTo, isAll: isAll && ackedTo === events.at(-1)?.sequence }
}

type History = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>

/** Undefined for an earlier link that Temporal has forgotten. */
const historyOf = async (
  temporal: Client,
  runId: string,
  executionId: string,
  isFirst: boolean,
): Promise<History | undefined> => {
  try {
    const { events } = await temporal.workflow.getHandle(runId, executionId).fetchHistory()
    return events ?? []
  } catch (error) {
    if (!isFirst && error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

interface Told {
  readonly events: readonly RunEvent[]
  readonly ackedTo: number
  /** The execution before it in the chain. */
  readonly continues?: string
}

const readHistory = (temporal: Client, history: History): Told => {
  const { payloadConverter } = temporal.options.loadedDataConverter
  const events: RunEvent[] = []
  const eventful = new Set<string>()
  let ackedTo = 0
  let continues: string | undefined
  for (const event of history) {
    const started = event.workflowExecutionStartedEventAttributes
    if (started?.continuedExecutionRunId) continues = started.continuedExecutionRunId
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled && EVENTFUL.includes(scheduled.activityType?.name ?? '')) {
      const [payload] = scheduled.input?.payloads ?? []
      const carried = payload
        ? payloadConverter.fromPayload<{ readonly events?: readonly RunEvent[] } | null>(payload)?.events
        : undefined
      eventful.add(String(event.eventId))
      events.push(...(carried ?? []))
    }
    const completed = event.activityTaskCompletedEventAttributes
    if (completed && eventful.has(String(completed.scheduledEventId))) {
      const [payload] = completed.result?.payloads ?? []
      const acked = payload
        ? payloadConverter.fromPayload<{ readonly ackedSeq?: unknown } | null>(payload)?.ackedSeq
        : undefined
      if (typeof acked === 'number') ackedTo = Math.max(ackedTo, acked)
    }
  }
  return { events, ackedTo, ...(continues !== undefined && { continues }) }
}
