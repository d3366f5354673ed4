import type { Json } from '../definition.ts'
import type { Decision } from './decision.ts'
import type { QueueOrder } from './queue-order.ts'
import type { CommandResult, FactsResult } from './task.ts'

/** What comes to a run from outside. `transition` turns an input into events; nothing else changes a run. */
export type RunInput =
  | { readonly kind: 'create' }
  | { readonly kind: 'decision'; readonly decision: Decision }
  /** A retry of a run that is closed, at the start of the execution that carries it on. */
  | { readonly kind: 'reopen'; readonly decision: Decision }
  /** A message that could not be read at all: refused, and on record. */
  | { readonly kind: 'unreadable'; readonly name: string; readonly reason: string; readonly via: 'signal' | 'update' }
  | { readonly kind: 'timer'; readonly timerId: string }
  | { readonly kind: 'command_result'; readonly workId: string; readonly result: CommandResult | LostResult }
  /** A command waits for a worker of its pool since `since`, or no longer does. */
  | {
      readonly kind: 'pool_news'
      readonly workId: string
      readonly pool: string
      readonly isWaiting: boolean
      readonly since: string
      /** When its waiting ends by itself. */
      readonly until?: string
    }
  /** How much is not on record; `since`: when a write first failed, absent where they work. */
  | {
      readonly kind: 'record_news'
      readonly unrecorded: number
      readonly bytes: number
      /** When the oldest of it happened. */
      readonly oldestAt?: string
      readonly since?: string
    }
  | { readonly kind: 'child_ended'; readonly workId: string; readonly result: ChildResult }
  | { readonly kind: 'facts_result'; readonly workId: string; readonly result: FactsResult }
  | { readonly kind: 'admission'; readonly workId: string; readonly verdict: AdmissionVerdict; readonly turn?: number }

/** The worker died, or never answered: nobody knows whether the command ran. */
export interface LostResult {
  readonly outcome: 'lost'
  readonly error: string
}

/** How a run ended that is a step of another. */
export interface ChildResult {
  readonly outcome: 'ok' | 'failed' | 'cancelled'
  readonly outputs?: Readonly<Record<string, Json>>
  /** Why it did not complete, as the child says it. */
  readonly reason?: string
}

/** `order`: somebody asked for it, see queue-order.ts. */
export type AdmissionVerdict =
  | { readonly kind: 'admitted'; readonly order?: QueueOrder }
  | { readonly kind: 'queued'; readonly reason: string; readonly order?: QueueOrder }
  | {
      readonly kind: 'refused'
      readonly reason: string
      readonly notBefore?: string
      /** The run that coalesces with it, and goes instead. */
      readonly replacedBy?: string
      readonly order?: QueueOrder
    }
