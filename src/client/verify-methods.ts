import { type Actor, assertMay } from '../core/access.ts'
import { exportRun } from './export-run.ts'
import { type FindDeps, findRun } from './find-run.ts'
import type { CheckedRecords } from './records.ts'
import { createRunHistories } from './run-history.ts'
import type { InstallationKey } from './signing.ts'
import { type VerifyDeps, verifyAudit, verifyRun } from './verify.ts'
import type { VerifyClient } from './verify-client.ts'

export interface VerifyMethodsDeps extends FindDeps {
  readonly records: CheckedRecords
  readonly taskQueue: string
  readonly key: Pick<InstallationKey, 'authority' | 'seal'>
  readonly version: string
}

/** Checks of records and exports, for one actor. */
export const createVerifyMethods = (deps: VerifyMethodsDeps, actor: Actor): VerifyClient => {
  const checks: VerifyDeps = {
    records: deps.records,
    histories: createRunHistories(deps.temporal, deps.taskQueue),
    authority: deps.key.authority,
  }
  return {
    verifyRun: async (ref, options) => {
      assertMay(actor, 'verifyRun')
      return verifyRun(checks, await refOf(deps, ref), options)
    },
    verifyAudit: async function* (options) {
      assertMay(actor, 'verifyAudit')
      yield* verifyAudit(checks, options)
    },
    exportRun: async function* (ref, { signal } = {}) {
      assertMay(actor, 'exportRun')
      for await (const line of exportRun(deps, await refOf(deps, ref))) {
        if (signal?.aborted === true) return
        yield line
      }
    },
  }
}

/** Who is known to no list any more may still be known to a head: then it is taken at its word. */
const refOf = async (deps: VerifyMethodsDeps, ref: string): Promise<string> => {
  try {
    return await findRun(deps, ref, true)
  } catch (error) {
    if ((await deps.records.heads.known([ref])).has(ref)) return ref
    throw error
  }
}
