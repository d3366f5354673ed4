import type { Decided } from './decide.ts'
import { cancel, pause, resume, retryByFirstRules } from './decide-control.ts'
import { decideGate } from './decide-gate.ts'
import { retry } from './decide-retry.ts'
import { decideInRollback } from './decide-rollback.ts'
import { completeStep, skipStep } from './decide-step.ts'
import type { Decision } from './decision.ts'
import type { Principal } from './principal.ts'
import { LATER_KEYS } from './receive.ts'
import { refuse, type Sender } from './refuse.ts'
import type { Run } from './run.ts'

// decide-message.ts: one reducer for what people and programs say, whichever door it came by. Every refusal is an
// answer and an event; nothing is stored up for later.

/** Whom a message without credentials is put down to. */
const UNVERIFIED: Principal = { id: 'temporal', kind: 'user', verified: false }

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
  const later = run.seed.rulesVersion < 2 ? LATER_KEYS.find((key) => decision[key] !== undefined) : undefined
  if (later !== undefined) {
    return refuse(decision, sender, {
      code: 'invalid',
      reason: `run "${run.seed.runId}" began before an upgrade and goes by the rules of then, which know no "${later}"`,
    })
  }
  if (run.rollback !== undefined) return decideInRollback(run, decision, sender)
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
      return run.seed.rulesVersion < 2 ? retryByFirstRules(run, decision, sender) : retry(run, decision, sender)
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
