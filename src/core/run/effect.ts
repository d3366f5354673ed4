import type { ClosedState } from './state.ts'

interface OfStep {
  readonly id: string
  readonly step: number
  readonly attempt: number
  /** The item of a `for_each` step, from 1. */
  readonly item?: number
}

/** A piece of work that the state of a run calls for. The id is stable, so that wanted and running work can be compared. */
export type Work =
  | (OfStep & { readonly kind: 'action' })
  /** `lost`: how often the worker of this very check was lost before. */
  | (OfStep & { readonly kind: 'verify'; readonly lost?: number })
  | (OfStep & { readonly kind: 'rollback' })
  | (OfStep & { readonly kind: 'child' })
  | { readonly id: string; readonly kind: 'gate_command'; readonly gate: string; readonly attempt: number }
  | { readonly id: string; readonly kind: 'facts'; readonly question: string; readonly names: readonly string[] }
  | { readonly id: string; readonly kind: 'admission'; readonly phase: 'arrival' | 'slot' | 'yield' }

/** A durable timer that the state of a run calls for. `at` is ISO-8601 UTC. */
export interface Timer {
  readonly id: string
  readonly at: string
  /** What people read in Temporal's UI. */
  readonly summary: string
}

/**
 * What the workflow has to carry out after a transition, in this order. Effects are the difference between what the
 * state called for before and after it: a timer that nothing calls for any more is disarmed by construction.
 */
export type Effect =
  | { readonly kind: 'cancel'; readonly workId: string }
  | { readonly kind: 'disarm'; readonly timerId: string }
  | { readonly kind: 'arm'; readonly timer: Timer }
  | { readonly kind: 'start'; readonly work: Work }
  | { readonly kind: 'close'; readonly state: ClosedState; readonly reason?: string }
