import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import { mayDecide } from './entitled.ts'
import { afterRejection, openGates } from './gates.ts'
import { idOf, noteOf, type Refusal, refuse, type Sender } from './refuse.ts'
import type { GateRun, Run } from './run.ts'

// decide-gate.ts: what approve and reject lead to.

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

export const decideGate = (run: Run, decision: Decision, sender: Sender): Decided => {
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
      drafts: [
        {
          eventType: 'approval_granted',
          ...at,
          ...sender,
          details: { ...details, ...(gate.covers !== undefined && { covers: gate.covers }) },
        },
      ],
      reply: { accepted: true, ...about, action: 'approved' },
    }
  }
  const action = afterRejection(run, gate)
  return {
    drafts: [{ eventType: 'approval_rejected', ...at, ...sender, details: { ...details, action } }],
    reply: { accepted: true, ...about, action: REJECTED[action] },
  }
}

const REJECTED = {
  pause: 'paused',
  fail: 'failed',
  cancel: 'cancelled',
  continue: 'continued',
  rollback: 'rolling back',
} as const

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
  if (decision.covers !== undefined && decision.covers !== gate.covers) {
    return {
      code: 'conflict',
      reason: `what you saw of gate "${gate.id}" has changed since (definition, commands or params): look at it again`,
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
