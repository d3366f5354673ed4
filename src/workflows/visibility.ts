import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import type { RunView } from '../core/run/view.ts'
import { ATTRIBUTE_KEYS as keys } from './messages.ts'

const PRIORITY = { critical: 1, high: 2, normal: 3, low: 5 } as const

/** Keeps the search attributes of Temporal's list true: at begin, park, resume and close, since one per step costs a third (engine.md 2). */
export class Visibility {
  private shown = ''

  show(view: RunView): void {
    const waitingOn = [
      ...view.openGates.map(({ gate }) => gate),
      ...view.openInputs.map(({ stepNumber }) => `step ${stepNumber}`),
      ...(view.poolWaits ?? []).map(({ pool }) => `pool ${pool}`),
    ]
    const deadline = view.openGates
      .map(({ deadlineAt }) => deadlineAt)
      .filter((at) => at !== undefined)
      .sort()[0]
    const key = JSON.stringify([view.status, waitingOn, deadline])
    if (key === this.shown) return
    if (this.shown === '' && this.isShownByStart(key)) return
    const first = this.shown === '' && workflowInfo().typedSearchAttributes.get(keys.SopName) === undefined
    this.shown = key
    upsertSearchAttributes([
      ...(first
        ? [
            { key: keys.SopName, value: view.sopName },
            { key: keys.SopTrigger, value: view.trigger.type },
            { key: keys.SopDigest, value: view.digest },
            { key: keys.SopPriority, value: PRIORITY[view.priority] },
          ]
        : []),
      { key: keys.SopState, value: view.status },
      { key: keys.SopWaitingOn, value: waitingOn.length > 0 ? waitingOn.slice(0, 20) : null },
      { key: keys.SopDeadline, value: deadline === undefined ? null : new Date(deadline) },
    ])
  }

  /** Our client starts a run with its attributes already there; one that begins to run at once has nothing to add. */
  private isShownByStart(key: string): boolean {
    const state = workflowInfo().typedSearchAttributes.get(keys.SopState)
    if (state === undefined || key !== JSON.stringify([state, [], undefined])) return false
    this.shown = key
    return true
  }
}
