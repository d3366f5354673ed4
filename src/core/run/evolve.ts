import { stepRunOf } from './steps.ts'
import type { RunEvent } from './event.ts'
import { gateTimedOut, openGate, rejected, closeGate, gateReminded, startVerifying, verified } from './evolve-gate.ts'
import {
  pauseAfterUndo,
  rollBack,
  rolledBack,
  stepLeft,
  undoAllowed,
  undoFailed,
  walkBegan,
  walkEnds,
} from './evolve-rollback.ts'
import { BLACKOUT_FACT, calendarKnown, letIn, queued, slotGiven } from './evolve-entry.ts'
import { closed, paused, retried, unpaused } from './evolve-run.ts'
import { itemUnknown, patchItem } from './evolve-items.ts'
import { held, released } from './record-hold.ts'
import { dropEndedWaits, poolTook, poolWaits } from './evolve-pool.ts'
import { skipped, stepEnded, stepFailed, stepStarted } from './evolve-step.ts'
import { modeOfRun } from './mode.ts'
import { effectiveEvents } from './fork.ts'
import { compact, patchStep } from './patch.ts'
import type { Run, RunSeed } from './run.ts'

// evolve.ts: what an event means for the state. Total and free of choices: every choice was made when the event was
// recorded, so that a record read back gives the run that wrote it.

export const newRun = (seed: RunSeed): Run => ({
  seed,
  mode: modeOfRun(seed),
  admitted: {},
  steps: seed.pinned.definition.steps.map((step) => ({
    number: step.number,
    state: 'pending',
    attempt: 0,
    visits: 1,
    failures: 0,
  })),
  gates: {},
  facts: {},
  outputs: {},
  sequence: 0,
})

