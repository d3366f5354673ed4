import type { Json } from '../definition.ts'
import type { ErrorCode } from '../errors.ts'
import type { FieldProblem } from '../params.ts'
import type { RunState } from './state.ts'
import type { Principal, Surface } from './principal.ts'

/** The messages that a person or program may send to a run. Their names are Temporal signal and update names: wire format. */
export const DECISION_KINDS = ['approve', 'reject', 'complete', 'skip', 'cancel', 'pause', 'resume', 'retry'] as const
export type DecisionKind = (typeof DECISION_KINDS)[number]

/** What the sender of a `retry` knows of the step that is `unknown`. */
export const RETRY_OUTCOMES = ['did_not_run'] as const
export type RetryOutcome = (typeof RETRY_OUTCOMES)[number]

/**
 * One flat JSON argument, so that it can be typed into the Temporal UI. Every field is optional there:
 * `{}` is a decision about the only open gate.
 */
export interface Decision {
  readonly kind: DecisionKind
  /** Makes the decision idempotent: the same id counts once, whichever door it comes by. */
  readonly decisionId?: string
  /** Gate id (`start`, a key of `[gates]`, `3-deploy`). */
  readonly gate?: string
  /** Step number; 0 is the start gate. */
  readonly step?: number
  readonly attempt?: number
  readonly comment?: string
  /** Synonym of `comment` for reject, skip and cancel. */
  readonly reason?: string
  /** For `complete`: the form's values, which become outputs. */
  readonly values?: Readonly<Record<string, Json>>
  /** For `complete`: tick one checklist item (1-based) instead of ending the step. */
  readonly item?: number
  readonly ticked?: boolean
  /** For `complete`: the person reports that the step failed. */
  readonly failed?: boolean
  /** For `approve`: the digest that the approver was shown (`covers` of the gate). Another one is refused. */
  readonly covers?: string
  /** For `cancel`: undo the finished steps before the run ends. */
  readonly rollback?: boolean
  /** For `retry`: params that change, checked against their declarations. Values of secret ones never stand here. */
  readonly params?: Readonly<Record<string, Json>>
  /** For `retry` of a step of which nobody knows whether it ran: it did not. Absent: run it again though it may have. */
  readonly outcome?: RetryOutcome
  readonly principal?: Principal
  readonly via?: Surface
  /** Ed25519 signature of our API over `sealedText`: only then are `principal` and `via` believed. */
  readonly seal?: string
}

/** The answer to a decision. A refusal is an answer, and is on record as `decision_refused`. */
export interface DecisionReply {
  readonly accepted: boolean
  readonly runId: string
  /** State of the run after the decision. */
  readonly status: RunState
  readonly gate?: string
  readonly stepNumber?: number
  readonly attempt?: number
  /** Why it was refused, as a sentence. */
  readonly reason?: string
  readonly code?: ErrorCode
  /** Who had decided already. */
  readonly decidedBy?: string
  /** Which values of a form do not fit, each with what it has to be. */
  readonly fields?: readonly FieldProblem[]
  /** What a rejection led to, e.g. `paused`. */
  readonly action?: string
  /** The same decisionId was seen before; this repeats the first answer. */
  readonly duplicate?: boolean
  /** Stored durably, but no worker has seen it yet. */
  readonly stored?: boolean
}
