import { stepRunOf } from './steps.ts'
import type { Json } from '../definition.ts'
import { gatesChanged, gatesOf, withDependents } from './again.ts'
import { applyParams, changedParams } from './changed-params.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import { idOf, noteOf, type Refusal } from './refuse.ts'
import type { Run, StepRun } from './run.ts'

// decide-reopen.ts: what retry leads to for a run that is closed: it opens again where it ended, in a new execution that
// carries over what is finished. Whether that may begin was decided outside; a refusal here adds nothing to the record,
// which is complete.

type Plan = {
  readonly step?: number
  /** Steps that are done again. */
  readonly again: readonly number[]
  /** Those of them that have finished items, which stay. */
  readonly keeps: readonly number[]
  readonly gates: readonly string[]
  readonly params?: Readonly<Record<string, Json>>
}

export const reopen = (run: Run, decision: Decision): Decided => {
  const plan = planOf(run, decision)
  if ('code' in plan) return { drafts: [], reply: { accepted: false, code: plan.code, reason: plan.reason } }
  const { principal, via } = decision
  if (principal === undefined || via === undefined)
    return { drafts: [], reply: { accepted: false, code: 'forbidden', reason: 'nothing vouches for who sent this' } }
  const note = noteOf(decision)
  const step = plan.step === undefined ? {} : { stepNumber: plan.step }
  return {
    drafts: [
      {
        eventType: 'run_retried',
        ...step,
        principal,
        via,
        details: {
          reopens: true,
          ...(plan.step !== undefined && { fromStep: plan.step }),
          ...(decision.outcome !== undefined && { outcome: decision.outcome }),
          ...(plan.again.length > 0 && { again: plan.again }),
          ...(plan.keeps.length > 0 && { keeps: plan.keeps }),
          ...(plan.gates.length > 0 && { gates: plan.gates }),
          ...(plan.params !== undefined && { params: plan.params }),
          ...(note !== undefined && { comment: note }),
          ...idOf(decision),
        },
      },
    ],
    reply: { accepted: true, action: 'retried', ...step },
  }
}

/** Ended with the run, or undone: nothing of it holds any more. A failure that the run went on after stays. */
const isUndone = (step: StepRun): boolean =>
  step.cutOff === true || step.state === 'rolled_back' || (step.state === 'failed' && step.then !== 'continue')

/** What it did for an item that is finished holds, unless it was walked back over, or is done again for another reason. */
const keepsItems = (step: StepRun): boolean =>
  step.items !== undefined &&
  (isUndone(step) || step.state === 'unknown') &&
  // Of what was walked back over holds only what somebody said to leave as it is.
  step.items.runs.some(({ state }) => state === 'success' || step.state !== 'rolled_back')

const planOf = (run: Run, decision: Decision): Plan | Refusal => {
  const refusal = closedRefusal(run) ?? stepRefusal(run, decision) ?? itemRefusal(decision)
  if (refusal !== undefined) return refusal
  const params = decision.params === undefined ? undefined : changedParams(run, decision.params)
  if (params?.ok === false) return { code: 'invalid', reason: params.problems.join('; ') }
  const named = stepRunOf(run, decision.step)
  const undone = run.steps.filter(isUndone)
  const from = named !== undefined && !undone.includes(named) && named.state !== 'unknown' ? named : undefined
  const back = from === undefined ? [] : withDependents(run.seed.pinned.definition, from.number)
  const kept = run.steps.filter((step) => keepsItems(step) && !back.includes(step.number))
  const numbers = [...undone.map((step) => step.number), ...kept.map((step) => step.number), ...back]
  const again = run.steps.map((step) => step.number).filter((number) => numbers.includes(number))
  // What was walked back over is decided anew; a step that failed keeps the approval that it had.
  const rolledBack = undone.filter((step) => step.state === 'rolled_back').map((step) => step.number)
  // Of a step that is unknown a person is asked, unless the decision is about it.
  const unknown =
    decision.outcome === undefined ? undefined : run.steps.find(({ state }) => state === 'unknown')?.number
  const known = again.filter((number) => run.steps.some((each) => each.number === number && each.state !== 'unknown'))
  const step = decision.step ?? unknown ?? known[0]
  const changed = params?.ok === true && Object.keys(params.changed).length > 0 ? params.changed : undefined
  return {
    ...(step !== undefined && { step }),
    again,
    keeps: kept.map(({ number }) => number),
    gates: gatesFor(run, [...rolledBack, ...back], again, changed),
    ...(changed !== undefined && { params: changed }),
  }
}

const closedRefusal = (run: Run): Refusal | undefined => {
  const { runId } = run.seed
  if (run.outcome === undefined) return { code: 'conflict', reason: `run "${runId}" is open` }
  if (run.outcome.state === 'completed')
    return {
      code: 'conflict',
      reason: `run "${runId}" is already completed: there is nothing to retry, start a new run`,
    }
  if (run.refused === undefined) return undefined
  return { code: 'conflict', reason: `run "${runId}" was never let in (${run.refused}): start a new run` }
}

const stepRefusal = (run: Run, { step, attempt, outcome }: Decision): Refusal | undefined => {
  const state = stepRunOf(run, step)
  if (step !== undefined) {
    if (state === undefined) return { code: 'not_found', reason: `the SOP has no step ${step}` }
    if (state.state === 'pending' && state.attempt === 0)
      return { code: 'invalid', reason: `the run has not been at step ${step} yet, so it cannot go back there` }
    if (attempt !== undefined && attempt !== state.attempt)
      return {
        code: 'conflict',
        reason: `attempt ${attempt} of step ${step} is over; it is at attempt ${state.attempt}`,
      }
  }
  if (outcome === undefined) return undefined
  const unknown = run.steps.filter((each) => each.state === 'unknown')
  const isMeant = state === undefined ? unknown.length === 1 : state.state === 'unknown'
  const reason = '"outcome" is about a step of which nobody knows whether it ran: name it by its number'
  return isMeant ? undefined : { code: 'invalid', reason }
}

/** Whatever is not finished is done: to choose among it the run has to be open. */
const itemRefusal = ({ item }: Decision): Refusal | undefined =>
  item === undefined
    ? undefined
    : {
        code: 'invalid',
        reason: '"item" means nothing to a run that is closed: all items that are not finished are done',
      }

/** Gates of what is decided anew, those that ended the run, and those whose approval was about other params. */
const gatesFor = (
  run: Run,
  anew: readonly number[],
  again: readonly number[],
  changed: Readonly<Record<string, Json>> | undefined,
): readonly string[] => {
  const between = gatesOf(run, anew)
  const next = changed && { ...run, seed: { ...run.seed, params: applyParams(run.seed.params, changed) } }
  const other = next === undefined ? [] : gatesChanged(run, next, again)
  const ended = Object.values(run.gates).filter(
    ({ state, then }) => (state === 'rejected' || state === 'failed') && then !== 'continue',
  )
  return Object.keys(run.gates).filter(
    (id) => between.includes(id) || other.includes(id) || ended.some((gate) => gate.id === id),
  )
}
