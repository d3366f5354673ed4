import type { ChildWork } from './child.ts'
import type { ChildResult } from './input.ts'
import { executionName, findExecution } from './items.ts'
import type { Run } from './run.ts'

// child-end.ts: how the end of a run and that of an SOP which runs as its step are told to each other.

/** What a child is told that has to end. */
export interface ChildCancel {
  readonly reason: string
  /** It walks back first, as its parent does. */
  readonly rollback?: true
}

/** Why a child has to end, as it is told: its step took too long, or its parent ends or goes another way. */
export const childCancel = (run: Run, { step, item }: Pick<ChildWork, 'step' | 'item'>): ChildCancel => {
  const { seed, ending, rollback } = run
  const late = findExecution(run, step, item).state?.timedOut
  if (late !== undefined && ending === undefined)
    return { reason: `step ${executionName(step, item)} of its parent run "${seed.runId}" is ended: ${late}` }
  const why = ending?.reason ?? rollback?.reason ?? 'it goes another way'
  const reason = `its parent run "${seed.runId}" is ending: ${why}`
  return rollback === undefined ? { reason } : { reason, rollback: true }
}

/** How a run that is over ended, as the run hears whose step it is; undefined while it is open. */
export const childResultOf = ({ outcome, outputs }: Pick<Run, 'outcome' | 'outputs'>): ChildResult | undefined => {
  if (outcome === undefined) return undefined
  if (outcome.state === 'completed') return { outcome: 'ok', outputs }
  return { outcome: outcome.state, ...(outcome.reason !== undefined && { reason: outcome.reason }) }
}
