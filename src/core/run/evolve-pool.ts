import type { RunEvent } from './event.ts'
import { runningWorks } from './works.ts'
import type { Run } from './run.ts'

// evolve-pool.ts: which works wait for a worker of their pool.

export const poolWaits = (run: Run, event: RunEvent<'step_waiting'>): Run => {
  const { workId, pool, since, until } = event.details
  const wait = { stepNumber: event.stepNumber ?? 0, pool, since, ...(until !== undefined && { until }) }
  return { ...run, poolWaits: { ...run.poolWaits, [workId]: wait } }
}

export const poolTook = (run: Run, event: RunEvent<'step_taken'>): Run =>
  keepWaits(run, (id) => id !== event.details.workId)

/** A work that ended, however it did, waits no more. */
export const dropEndedWaits = (run: Run): Run => {
  if (run.poolWaits === undefined) return run
  const running = new Set(runningWorks(run).map(({ id }) => id))
  return keepWaits(run, (id) => running.has(id))
}

const keepWaits = ({ poolWaits: waits, ...run }: Run, isKept: (workId: string) => boolean): Run => {
  const kept = Object.entries(waits ?? {}).filter(([id]) => isKept(id))
  return kept.length === 0 ? run : { ...run, poolWaits: Object.fromEntries(kept) }
}
