// check-effects.mjs: the ledger against the record. Every side effect happened once, or the record says that nobody knows.

/**
 * @import { Effect, RunEvidence, StepFacts, Violation } from './evidence.d.ts'
 * @import { RecordedEvent } from '../../src/core/run/event.ts'
 */

/** What became of one execution of a step. @typedef {{ work: string, attempt: number, end: 'done' | 'failed' | 'unknown' | 'open', startedAt: number }} Execution */

/**
 * @param {RunEvidence} run
 * @param {readonly Effect[]} effects those of this run
 * @returns {readonly Violation[]}
 */
export const checkEffects = (run, effects) => [
  ...onceEach(run, effects),
  ...asRecorded(run, effects),
  ...declaredRepeats(run, effects),
  ...afterTheirGates(run, effects),
  ...afterTheirNeeds(run, effects),
]

/** @param {RunEvidence} run @param {'effect' | 'order'} kind @param {string} message @returns {Violation} */
const violation = ({ runId }, kind, message) => ({ kind, runId, message })

/** @param {Pick<Effect, 'work' | 'attempt'>} effect */
const keyOf = ({ work, attempt }) => `${work}#${attempt}`

/** `step:3` of `step:3[b]`. @param {string} work */
const stepWork = (work) => work.replace(/\[.*\]$/, '')

/** No execution has two effects. @param {RunEvidence} run @param {readonly Effect[]} effects @returns {readonly Violation[]} */
const onceEach = (run, effects) => {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const effect of effects) counts.set(keyOf(effect), (counts.get(keyOf(effect)) ?? 0) + 1)
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([key, count]) => violation(run, 'effect', `${key} took effect ${count} times`))
}

/**
 * The executions of steps and what the record says of their ends.
 *
 * @param {readonly RecordedEvent[]} record
 * @returns {readonly Execution[]}
 */
export const executionsOf = (record) => {
  /** @type {Map<string, Execution>} */
  const found = new Map()
  for (const event of record) {
    const attempt = 'attempt' in event.details ? event.details.attempt : undefined
    if (event.stepNumber === undefined) continue
    const work = workOf(event)
    const open = () =>
      attempt === undefined
        ? [...found.values()].filter((each) => each.work === work).at(-1)
        : found.get(keyOf({ work, attempt }))
    switch (event.eventType) {
      case 'step_started':
        if (attempt !== undefined) {
          found.set(keyOf({ work, attempt }), { work, attempt, end: 'open', startedAt: Date.parse(event.timestamp) })
        }
        break
      case 'step_completed':
      case 'verification_started': {
        const execution = open()
        // A person's word that an unknown step ran is not a witness of its effect.
        if (execution !== undefined && execution.end === 'open') execution.end = 'done'
        break
      }
      case 'step_failed': {
        const execution = open()
        if (execution !== undefined && execution.end === 'open') {
          execution.end =
            event.details.outcome === 'lost' || event.details.outcome === 'cancelled' ? 'unknown' : 'failed'
        }
        break
      }
      case 'step_unknown': {
        const execution = open()
        if (execution !== undefined) execution.end = 'unknown'
        break
      }
    }
  }
  return [...found.values()]
}

/** What the ledger calls the execution that an event of a step is about. @param {RecordedEvent} event */
export const workOf = ({ stepNumber, details }) => `step:${stepNumber}${itemOf(details)}`

/** @param {object} details */
const itemOf = (details) => ('item' in details && details.item !== undefined ? `[${details.item}]` : '')

/** Shell steps that mark the ledger. @param {RunEvidence} run @param {string} work @returns {StepFacts | undefined} */
const markingStep = ({ steps }, work) => steps.find((step) => step.marks && `step:${step.number}` === stepWork(work))

/**
 * What is in the ledger is in the record as started, and what the record calls done is in the ledger.
 *
 * @param {RunEvidence} run
 * @param {readonly Effect[]} effects
 * @returns {readonly Violation[]}
 */
const asRecorded = (run, effects) => {
  const executions = executionsOf(run.record)
  const byKey = new Map(executions.map((each) => [keyOf(each), each]))
  const seen = new Set(effects.map(keyOf))
  return [
    ...effects
      .filter((effect) => effect.work.startsWith('step:') && !byKey.has(keyOf(effect)))
      .map((effect) => violation(run, 'effect', `${keyOf(effect)} took effect, and the record has no such start`)),
    ...executions
      .filter((each) => each.end === 'done' || each.end === 'failed')
      .filter(({ work }) => markingStep(run, work)?.isEach !== true || work.includes('['))
      .filter((each) => markingStep(run, each.work) !== undefined && !seen.has(keyOf(each)))
      .map((each) => violation(run, 'effect', `${keyOf(each)} is ${each.end} on record, and left no effect`)),
    ...rollbackEffects(run, effects),
  ]
}

