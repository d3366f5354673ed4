// check.mjs: says of a chaos run's evidence what must not be. Pure: it reads nothing and asks nobody, so that each rule is
// tested by evidence in which it was broken. How the chain of a record is checked is given to it.

import { checkDecisions } from './check-decisions.mjs'
import { checkEffects, workOf } from './check-effects.mjs'
import { checkHistory } from './check-history.mjs'

/**
 * @import { Evidence, RunEvidence, Violation, ViolationKind } from './evidence.d.ts'
 * @import { RecordedEvent } from '../../src/core/run/event.ts'
 */

/** @typedef {(record: readonly RecordedEvent[], runId: string) => readonly { readonly message: string }[]} VerifyChain */

/** Events that end a run. */
const ENDS = ['run_completed', 'run_failed', 'run_cancelled']

/**
 * Everything that is wrong, in words; empty when nothing is.
 *
 * @param {Evidence} evidence
 * @param {VerifyChain} verifyChain
 * @returns {readonly Violation[]}
 */
export const checkEvidence = (evidence, verifyChain) => [
  ...evidence.runs.flatMap((run) => [
    ...checkRecord(run, verifyChain),
    ...checkEnd(run),
    ...checkHistory(run),
    ...checkViews(run),
    ...checkLogs(run),
    ...checkEffects(
      run,
      evidence.ledger.filter(({ runId }) => runId === run.runId),
    ),
    ...checkDecisions(
      run,
      evidence.decisions.filter(({ runId }) => runId === run.runId),
    ),
  ]),
  ...checkStarts(evidence),
  ...evidence.processes.map((line) => violation('process', undefined, `a process was left over: ${line}`)),
  ...checkChildren(evidence),
  ...evidence.failures.map((line) => violation('answer', undefined, `the engine answered 500: ${line}`)),
  ...evidence.slots.map((runId) => violation('admission', runId, 'it still holds or awaits a slot')),
]

/** @param {ViolationKind} kind @param {string | undefined} runId @param {string} message @returns {Violation} */
const violation = (kind, runId, message) => ({ kind, ...(runId !== undefined && { runId }), message })

/** @param {RunEvidence} run @param {VerifyChain} verifyChain @returns {readonly Violation[]} */
const checkRecord = ({ runId, record, forks }, verifyChain) => [
  ...(record.length === 0 ? [violation('record', runId, 'it has no record')] : []),
  ...verifyChain(record, runId).map(({ message }) => violation('record', runId, message)),
  ...(forks > 0 ? [violation('record', runId, `${forks} events contradict its record`)] : []),
]

/** A run ends once, by its last event, and what Temporal says of it is the same end. @param {RunEvidence} run @returns {readonly Violation[]} */
const checkEnd = ({ runId, record, history }) => {
  const ends = record.filter(({ eventType }, index) => ENDS.includes(eventType) && !isReopened(record, index))
  const last = record.at(-1)
  if (ends.length === 0) return [violation('stuck', runId, `it did not end; its last event is ${last?.eventType}`)]
  const problems = ends.length > 1 ? [violation('record', runId, `it ended ${ends.length} times`)] : []
  if (last === undefined || !ENDS.includes(last.eventType)) {
    problems.push(violation('record', runId, `event ${last?.eventType} follows its end`))
  }
  const expected = { run_completed: 'COMPLETED', run_failed: 'FAILED', run_cancelled: 'CANCELLED' }
  const wanted = expected[/** @type {keyof typeof expected} */ (last?.eventType)]
  if (history !== undefined && wanted !== undefined && history.status !== wanted) {
    problems.push(
      violation('history', runId, `its record ends with ${last?.eventType}, Temporal says ${history.status}`),
    )
  }
  return problems
}

/** A closed run that was retried goes on under the same id. @param {readonly RecordedEvent[]} record @param {number} index */
const isReopened = (record, index) => record[index + 1]?.eventType === 'run_retried'

