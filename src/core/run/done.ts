import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { EventDetails, EventDraft } from './event.ts'
import type { Sender } from './refuse.ts'
import type { Run } from './run.ts'

// done.ts: what follows when the work of a step is done, whoever did it: the step is completed, or its check begins.

/**
 * Whether its verify commands look first whether that is true. Nothing begins in a run that ends, and a check that nobody
 * makes would be waited for without end.
 */
export const isToVerify = (run: Run, { verify = [] }: Step): boolean => verify.length > 0 && !isEnding(run)

export const isEnding = (run: Run): boolean => run.ending !== undefined || run.rollback !== undefined

/** What was said of a step that a person completed, or that waited for its time. */
type Said = Omit<EventDetails['step_completed'], 'duration'>

/** A step is done by what a person or a timer says. */
export const doneDraft = (run: Run, step: Step, said: Said, sender: Sender): EventDraft =>
  isToVerify(run, step)
    ? { eventType: 'verification_started', stepNumber: step.number, ...sender, details: said }
    : {
        eventType: 'step_completed',
        stepNumber: step.number,
        ...sender,
        details: { ...said, duration: formatDuration(said.duration_ms) },
      }
