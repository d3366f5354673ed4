// check-history.mjs: the record against Temporal's history, the second witness. Every event of the record left the
// workflow as it is on record, in order, and has its cause in history; nothing that left the workflow is missing.

import { workOf } from './check-effects.mjs'

/**
 * @import { RunEvidence, Violation } from './evidence.d.ts'
 * @import { RecordedEvent, RunEvent } from '../../src/core/run/event.ts'
 */

/** @param {RunEvidence} run @returns {readonly Violation[]} */
export const checkHistory = (run) => (run.history === undefined ? [] : [...sameEvents(run), ...causes(run)])

/** @param {RunEvidence} run @param {string} message @returns {Violation} */
const violation = ({ runId }, message) => ({ kind: 'history', runId, message })

/** @param {RunEvent} event */
const content = ({ sequence, timestamp, eventType, runId, stepNumber, principal, via, details }) =>
  JSON.stringify(sorted({ sequence, timestamp, eventType, runId, stepNumber, principal, via, details }))

/** Key order is no difference. @param {unknown} value @returns {unknown} */
const sorted = (value) =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, each]) => each !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, each]) => [key, sorted(each)]),
        )
      : value

/** @param {RunEvidence} run @returns {readonly Violation[]} */
const sameEvents = (run) => {
  /** @type {Map<number, string>} */
  const left = new Map()
  const problems = []
  for (const batch of run.history?.carried ?? []) {
    batch.forEach((event, index) => {
      const before = batch[index - 1]
      if (before !== undefined && event.sequence !== before.sequence + 1) {
        problems.push(violation(run, `a batch goes from event ${before.sequence} to ${event.sequence}`))
      }
      const known = left.get(event.sequence)
      if (known !== undefined && known !== content(event)) {
        problems.push(violation(run, `event ${event.sequence} left the workflow with two contents`))
      }
      left.set(event.sequence, content(event))
    })
  }
  for (const event of run.record) {
    const known = left.get(event.sequence)
    if (known === undefined)
      problems.push(violation(run, `event ${event.sequence} is on record, and history does not know it`))
    else if (known !== content(event))
      problems.push(violation(run, `event ${event.sequence} is another one in history`))
  }
  const onRecord = new Set(run.record.map(({ sequence }) => sequence))
  for (const sequence of left.keys()) {
    if (!onRecord.has(sequence)) problems.push(violation(run, `event ${sequence} is in history, and not on record`))
  }
  return problems
}

/** What an end of a step may come from, among the results of its command. @type {Readonly<Record<string, readonly string[]>>} */
const RESULTS = {
  step_completed: ['ok'],
  verification_started: ['ok'],
  step_unknown: ['lost'],
}

/** @param {RunEvidence} run @returns {readonly Violation[]} */
const causes = (run) =>
  run.record.flatMap((event) => [
    ...commandCause(run, event),
    ...decisionCause(run, event),
    ...timerCause(run, event),
    ...probeCause(run, event),
  ])

/** @param {RunEvidence} run @param {RecordedEvent} event @returns {readonly Violation[]} */
const commandCause = (run, event) => {
  const { eventType, stepNumber, principal, details } = event
  const results = RESULTS[eventType]
  if (results === undefined || principal.kind !== 'service' || !('attempt' in details) || 'gate' in details) return []
  const step = run.steps.find(({ number }) => number === stepNumber)
  if (step?.kind !== 'shell' || (step.isEach === true && !('item' in details))) return []
  if (eventType !== 'step_unknown' && isSaidByPerson(run, event)) return []
  const traces = (run.history?.commands ?? []).filter(
    ({ work, attempt }) => work === workOf(event) && attempt === details.attempt,
  )
  if (traces.length === 0) return [violation(run, `${eventType} of step ${stepNumber} has no command in history`)]
  // One that is lost may be taken over, or begun anew where it never began: whether it ran twice says the ledger.
  if (traces.filter(({ outcome }) => outcome !== 'lost').length > 1)
    return [violation(run, `attempt ${details.attempt} of step ${stepNumber} was dispatched ${traces.length} times`)]
  const outcome = traces.findLast((trace) => trace.outcome !== 'lost')?.outcome ?? 'lost'
  return results.includes(outcome)
    ? []
    : [
        violation(
          run,
          `${eventType} of step ${stepNumber} is on record, and its command's result in history is ${outcome}`,
        ),
      ]
}

/** The attempt was unknown, and a person said that it ran. @param {RunEvidence} run @param {RecordedEvent} event */
const isSaidByPerson = ({ record }, event) =>
  record.some(
    (each) =>
      each.eventType === 'step_unknown' &&
      workOf(each) === workOf(event) &&
      each.sequence < event.sequence &&
      'attempt' in event.details &&
      each.details.attempt === event.details.attempt,
  )

/** A step is declared unknown only after its host was looked for. @param {RunEvidence} run @param {RecordedEvent} event @returns {readonly Violation[]} */
const probeCause = (run, { eventType, stepNumber, details }) =>
  eventType === 'step_unknown' && /^its workers? died/.test(String(details.error)) && run.history?.probes === 0
    ? [violation(run, `step ${stepNumber} is unknown on record, and nobody asked its host`)]
    : []

/** @param {RunEvidence} run @param {RecordedEvent} event @returns {readonly Violation[]} */
const decisionCause = (run, event) => {
  const decisionId = 'decisionId' in event.details ? event.details.decisionId : undefined
  return decisionId === undefined || run.history?.decisionIds.includes(decisionId)
    ? []
    : [violation(run, `${event.eventType} names decision ${decisionId}, which history does not know`)]
}

/** @param {RunEvidence} run @param {RecordedEvent} event @returns {readonly Violation[]} */
const timerCause = (run, { eventType, details }) =>
  eventType === 'approval_timeout' && run.history?.timersFired === 0
    ? [violation(run, `gate ${details.gate} timed out on record, and no timer fired in history`)]
    : []
