import { type Decided, decide } from './decide.ts'
import type { DecisionReply } from './decision.ts'
import type { Effect, Timer, Work } from './effect.ts'
import type { EventDraft, RunEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { frontier } from './frontier.ts'
import type { RunInput } from './input.ts'
import type { Run } from './run.ts'
import { runState } from './view.ts'

/** What an input did to a run: the new state, what to put on record, and what to carry out, in this order. */
export interface Transition {
  readonly run: Run
  readonly events: readonly RunEvent[]
  readonly effects: readonly Effect[]
  /** The answer to a decision. */
  readonly reply?: DecisionReply
}

/** More events than any one input can lead to; past it the rules chase their own tail. */
const MAX_EVENTS = 20_000

/**
 * Applies one input to a run. Pure: the same arguments give the same result, on every machine and at every replay.
 *
 * @param at the instant of the input, ISO-8601 UTC; never earlier than the one before.
 * @throws {RangeError} if the rules do not come to rest, which is a defect of the rules.
 */
export const transition = (run: Run, input: RunInput, at: string): Transition => {
  const { drafts, reply } = decide(run, input, at)
  const events: RunEvent[] = []
  let now = run
  const record = (draft: EventDraft): void => {
    const event = stamp(now, draft, at)
    events.push(event)
    now = evolve(now, event)
  }
  for (const draft of drafts) record(draft)
  for (let next = frontier(now, at).next; next !== undefined; next = frontier(now, at).next) {
    if (events.length > MAX_EVENTS)
      throw new RangeError(`Cannot settle run "${run.seed.runId}": more than ${MAX_EVENTS} events from one input`)
    record(next)
  }
  return {
    run: now,
    events,
    effects: difference(wanted(run, at), wanted(now, at), now, run),
    ...(reply && { reply: answer(now, reply) }),
  }
}

// The keys stand in the order in which the record shows them (rulings 34).
const stamp = (run: Run, { eventType, stepNumber, principal, via, details }: EventDraft, at: string): RunEvent =>
  ({
    sequence: run.sequence + 1,
    timestamp: at,
    eventType,
    runId: run.seed.runId,
    ...(stepNumber !== undefined && { stepNumber }),
    principal,
    via,
    details,
  }) as RunEvent

const answer = (run: Run, reply: NonNullable<Decided['reply']>): DecisionReply => ({
  ...reply,
  runId: run.seed.runId,
  status: runState(run),
})

interface Wanted {
  readonly works: readonly Work[]
  readonly timers: readonly Timer[]
}

const NONE: Wanted = { works: [], timers: [] }

const wanted = (run: Run, at: string): Wanted => {
  const now = frontier(run, at)
  return now.next === undefined ? now : NONE
}

/** Everything that the state calls for, as effects: what a run carried over to a new execution has to be given again. */
export const effectsOf = (run: Run, at: string): readonly Effect[] => difference(NONE, wanted(run, at), run, undefined)

const difference = (before: Wanted, after: Wanted, now: Run, was: Run | undefined): readonly Effect[] => {
  const sameTimer = (a: Timer, b: Timer): boolean => a.id === b.id && a.at === b.at
  return [
    ...before.works
      .filter((work) => !after.works.some((other) => other.id === work.id))
      .map((work): Effect => ({ kind: 'cancel', workId: work.id })),
    ...before.timers
      .filter((timer) => !after.timers.some((other) => sameTimer(timer, other)))
      .map((timer): Effect => ({ kind: 'disarm', timerId: timer.id })),
    ...after.timers
      .filter((timer) => !before.timers.some((other) => sameTimer(timer, other)))
      .map((timer): Effect => ({ kind: 'arm', timer })),
    ...after.works
      .filter((work) => !before.works.some((other) => other.id === work.id))
      .map((work): Effect => ({ kind: 'start', work })),
    ...(now.outcome !== undefined && was?.outcome === undefined
      ? [
          {
            kind: 'close' as const,
            state: now.outcome.state,
            ...(now.outcome.reason !== undefined && { reason: now.outcome.reason }),
          },
        ]
      : []),
  ]
}
