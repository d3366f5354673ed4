import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { EventDraft } from './event.ts'
import type { Sender } from './refuse.ts'
import type { Run } from './run.ts'

// it-ran.ts: what follows when a person says of a step or an item that it ran, though nobody saw its end.

type Said = Omit<Extract<EventDraft, { eventType: 'step_completed' }>['details'], 'duration'>

/** It is done, or its verify commands look first whether that is true. */
export const ranDraft = (step: Step, said: Said, durationMs: number, sender: Sender): EventDraft =>
  step.verify === undefined || step.verify.length === 0
    ? {
        eventType: 'step_completed',
        stepNumber: step.number,
        ...sender,
        details: { ...said, duration: formatDuration(durationMs) },
      }
    : { eventType: 'verification_started', stepNumber: step.number, ...sender, details: said }

/** The run stands still for what was unknown, one at a time; another unknown stops it again. */
export const goesOn = (run: Run, step: Step, sender: Sender): readonly EventDraft[] =>
  run.paused?.kind === 'unknown' && run.paused.stepNumber === step.number
    ? [{ eventType: 'run_resumed', ...sender, details: {} }]
    : []
