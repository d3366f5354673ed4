import { type ChildFacts, type PlanFacts, type PlannedItem, planFor } from './plan.ts'
import type { GateRun, Run, StepRun } from './run/run.ts'

// next.ts: what happens next in a run: the dry run's simulation from where the run stands, less what is done already.

export interface NextItem extends PlannedItem {
  /** The run is at it now: it runs, waits, or stands there. */
  readonly now?: true
  /** It is undone, since the run walks back; then `runs` and the rest are about the undo. */
  readonly undo?: true
}

export interface NextPart {
  /** The first of them, in the order in which the run comes to them. */
  readonly items: readonly NextItem[]
  /** How many there are altogether. */
  readonly total: number
  /** How the run ends after a walk back. */
  readonly then?: 'failed' | 'cancelled'
}

/** Items that an answer holds. */
const NEXT_SHOWN = 200

/** Steps and gates that are still to come; none for a closed run. */
export const nextOf = (run: Run, facts: PlanFacts, childFacts: ChildFacts = {}): NextPart => {
  if (run.outcome !== undefined || run.ending !== undefined) return { items: [], total: 0 }
  const plan = planFor(run, facts, childFacts)
  if (run.rollback !== undefined) {
    const undone = (run.rollback.steps ?? []).flatMap((number, at) => undoItem(plan, number, at === 0))
    return { ...part(undone), then: run.rollback.then }
  }
  return part(plan.flatMap((item) => (item.kind === 'step' ? stepItem(run, item) : gateItem(run, item))))
}

const part = (items: readonly NextItem[]): NextPart => ({ items: items.slice(0, NEXT_SHOWN), total: items.length })

const undoItem = (plan: readonly PlannedItem[], number: number, isFirst: boolean): readonly NextItem[] =>
  plan
    .filter((item) => item.kind === 'step' && item.stepNumber === number)
    .map(({ condition: _c, note: _n, child: _k, rollback, ...item }) => ({
      ...item,
      runs: rollback === undefined ? 'no' : 'yes',
      undo: true,
      ...(rollback === undefined ? { note: 'it has no undo' } : { commands: rollback }),
      ...(isFirst && { now: true }),
    }))

const DONE: readonly StepRun['state'][] = ['success', 'skipped', 'rolled_back']

const stepItem = (run: Run, item: PlannedItem): readonly NextItem[] => {
  const state = run.steps.find((step) => step.number === item.stepNumber)
  if (state === undefined) return [item]
  if (DONE.includes(state.state) || (state.state === 'failed' && state.then === 'continue')) return []
  if (state.state === 'pending') return [item]
  // Its condition was asked before its gate; nothing is open about it any more.
  const { note: _, ...settled } = item
  return state.state === 'awaiting_approval' ? [{ ...settled, runs: 'yes' }] : [{ ...settled, runs: 'yes', now: true }]
}

const PASSED: readonly GateRun['state'][] = ['passed', 'skipped', 'closed']

const gateItem = (run: Run, item: PlannedItem): readonly NextItem[] => {
  const gate = run.gates[item.id]
  const step = run.steps.find(({ number }) => number === item.stepNumber)
  if (gate === undefined) {
    // A gate before a step that was passed over, or began, is not asked any more.
    const isPast = item.stepNumber > 0 && step !== undefined && step.state === 'skipped'
    return isPast ? [] : [item]
  }
  if (PASSED.includes(gate.state) || gate.then === 'continue') return []
  return gate.state === 'reset' ? [item] : [{ ...item, runs: 'yes', now: true }]
}
