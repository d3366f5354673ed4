// history.mjs: what Temporal's history of a run says, all its executions together.

import { defaultPayloadConverter } from '@temporalio/common'

/** @param {import('@temporalio/client').Client} temporal @param {string} runId */
export const historyOf = async (temporal, runId) => {
  const executions = []
  for await (const each of temporal.workflow.list({ query: `WorkflowId = "${runId}"` })) executions.push(each)
  executions.sort((a, b) => a.startTime.getTime() - b.startTime.getTime())
  const all = { carried: [], commands: [], decisionIds: [], timersFired: 0, probes: 0, status: 'UNKNOWN' }
  for (const execution of executions) {
    const { events } = await temporal.workflow.getHandle(runId, execution.runId).fetchHistory()
    readEvents(events ?? [], all)
    all.status = execution.status.name
  }
  return executions.length === 0 ? undefined : all
}

const readEvents = (events, all) => {
  /** @type {Map<string, object>} */
  const commands = new Map()
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes
    const completed = event.activityTaskCompletedEventAttributes
    if (scheduled) takeScheduled(event, scheduled, commands, all)
    if (completed) setOutcome(commands, completed, firstOf(completed.result)?.outcome ?? 'ok')
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes
    if (failed) setOutcome(commands, failed, 'lost')
    if (event.activityTaskCanceledEventAttributes)
      setOutcome(commands, event.activityTaskCanceledEventAttributes, 'cancelled')
    if (event.timerFiredEventAttributes) all.timersFired += 1
    takeDecision(event.workflowExecutionSignaledEventAttributes?.input, all)
    takeDecision(event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.args, all)
    takeStart(event.workflowExecutionStartedEventAttributes, all)
  }
}

const takeScheduled = (event, { activityType, input }, commands, all) => {
  const argument = firstOf(input)
  if (['findHost', 'probeCommand'].includes(activityType?.name)) all.probes += 1
  const task = activityType?.name === 'adoptCommand' ? { ...argument?.task, events: [] } : argument
  if (Array.isArray(task?.events) && task.events.length > 0) all.carried.push(task.events)
  // What a later worker takes over ends in an activity of its own.
  if (!['runCommand', 'adoptCommand'].includes(activityType?.name)) return
  const item = task.item === undefined ? '' : `[${task.item.number}]`
  const command = { work: `${task.executableId}${item}`, attempt: task.attempt, outcome: 'lost' }
  commands.set(String(event.eventId), command)
  all.commands.push(command)
}

const setOutcome = (commands, { scheduledEventId }, outcome) => {
  const command = commands.get(String(scheduledEventId))
  if (command !== undefined) command.outcome = outcome
}

const takeDecision = (payloads, all) => {
  const decisionId = firstOf(payloads)?.decisionId
  if (typeof decisionId === 'string') all.decisionIds.push(decisionId)
}

/** A closed run that is retried gets its decision with its input. */
const takeStart = (started, all) => {
  const input = firstOf(started?.input)
  const decisionId = input?.retry?.decisionId ?? input?.reopened?.decision?.decisionId
  if (typeof decisionId === 'string') all.decisionIds.push(decisionId)
}

const firstOf = (payloads) => {
  const payload = payloads?.payloads?.[0]
  if (payload === undefined || payload === null) return undefined
  try {
    return defaultPayloadConverter.fromPayload(payload)
  } catch {
    return undefined
  }
}
