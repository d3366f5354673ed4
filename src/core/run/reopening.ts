import { canonicalJson, sha256Hex } from '../canonical.ts'
import { verifySeal } from '../seal.ts'
import type { Decision } from './decision.ts'
import { receive } from './receive.ts'
import type { Run } from './run.ts'

// reopening.ts: the input of an execution that carries on a closed run. It is made of the record by our API, and sealed:
// nobody else can make a workflow believe that steps are done and gates are passed.

export interface Reopening {
  /** The run as its record tells of it, with the rules and the policy of today. */
  readonly run: Run
  /** The sealed argument of the retry. */
  readonly decision: Omit<Decision, 'kind'>
  /** Signature of the installation over `sealedReopening`. */
  readonly seal: string
}

/** What the seal covers. */
export const sealedReopening = (run: Run, decision: Reopening['decision']): string =>
  canonicalJson({ reopen: run.seed.runId, run: sha256Hex(canonicalJson(run)), decision: decision.seal ?? '' })

/** Checks the input. @throws {Error} with the reason where it is not this installation's, or of another run. */
export const readReopening = (runId: string, { run, decision, seal }: Reopening): { run: Run; decision: Decision } => {
  if (run.seed.runId !== runId) throw new Error('its record is of another run')
  const { authority } = run.seed.pinned
  if (!verifySeal(authority, sealedReopening(run, decision), seal))
    throw new Error('its seal is not of this installation')
  const received = receive('retry', decision, 'update', { runId, authority, rulesVersion: run.seed.rulesVersion })
  if (!received.ok) throw new Error(received.reason)
  if (received.decision.seal === undefined) throw new Error('its retry is not sealed')
  return { run, decision: received.decision }
}
