import type { temporal } from '@temporalio/proto'
import { defaultPayloadConverter } from '@temporalio/common'
import { Worker } from '@temporalio/worker'
import type { Observed } from '../../workflows/observed.ts'
import { WITNESS_MEMO, type WitnessedCommand, type WitnessSinks } from '../../workflows/witness.ts'

// replay.ts: histories played against a build's workflow code, with what the code does on the way.

export type History = temporal.api.history.v1.IHistory
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent

/** An execution to replay. `subject` is the caller's own and comes back with the result. */
export interface Replayable<T> {
  readonly workflowId: string
  readonly history: History
  readonly subject: T
}

/** Part of the name that the task queue of a replay has; nothing else is called so. */
const REPLAY_NAME = 'sop-replay-queue'
const REPLAY_QUEUE = /sop-replay-queue-\d+/g

/**
 * A value of a replay with the name of the task queue that the execution has: in a replay Temporal's SDK gives it one of
 * its own.
 */
export const onQueueOf = <T>({ events }: History, value: T): T => {
  const text = JSON.stringify(value)
  const queue = events?.[0]?.workflowExecutionStartedEventAttributes?.taskQueue?.name
  return queue && text?.includes(REPLAY_NAME) ? (JSON.parse(text.replaceAll(REPLAY_QUEUE, () => queue)) as T) : value
}

/** What the code did when the history was played to it. */
export interface Replayed<T> extends Replayable<T> {
  /** The commands that it gave, in order; where Temporal broke off, those up to there. */
  readonly commands: readonly WitnessedCommand[]
  /** The state that it came to; undefined where it has none yet, or broke off. */
  readonly state?: Observed
  /** Why Temporal broke the replay off. */
  readonly error?: Error
}

/**
 * Replays histories one after the other and gives what each led to. The source is read one history ahead of nothing: who
 * wants to fetch ahead does it in the source.
 */
export async function* replayAll<T>(
  bundle: { readonly codePath: string },
  source: AsyncIterable<Replayable<T>> | Iterable<Replayable<T>>,
): AsyncGenerator<Replayed<T>> {
  let current: Replayable<T> | undefined
  let commands: WitnessedCommand[] = []
  let state: Observed | undefined
  async function* histories() {
    for await (const each of source) {
      current = each
      commands = []
      state = undefined
      yield { workflowId: each.workflowId, history: asWitnessed(each.history) }
    }
  }
  const saw: WitnessSinks['witness']['saw'] = (more, newest) => {
    commands.push(...more)
    state = newest ?? state
  }
  const sinks = {
    witness: {
      saw: {
        fn: (_: unknown, ...args: Parameters<typeof saw>) => saw(...args),
        callDuringReplay: true,
      },
    },
  }
  for await (const { error } of Worker.runReplayHistories(
    { workflowBundle: bundle, sinks, replayName: REPLAY_NAME },
    histories(),
  )) {
    if (current === undefined) return
    yield { ...current, commands, ...(state && { state: onQueueOf(current.history, state) }), ...(error && { error }) }
  }
}

/** The history with the memo by which the bundle's witness speaks, from the last task that the workflow finished. */
const asWitnessed = (history: History): History => {
  const [started, ...rest] = history.events ?? []
  const attributes = started?.workflowExecutionStartedEventAttributes
  if (!started || !attributes) return history
  const finished = rest.findLast((event) => event.workflowTaskCompletedEventAttributes)
  const from = Number(finished?.workflowTaskCompletedEventAttributes?.startedEventId ?? 0)
  const fields = { ...attributes.memo?.fields, [WITNESS_MEMO]: defaultPayloadConverter.toPayload(from) }
  return {
    ...history,
    events: [{ ...started, workflowExecutionStartedEventAttributes: { ...attributes, memo: { fields } } }, ...rest],
  }
}
