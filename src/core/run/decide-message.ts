import { checkForm } from '../params.ts'
import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import type { EventDraft } from './event.ts'
import { mayDecide } from './entitled.ts'
import { failure } from './failure.ts'
import { runningWorks } from './frontier.ts'
import { afterRejection, openGates } from './gates.ts'
import type { ErrorCode } from '../errors.ts'
import type { Principal, Surface } from './principal.ts'
import type { GateRun, Run, StepRun } from './run.ts'

// decide-message.ts: one reducer for what people and programs say, whichever door it came by. Every refusal is an
// answer and an event; nothing is stored up for later.

/** Whom a message without credentials is put down to. */
const UNVERIFIED: Principal = { id: 'temporal', kind: 'user', verified: false }

interface Sender {
  readonly principal: Principal
  readonly via: Surface
}

type Refusal = {
  readonly code: ErrorCode
  readonly reason: string
  readonly decidedBy?: string
  readonly gate?: GateRun
}

/** What a decision leads to. */
export const decideMessage = (run: Run, decision: Decision, at: string): Decided => {
  const sender: Sender = { principal: decision.principal ?? UNVERIFIED, via: decision.via ?? 'signal' }
  // The record of a closed run is complete: it answers, and nothing is added to it.
  if (run.outcome !== undefined) return { drafts: [], reply: closedReply(run, run.outcome.state, decision) }
  if (run.ending !== undefined) {
    return refuse(decision, sender, {
      code: 'conflict',
      reason: `run "${run.seed.runId}" is ending: ${run.ending.reason}`,
    })
  }
  switch (decision.kind) {
    case 'approve':
    case 'reject':
      return decideGate(run, decision, sender)
    case 'complete':
      return completeStep(run, decision, sender, at)
    case 'skip':
      return skipStep(run, decision, sender)
    case 'cancel':
      return cancel(decision, sender)
    case 'pause':
      return pause(run, decision, sender)
    case 'resume':
      return resume(run, decision, sender)
    case 'retry':
      return retry(run, decision, sender)
  }
}

const closedReply = (run: Run, state: string, decision: Decision): NonNullable<Decided['reply']> => {
  const gates = Object.values(run.gates).filter((gate) =>
    decision.gate !== undefined
      ? gate.id === decision.gate
      : decision.step === undefined || gate.stepNumber === decision.step,
  )
  const decidedBy = gates.filter((gate) => gate.decidedBy !== undefined).at(-1)?.decidedBy
  return {
    accepted: false,
    code: 'conflict',
    reason: `run "${run.seed.runId}" is already ${state}`,
    ...(decidedBy !== undefined && { decidedBy }),
  }
}

const noteOf = ({ comment, reason }: Decision): string | undefined => comment ?? reason

const idOf = ({ decisionId }: Decision) => (decisionId === undefined ? {} : { decisionId })

const refuse = (
  decision: Decision,
  { principal, via }: Sender,
  { code, reason, decidedBy, gate }: Refusal,
): Decided => {
  const about = gate
    ? { gate: gate.id, attempt: gate.attempt }
    : decision.gate === undefined
      ? {}
      : { gate: decision.gate }
  const stepNumber = gate?.stepNumber ?? decision.step
  return {
    drafts: [
      {
        eventType: 'decision_refused',
        ...(stepNumber !== undefined && stepNumber > 0 && { stepNumber }),
        principal,
        via,
        details: {
          decision: decision.kind,
          reason,
          ...about,
          ...idOf(decision),
          ...(decidedBy !== undefined && { decidedBy }),
        },
      },
    ],
    reply: {
      accepted: false,
      code,
      reason,
      ...about,
      ...(stepNumber !== undefined && { stepNumber }),
      ...(decidedBy !== undefined && { decidedBy }),
    },
  }
}

/** Which gate a decision means: by id, by step, or the only one that is open (rulings 14). */
const gateOf = (run: Run, decision: Decision): GateRun | Refusal => {
  const open = openGates(run)
  const names = open.map((gate) => `"${gate.id}"`).join(', ')
  if (decision.gate !== undefined) {
    const gate = run.gates[decision.gate]
    if (gate === undefined) {
      return {
        code: 'not_found',
        reason: `gate "${decision.gate}" is not open${names === '' ? '' : `; open: ${names}`}`,
      }
    }
    return gate
  }
  if (decision.step !== undefined) {
    const here = open.filter((gate) => gate.stepNumber === decision.step)
    if (here.length === 1 && here[0]) return here[0]
    if (here.length > 1)
      return { code: 'conflict', reason: `several gates are open at step ${decision.step}: ${names}; name one` }
    const past = Object.values(run.gates)
      .filter((gate) => gate.stepNumber === decision.step)
      .at(-1)
    return (
      past ?? {
        code: 'conflict',
        reason: `no gate is open at step ${decision.step}${names === '' ? '' : `; open: ${names}`}`,
      }
    )
  }
  if (open.length === 1 && open[0]) return open[0]
  return open.length === 0 ? noneOpen(run) : { code: 'conflict', reason: `several gates are open: ${names}; name one` }
}

