import { stepRunOf } from './steps.ts'
import type { Timer, Work } from './effect.ts'
import type { EventDraft } from './event.ts'
import { ENGINE } from './principal.ts'
import type { Run } from './run.ts'

// stage.ts: the steps of the way that a run goes, as values.

/** Waiting for these, and nothing follows before they are there. */
export interface Waits {
  readonly works?: readonly Work[]
  readonly timers?: readonly Timer[]
}

/** One stage of the way: an event to record, something to wait for, or `undefined`: the way is free. */
export type Stage = { readonly next: EventDraft } | Waits | undefined

/** The way is not free, and nothing of it waits for anything: what holds the run says when it goes on. */
export const NOTHING_NEW: Waits = {}

export const emit = (draft: Omit<EventDraft, 'principal' | 'via'>): Stage => ({
  next: { ...draft, principal: ENGINE, via: 'engine' } as EventDraft,
})

/** Takes the stages in order; the first that is not free decides. */
export const firstOf = (...stages: readonly (() => Stage)[]): Stage => {
  for (const stage of stages) {
    const result = stage()
    if (result !== undefined) return result
  }
  return undefined
}

export const plus = (iso: string, ms: number): string => new Date(Date.parse(iso) + ms).toISOString()

/** Facts are asked once for each visit of a step, under the name of what needs them. */
export const question = (run: Run, stepNumber: number, what: string): string => {
  const visits = stepRunOf(run, stepNumber)?.visits ?? 1
  return `step:${stepNumber}:${visits}:${what}`
}

export const conditionError = (stepNumber: number, text: string, error: string): Stage =>
  emit({
    eventType: 'run_paused',
    ...(stepNumber > 0 && { stepNumber }),
    details: { kind: 'condition', reason: `Cannot evaluate condition "${text}": ${error}` },
  })

/** A pause that was asked for takes effect: nothing new begins. */
export const boundary = ({ reason, by, via }: NonNullable<Run['pauseRequested']>): { readonly next: EventDraft } => ({
  next: {
    eventType: 'run_paused',
    principal: by,
    via,
    details: { kind: 'requested', reason: reason ?? `paused by ${by.id}` },
  },
})
