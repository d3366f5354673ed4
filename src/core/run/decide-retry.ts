import { stepRunOf } from './steps.ts'
import type { Json } from '../definition.ts'
import { gatesChanged, gatesOf, withDependents } from './again.ts'
import { applyParams, changedParams } from './changed-params.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import type { Work } from './effect.ts'
import { itemsIn } from './items.ts'
import { idOf, noteOf, type Refusal, refuse, type Sender } from './refuse.ts'
import type { Run, StepRun } from './run.ts'
import { runningWorks } from './works.ts'

// decide-retry.ts: what retry leads to: from where the run stopped, or back to an earlier step, with changed params.

/** Where a retry begins. */
interface Start {
  readonly step?: number
  readonly gate?: string
  /** Steps of other branches that failed as well, where the retry names none. */
  readonly also?: readonly number[]
  /** Steps that are done again; empty where only the one that stopped the run begins again. */
  readonly again: readonly number[]
}

export const retry = (run: Run, decision: Decision, sender: Sender): Decided => {
  const start = startOf(run, decision)
  if ('code' in start) return refuse(decision, sender, start)
  const refusal = itemRefusal(run, decision, start) ?? outcomeRefusal(run, decision, start)
  if (refusal !== undefined) return refuse(decision, sender, refusal)
  const params = paramsFor(run, decision)
  if ('code' in params) return refuse(decision, sender, params)
  const note = noteOf(decision)
  const gates = gatesFor(run, start, params.changed)
  const step = start.step === undefined ? {} : { stepNumber: start.step }
  return {
    drafts: [
      {
        eventType: 'run_retried',
        ...step,
        ...sender,
        details: {
          ...(start.step !== undefined && { fromStep: start.step }),
          ...(start.also !== undefined && { also: start.also }),
          ...(decision.item !== undefined && { item: decision.item }),
          ...(start.gate !== undefined && { gate: start.gate }),
          ...(decision.outcome !== undefined && { outcome: decision.outcome }),
          ...(start.again.length > 0 && { again: start.again }),
          ...(gates.length > 0 && { gates }),
          ...(params.changed !== undefined && { params: params.changed }),
          ...(note !== undefined && { comment: note }),
          ...idOf(decision),
        },
      },
    ],
    reply: { accepted: true, action: 'retried', ...step },
  }
}

const startOf = (run: Run, decision: Decision): Start | Refusal => {
  const { paused } = run
  const stopped = paused !== undefined && paused.kind !== 'requested' ? paused : undefined
  if (decision.step === undefined || (stopped !== undefined && decision.step === stopped.stepNumber)) {
    return stopped === undefined ? fromHere(run, decision) : again(run, decision, stopped)
  }
  return back(run, decision, decision.step)
}

/** A run that a person paused goes on with other params. */
const fromHere = (run: Run, { params }: Decision): Start | Refusal => {
  if (run.paused !== undefined && params !== undefined) return { again: [] }
  const way = 'name the step to go back to, as in {"step":1}'
  const reason =
    run.paused === undefined ? `the run is not paused: ${way}` : `the run is paused by a person: resume it, or ${way}`
  return { code: 'conflict', reason }
}

const again = (run: Run, decision: Decision, { stepNumber, gate }: NonNullable<Run['paused']>): Start | Refusal => {
  const state = stepRunOf(run, stepNumber)
  const refusal = state && attemptRefusal(decision, state)
  if (refusal !== undefined) return refusal
  const also = decision.step === undefined ? failedBeside(run, stepNumber) : []
  return {
    again: [],
    ...(stepNumber !== undefined && { step: stepNumber }),
    ...(also.length > 0 && { also }),
    ...(gate !== undefined && { gate }),
  }
}

/** Other branches that failed meanwhile: a retry that names no step is about all that failed. */
const failedBeside = (run: Run, stepNumber: number | undefined): readonly number[] =>
  run.steps
    .filter((step) => step.number !== stepNumber && step.state === 'failed' && step.then === 'pause')
    .map((step) => step.number)

const attemptRefusal = ({ attempt }: Decision, step: StepRun): Refusal | undefined =>
  attempt === undefined || attempt === step.attempt
    ? undefined
    : {
        code: 'conflict',
        reason: `attempt ${attempt} of step ${step.number} is over; it is at attempt ${step.attempt}`,
      }