/** Says who was quicker, where somebody was. */
const noneOpen = (run: Run): Refusal => {
  const last = Object.values(run.gates)
    .filter((gate) => gate.decidedBy !== undefined)
    .sort((a, b) => (a.closedAt ?? '').localeCompare(b.closedAt ?? ''))
    .at(-1)
  return last?.decidedBy === undefined
    ? { code: 'conflict', reason: 'no gate is open' }
    : {
        code: 'conflict',
        reason: `no gate is open; gate "${last.id}" was ${last.state} by ${last.decidedBy}`,
        decidedBy: last.decidedBy,
      }
}

const decideGate = (run: Run, decision: Decision, sender: Sender): Decided => {
  const gate = gateOf(run, decision)
  if ('code' in gate) return refuse(decision, sender, gate)
  const refusal = gateRefusal(run, gate, decision, sender)
  if (refusal !== undefined) return refuse(decision, sender, { ...refusal, gate })
  const note = noteOf(decision)
  const implied = decision.gate === undefined && decision.step === undefined
  const details = {
    gate: gate.id,
    attempt: gate.attempt,
    ...(note !== undefined && { comment: note }),
    ...idOf(decision),
    ...(implied && { implied: true as const }),
  }
  const at = gate.stepNumber > 0 ? { stepNumber: gate.stepNumber } : {}
  const about = { gate: gate.id, attempt: gate.attempt, stepNumber: gate.stepNumber }
  if (decision.kind === 'approve') {
    return {
      drafts: [{ eventType: 'approval_granted', ...at, ...sender, details }],
      reply: { accepted: true, ...about, action: 'approved' },
    }
  }
  const action = afterRejection(gate)
  return {
    drafts: [{ eventType: 'approval_rejected', ...at, ...sender, details: { ...details, action } }],
    reply: { accepted: true, ...about, action: REJECTED[action] },
  }
}

const REJECTED = { pause: 'paused', fail: 'failed', cancel: 'cancelled', continue: 'continued' } as const

const gateRefusal = (run: Run, gate: GateRun, decision: Decision, sender: Sender): Refusal | undefined => {
  if (decision.attempt !== undefined && decision.attempt !== gate.attempt) {
    return {
      code: 'conflict',
      reason: `attempt ${decision.attempt} of gate "${gate.id}" is over; it is at attempt ${gate.attempt}`,
      ...(gate.decidedBy !== undefined && { decidedBy: gate.decidedBy }),
    }
  }
  if (gate.state !== 'open') {
    const by = gate.decidedBy === undefined ? '' : ` by ${gate.decidedBy}`
    return {
      code: 'conflict',
      reason: `gate "${gate.id}" was already ${gate.state}${by}`,
      ...(gate.decidedBy !== undefined && { decidedBy: gate.decidedBy }),
    }
  }
  if (run.paused !== undefined)
    return { code: 'conflict', reason: `run "${run.seed.runId}" is paused: ${run.paused.reason}` }
  const implied = decision.gate === undefined && decision.step === undefined
  if (implied && sender.principal.verified === false && !run.seed.pinned.policy.allowImpliedGate) {
    return { code: 'invalid', reason: `the config asks for the name of the gate; send {"gate":"${gate.id}"}` }
  }
  return mayDecide(run, gate, sender.principal)
}

