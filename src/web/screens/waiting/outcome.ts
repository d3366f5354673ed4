import type { AuditLog } from '../../../client/client.ts'
import type { EventType, RecordedEvent } from '../../../core/run/event.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { request } from '../../api/request.ts'

/** Events that can end a wait. */
const ENDS: readonly EventType[] = [
  'approval_granted',
  'approval_rejected',
  'approval_timeout',
  'step_completed',
  'verification_started',
  'step_failed',
  'step_skipped',
  'run_resumed',
  'run_retried',
  'run_paused',
  'run_cancelled',
  'run_failed',
  'run_completed',
  'cancel_requested',
  'run_timeout',
]

/** How something that waited came to its end, as a sentence of the record; `undefined` where that does not tell. */
export async function outcomeOf(item: WaitingItem): Promise<string | undefined> {
  const { events, sentences } = await request<AuditLog>(`/api/v1/runs/${encodeURIComponent(item.runId)}/audit`)
  const ended = events.findIndex(
    (event) => event.timestamp >= item.since && ENDS.includes(event.eventType) && isAbout(item, event),
  )
  return ended < 0 ? undefined : sentences[ended]
}

const isAbout = (item: WaitingItem, event: RecordedEvent): boolean => {
  // Somebody did what was asked for; its check comes first.
  if (event.eventType === 'verification_started')
    return item.kind !== 'gate' && event.stepNumber === item.stepNumber && !('gate' in event.details)
  if (!event.eventType.startsWith('approval_')) return item.kind !== 'gate' || event.eventType.startsWith('run_')
  const { gate } = event.details as { readonly gate?: string }
  return item.gate !== undefined && gate === item.gate.gate
}
