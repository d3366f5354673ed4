import type { RecordedEvent } from './event.ts'
import { type PinnedSop, RULES_VERSION, type RunSeed } from './run.ts'

/** What a run was made of, as its record and its definition tell. */
export const recordedSeed = (
  runId: string,
  { details, principal, via }: Extract<RecordedEvent, { eventType: 'run_created' }>,
  pinned: PinnedSop,
): RunSeed => ({
  runId,
  rulesVersion: RULES_VERSION,
  pinned,
  params: details.params,
  trigger: details.trigger,
  startedBy: principal,
  via,
  mode: details.effectiveMode as NonNullable<RunSeed['mode']>,
  ...(details.parent && { parent: details.parent }),
})
