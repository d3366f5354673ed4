import type { ErrorCode } from '../errors.ts'
import type { FieldProblem } from '../params.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import type { Principal, Surface } from './principal.ts'
import type { GateRun } from './run.ts'

// refuse.ts: a refusal is an answer and an event.

export interface Sender {
  readonly principal: Principal
  readonly via: Surface
}

export type Refusal = {
  readonly code: ErrorCode
  readonly reason: string
  readonly decidedBy?: string
  readonly gate?: GateRun
  /** Which values of a form do not fit, each with what it has to be. */
  readonly fields?: readonly FieldProblem[]
}

export const noteOf = ({ comment, reason }: Decision): string | undefined => comment ?? reason

export const idOf = ({ decisionId }: Decision) => (decisionId === undefined ? {} : { decisionId })

export const refuse = (
  decision: Decision,
  { principal, via }: Sender,
  { code, reason, decidedBy, gate, fields = [] }: Refusal,
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
      ...(fields.length > 0 && { fields }),
    },
  }
}
