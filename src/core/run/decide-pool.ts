import { stepOf } from './steps.ts'
import { formatDuration } from '../duration.ts'
import type { EventDraft } from './event.ts'
import type { RunInput } from './input.ts'
import { ENGINE } from './principal.ts'
import type { Run } from './run.ts'
import { runningWorks } from './works.ts'

// decide-pool.ts: what is told of a step whose pool has no worker. It changes nothing of what the run does: the step waits in
// its queue, and its end comes as every end of a command.

/** The event that news of a waiting step lead to; none where they are old or say nothing new. */
export const poolNews = (
  run: Run,
  { workId, pool, since, until, isWaiting }: Extract<RunInput, { kind: 'pool_news' }>,
  at: string,
): readonly EventDraft[] => {
  const work = runningWorks(run).find((each) => each.id === workId)
  const known = run.poolWaits?.[workId]
  if (work === undefined || !('step' in work) || isWaiting === (known !== undefined)) return []
  const title = stepOf(run, work.step)?.title ?? ''
  const about = { stepNumber: work.step, principal: ENGINE, via: 'engine' } as const
  const details = { title, attempt: work.attempt, pool, workId }
  if (known === undefined) {
    const limit = until === undefined ? {} : { until }
    return [{ eventType: 'step_waiting', ...about, details: { ...details, since, ...limit } }]
  }
  const waitedMs = Math.max(0, Date.parse(at) - Date.parse(known.since))
  const duration = { duration: formatDuration(waitedMs), duration_ms: waitedMs }
  return [{ eventType: 'step_taken', ...about, details: { ...details, ...duration } }]
}
