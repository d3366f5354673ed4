// access.ts: who may ask for what, before any run is looked at. The rules of a gate (approvers, agents) are the run's own.

import { SopError } from './errors.ts'
import { ROLES, type Principal, type Role, type Surface, type TokenRole } from './run/principal.ts'

/** Who asks, and the surface by which the question came. */
export interface Actor {
  readonly principal: Principal
  readonly via: Surface
}

/** The least role for each verb (rulings 29), with the words in which a refusal names it. Roles add up. */
export const VERBS = {
  listSops: ['viewer', 'list SOPs'],
  getSop: ['viewer', 'read an SOP'],
  planRun: ['viewer', 'plan a run'],
  listRuns: ['viewer', 'list runs'],
  getRunStatus: ['viewer', 'read a run'],
  getAuditLog: ['viewer', 'read an audit log'],
  readLog: ['viewer', 'read a log'],
  verifyRun: ['viewer', 'check a record'],
  verifyAudit: ['viewer', 'check all records'],
  exportRun: ['viewer', 'export a run'],
  getMetrics: ['viewer', 'read the metrics'],
  health: ['viewer', 'read the health of the engine'],
  listTriggers: ['viewer', 'list triggers'],
  testTrigger: ['viewer', 'test triggers'],
  listDeliveries: ['viewer', 'read deliveries of triggers'],
  approveStep: ['approver', 'approve a step'],
  rejectStep: ['approver', 'reject a step'],
  createRun: ['operator', 'start a run'],
  completeStep: ['operator', 'complete a step'],
  skipStep: ['operator', 'skip a step'],
  cancelRun: ['operator', 'cancel a run'],
  pauseRun: ['operator', 'pause a run'],
  resumeRun: ['operator', 'resume a run'],
  retryRun: ['operator', 'retry a run'],
  sendEvent: ['operator', 'send an event'],
  sendMessage: ['operator', 'send a message'],
  getQueue: ['viewer', 'read the queue'],
  moveInQueue: ['operator', 'move a run in the queue'],
  dropFromQueue: ['operator', 'drop a run from the queue'],
  admitFromQueue: ['admin', 'admit a run out of its turn'],
  redeliver: ['operator', 'deliver again what came for a trigger'],
  skipApproval: ['approver', 'start a run that skips its approvals'],
  forceRun: ['admin', 'force a run'],
  loosenMode: ['admin', 'start a run in a looser mode than its SOP asks for'],
  nameTrigger: ['admin', 'start a run in the name of a trigger'],
  createSop: ['admin', 'create an SOP'],
  listSchedules: ['viewer', 'read the schedules'],
  listUpcoming: ['viewer', 'read what is scheduled'],
  pauseSchedule: ['admin', 'pause a schedule'],
  resumeSchedule: ['admin', 'resume a schedule'],
  triggerSchedule: ['admin', 'fire a schedule'],
  backfillSchedule: ['admin', 'backfill a schedule'],
  manageTokens: ['admin', 'manage tokens'],
  /** Besides admins only the token of a worker may, and that may nothing else. */
  serveSteps: ['admin', 'carry out steps of a pool'],
} as const satisfies Record<string, readonly [Role, string]>
export type Verb = keyof typeof VERBS

/** Facts about the thing that is asked for, where the answer depends on it. */
export interface AccessFacts {
  /** Config `agentsMayCreate`. */
  readonly agentsMayCreate?: boolean
  /** Assignee of the manual step that `completeStep` is about. */
  readonly assignee?: string | undefined
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Whether `name` (a user id or `group:<name>`) means this principal. */
export const isMeantBy = (name: string, principal: Principal): boolean =>
  name.startsWith('group:') ? (principal.groups ?? []).includes(name.slice('group:'.length)) : name === principal.id

/** Whether `role` may do all that `needed` may. A principal without a role may do nothing. */
const hasRole = (role: TokenRole | undefined, needed: Role): boolean =>
  role !== undefined && role !== 'worker' && ROLES.indexOf(role) >= ROLES.indexOf(needed)

/** Says whether the actor's role and kind allow the verb; `reason` is a sentence that names what is missing. */
export function may(actor: Actor, verb: Verb, facts: AccessFacts = {}): Verdict {
  const { principal } = actor
  const [needed, doing] = VERBS[verb]
  const cannot = `Cannot ${doing} as "${principal.id}"`
  if (principal.kind === 'agent') {
    const barred = whyNoAgent(verb, facts)
    if (barred !== undefined) return { ok: false, reason: `${cannot}: ${barred}` }
  }
  if (hasRole(principal.role, needed) || (principal.role === 'worker' && verb === 'serveSteps')) return { ok: true }
  if (verb === 'completeStep' && facts.assignee !== undefined && hasRole(principal.role, 'viewer')) {
    if (isMeantBy(facts.assignee, principal)) return { ok: true }
  }
  const has = principal.role === undefined ? 'has no role' : `has the role ${principal.role}`
  const besides = verb === 'completeStep' ? ', or to be the assignee of the step' : ''
  return {
    ok: false,
    reason: `${cannot}: it needs the role ${needed}${besides}, and "${principal.id}" ${has}. Ask an admin for a token with that role`,
  }
}

/** @throws SopError `forbidden` with the sentence of `may`. */
export function assertMay(actor: Actor, verb: Verb, facts: AccessFacts = {}): void {
  const verdict = may(actor, verb, facts)
  if (!verdict.ok) {
    throw new SopError('forbidden', verdict.reason, { verb, role: VERBS[verb][0], principal: actor.principal.id })
  }
}

/** What the options of a start need besides the right to start (rulings 22, 29). @throws SopError `forbidden` */
export function assertMayStart(
  actor: Actor,
  asked: { readonly force?: boolean; readonly skipApproval?: boolean; readonly trigger?: { readonly type: string } },
): void {
  if (asked.force === true) assertMay(actor, 'forceRun')
  if (asked.skipApproval === true) assertMay(actor, 'skipApproval')
  if (asked.trigger !== undefined && asked.trigger.type !== 'manual') assertMay(actor, 'nameTrigger')
}

/** What no role gives an agent: code execution by its own files, approvals passed over, and tokens of other kinds. */
function whyNoAgent(verb: Verb, facts: AccessFacts): string | undefined {
  if (verb === 'createSop' && facts.agentsMayCreate !== true) {
    return 'agents may not write SOP files, since an SOP runs commands. The config setting "agentsMayCreate" allows it'
  }
  if (verb === 'skipApproval') return 'agents may not skip approvals. Start without skipApproval; a person approves'
  if (verb === 'manageTokens') return 'agents may not manage tokens. Ask an admin'
  return undefined
}
