import { stepOf } from './steps.ts'
import type { Step } from '../definition.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import { type ItemRun, type ItemsRun, itemsIn } from './items.ts'
import { itRanAs } from './it-ran.ts'
import { idOf, noteOf, refuse, type Sender } from './refuse.ts'
import type { Run } from './run.ts'

// decide-item.ts: what people say about one item of a `for_each` step: that it ran, or that it is passed over.

interface Found {
  readonly step: Step
  readonly items: ItemsRun
}

/** The `for_each` step under way that a decision means: the one it names, or the one that the run is paused for. */
export const itemStep = (run: Run, decision: Decision): Found | undefined => {
  const number = decision.step ?? run.paused?.stepNumber
  const state = run.steps.find((each) => each.number === number && each.state === 'running')
  const step = stepOf(run, number)
  return step === undefined || state?.items === undefined ? undefined : { step, items: state.items }
}

/** The item that a decision means: by number, or the only one of which nobody knows whether it ran. */
const numberOf = ({ items }: Found, decision: Decision): number | undefined => {
  if (decision.item !== undefined) return decision.item
  const unknown = itemsIn(items, 'unknown')
  return unknown.length === 1 ? unknown[0] : undefined
}

const unknownList = ({ items, step }: Found): string => {
  const unknown = itemsIn(items, 'unknown')
  return unknown.length === 0
    ? `no item of step ${step.number} waits for a person`
    : `several items of step ${step.number} are unknown: ${unknown.slice(0, 20).join(', ')}; name one`
}

const refuseItem = (found: Found, decision: Decision, sender: Sender, number: number | undefined): Decided => {
  const state = number === undefined ? undefined : found.items.runs[number - 1]?.state
  const reason =
    number === undefined
      ? unknownList(found)
      : number < 1 || number > found.items.list.length
        ? `step ${found.step.number} has no item ${number}; it has ${found.items.list.length}`
        : `item ${number} of step ${found.step.number} does not wait for a person: it is ${state ?? 'pending'}`
  return refuse(decision, sender, { code: number === undefined ? 'conflict' : 'invalid', reason })
}

/** "It ran", or with `failed` "it ran and failed", of an item of which nobody knew. */
export const itemRan = (run: Run, found: Found, decision: Decision, sender: Sender, at: string): Decided => {
  const number = numberOf(found, decision)
  const item = number === undefined ? undefined : found.items.runs[number - 1]
  if (number === undefined || item?.state !== 'unknown') return refuseItem(found, decision, sender, number)
  const durationMs = Math.max(0, Date.parse(at) - Date.parse(item.startedAt ?? at))
  return itRanAs(run, { step: found.step, state: item, item: number, durationMs }, decision, sender, at)
}

/** An item is passed over that failed, is unknown, or has not begun. */
export const skipItem = (found: Found, decision: Decision, sender: Sender): Decided => {
  const { step, items } = found
  const number = decision.item ?? 0
  const item = items.runs[number - 1]
  if (item === undefined || !isSkippable(item)) return refuseItem(found, decision, sender, number)
  return {
    drafts: [
      {
        eventType: 'step_skipped',
        stepNumber: step.number,
        ...sender,
        details: {
          title: step.title,
          item: number,
          reason: noteOf(decision) ?? `skipped by ${sender.principal.id}`,
          ...idOf(decision),
        },
      },
    ],
    reply: { accepted: true, stepNumber: step.number, action: 'skipped' },
  }
}

const isSkippable = ({ state, then }: ItemRun): boolean =>
  state === 'unknown' || state === 'pending' || (state === 'failed' && (then === 'pause' || then === 'retry'))
