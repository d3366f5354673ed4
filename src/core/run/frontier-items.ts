import { evaluateList, listCondition } from '../condition/list.ts'
import type { Json, Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import { ask } from './ask.ts'
import { childRunId } from './child.ts'
import { childTimers } from './child-timeout.ts'
import type { Timer, Work } from './effect.ts'
import { doneAgain } from './failure.ts'
import {
  executionName,
  gatherOutputs,
  isFinished,
  type ItemRun,
  type ItemsRun,
  itemsIn,
  itemText,
  itemWords,
  MAX_ITEMS,
  MAX_LIST_BYTES,
} from './items.ts'
import { DEFAULT_MAX_ITEMS_AT_ONCE, hasRoom } from './room.ts'
import type { Run, StepRun } from './run.ts'
import { boundary, emit, question, type Stage } from './stage.ts'
import { isToldToEnd, itemWork } from './works.ts'

// frontier-items.ts: what a `for_each` step calls for: its list, its items, its end.

/** Begins the step with the list as it is now. An empty one skips it; one that cannot be told waits for a person. */
export const beginItems = (run: Run, step: Step, state: StepRun): Stage => {
  if (state.items?.isKept === true) return goOn(step, state, state.items)
  const found = listOf(run, step)
  if ('work' in found) return { works: [found.work] }
  if ('error' in found) return stopAt(step, found.error)
  const { items } = found
  if (items.length === 0) {
    return emit({
      eventType: 'step_skipped',
      stepNumber: step.number,
      details: { title: step.title, reason: `for_each${named(step)} is an empty list` },
    })
  }
  if (items.length > MAX_ITEMS) {
    return stopAt(
      step,
      `it has ${items.length} items, and at most ${MAX_ITEMS} are possible: divide it into several steps`,
    )
  }
  const bytes = JSON.stringify(items).length
  if (bytes > MAX_LIST_BYTES) {
    return stopAt(
      step,
      `it has ${bytes} bytes as JSON, and at most ${MAX_LIST_BYTES} are possible: hand on names of files`,
    )
  }
  return emit({
    eventType: 'step_started',
    stepNumber: step.number,
    details: { title: step.title, attempt: state.attempt + 1, kind: step.action.kind, items },
  })
}

/** The step of a run that was opened again goes on with the list that it began with. */
const goOn = (step: Step, state: StepRun, { list, runs }: ItemsRun): Stage =>
  emit({
    eventType: 'step_started',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt: state.attempt + 1,
      kind: step.action.kind,
      items: list,
      kept: runs.filter(isFinished).length,
    },
  })

type Found = { readonly items: readonly Json[] } | { readonly error: string } | { readonly work: Work }

const listOf = (run: Run, step: Step): Found => {
  const { forEach = [] } = step
  if (typeof forEach !== 'string') return { items: forEach }
  const condition = listCondition(forEach)
  if (condition === undefined) return { error: 'it cannot be read' }
  const asked = ask(run, question(run, step.number, 'for_each'), [condition], { step: step.number })
  if (asked.kind === 'wait') return { work: asked.work }
  const list = evaluateList(forEach, asked.scope)
  return list.ok ? { items: list.items } : { error: list.error }
}

const named = ({ forEach }: Step): string => (typeof forEach === 'string' ? ` "${forEach}"` : '')

const stopAt = (step: Step, error: string): Stage =>
  emit({
    eventType: 'run_paused',
    stepNumber: step.number,
    details: {
      kind: 'condition',
      reason: `Cannot run step ${step.number} "${step.title}" for each${named(step)}: ${error}`,
    },
  })

/** The items of a step that was begun. */
export const itemsStage = (run: Run, step: Step, state: StepRun, items: ItemsRun, at: string): Stage => {
  const look = lookAt(items)
  return (
    stopped(step, state, items, look) ?? nextItem(run, step, items, look) ?? waits(run, step, state, items, look, at)
  )
}

/** What one pass over the items finds; positions count from 0, and -1 is none. */
interface Look {
  /** Unknown, or failed and left to a person. */
  readonly stopped: number
  /** An item failed and goes on at another step: no other begins. */
  readonly isLeaving: boolean
  /** Failed, and to be tried again at once. */
  readonly again: number
  /** Begun once, and set back by a person. */
  readonly pending: number
  readonly verified: number
  /** Running, or between two tries. */
  readonly underWay: readonly number[]
}

const looks = new WeakMap<ItemsRun, Look>()

/** Asked several times for each input, and a step may have a thousand items. */
const lookAt = (items: ItemsRun): Look => {
  const known = looks.get(items)
  if (known !== undefined) return known
  let [stopped, again, pending, verified, isLeaving] = [-1, -1, -1, -1, false]
  const underWay: number[] = []
  for (const [index, { state, then, retryAt, verification }] of items.runs.entries()) {
    if (state === 'success') continue
    if (state === 'running') {
      underWay.push(index)
      if (verification === 'passed' && verified < 0) verified = index
    } else if (state === 'pending') {
      if (pending < 0) pending = index
    } else if (state === 'unknown' || (state === 'failed' && (then === 'pause' || then === 'fail'))) {
      if (stopped < 0) stopped = index
    } else if (state === 'failed' && then === 'goto') isLeaving = true
    else if (state === 'failed' && then === 'retry') {
      underWay.push(index)
      if (retryAt === undefined && again < 0) again = index
    }
  }
  const look = { stopped, isLeaving, again, pending, verified, underWay }
  looks.set(items, look)
  return look
}

