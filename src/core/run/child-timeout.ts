import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { Timer } from './effect.ts'
import type { EventDraft } from './event.ts'
import { type Execution, executionName, findExecution, ofItem } from './items.ts'
import { TIMER } from './principal.ts'
import type { Run } from './run.ts'
import { plus } from './stage.ts'
import { wantedWorks } from './works.ts'

// child-timeout.ts: the time limit of a step that runs an SOP. When it is over that run is told to end, and the step ends
// with it: nothing that belongs to the step goes on behind its back.

/** The timers of one execution of such a step; none where it has no limit, or where its time is over. */
export const childTimers = (step: Step, state: Execution, item?: number): readonly Timer[] => {
  if (step.action.kind !== 'sop' || typeof step.timeoutMs !== 'number') return []
  if (state.state !== 'running' || state.timedOut !== undefined || state.verification !== undefined) return []
  const id = `timeout:${executionName(step.number, item)}#${state.attempt}`
  return [{ id, at: plus(state.startedAt ?? '', step.timeoutMs), summary: `Step ${step.number}: time is up` }]
}

/** Those of all SOPs that are under way. */
export const allChildTimers = (run: Run): readonly Timer[] =>
  wantedWorks(run).flatMap((work) => {
    if (work.kind !== 'child') return []
    const { step, state } = findExecution(run, work.step, work.item)
    return step === undefined || state === undefined ? [] : childTimers(step, state, work.item)
  })

/** The time of a step that runs an SOP, or of one of its items, is over. */
export const childTimedOut = (
  run: Run,
  { step: number, item }: { readonly step: number; readonly item?: number },
  attempt: number,
): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step?.action.kind !== 'sop' || state?.state !== 'running' || state.attempt !== attempt) return []
  if (state.timedOut !== undefined || state.verification !== undefined) return []
  const reason = `it took longer than ${formatDuration(step.timeoutMs ?? 0)}`
  return [
    {
      eventType: 'step_timeout',
      stepNumber: number,
      principal: TIMER,
      via: 'timer',
      details: { title: step.title, attempt, ...ofItem(item), reason },
    },
  ]
}