const apply = (run: Run, event: RunEvent): Run => {
  switch (event.eventType) {
    case 'run_created':
      return { ...run, createdAt: event.timestamp }
    case 'run_queued':
      return queued(run, event)
    case 'run_admitted':
      return letIn(run, event)
    case 'slot_released':
      return slotGiven(run, event)
    case 'run_refused':
      return {
        ...run,
        ...(run.startedAt === undefined && { refused: event.details.reason }),
        ending: { state: 'cancelled', reason: event.details.reason, by: event.principal, via: event.via },
      }
    case 'run_started':
      return { ...run, startedAt: event.timestamp }
    case 'facts_resolved':
      if (event.details.question.startsWith(`${BLACKOUT_FACT}:`)) return calendarKnown(run, event)
      return {
        ...run,
        facts: {
          ...run.facts,
          [event.details.question]: compact({ values: event.details.values, errors: event.details.errors }) as {
            values: typeof event.details.values
          },
        },
      }
    case 'approval_requested':
      return openGate(run, event)
    case 'approval_granted':
      return closeGate(run, event, event.details.gate, { state: 'passed', comment: event.details.comment })
    case 'approval_rejected':
      return rejected(run, event)
    case 'approval_timeout':
      return gateTimedOut(run, event)
    case 'gate_skipped':
      return {
        ...run,
        gates: {
          ...run.gates,
          [event.details.gate]: {
            id: event.details.gate,
            attempt: run.gates[event.details.gate]?.attempt ?? 0,
            stepNumber: event.stepNumber ?? 0,
            title: event.details.gate,
            state: 'skipped',
            because: 'gates',
            settings: {},
            required: true,
            openedAt: event.timestamp,
            closedAt: event.timestamp,
          },
        },
      }
    case 'verification_started':
      return startVerifying(run, event)
    case 'verification_passed':
    case 'verification_failed':
      return verified(run, event)
    case 'step_started':
      return stepStarted(run, event)
    case 'run_held':
      return held(run, event)
    case 'run_released':
      return released(run)
    case 'step_waiting':
      return poolWaits(run, event)
    case 'step_taken':
      return poolTook(run, event)
    case 'input_requested':
      return patchStep(run, event.stepNumber, {
        state: 'awaiting_input',
        ...(event.details.overdue === true
          ? { overdue: true }
          : { dueAt: event.details.dueAt, deadlineAt: event.details.deadlineAt }),
      })
    case 'input_received': {
      const { item, ticked } = event.details
      const before = stepRunOf(run, event.stepNumber)?.ticked ?? []
      const rest = before.filter((other) => other !== item)
      return patchStep(run, event.stepNumber, { ticked: ticked ? [...rest, item].sort((a, b) => a - b) : rest })
    }
    case 'step_timeout':
      return event.details.item === undefined
        ? patchStep(run, event.stepNumber, { timedOut: event.details.reason })
        : patchItem(run, event.stepNumber, event.details.item, { timedOut: event.details.reason })
    case 'step_completed':
      return stepEnded(run, event)
    case 'step_failed':
      return stepFailed(run, event)
    case 'step_skipped':
      return skipped(run, event)
    case 'step_unknown':
      if (event.details.item !== undefined) return itemUnknown(run, event, event.details.item)
      return patchStep(run, event.stepNumber, {
        state: 'unknown',
        endedAt: event.timestamp,
        endedSequence: event.sequence,
        error: event.details.error,
        verification: undefined,
      })
    case 'rollback_started':
      return walkBegan(run, event)
    case 'step_rolled_back':
      return rolledBack(run, event)
    case 'rollback_failed':
      return undoFailed(run, event)
    case 'pause_requested':
      return {
        ...pauseAfterUndo(run),
        pauseRequested: compact({ reason: event.details.reason, by: event.principal, via: event.via }) as NonNullable<
          Run['pauseRequested']
        >,
      }
    case 'run_paused':
      return paused(run, event)
    case 'run_resumed':
      return event.details.leaves === undefined ? unpaused(run, event.timestamp) : stepLeft(run, event)
    case 'run_retried':
      return event.details.undo === true ? undoAllowed(run, event) : retried(run, event)
    case 'cancel_requested': {
      const { reason, rollback } = event.details
      return rollback === true
        ? rollBack(run, event, { because: 'cancel', reason, then: 'cancelled' })
        : { ...walkEnds(run), ending: { state: 'cancelled', reason, by: event.principal, via: event.via } }
    }
    case 'run_timeout':
      if (event.details.then === 'rollback')
        return rollBack(run, event, { because: 'timeout', reason: event.details.reason, then: 'failed' })
      return { ...run, ending: { state: 'failed', reason: event.details.reason, by: event.principal, via: event.via } }
    case 'run_completed':
      return closed(run, event, { state: 'completed' })
    case 'run_failed':
      return closed(run, event, { state: 'failed', reason: event.details.reason })
    case 'run_cancelled':
      return closed(run, event, { state: 'cancelled', reason: event.details.reason })
    case 'approval_reminded':
      return gateReminded(run, event)
    case 'approval_escalated':
    case 'decision_refused':
    case 'notification_sent':
    case 'notification_failed':
    case 'definition_amended':
    // What it undoes is left out before the events are folded.
    case 'run_forked':
      return run
    default:
      return event satisfies never
  }
}

/** The run after the event. */
export const evolve = (run: Run, event: RunEvent): Run => ({
  ...dropEndedWaits(apply(run, event)),
  sequence: event.sequence,
})

/** The run that a record tells of; the same that `transition` had when it wrote the record. */
export const fold = (seed: RunSeed, events: readonly RunEvent[]): Run =>
  countedAnew(effectiveEvents(events)).reduce(evolve, newRun(seed))

/** The run's own count, which a reset turned back. */
const countedAnew = (events: readonly RunEvent[]): readonly RunEvent[] =>
  (events.at(-1)?.sequence ?? 0) === events.length
    ? events
    : events.map((event, index) => ({ ...event, sequence: index + 1 }))
