import type { AdmissionState } from '../core/admission.ts'
import type { Inbox } from '../core/run/inbox.ts'
import type { Run } from '../core/run/run.ts'
import type { RunEvent } from '../core/run/event.ts'

/** The state of an execution, for whoever looks on while its history is replayed. Undefined before there is any. */
export type Observed =
  | { readonly of: 'run'; readonly run: Run; readonly tail: readonly RunEvent[]; readonly inbox: Inbox }
  | { readonly of: 'admission'; readonly state: AdmissionState }

// A module of the bundle is evaluated anew for every execution, so this is the one execution's own.
let look: () => Observed | undefined = () => undefined

/** Says how the state of this execution is read. Costs nothing until somebody does. */
export const observe = (read: () => Observed | undefined): void => {
  look = read
}

export const observed = (): Observed | undefined => look()
