// check-decisions.mjs: what the person was told against the record. A decision that was acknowledged is in effect.

/**
 * @import { RunEvidence, SentDecision, Violation } from './evidence.d.ts'
 * @import { RecordedEvent } from '../../src/core/run/event.ts'
 */

/** Events that say what a decision did. A completed manual step may fail its step, a retry may reopen a gate. */
const IN_EFFECT = {
  approve: ['approval_granted'],
  reject: ['approval_rejected'],
  complete: ['step_completed', 'step_failed', 'input_received', 'verification_started'],
  // In a walk back it leaves the step as it is.
  skip: ['step_skipped', 'run_resumed'],
  cancel: ['cancel_requested'],
  pause: ['pause_requested', 'run_paused'],
  resume: ['run_resumed'],
  retry: ['run_retried'],
}

/**
 * @param {RunEvidence} run
 * @param {readonly SentDecision[]} decisions those about this run
 * @returns {readonly Violation[]}
 */
export const checkDecisions = (run, decisions) => [
  ...decisions.flatMap((decision) => checkDecision(run, decision)),
  ...oneWinner(run),
  ...knownSenders(run, decisions),
]

/** @param {RunEvidence} run @param {string} message @returns {Violation} */
const violation = ({ runId }, message) => ({ kind: 'decision', runId, message })

/** @param {RecordedEvent} event */
const decisionIdOf = ({ details }) => ('decisionId' in details ? details.decisionId : undefined)

/** @param {RunEvidence} run @param {SentDecision} decision @returns {readonly Violation[]} */
const checkDecision = (run, { kind, decisionId, answers }) => {
  const events = run.record.filter((event) => decisionIdOf(event) === decisionId)
  const effects = events.filter(({ eventType }) =>
    IN_EFFECT[/** @type {keyof typeof IN_EFFECT} */ (kind)].includes(eventType),
  )
  const refusals = events.filter(({ eventType }) => eventType === 'decision_refused')
  const firm = answers.filter(({ stored }) => stored !== true)
  const name = `${kind} ${decisionId}`
  const problems = []
  if (effects.length > 1) problems.push(violation(run, `${name} took effect ${effects.length} times`))
  if (firm.some(({ accepted }) => accepted) && effects.length === 0) {
    problems.push(violation(run, `${name} was acknowledged, and is not in effect`))
  }
  if (firm.some(({ accepted }) => !accepted) && firm.some(({ accepted }) => accepted)) {
    problems.push(violation(run, `${name} was answered differently when it was sent again`))
  }
  if (firm.length > 0 && firm.every(({ accepted }) => !accepted) && effects.length > 0) {
    problems.push(violation(run, `${name} was refused, and took effect all the same`))
  }
  const isStored = answers.some(({ stored }) => stored === true)
  if (isStored && effects.length === 0 && refusals.length === 0 && !isOverBefore(run, decisionId)) {
    problems.push(violation(run, `${name} was stored, and is neither in effect nor refused on record`))
  }
  return problems
}

/** Stored, and the run ended before it read it: there is no record left to refuse it in. @param {RunEvidence} run @param {string} decisionId */
const isOverBefore = ({ history }, decisionId) => history !== undefined && !history.decisionIds.includes(decisionId)

/** Each opening of a gate is decided once. @param {RunEvidence} run @returns {readonly Violation[]} */
const oneWinner = (run) => {
  /** @type {Map<string, number>} */
  const decided = new Map()
  for (const event of run.record) {
    const { eventType, details } = event
    if (eventType !== 'approval_granted' && eventType !== 'approval_rejected' && eventType !== 'approval_timeout')
      continue
    if (eventType === 'approval_timeout' && details.action === 'escalate') continue
    const key = `${details.gate}#${details.attempt}`
    decided.set(key, (decided.get(key) ?? 0) + 1)
  }
  return [...decided]
    .filter(([, count]) => count > 1)
    .map(([gate, count]) => violation(run, `gate ${gate} was decided ${count} times`))
}

/** No decision is on record that nobody sent. @param {RunEvidence} run @param {readonly SentDecision[]} decisions @returns {readonly Violation[]} */
const knownSenders = (run, decisions) => {
  const sent = new Set(decisions.map(({ decisionId }) => decisionId))
  return run.record.flatMap((event) => {
    const decisionId = decisionIdOf(event)
    return decisionId === undefined || sent.has(decisionId)
      ? []
      : [violation(run, `${event.eventType} is on record by decision ${decisionId}, which nobody sent`)]
  })
}
