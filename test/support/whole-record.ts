import type { RecordedEvent } from '../../src/core/run/event.ts'
import { type TestEngine, until } from './engine.ts'

const ENDS: readonly string[] = ['run_completed', 'run_failed', 'run_cancelled']
/** After them a run that was over is open again. */
const OPENS: readonly string[] = ['run_retried', 'run_forked']

const hasEnd = (events: readonly RecordedEvent[]): boolean =>
  events.findLastIndex(({ eventType }) => ENDS.includes(eventType)) >
  events.findLastIndex(({ eventType }) => OPENS.includes(eventType))

/**
 * The record of a run that is over, with its end. Whoever is told that a run is over finds that on record, unless the
 * machine stands still for longer than the product waits for it.
 */
export const wholeRecord = ({ client }: Pick<TestEngine, 'client'>, runId: string): Promise<readonly RecordedEvent[]> =>
  until(async () => (await client.getAuditLog(runId)).events, hasEnd, 60_000)
