import { stepOf, stepRunOf } from './steps.ts'
import type { Step } from '../definition.ts'
import { checkForm } from '../params.ts'
import type { Decided } from './decide.ts'
import { itemRan, itemStep, skipItem } from './decide-item.ts'
import { itRan, unknownStep } from './decide-unknown.ts'
import type { Decision } from './decision.ts'
import { mayDecide } from './entitled.ts'
import { doneDraft, isToVerify } from './done.ts'
import { failure } from './failure.ts'
import { openGates } from './gates.ts'
import { idOf, noteOf, type Refusal, refuse, type Sender } from './refuse.ts'
import type { Run, StepRun } from './run.ts'
import { runningWorks } from './works.ts'

// decide-step.ts: what complete and skip lead to.

/** The manual step that a message means: by number, or the only one that waits. */
const inputOf = (run: Run, decision: Decision): { step: Step; state: StepRun } | Refusal => {
  const { definition } = run.seed.pinned
  const waiting = run.steps.filter((step) => step.state === 'awaiting_input')
  const state =
    decision.step === undefined ? (waiting.length === 1 ? waiting[0] : undefined) : stepRunOf(run, decision.step)
  const step = definition.steps.find((each) => each.number === state?.number)
  if (state === undefined || step === undefined) {
    const list = waiting.map((each) => each.number).join(', ')
    if (decision.step !== undefined) return { code: 'not_found', reason: `the SOP has no step ${decision.step}` }
    return {
      code: 'conflict',
      reason: waiting.length === 0 ? 'no step waits for a person' : `several steps wait: ${list}; name one`,
    }
  }
  if (state.state !== 'awaiting_input') {
    return {
      code: 'conflict',
      reason: `step ${step.number} "${step.title}" does not wait for a person: it is ${state.state}`,
    }
  }
  if (decision.attempt !== undefined && decision.attempt !== state.attempt) {
    return {
      code: 'conflict',
      reason: `attempt ${decision.attempt} of step ${step.number} is over; it is at attempt ${state.attempt}`,
    }
  }
  return { step, state }
}

export const completeStep = (run: Run, decision: Decision, sender: Sender, at: string): Decided => {
  const lost = unknownStep(run, decision)
  if (lost !== undefined) return itRan(run, lost, decision, sender, at)
  const items = itemStep(run, decision)
  if (items !== undefined) return itemRan(run, items, decision, sender, at)
  const found = inputOf(run, decision)
  if ('code' in found) return refuse(decision, sender, found)
  if (run.paused !== undefined)
    return refuse(decision, sender, {
      code: 'conflict',
      reason: `run "${run.seed.runId}" is paused: ${run.paused.reason}`,
    })
  const { step, state } = found
  const reply = { accepted: true, stepNumber: step.number, attempt: state.attempt }
  if (decision.item !== undefined) return tick(decision, sender, step, reply)
  const durationMs = Math.max(0, Date.parse(at) - Date.parse(state.startedAt ?? at))
  const note = noteOf(decision)
  if (decision.failed === true) {
    const error = note ?? `reported as failed by ${sender.principal.id}`
    const draft = failure(run, step, state, { outcome: 'failed', error, durationMs, ...sender }, at)
    return { drafts: [draft], reply: { ...reply, action: 'failed' } }
  }
  const form = step.action.kind === 'manual' ? step.action.form : undefined
  const checked = checkForm(form, decision.values ?? {})
  if (!checked.ok)
    return refuse(decision, sender, {
      code: 'invalid',
      reason: checked.problems.join('; '),
      fields: checked.fields,
    })
  const said = {
    title: step.title,
    attempt: state.attempt,
    duration_ms: durationMs,
    ...(Object.keys(checked.values).length > 0 && { outputs: checked.values }),
    ...(note !== undefined && { comment: note }),
    ...idOf(decision),
  }
  return {
    drafts: [doneDraft(run, step, said, sender)],
    reply: { ...reply, action: isToVerify(run, step) ? 'checking' : 'completed' },
  }
}

const tick = (decision: Decision, sender: Sender, step: Step, reply: NonNullable<Decided['reply']>): Decided => {
  const item = decision.item ?? 0
  const list = step.action.kind === 'manual' ? (step.action.checklist ?? []) : []
  const text = Number.isInteger(item) ? list[item - 1] : undefined
  if (text === undefined) {
    return refuse(decision, sender, {
      code: 'invalid',
      reason: `step ${step.number} has no checklist item ${item}; it has ${list.length}`,
    })
  }
  return {
    drafts: [
      {
        eventType: 'input_received',
        stepNumber: step.number,
        ...sender,
        details: { item, ticked: decision.ticked !== false, text, ...idOf(decision) },
      },
    ],
    reply: { ...reply, action: decision.ticked === false ? 'unticked' : 'ticked' },
  }
}

/** A step may be skipped while it waits: for a person, at its gate, or because it failed. */
export const skipStep = (run: Run, decision: Decision, sender: Sender): Decided => {
  const number = decision.step ?? run.paused?.stepNumber ?? onlyWaiting(run)
  const state = stepRunOf(run, number)
  const step = stepOf(run, number)
  if (state === undefined || step === undefined) {
    const reason = number === undefined ? 'no step waits; name one' : `the SOP has no step ${number}`
    return refuse(decision, sender, { code: number === undefined ? 'conflict' : 'not_found', reason })
  }
  const items = decision.item === undefined ? undefined : itemStep(run, { ...decision, step: step.number })
  if (items !== undefined) return skipItem(items, decision, sender)
  const gate = openGates(run).find((each) => each.stepNumber === number)
  const stands = run.paused?.stepNumber === number
  const skippable =
    state.state === 'awaiting_input' ||
    state.state === 'awaiting_approval' ||
    state.state === 'unknown' ||
    (run.paused !== undefined && state.state === 'failed' && state.then === 'pause') ||
    (stands && runningWorks(run).every((work) => !('step' in work) || work.step !== number))
  if (!skippable) {
    return refuse(decision, sender, {
      code: 'conflict',
      reason: `step ${number} "${step.title}" cannot be skipped now: it is ${state.state}`,
    })
  }
  if (gate !== undefined && sender.principal.verified === false) {
    const refusal = mayDecide(run, gate, sender.principal)
    if (refusal !== undefined) return refuse(decision, sender, { ...refusal, gate })
  }
  const note = noteOf(decision)
  return {
    drafts: [
      {
        eventType: 'step_skipped',
        stepNumber: step.number,
        ...sender,
        details: { title: step.title, reason: note ?? `skipped by ${sender.principal.id}`, ...idOf(decision) },
      },
    ],
    reply: { accepted: true, stepNumber: step.number, action: 'skipped' },
  }
}

const onlyWaiting = (run: Run): number | undefined => {
  const waiting = run.steps.filter((step) => step.state === 'awaiting_input' || step.state === 'awaiting_approval')
  return waiting.length === 1 ? waiting[0]?.number : undefined
}
