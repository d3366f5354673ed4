import type { RunSummary } from '../../../core/run/view.ts'

// waits.ts: what a run is at, in a few words.

/** Whether a person has to do something before it goes on. */
export const waitsForPerson = ({ status, openGates }: RunSummary): boolean =>
  status === 'paused' || status === 'waiting_approval' || openGates.length > 0

/** What it waits for, or why it stands or ended as it did. */
export const standing = ({ openGates, poolWaits = [], reason, status }: RunSummary): string => {
  if (status === 'paused') return reason ?? 'paused'
  if (openGates.length === 1 && openGates[0] === 'start') return 'approval to begin'
  if (openGates.length > 0) return `approval at ${openGates.join(', ')}`
  if (poolWaits.length > 0) return `waits for a worker of ${poolWaits.join(', ')}`
  return reason ?? ''
}
