import {
  type Admitted,
  type AdmissionState,
  type QueueCommand,
  type QueueReply,
  slotAnswer,
  type Waiting,
} from '../admission.ts'
import type { QueueOrder, QueuePlace } from '../run/queue-order.ts'
import { type Block, lockBlocks } from './block.ts'
import { grant, inOrder, letIn, wake } from './grant.ts'

// command.ts: what a person asks about a run that waits: to move it, to drop it, to let it in over the limit.

/** What a command did, and its answer. */
export interface Commanded extends Admitted {
  readonly reply: QueueReply
}

/** Carries out a command. Locks are never passed over: two runs with one lock would overlap. */
export const command = (state: AdmissionState, asked: QueueCommand, at: string): Commanded => {
  const { runId } = asked
  const waiting = state.waiting.find((each) => each.runId === runId)
  if (waiting === undefined) {
    const isIn = state.holders.some((holder) => holder.runId === runId && holder.slot !== false)
    const reason = isIn ? `run "${runId}" was let in already` : `run "${runId}" does not wait for admission`
    return refused(state, at, { accepted: false, runId, code: isIn ? 'conflict' : 'not_found', reason })
  }
  const { runId: _, ...order } = asked
  switch (asked.action) {
    case 'move':
      return move(state, waiting, order, at)
    case 'drop':
      return drop(state, waiting, order, at)
    case 'admit':
      return letInNow(state, waiting, order, at)
  }
}

const refused = (state: AdmissionState, at: string, reply: QueueReply): Commanded => ({
  ...wake(state, at),
  state,
  answers: [],
  reply,
})

const drop = (state: AdmissionState, waiting: Waiting, order: QueueOrder, at: string): Commanded => {
  const { runId, begun } = waiting
  if (begun === true) {
    const reason = `run "${runId}" began already and waits for its slot again. Cancel it instead: sop cancel ${runId}`
    return refused(state, at, { accepted: false, runId, code: 'conflict', reason })
  }
  const rest = { ...state, waiting: state.waiting.filter((each) => each.runId !== runId) }
  const granted = grant(rest, at)
  const verdict = { kind: 'refused' as const, reason: 'dropped from the queue', order }
  return {
    ...granted,
    answers: [slotAnswer(waiting, verdict), ...granted.answers],
    reply: { accepted: true, runId },
  }
}

const letInNow = (state: AdmissionState, waiting: Waiting, order: QueueOrder, at: string): Commanded => {
  const { runId } = waiting
  const held: Block | undefined = lockBlocks(state, waiting)[0]
  if (held !== undefined) {
    const reason = `${held.reason}, and no order lets two runs have it at once`
    return refused(state, at, { accepted: false, runId, code: 'conflict', reason })
  }
  const now = letIn(state, waiting, at)
  return {
    ...wake(now, at),
    state: now,
    answers: [slotAnswer(waiting, { kind: 'admitted', order })],
    reply: { accepted: true, runId },
  }
}

const move = (state: AdmissionState, waiting: Waiting, order: QueueOrder, at: string): Commanded => {
  const { runId } = waiting
  const moved = placed(state, waiting, order.place ?? { to: 'front' })
  if (typeof moved === 'string') return refused(state, at, { accepted: false, runId, code: 'invalid', reason: moved })
  const position = inOrder(moved.waiting).findIndex((each) => each.runId === runId) + 1
  const granted = grant(moved, at)
  const reason = `moved to place ${position} of the queue`
  return {
    ...granted,
    answers: [slotAnswer(waiting, { kind: 'queued', reason, order }), ...granted.answers],
    reply: { accepted: true, runId, position },
  }
}

/** The queue with the run elsewhere, or why it cannot be put there. */
const placed = (state: AdmissionState, waiting: Waiting, place: QueuePlace): AdmissionState | string => {
  if (place.to === 'priority') {
    const { priority } = place
    const isPriority = Number.isInteger(priority) && priority >= 1 && priority <= 5
    if (!isPriority) return 'a priority is a whole number from 1 (critical) to 5 (low)'
    const put = (each: Waiting): Waiting => (each === waiting ? { ...each, priority } : each)
    return { ...state, waiting: state.waiting.map(put) }
  }
  const others = inOrder(state.waiting).filter((each) => each !== waiting)
  const at = place.to === 'front' ? 0 : others.findIndex(({ runId }) => runId === place.before)
  if (at === -1 && place.to === 'before') return `run "${place.before}" does not wait for admission`
  return { ...state, ...numbered([...others.slice(0, at), besides(waiting, others[at]), ...others.slice(at)]) }
}

/** Of the rank of its new neighbour, so that it stays before that one. */
const besides = ({ begun: _, ...waiting }: Waiting, next: Waiting | undefined): Waiting =>
  next === undefined
    ? waiting
    : { ...waiting, priority: next.priority, ...(next.begun === true && { begun: true as const }) }

const numbered = (waiting: readonly Waiting[]): Pick<AdmissionState, 'waiting' | 'nextOrder'> => ({
  waiting: waiting.map((each, index) => ({ ...each, order: index + 1 })),
  nextOrder: waiting.length + 1,
})
