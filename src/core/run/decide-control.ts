import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import type { EventDraft } from './event.ts'
import { idOf, noteOf, refuse, type Sender } from './refuse.ts'
import { undoWork } from './rollback.ts'
import type { Run } from './run.ts'

// decide-control.ts: what cancel, pause and resume lead to; decide-retry.ts has retry.

export const cancel = (decision: Decision, sender: Sender): Decided => ({
  drafts: [
    {
      eventType: 'cancel_requested',
      ...sender,
      details: {
        reason: noteOf(decision) ?? `cancelled by ${sender.principal.id}`,
        ...(decision.rollback === true && { rollback: true }),
        ...idOf(decision),
      },
    },
  ],
  reply: { accepted: true, action: decision.rollback === true ? 'rolling back' : 'cancelled' },
})

/** Takes effect at the next boundary; at once where nothing runs. */
export const pause = (run: Run, decision: Decision, sender: Sender): Decided => {
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
  const busy = run.steps.some((step) => step.state === 'running') || undoWork(run).length > 0
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

export const resume = (run: Run, decision: Decision, sender: Sender): Decided => {
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

/** By the first rules: the failed step again, or the rejected gate with its next attempt (rulings 18). */
export const retryByFirstRules = (run: Run, decision: Decision, sender: Sender): Decided => {
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
  const step = paused.stepNumber === undefined ? {} : { stepNumber: paused.stepNumber }
  return {
    drafts: [
      {
        eventType: 'run_retried',
        ...step,
        ...sender,
        details: {
          ...(paused.stepNumber !== undefined && { fromStep: paused.stepNumber }),
          ...(paused.gate !== undefined && { gate: paused.gate }),
          ...(note !== undefined && { comment: note }),
          ...idOf(decision),
        },
      },
    ],
    reply: { accepted: true, action: 'retried', ...step },
  }
}