/** @param {RunEvidence} run @returns {readonly Violation[]} */
const checkViews = ({ runId, record, folded, shown, listed }) => {
  const problems = []
  // Instants included: a replay gives every event the one that it has on record.
  if (JSON.stringify(folded) !== JSON.stringify(shown)) {
    problems.push(violation('view', runId, `its record folds to ${differing(folded, shown)}`))
  }
  const sequence = record.at(-1)?.sequence
  if (listed?.sequence !== sequence || listed?.status !== folded?.status) {
    const line = listed === undefined ? 'is not listed' : `is listed as ${listed.status} at ${listed.sequence}`
    problems.push(violation('list', runId, `it ${line}, and its record says ${folded?.status} at ${sequence}`))
  }
  return problems
}

/** The keys in which two views differ. @param {object | undefined} folded @param {object | undefined} shown */
const differing = (folded, shown) => {
  const [left, right] = /** @type {[Record<string, unknown>, Record<string, unknown>]} */ ([folded ?? {}, shown ?? {}])
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])]
  return keys
    .filter((key) => JSON.stringify(left[key]) !== JSON.stringify(right[key]))
    .map((key) => `${key} ${short(left[key])} where the engine shows ${short(right[key])}`)
    .join('; ')
}

/** @param {unknown} value */
const short = (value) => (JSON.stringify(value) ?? 'nothing').slice(0, 300)

/** What a step printed is in its log once, and the record quotes the log's end. @param {RunEvidence} run @returns {readonly Violation[]} */
const checkLogs = ({ runId, record, logs }) =>
  record.flatMap((event) => {
    if (event.eventType !== 'step_completed' || event.details.output === undefined) return []
    const { attempt, output } = event.details
    const log = logs.find((each) => each.work === workOf(event) && each.attempt === attempt)
    if (log === undefined) {
      return [violation('log', runId, `step ${event.stepNumber} printed something, and attempt ${attempt} has no log`)]
    }
    const marks = log.text.split('\n').filter((line) => line.startsWith('effect ')).length
    return [
      ...(log.text.endsWith(output)
        ? []
        : [violation('log', runId, `the log of step ${event.stepNumber} does not end with the output on record`)]),
      ...(marks > 1
        ? [violation('log', runId, `the log of step ${event.stepNumber} has its one line ${marks} times`)]
        : []),
    ]
  })

/** A key starts one run, and every run that there is was asked for. @param {Evidence} evidence @returns {readonly Violation[]} */
const checkStarts = ({ starts, runs }) => {
  const known = new Set(runs.map(({ runId }) => runId))
  const wanted = new Set(starts.flatMap(({ runIds }) => runIds))
  return [
    ...starts.flatMap(({ key, runIds }) =>
      new Set(runIds).size > 1
        ? [violation('start', runIds[0], `key ${key} started ${[...new Set(runIds)].join(' and ')}`)]
        : [],
    ),
    ...[...wanted]
      .filter((runId) => !known.has(runId))
      .map((runId) => violation('start', runId, 'it was started, and is lost')),
    ...runs
      .filter(({ runId, record }) => !wanted.has(runId) && parentOf(record) === undefined)
      .map(({ runId }) => violation('start', runId, 'nobody asked for it')),
  ]
}

/** @param {readonly RecordedEvent[]} record */
const parentOf = ([created]) => (created?.eventType === 'run_created' ? created.details.parent : undefined)

/** A run that is a step of another one was begun by that step, and its end is what the step says of it. @param {Evidence} evidence @returns {readonly Violation[]} */
const checkChildren = ({ runs }) =>
  runs.flatMap(({ runId, record }) => {
    const parent = parentOf(record)
    if (parent === undefined) return []
    const above = runs.find((each) => each.runId === parent.runId)?.record ?? []
    const attempt = Number(/-(\d+)$/.exec(runId)?.[1])
    const ofStep = above.filter(
      ({ stepNumber, details }) =>
        stepNumber === parent.stepNumber && 'attempt' in details && details.attempt === attempt,
    )
    const has = (/** @type {string} */ type) => ofStep.some(({ eventType }) => eventType === type)
    const isDone = record.at(-1)?.eventType === 'run_completed'
    return [
      ...(has('step_started') ? [] : [violation('child', runId, 'no step of its parent began it')]),
      ...(has('step_completed') && !isDone
        ? [violation('child', runId, 'its parent says it is done, and it is not')]
        : []),
      ...(has('step_failed') && isDone ? [violation('child', runId, 'its parent says it failed, and it is done')] : []),
    ]
  })