/** To a step that the run has been at: it and everything that depends on it is done again. */
const back = (run: Run, decision: Decision, number: number): Start | Refusal => {
  const state = stepRunOf(run, number)
  if (state === undefined) return { code: 'not_found', reason: `the SOP has no step ${number}` }
  if (state.state === 'unknown') return attemptRefusal(decision, state) ?? { step: number, again: [] }
  if (state.state === 'pending' && state.attempt === 0) {
    return { code: 'invalid', reason: `the run has not been at step ${number} yet, so it cannot go back there` }
  }
  const stale = attemptRefusal(decision, state)
  if (stale !== undefined) return stale
  const steps = withDependents(run.seed.pinned.definition, number)
  const gates = gatesOf(run, steps)
  // A step that waits for a person or for a time may be left; a command is never left running.
  const busy = runningWorks(run).find((work) =>
    'gate' in work ? gates.includes(work.gate) : 'step' in work && steps.includes(work.step),
  )
  if (busy !== undefined) {
    const reason = `${nameOf(busy)} is under way: pause the run and wait for its end, or cancel it`
    return { code: 'conflict', reason }
  }
  return { step: number, again: steps }
}

const nameOf = (work: Work): string =>
  'step' in work ? `step ${work.step}` : 'gate' in work ? `gate "${work.gate}"` : 'a question'

/** One item is tried again only where the run stopped for it, or for others of its step. */
const itemRefusal = (run: Run, { item }: Decision, { step, again: all }: Start): Refusal | undefined => {
  if (item === undefined) return undefined
  const state = stepRunOf(run, step)
  const of = `step ${step ?? run.paused?.stepNumber ?? ''}`.trim()
  if (all.length > 0 || state?.items === undefined) {
    return {
      code: 'invalid',
      reason: `"item" is about one item of a for_each step that the run is paused for, and ${of} is none`,
    }
  }
  if (item < 1 || item > state.items.list.length)
    return { code: 'invalid', reason: `${of} has no item ${item}; it has ${state.items.list.length}` }
  const found = state.items.runs[item - 1]
  if (found?.state === 'unknown' || (found?.state === 'failed' && found.then === 'pause')) return undefined
  return {
    code: 'conflict',
    reason: `item ${item} of ${of} is not to be tried again: it is ${found?.state ?? 'pending'}`,
  }
}

const outcomeRefusal = (run: Run, { outcome }: Decision, { step }: Start): Refusal | undefined => {
  if (outcome === undefined || run.steps.some((each) => each.number === step && isUnknown(each))) return undefined
  const what = step === undefined ? 'no step is' : `step ${step} is not one`
  return { code: 'invalid', reason: `"outcome" is about a step of which nobody knows whether it ran, and ${what}` }
}

/** Nobody knows of the step, or of one of its items, whether it ran. */
const isUnknown = ({ state, items }: StepRun): boolean =>
  state === 'unknown' || (items !== undefined && itemsIn(items, 'unknown').length > 0)

type Params = { readonly changed?: Readonly<Record<string, Json>> } | Refusal

const paramsFor = (run: Run, { params }: Decision): Params => {
  if (params === undefined) return {}
  const checked = changedParams(run, params)
  if (!checked.ok) return { code: 'invalid', reason: checked.problems.join('; ') }
  if (Object.keys(checked.changed).length === 0) return {}
  const [busy] = runningWorks(run)
  if (busy !== undefined) {
    return { code: 'conflict', reason: `${nameOf(busy)} is under way with the present params: wait for its end` }
  }
  return { changed: checked.changed }
}

/** Gates of the steps that are done again, and those whose approval was about other params. */
const gatesFor = (run: Run, start: Start, changed: Readonly<Record<string, Json>> | undefined): readonly string[] => {
  const between = gatesOf(run, start.again)
  if (changed === undefined) return between
  const next: Run = { ...run, seed: { ...run.seed, params: applyParams(run.seed.params, changed) } }
  const other = gatesChanged(run, next, start.again)
  return Object.keys(run.gates).filter((id) => id !== start.gate && (between.includes(id) || other.includes(id)))
}