/** The manual step that a message means: by number, or the only one that waits. */
const inputOf = (run: Run, decision: Decision): { step: Step; state: StepRun } | Refusal => {
  const { definition } = run.seed.pinned
  const waiting = run.steps.filter((step) => step.state === 'awaiting_input')
  const state =
    decision.step === undefined
      ? waiting.length === 1
        ? waiting[0]
        : undefined
      : run.steps.find((step) => step.number === decision.step)
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

const completeStep = (run: Run, decision: Decision, sender: Sender, at: string): Decided => {
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
  if (!checked.ok) return refuse(decision, sender, { code: 'invalid', reason: checked.problems.join('; ') })
  const completed: EventDraft = {
    eventType: 'step_completed',
    stepNumber: step.number,
    ...sender,
    details: {
      title: step.title,
      attempt: state.attempt,
      duration: formatDuration(durationMs),
      duration_ms: durationMs,
      ...(Object.keys(checked.values).length > 0 && { outputs: checked.values }),
      ...(note !== undefined && { comment: note }),
      ...idOf(decision),
    },
  }
  return { drafts: [completed], reply: { ...reply, action: 'completed' } }
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
const skipStep = (run: Run, decision: Decision, sender: Sender): Decided => {
  const number = decision.step ?? run.paused?.stepNumber ?? onlyWaiting(run)
  const state = run.steps.find((step) => step.number === number)
  const step = run.seed.pinned.definition.steps.find((each) => each.number === number)
  if (state === undefined || step === undefined) {
    const reason = number === undefined ? 'no step waits; name one' : `the SOP has no step ${number}`
    return refuse(decision, sender, { code: number === undefined ? 'conflict' : 'not_found', reason })
  }
  const gate = openGates(run).find((each) => each.stepNumber === number)
  const stands = run.paused?.stepNumber === number
  const skippable =
    state.state === 'awaiting_input' ||
    state.state === 'awaiting_approval' ||
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

const cancel = (decision: Decision, sender: Sender): Decided => ({
  drafts: [
    {
      eventType: 'cancel_requested',
      ...sender,
      details: { reason: noteOf(decision) ?? `cancelled by ${sender.principal.id}`, ...idOf(decision) },
    },
  ],
  reply: { accepted: true, action: 'cancelled' },
})

/** Takes effect at the next boundary; at once where nothing runs. */
const pause = (run: Run, decision: Decision, sender: Sender): Decided => {
  if (run.paused !== undefined) {
    return refuse(decision, sender, {
      code: 'conflict',
      reason: `the run is already paused: ${run.paused.reason}`,
      decidedBy: run.paused.by,
    })
  }
  if (run.pauseRequested !== undefined) {
    return refuse(decision, sender, {
      code: 'conflict',
      reason: 'a pause was already asked for',
      decidedBy: run.pauseRequested.by.id,
    })
  }
  const note = noteOf(decision)
  const busy = run.steps.some((step) => step.state === 'running')
  const draft: EventDraft = busy
    ? {
        eventType: 'pause_requested',
        ...sender,
        details: { ...(note !== undefined && { reason: note }), ...idOf(decision) },
      }
    : {
        eventType: 'run_paused',
        ...sender,
        details: { kind: 'requested', reason: note ?? `paused by ${sender.principal.id}`, ...idOf(decision) },
      }
  return { drafts: [draft], reply: { accepted: true, action: busy ? 'pause requested' : 'paused' } }
}

const resume = (run: Run, decision: Decision, sender: Sender): Decided => {
  const { paused } = run
  if (paused === undefined) return refuse(decision, sender, { code: 'conflict', reason: 'the run is not paused' })
  if (paused.kind !== 'requested') {
    return refuse(decision, sender, {
      code: 'conflict',
      reason: `the run is paused because ${paused.reason}; retry, skip or cancel it`,
    })
  }
  const note = noteOf(decision)
  return {
    drafts: [
      {
        eventType: 'run_resumed',
        ...sender,
        details: { ...(note !== undefined && { comment: note }), ...idOf(decision) },
      },
    ],
    reply: { accepted: true, action: 'resumed' },
  }
}

/** From where the run stopped: the failed step again, or the rejected gate with its next attempt (rulings 18). */
const retry = (run: Run, decision: Decision, sender: Sender): Decided => {
  const { paused } = run
  if (paused === undefined || paused.kind === 'requested') {
    const reason = paused === undefined ? 'the run is not paused' : 'the run is paused by a person; resume it'
    return refuse(decision, sender, { code: 'conflict', reason })
  }
  if (decision.step !== undefined && decision.step !== paused.stepNumber) {
    return refuse(decision, sender, {
      code: 'invalid',
      reason: `the run stopped at step ${paused.stepNumber ?? 0}, not ${decision.step}`,
    })
  }
  const note = noteOf(decision)
  return {
    drafts: [
      {
        eventType: 'run_retried',
        ...(paused.stepNumber !== undefined && { stepNumber: paused.stepNumber }),
        ...sender,
        details: {
          ...(paused.stepNumber !== undefined && { fromStep: paused.stepNumber }),
          ...(paused.gate !== undefined && { gate: paused.gate }),
          ...(note !== undefined && { comment: note }),
          ...idOf(decision),
        },
      },
    ],
    reply: {
      accepted: true,
      action: 'retried',
      ...(paused.stepNumber !== undefined && { stepNumber: paused.stepNumber }),
    },
  }
}
