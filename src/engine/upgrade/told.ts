import type { WitnessedCommand } from '../../workflows/witness.ts'
import type { HistoryEvent } from './replay.ts'

// told.ts: what an execution asked of Temporal, read from an event of its history and from a command of its replay into
// the same words. What bears on nothing that happens (summaries, timeouts of work that is under way) is left out.

/** Something that an execution asked for. `id` tells the likes of it apart; without one they are counted. */
export interface Told {
  readonly what: string
  readonly id?: string
  readonly value: unknown
}

type Table = Readonly<Record<string, unknown>>

/** What an event says that the execution asked for; undefined for events that came from elsewhere. */
export const toldByEvent = (event: HistoryEvent): Told | undefined => {
  const scheduled = event.activityTaskScheduledEventAttributes
  if (scheduled)
    return {
      what: 'activity',
      id: scheduled.activityId ?? '',
      value: { type: scheduled.activityType?.name, arguments: decodeAll(scheduled.input?.payloads) },
    }
  const timer = event.timerStartedEventAttributes
  if (timer)
    return { what: 'timer', id: timer.timerId ?? '', value: { durationMs: durationMsOf(timer.startToFireTimeout) } }
  const signal = event.signalExternalWorkflowExecutionInitiatedEventAttributes
  if (signal)
    return {
      what: 'signal',
      value: {
        to: signal.workflowExecution?.workflowId,
        name: signal.signalName,
        arguments: decodeAll(signal.input?.payloads),
      },
    }
  const cancel = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes
  if (cancel) return { what: 'cancel request', value: { to: cancel.workflowExecution?.workflowId } }
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes
  if (child)
    return {
      what: 'child',
      value: { id: child.workflowId, type: child.workflowType?.name, arguments: decodeAll(child.input?.payloads) },
    }
  return toldOfState(event) ?? toldOfEnd(event)
}

const toldOfState = (event: HistoryEvent): Told | undefined => {
  const attributes = event.upsertWorkflowSearchAttributesEventAttributes
  if (attributes) return toldOfAttributes(fieldsOf(attributes.searchAttributes?.indexedFields))
  const update = event.workflowExecutionUpdateCompletedEventAttributes
  if (!update) return undefined
  const failure = update.outcome?.failure?.message
  return {
    what: 'answer to an update',
    id: update.meta?.updateId ?? '',
    value: failure ? { failure } : { answer: decodeAll(update.outcome?.success?.payloads)[0] },
  }
}

/** With the marker of a patch the SDK notes its name in this attribute, by a command that no workflow asked for. */
const OF_THE_SDK = 'TemporalChangeVersion'

const toldOfAttributes = (fields: Table): Told | undefined =>
  Object.keys(fields).some((name) => name !== OF_THE_SDK) ? { what: 'search attributes', value: fields } : undefined

const toldOfEnd = (event: HistoryEvent): Told | undefined => {
  const completed = event.workflowExecutionCompletedEventAttributes
  if (completed) return { what: 'end', value: { completed: decodeAll(completed.result?.payloads)[0] } }
  const failed = event.workflowExecutionFailedEventAttributes
  if (failed) return { what: 'end', value: { failed: failed.failure?.message } }
  if (event.workflowExecutionCanceledEventAttributes) return { what: 'end', value: { cancelled: true } }
  const next = event.workflowExecutionContinuedAsNewEventAttributes
  return next ? { what: 'end', value: { continued: decodeAll(next.input?.payloads) } } : undefined
}

