import {
  type Admitted,
  type AdmissionAnswer,
  type AdmissionState,
  type Holder,
  slotAnswer,
  type Waiting,
} from '../admission.ts'
import { ancestorsOf, type Block, blocksOf, coolingUntil, fullBlock, timeBlocks } from './block.ts'

// grant.ts: who of those that wait gets in.

/** The order in which slots are given out: by priority, then those that began already, then by arrival. */
export const inOrder = (waiting: readonly Waiting[]): readonly Waiting[] =>
  [...waiting].sort((a, b) => a.priority - b.priority || rank(a) - rank(b) || a.order - b.order)

const rank = ({ begun }: Waiting): number => (begun === true ? 0 : 1)

/** A waiting run with everything that it waits for. */
export interface Standing {
  readonly waiting: Waiting
  readonly blocks: readonly Block[]
}

/**
 * Goes through the queue in its order. A full SOP does not hold up the others. A run that lacks nothing but locks keeps
 * all its locks from those behind it: else runs that need fewer would take them in turn, and it would wait for ever.
 *
 * @param take is told of each; the state that it returns is the one that the next is judged by
 */
const walk = (
  state: AdmissionState,
  at: string,
  take: (now: AdmissionState, standing: Standing) => AdmissionState,
): AdmissionState => {
  const kept = new Map<string, string>()
  let now = state
  let fullOf = remembered()
  for (const waiting of inOrder(state.waiting)) {
    const locks = waiting.locks ?? []
    // Whoever waits for a lock of these runs waits for this one to end as well.
    const theirs = locks.length === 0 ? [] : ancestorsOf(now, waiting).flatMap((holder) => holder.locks ?? [])
    const before: readonly Block[] = locks.flatMap((lock) => {
      if (theirs.includes(lock)) return []
      const runId = kept.get(lock)
      return runId === undefined
        ? []
        : [{ kind: 'order', lock, by: [runId], reason: `run "${runId}" waits for lock "${lock}" before it` }]
    })
    const blocks = [...blocksOf(now, waiting, at, fullOf), ...before]
    const lacksOnlyLocks = blocks.length > 0 && blocks.every(({ kind }) => kind === 'lock' || kind === 'order')
    if (lacksOnlyLocks) for (const lock of locks) if (!kept.has(lock)) kept.set(lock, waiting.runId)
    const next = take(now, { waiting, blocks })
    if (next !== now) fullOf = remembered()
    now = next
  }
  return now
}

/** Thousands may wait for one limit, which is counted once for each state. */
const remembered = (): typeof fullBlock => {
  const known = new Map<string, ReturnType<typeof fullBlock>>()
  return (state, request) => {
    const key = `${request.sop} ${request.maxConcurrent ?? ''} ${request.maxTotal ?? ''}`
    if (!known.has(key)) known.set(key, fullBlock(state, request))
    return known.get(key)
  }
}

/** What each waiting run waits for, in the order of the queue. */
export const standings = (state: AdmissionState, at: string): readonly Standing[] => {
  const all: Standing[] = []
  walk(state, at, (now, standing) => {
    all.push(standing)
    return now
  })
  return all
}

/** Gives out what is free. */
export const grant = (state: AdmissionState, at: string): Admitted => {
  if (state.waiting.length === 0) return { state, answers: [] }
  const answers: AdmissionAnswer[] = []
  const now = walk(state, at, (before, { waiting, blocks }) => {
    if (blocks.length > 0) return before
    answers.push(slotAnswer(waiting, { kind: 'admitted' }))
    return letIn(before, waiting, at)
  })
  return { ...wake(now, at), state: now, answers }
}

/** The run holds its slot and its locks, and waits no more. */
export const letIn = (state: AdmissionState, waiting: Waiting, at: string): AdmissionState => {
  const { runId, sop } = waiting
  const others = state.holders.filter((holder) => holder.runId !== runId)
  return {
    ...state,
    holders: [...others, holderOf(state, waiting, at)],
    waiting: state.waiting.filter((each) => each.runId !== runId),
    lastTriggeredAt: { ...state.lastTriggeredAt, [sop]: later(state.lastTriggeredAt[sop], countsFrom(state, waiting)) },
  }
}

const holderOf = (state: AdmissionState, waiting: Waiting, at: string): Holder => {
  const { runId, sop, form, turn, parent } = waiting
  const kept = state.holders.find((holder) => holder.runId === runId)?.locks
  const locks = waiting.locks ?? kept
  if (form === undefined) return { runId, sop }
  return {
    runId,
    sop,
    since: at,
    ...(locks !== undefined && locks.length > 0 && { locks }),
    ...(turn !== undefined && { turn }),
    ...(parent !== undefined && { parent }),
  }
}

/** A run that waited for a cooldown counts as triggered when it was over: the next one keeps the distance from there. */
const countsFrom = (state: AdmissionState, waiting: Waiting): string => {
  const cooling = waiting.form === undefined ? undefined : coolingUntil(state, waiting)
  return cooling ?? waiting.triggeredAt
}

const later = (one: string | undefined, other: string): string =>
  one !== undefined && Date.parse(one) > Date.parse(other) ? one : other

/** When somebody's cooldown or blackout ends next. */
export const wake = (state: AdmissionState, at: string): { readonly wakeAt?: string } => {
  let next: number | undefined
  for (const waiting of state.waiting) {
    for (const { until } of timeBlocks(state, waiting, at)) {
      const time = Date.parse(until)
      if (next === undefined || time < next) next = time
    }
  }
  return next === undefined ? {} : { wakeAt: new Date(next).toISOString() }
}
