import type { RunSummary } from '../../../core/run/view.ts'

// waits.ts: what a run is at, in a few words.

/** Whether a person has to do something before it goes on. */
export const waitsForPerson = ({ status, openGates, openInputs = [] }: RunSummary): boolean =>
  status === 'paused' || status === 'waiting_approval' || openGates.length + openInputs.length > 0

/** What it waits for, or why it stands or ended as it did. */
export const standing = ({ openGates, openInputs = [], poolWaits = [], reason, status }: RunSummary): string => {
  if (status === 'paused') return reason ?? 'paused'
  if (openGates.length === 1 && openGates[0] === 'start') return 'approval to begin'
  if (openGates.length > 0) return `approval: ${openGates.map(gateName).join(', ')}`
  if (openInputs.length > 0)
    return `${openInputs.length === 1 ? 'step' : 'steps'} ${openInputs.join(', ')} to be done by hand`
  if (poolWaits.length > 0) return `waits for a worker of ${poolWaits.join(', ')}`
  return reason ?? ''
}

/** A gate of a step is named `<number>-<slug>`, others by the procedure. */
const gateName = (id: string): string => id.replace(/^\d+-/, '').replaceAll('_', ' ')