/** What a command of a replay asks for; undefined for those that leave no trace of their own in a history. */
export const toldByCommand = (command: WitnessedCommand): Told | undefined => {
  const activity = table(command['scheduleActivity'])
  if (activity)
    return {
      what: 'activity',
      id: String(activity['activityId']),
      value: { type: activity['activityType'], arguments: decodeAll(activity['arguments']) },
    }
  const timer = table(command['startTimer'])
  if (timer)
    return {
      what: 'timer',
      id: String(timer['seq']),
      value: { durationMs: durationMsOf(table(timer['startToFireTimeout'])) },
    }
  const signal = table(command['signalExternalWorkflowExecution'])
  if (signal)
    return {
      what: 'signal',
      value: {
        to: table(signal['workflowExecution'])?.['workflowId'] ?? signal['childWorkflowId'],
        name: signal['signalName'],
        arguments: decodeAll(signal['args']),
      },
    }
  const cancel = table(command['requestCancelExternalWorkflowExecution'])
  if (cancel) return { what: 'cancel request', value: { to: table(cancel['workflowExecution'])?.['workflowId'] } }
  const child = table(command['startChildWorkflowExecution'])
  if (child)
    return {
      what: 'child',
      value: { id: child['workflowId'], type: child['workflowType'], arguments: decodeAll(child['input']) },
    }
  return stateOfCommand(command) ?? endOfCommand(command)
}

const stateOfCommand = (command: WitnessedCommand): Told | undefined => {
  const attributes = table(command['upsertWorkflowSearchAttributes'])
  if (attributes) {
    // Newer protocols wrap the fields once more.
    const wrapped = table(attributes['searchAttributes'])
    return { what: 'search attributes', value: fieldsOf(wrapped?.['indexedFields'] ?? wrapped) }
  }
  const update = table(command['updateResponse'])
  if (!update) return undefined
  const id = String(update['protocolInstanceId'])
  if (update['completed']) return { what: 'answer to an update', id, value: { answer: decode(update['completed']) } }
  const rejected = table(update['rejected'])
  return rejected && { what: 'answer to an update', id, value: { failure: rejected['message'] } }
}

const endOfCommand = (command: WitnessedCommand): Told | undefined => {
  const completed = table(command['completeWorkflowExecution'])
  if (completed) return { what: 'end', value: { completed: decode(completed['result']) } }
  const failed = table(command['failWorkflowExecution'])
  if (failed) return { what: 'end', value: { failed: table(failed['failure'])?.['message'] } }
  if (command['cancelWorkflowExecution']) return { what: 'end', value: { cancelled: true } }
  const next = table(command['continueAsNewWorkflowExecution'])
  return next && { what: 'end', value: { continued: decodeAll(next['arguments']) } }
}

const table = (value: unknown): Table | undefined =>
  typeof value === 'object' && value !== null ? (value as Table) : undefined

const fieldsOf = (fields: unknown): Table =>
  Object.fromEntries(Object.entries(table(fields) ?? {}).map(([key, payload]) => [key, decode(payload)]))

const decodeAll = (payloads: unknown): readonly unknown[] => (Array.isArray(payloads) ? payloads.map(decode) : [])

/** The value of a payload; one that is not JSON as its bytes. */
const decode = (payload: unknown): unknown => {
  const { metadata, data } = (payload ?? {}) as { metadata?: { encoding?: Uint8Array }; data?: Uint8Array }
  const encoding = metadata?.encoding ? Buffer.from(metadata.encoding).toString() : ''
  if (encoding === 'binary/null' || encoding === '') return null
  const bytes = Buffer.from(data ?? [])
  if (encoding !== 'json/plain') return { encoding, bytes: bytes.toString('base64') }
  try {
    return JSON.parse(bytes.toString()) as unknown
  } catch {
    return { encoding, bytes: bytes.toString('base64') }
  }
}

interface Span {
  readonly seconds?: unknown
  readonly nanos?: unknown
}

const durationMsOf = (span: Span | null | undefined): number =>
  numberOf(span?.seconds) * 1000 + Math.round(numberOf(span?.nanos) / 1e6)

/** A number of the protocol: plain, or of 64 bits in two halves. */
const numberOf = (value: unknown): number => {
  const { low, high } = (table(value) ?? {}) as { low?: number; high?: number }
  return low !== undefined && high !== undefined ? high * 2 ** 32 + (low >>> 0) : Number(value ?? 0)
}
