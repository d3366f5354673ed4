import { type Decided, decide } from './decide.ts'
import type { DecisionReply } from './decision.ts'
import type { Effect, Timer, Work } from './effect.ts'
import type { EventDraft, RunEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { passedOver } from './failure.ts'
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
    if (draft.eventType === 'step_failed' && draft.details.item === undefined) {
      for (const passed of passedOver(now, draft)) record(passed)
    }
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
  const timerKey = ({ id, at }: Timer): string => `${at} ${id}`
  const [had, has] = [idsOf(before.works), idsOf(after.works)]
  const [stood, stands] = [new Set(before.timers.map(timerKey)), new Set(after.timers.map(timerKey))]
  return [
    ...before.works.filter((work) => !has.has(work.id)).map((work): Effect => ({ kind: 'cancel', workId: work.id })),
    ...before.timers
      .filter((timer) => !stands.has(timerKey(timer)))
      .map((timer): Effect => ({ kind: 'disarm', timerId: timer.id })),
    ...after.timers.filter((timer) => !stood.has(timerKey(timer))).map((timer): Effect => ({ kind: 'arm', timer })),
    ...after.works.filter((work) => !had.has(work.id)).map((work): Effect => ({ kind: 'start', work })),
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

const idsOf = (works: readonly Work[]): ReadonlySet<string> => new Set(works.map(({ id }) => id))