/** An item that asks for a person stops the run at once: the others that are running go on, and no other begins. */
const stopped = (step: Step, state: StepRun, items: ItemsRun, look: Look): Stage => {
  const item = items.runs[look.stopped]
  if (item === undefined) return undefined
  const what = `${itemWords(state, look.stopped + 1)}step ${step.number} "${step.title}"`
  if (item.state === 'unknown') {
    const others = itemsIn(items, 'unknown').length - 1
    const more = others === 0 ? '' : ` (nor ${others} other items)`
    const reason = `nobody knows whether ${what} ran${more}: ${item.error}`
    return emit({ eventType: 'run_paused', stepNumber: step.number, details: { kind: 'unknown', reason } })
  }
  const reason = `${what} failed: ${item.error}`
  return item.then === 'fail'
    ? emit({ eventType: 'run_failed', stepNumber: step.number, details: { reason } })
    : emit({ eventType: 'run_paused', stepNumber: step.number, details: { kind: 'failed', reason } })
}

const nextItem = (run: Run, step: Step, items: ItemsRun, look: Look): Stage => {
  if (look.isLeaving || run.held !== undefined) return undefined
  if (look.again >= 0) return begin(run, step, items, look.again)
  const next = look.pending >= 0 ? look.pending : items.runs.length
  if (next >= items.list.length) return undefined
  if (run.pauseRequested !== undefined) return boundary(run.pauseRequested)
  const limit = step.maxParallel ?? DEFAULT_MAX_ITEMS_AT_ONCE
  return look.underWay.length < limit && hasRoom(run) ? begin(run, step, items, next) : undefined
}

const begin = (run: Run, step: Step, items: ItemsRun, index: number): Stage => {
  const item = index + 1
  const attempt = (items.runs[index]?.attempt ?? items.base) + 1
  return emit({
    eventType: 'step_started',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt,
      kind: step.action.kind,
      item,
      value: items.list[index] ?? '',
      ...(step.action.kind === 'sop' && { child: childRunId(run.seed.runId, { step: step.number, item, attempt }) }),
    },
  })
}

const waits = (run: Run, step: Step, state: StepRun, items: ItemsRun, look: Look, at: string): Stage => {
  if (look.verified >= 0) return itemDone(step, look.verified + 1, items.runs[look.verified] as ItemRun)
  const running = look.underWay.flatMap((index) => itemWork(run, step.number, items.runs[index] as ItemRun, index + 1))
  const limits = look.underWay.flatMap((index) => childTimers(step, items.runs[index] as ItemRun, index + 1))
  const again = look.isLeaving
    ? []
    : look.underWay.flatMap((index) => retryTimer(step, items.runs[index] as ItemRun, index + 1))
  const timers = [...limits, ...again]
  if (running.length > 0 || timers.length > 0)
    return { works: running.filter((work) => !isToldToEnd(run, work)), timers }
  const isOver = look.isLeaving || (look.again < 0 && look.pending < 0 && items.runs.length >= items.list.length)
  // With no room for its next item it waits for another step of the run.
  return isOver ? endOf(run, step, state, items, at) : { works: [] }
}

const retryTimer = (step: Step, item: ItemRun, number: number): readonly Timer[] =>
  item.state === 'failed' && item.then === 'retry' && item.retryAt !== undefined
    ? [
        {
          id: `retry:${executionName(step.number, number)}#${item.attempt}`,
          at: item.retryAt,
          summary: `Step ${step.number}, item ${number}: try again`,
        },
      ]
    : []

const itemDone = (step: Step, item: number, run: ItemRun): Stage =>
  emit({
    eventType: 'step_completed',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt: run.attempt,
      item,
      duration: formatDuration(run.durationMs ?? 0),
      duration_ms: run.durationMs ?? 0,
      ...(run.exitCode !== undefined && { exitCode: run.exitCode }),
      ...(run.outputs !== undefined && { outputs: run.outputs }),
    },
  })

/** The step as a whole: done, or failed where items failed. */
export const endOf = (run: Run, step: Step, state: StepRun, items: ItemsRun, at: string): Stage => {
  const durationMs = Math.max(0, Date.parse(at) - Date.parse(state.startedAt ?? at))
  const outputs = gatherOutputs(items)
  const details = {
    title: step.title,
    attempt: state.attempt,
    duration: formatDuration(durationMs),
    duration_ms: durationMs,
    ...(Object.keys(outputs).length > 0 && { outputs }),
  }
  const failed = itemsIn(items, 'failed')
  const leaves = run.ending ?? run.rollback
  if (failed.length === 0 && leaves === undefined) {
    return emit({ eventType: 'step_completed', stepNumber: step.number, details })
  }
  const goto = items.runs.find((item) => item.then === 'goto') === undefined ? undefined : step.onFailure
  return emit({
    eventType: 'step_failed',
    stepNumber: step.number,
    details: {
      ...details,
      error: leaves?.reason ?? failedItems(items, failed),
      outcome: run.ending?.state === 'cancelled' || run.rollback?.then === 'cancelled' ? 'cancelled' : 'failed',
      ...(leaves !== undefined
        ? { then: 'fail' as const }
        : goto?.kind === 'goto'
          ? { then: 'goto' as const, goto: goto.step, ...doneAgain(run, step.number, goto.step) }
          : { then: 'continue' as const }),
    },
  })
}

/** Items named in one sentence. */
const NAMED = 10

const failedItems = (items: ItemsRun, failed: readonly number[]): string => {
  const names = failed.slice(0, NAMED).map((item) => `${item} (${itemText(items.list[item - 1] ?? '', 40)})`)
  const rest = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : ''
  return `${failed.length} of ${items.list.length} items failed: ${names.join(', ')}${rest}`
}
