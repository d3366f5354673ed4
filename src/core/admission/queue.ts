import type { AdmissionState } from '../admission.ts'
import type { Block } from './block.ts'
import { standings } from './grant.ts'

// queue.ts: the queue as people read it.

/** One thing that a run waits for. */
export interface QueueReason {
  /** `order`: others go before it. */
  readonly kind: Block['kind']
  /** A sentence without a full stop. */
  readonly text: string
  /** Runs that have what it waits for, or go before it. */
  readonly by?: readonly string[]
  readonly lock?: string
  /** When it is over by itself; ISO-8601. */
  readonly until?: string
}

/** A run that waits for admission. */
export interface QueueEntry {
  /** From 1. */
  readonly position: number
  readonly runId: string
  readonly sop: string
  /** 1 is first. */
  readonly priority: number
  readonly since: string
  readonly waitsFor: readonly QueueReason[]
  /** It gave its slot away at a gate, and asks for it again. */
  readonly begun?: true
}

/** A run that was let in. */
export interface QueueHolder {
  readonly runId: string
  readonly sop: string
  readonly locks: readonly string[]
  /** `false`: it waits at a gate and gave its slot away. */
  readonly slot: boolean
  readonly since?: string
}

export interface Queue {
  readonly waiting: readonly QueueEntry[]
  readonly holders: readonly QueueHolder[]
}

/** Runs that a reason names at most; the rest is a number. */
const NAMED = 20

/** What waits and why, and who holds what. */
export const queueOf = (state: AdmissionState, at: string): Queue => ({
  waiting: standings(state, at).map(({ waiting, blocks }, index) => ({
    position: index + 1,
    runId: waiting.runId,
    sop: waiting.sop,
    priority: waiting.priority,
    since: waiting.since ?? waiting.triggeredAt,
    waitsFor: blocks.map(reasonOf),
    ...(waiting.begun === true && { begun: true as const }),
  })),
  holders: state.holders.map(({ runId, sop, locks = [], slot, since }) => ({
    runId,
    sop,
    locks,
    slot: slot !== false,
    ...(since !== undefined && { since }),
  })),
})

const reasonOf = (block: Block): QueueReason => ({
  kind: block.kind,
  text: block.reason,
  ...('by' in block && { by: block.by.slice(0, NAMED) }),
  ...('lock' in block && { lock: block.lock }),
  ...('until' in block && { until: block.until }),
})
