import { logNameOf } from './log-name.ts'
import { parsePool } from './pool.ts'
import type { ExecutionRef } from './run/execution-view.ts'
import type { Principal } from './run/principal.ts'
import { isClosed } from './run/state.ts'
import type { RunView } from './run/view.ts'

// pool-access.ts: what the worker of a pool may see and bring of a run, which is what its own steps need and no more.

/** A worker's groups are the pools that it may serve; a token without any serves all. The engine's own steps are in none. */
export const mayServe = ({ role, groups = [] }: Principal, runsOn: string | undefined): boolean => {
  if (runsOn === undefined) return false
  const pools = role === 'worker' ? groups : []
  const found = parsePool(runsOn)
  return pools.length === 0 || (found.ok && pools.includes(found.pool.name))
}

/** Whether the worker may read the secret params of the run: it is open, and has a step in one of the worker's pools. */
export const mayReadSecrets = (principal: Principal, { status, stepResults }: RunView): boolean =>
  !isClosed(status) && stepResults.some(({ runsOn }) => mayServe(principal, runsOn))

/** Whether the worker may write the log: it is that of a step of one of its pools, which was begun. A view that is old may not know so yet. */
export const mayKeepLog = (principal: Principal, { stale, stepResults }: RunView, log: ExecutionRef): boolean => {
  const { stepNumber } = logNameOf(log)
  const step = stepResults.find(({ number }) => number === stepNumber)
  return mayServe(principal, step?.runsOn) && (stale === true || log.attempt <= (step?.attempt ?? 0))
}
