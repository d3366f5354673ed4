import type { ErrorCode } from '../errors.ts'
import type { Principal } from './principal.ts'
import type { GateRun, Run } from './run.ts'

/** Why a principal may not decide about a gate; `undefined` when it may (product.md 6, rulings 29). */
export const mayDecide = (
  run: Run,
  gate: GateRun,
  principal: Principal,
): { readonly code: ErrorCode; readonly reason: string } | undefined => {
  const { approvers = [], exclude = [] } = gate.settings
  const named = approvers.length > 0
  const wanted = approvers.join(', ')
  if (named && principal.verified === false) {
    return {
      code: 'forbidden',
      reason: `gate "${gate.id}" names its approvers (${wanted}), and nothing vouches for who sent this`,
    }
  }
  if (named && !isNamed(principal, approvers)) {
    return { code: 'forbidden', reason: `"${principal.id}" is none of the approvers of gate "${gate.id}": ${wanted}` }
  }
  if (principal.kind === 'agent' && !named && !run.seed.pinned.policy.agentsMayApprove) {
    return { code: 'forbidden', reason: `agent "${principal.id}" may decide only about gates that name it` }
  }
  if (exclude.includes('starter') && isSame(principal, run.seed.startedBy)) {
    return {
      code: 'forbidden',
      reason: `"${principal.id}" started the run, and gate "${gate.id}" excludes the starter`,
    }
  }
  const previous = previousApprover(run, gate)
  if (exclude.includes('previous_approver') && previous !== undefined && previous === principal.id) {
    return {
      code: 'forbidden',
      reason: `"${principal.id}" decided the gate before, and gate "${gate.id}" excludes that`,
    }
  }
  if (exclude.includes(principal.id)) {
    return { code: 'forbidden', reason: `gate "${gate.id}" excludes "${principal.id}"` }
  }
  return undefined
}

const isNamed = ({ id, groups = [] }: Principal, approvers: readonly string[]): boolean =>
  approvers.some((name) => name === id || groups.some((group) => name === `group:${group}`))

/** Nobody can show that an unverified sender is *not* the starter. */
const isSame = (one: Principal, other: Principal): boolean => one.verified === false || one.id === other.id

const previousApprover = (run: Run, gate: GateRun): string | undefined =>
  Object.values(run.gates)
    .filter((other) => other.id !== gate.id && other.state === 'passed' && other.closedAt !== undefined)
    .sort((a, b) => (a.closedAt ?? '').localeCompare(b.closedAt ?? ''))
    .at(-1)?.decidedBy
