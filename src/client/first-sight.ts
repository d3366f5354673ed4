import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Json } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { newRun } from '../core/run/evolve.ts'
import { isWorthSeeing, refusalOf } from '../core/run/first-sight.ts'
import { RULES_VERSION } from '../core/run/run.ts'
import { type RunView, viewOf } from '../core/run/view.ts'
import { HIDDEN } from '../core/secret-param.ts'
import { statusQuery } from '../workflows/messages.ts'
import { unavailable } from './find-run.ts'
import type { PinnedStart } from './start-run.ts'

// first-sight.ts: what whoever starts a run is answered.

/** How long a start waits for the first gate or step (rulings 23), and to find it on record, in milliseconds. */
export const FIRST_SIGHT_MS = 5_000

/**
 * Waits until there is something to see: a gate, a step, or an end. Undefined where no worker has looked at the run in
 * time. `until`: when the waiting is over, in milliseconds since 1970.
 *
 * @throws SopError `conflict` for a refusal at the door
 */
export const firstSight = async (temporal: Client, runId: string, until: number): Promise<RunView | undefined> => {
  let seen: RunView | undefined
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 250)) {
    seen = (await look(temporal, runId, Math.max(until, Date.now() + 250))) ?? seen
    if (seen !== undefined && isWorthSeeing(seen)) return refusedOr(seen)
    if (Date.now() >= until) return seen
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

const look = async (temporal: Client, runId: string, deadline: number): Promise<RunView | undefined> => {
  try {
    const view = await temporal.connection.withDeadline(deadline, () =>
      temporal.workflow.getHandle(runId).query(statusQuery),
    )
    return 'sopName' in view ? view : undefined
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw unavailable(error)
    return undefined
  }
}

const refusedOr = (view: RunView): RunView => {
  const reason = refusalOf(view)
  if (reason === undefined) return view
  throw new SopError('conflict', `Cannot start SOP "${view.sopName}": ${reason}`, {
    runId: view.runId,
    reason,
  })
}

/** A start that is durable, and that no worker has seen: the run is pending. */
export const unseen = ({ runId, pinned, params, secretNames, input }: PinnedStart): RunView => {
  const shown = Object.entries(params).map(
    ([name, value]) => [name, secretNames.includes(name) ? HIDDEN : value] as const,
  )
  const run = newRun({
    runId,
    rulesVersion: RULES_VERSION,
    pinned,
    params: Object.fromEntries<Json>(shown),
    trigger: input.trigger ?? { type: 'manual' },
    startedBy: input.startedBy ?? { id: 'engine', kind: 'service' },
    via: input.via ?? 'engine',
    ...(input.executionMode !== undefined && { mode: input.executionMode }),
  })
  return { ...viewOf(run), createdAt: new Date().toISOString() }
}