/** An undo that the record calls done took place. @param {RunEvidence} run @param {readonly Effect[]} effects @returns {readonly Violation[]} */
const rollbackEffects = (run, effects) => {
  const undone = run.record
    .filter(({ eventType }) => eventType === 'step_rolled_back')
    .map(({ stepNumber }) => `rollback:${stepNumber}`)
  const done = effects.filter(({ work }) => work.startsWith('rollback:'))
  const tried = run.record
    .filter(({ eventType }) => /** @type {string} */ (eventType) === 'rollback_failed')
    .map(({ stepNumber }) => `rollback:${stepNumber}`)
  return [
    ...undone
      .filter((work) => run.steps.some((step) => step.undoMarks === true && work === `rollback:${step.number}`))
      .filter((work) => !done.some((effect) => effect.work === work))
      .map((work) => violation(run, 'effect', `${work} is done on record, and left no effect`)),
    ...[...new Set(done.map(({ work }) => work))]
      .filter(
        (work) => done.filter((each) => each.work === work).length > 1 + tried.filter((each) => each === work).length,
      )
      .map((work) => violation(run, 'effect', `${work} took effect more often than the record says it failed`)),
    ...done
      .filter(({ work }) => !undone.includes(work) && !tried.includes(work) && !isClosing(run))
      .map(({ work }) => violation(run, 'effect', `${work} took effect, and the record has no such undo`)),
  ]
}

/** A run that was ended in the middle of its walk back. @param {RunEvidence} run */
const isClosing = ({ record }) => record.some(({ eventType }) => eventType === 'cancel_requested')

/**
 * A step takes effect again only after an attempt that failed by itself, that an idempotent step lost, or that is on
 * record as unknown; never after one that is done, unless a person or a `goto` sent the run back.
 *
 * @param {RunEvidence} run
 * @param {readonly Effect[]} effects
 * @returns {readonly Violation[]}
 */
const declaredRepeats = (run, effects) => {
  const executions = executionsOf(run.record)
  return effects.flatMap((effect) => {
    const step = markingStep(run, effect.work)
    if (step === undefined || !effect.work.startsWith('step:')) return []
    const before = executions.find((each) => each.work === effect.work && each.attempt === effect.attempt - 1)
    if (before === undefined || before.end === 'failed') return []
    if (before.end === 'done' || before.end === 'open') {
      return isSentBack(run, effect)
        ? []
        : [
            violation(
              run,
              'effect',
              `${keyOf(effect)} took effect again after attempt ${before.attempt} was ${before.end}`,
            ),
          ]
    }
    const isDeclared = step.idempotent || isResolved(run, before)
    return isDeclared
      ? []
      : [
          violation(
            run,
            'effect',
            `${keyOf(effect)} took effect again, and nobody said what became of attempt ${before.attempt}`,
          ),
        ]
  })
}

/** @param {RunEvidence} run @param {Effect} effect */
const isSentBack = ({ record }, { work, attempt }) => {
  const started = record.findIndex(
    (event) =>
      event.eventType === 'step_started' &&
      `step:${event.stepNumber}` === stepWork(work) &&
      event.details.attempt === attempt,
  )
  return record
    .slice(0, started)
    .some(
      ({ eventType, details }) =>
        eventType === 'run_retried' || (eventType === 'step_failed' && 'goto' in details && details.goto !== undefined),
    )
}

/** A person answered between the attempt that is unknown and the next. @param {RunEvidence} run @param {Execution} before */
const isResolved = ({ record }, { work, attempt }) => {
  const from = record.findIndex(
    (event) => event.eventType === 'step_unknown' && workOf(event) === work && event.details.attempt === attempt,
  )
  if (from === -1) {
    // Cancelled on its way, and tried again by a person.
    return record.some(({ eventType }) => eventType === 'run_retried')
  }
  return record.slice(from).some(({ eventType }) => eventType === 'run_retried')
}

/** Nothing takes effect before the decision about its gate. @param {RunEvidence} run @param {readonly Effect[]} effects @returns {readonly Violation[]} */
const afterTheirGates = (run, effects) =>
  run.steps
    .filter(({ hasGate }) => hasGate)
    .flatMap(({ number }) => {
      const opened = run.record.find(
        ({ eventType, stepNumber, details }) =>
          stepNumber === number &&
          (eventType === 'approval_granted' ||
            (eventType === 'approval_timeout' && 'action' in details && details.action === 'approve')),
      )
      const first = effects.find(({ work }) => stepWork(work) === `step:${number}`)
      if (first === undefined) return []
      if (opened === undefined)
        return [violation(run, 'order', `step ${number} took effect, and its gate was never opened`)]
      return first.at < Date.parse(opened.timestamp)
        ? [violation(run, 'order', `step ${number} took effect before its gate was opened`)]
        : []
    })

/** Nothing takes effect before what it waits for is done. @param {RunEvidence} run @param {readonly Effect[]} effects @returns {readonly Violation[]} */
const afterTheirNeeds = (run, effects) =>
  run.steps.flatMap(({ number, needs }) => {
    const first = run.record.find(({ eventType, stepNumber }) => eventType === 'step_started' && stepNumber === number)
    if (first === undefined) return []
    return needs.flatMap((need) => {
      const ended = run.record.findLast(
        ({ eventType, stepNumber, sequence, details }) =>
          stepNumber === need &&
          itemOf(details) === '' &&
          sequence < first.sequence &&
          ['step_completed', 'step_failed', 'step_skipped'].includes(eventType),
      )
      if (ended === undefined) return [violation(run, 'order', `step ${number} began before step ${need} had ended`)]
      const early = effects.find(
        ({ work, at }) => stepWork(work) === `step:${number}` && at < Date.parse(ended.timestamp) - 1,
      )
      return early === undefined
        ? []
        : [violation(run, 'order', `step ${number} took effect before step ${need} had ended`)]
    })
  })
