import { defineSearchAttributeKey } from '@temporalio/common'
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import type { RunView } from '../core/run/view.ts'

const PRIORITY = { critical: 1, high: 2, normal: 3, low: 5 } as const

const keys = {
  name: defineSearchAttributeKey('SopName', 'KEYWORD'),
  state: defineSearchAttributeKey('SopState', 'KEYWORD'),
  trigger: defineSearchAttributeKey('SopTrigger', 'KEYWORD'),
  digest: defineSearchAttributeKey('SopDigest', 'KEYWORD'),
  priority: defineSearchAttributeKey('SopPriority', 'INT'),
  deadline: defineSearchAttributeKey('SopDeadline', 'DATETIME'),
  waitingOn: defineSearchAttributeKey('SopWaitingOn', 'KEYWORD_LIST'),
}

/** Keeps the search attributes of Temporal's list true: at begin, park, resume and close, since one per step costs a third (engine.md 2). */
export class Visibility {
  private shown = ''

  show(view: RunView): void {
    const waitingOn = [
      ...view.openGates.map(({ gate }) => gate),
      ...view.openInputs.map(({ stepNumber }) => `step ${stepNumber}`),
    ]
    const deadline = view.openGates
      .map(({ deadlineAt }) => deadlineAt)
      .filter((at) => at !== undefined)
      .sort()[0]
    const key = JSON.stringify([view.status, waitingOn, deadline])
    if (key === this.shown) return
    const first = this.shown === '' && workflowInfo().typedSearchAttributes.get(keys.name) === undefined
    this.shown = key
    upsertSearchAttributes([
      ...(first
        ? [
            { key: keys.name, value: view.sopName },
            { key: keys.trigger, value: view.trigger.type },
            { key: keys.digest, value: view.digest },
            { key: keys.priority, value: PRIORITY[view.priority] },
          ]
        : []),
      { key: keys.state, value: view.status },
      { key: keys.waitingOn, value: waitingOn.length > 0 ? waitingOn.slice(0, 20) : null },
      { key: keys.deadline, value: deadline === undefined ? null : new Date(deadline) },
    ])
  }
}
