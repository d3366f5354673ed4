import type { RunView } from './view.ts'

// first-sight.ts: what whoever starts a run is told of it at once.

/** Whether there is something to see of a run that was just started: a gate, a step, or an end. */
export const isWorthSeeing = ({ status, openInputs, stepResults }: RunView): boolean =>
  (status !== 'pending' && status !== 'running') ||
  openInputs.length > 0 ||
  stepResults.some((step) => step.status !== 'pending')

/** The most that the record of a run holds that was refused at the door: it was created, asked, and ended. */
const EVENTS_OF_A_REFUSAL = 6

/** Why admission refused the start (cooldown, conditions, a limit); undefined where it did not. */
export const refusalOf = ({ status, startedAt, sequence, reason }: RunView): string | undefined =>
  status === 'cancelled' && startedAt === undefined && sequence <= EVENTS_OF_A_REFUSAL ? reason : undefined
