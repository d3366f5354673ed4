import { describe, expect, test } from 'vitest'
import type { SopClient } from '../../src/client/client.ts'
import { assertMay, assertMayStart, isMeantBy, may, VERBS, type Actor, type Verb } from '../../src/core/access.ts'
import { SopError } from '../../src/core/errors.ts'
import { ROLES, type PrincipalKind, type Role } from '../../src/core/run/principal.ts'

const as = (role: Role | undefined, kind: PrincipalKind = 'user', groups: string[] = []): Actor => ({
  principal: { id: 'kim', kind, groups, ...(role === undefined ? {} : { role }) },
  via: 'http',
})

/** The least role of every verb, written out once more: a change of rights has to be made twice. */
const TABLE: Readonly<Record<Verb, Role>> = {
  listSops: 'viewer',
  getSop: 'viewer',
  planRun: 'viewer',
  listRuns: 'viewer',
  getRunStatus: 'viewer',
  getAuditLog: 'viewer',
  readLog: 'viewer',
  getMetrics: 'viewer',
  health: 'viewer',
  listTriggers: 'viewer',
  testTrigger: 'viewer',
  listDeliveries: 'viewer',
  sendEvent: 'operator',
  sendMessage: 'operator',
  redeliver: 'operator',
  getQueue: 'viewer',
  verifyRun: 'viewer',
  verifyAudit: 'viewer',
  exportRun: 'viewer',
  moveInQueue: 'operator',
  dropFromQueue: 'operator',
  admitFromQueue: 'admin',
  approveStep: 'approver',
  rejectStep: 'approver',
  skipApproval: 'approver',
  createRun: 'operator',
  completeStep: 'operator',
  skipStep: 'operator',
  cancelRun: 'operator',
  pauseRun: 'operator',
  resumeRun: 'operator',
  retryRun: 'operator',
  forceRun: 'admin',
  loosenMode: 'admin',
  nameTrigger: 'admin',
  createSop: 'admin',
  listSchedules: 'viewer',
  listUpcoming: 'viewer',
  pauseSchedule: 'admin',
  resumeSchedule: 'admin',
  triggerSchedule: 'admin',
  backfillSchedule: 'admin',
  manageTokens: 'admin',
  serveSteps: 'admin',
}

/** Every method of the contract is a verb: this does not compile otherwise. */
const METHODS_ARE_VERBS: Record<keyof SopClient, true> extends Partial<Record<Verb, true>> ? true : never = true

describe('may()', () => {
  const rows = (Object.keys(TABLE) as Verb[]).flatMap((verb) => ROLES.map((role) => [verb, role] as const))

  test.each(rows)('%s as %s', (verb, role) => {
    expect(METHODS_ARE_VERBS).toBe(true)
    expect(may(as(role), verb).ok).toBe(ROLES.indexOf(role) >= ROLES.indexOf(TABLE[verb]))
  })

  test('lets a worker carry out steps and nothing else', () => {
    const worker: Actor = { principal: { id: 'w', kind: 'service', role: 'worker' }, via: 'http' }
    expect((Object.keys(TABLE) as Verb[]).filter((verb) => may(worker, verb).ok)).toEqual(['serveSteps'])
  })

  test('covers every verb', () => expect(Object.keys(VERBS).sort()).toEqual(Object.keys(TABLE).sort()))

  test.each(Object.keys(TABLE) as Verb[])('refuses %s to a principal without a role', (verb) => {
    expect(may(as(undefined), verb).ok).toBe(false)
  })

  test('lets an agent start, read, decide where the gate lets it, and complete', () => {
    const agent = as('operator', 'agent')
    for (const verb of ['createRun', 'getRunStatus', 'completeStep', 'approveStep', 'readLog'] as const) {
      expect(may(agent, verb)).toEqual({ ok: true })
    }
  })

  test.each(['createSop', 'skipApproval', 'manageTokens'] as const)(
    'never lets an agent %s, whatever its role',
    (verb) => {
      expect(may(as('admin', 'agent'), verb)).toMatchObject({
        ok: false,
        reason: expect.stringContaining('agents may not'),
      })
    },
  )

  test('lets an admin agent create SOPs where the config says so', () => {
    expect(may(as('admin', 'agent'), 'createSop', { agentsMayCreate: true })).toEqual({ ok: true })
    expect(may(as('operator', 'agent'), 'createSop', { agentsMayCreate: true }).ok).toBe(false)
  })

  test('lets the assignee of a manual step complete it, by id or by group', () => {
    expect(may(as('viewer'), 'completeStep', { assignee: 'kim' })).toEqual({ ok: true })
    expect(may(as('viewer', 'user', ['dba']), 'completeStep', { assignee: 'group:dba' })).toEqual({ ok: true })
    expect(may(as('viewer'), 'completeStep', { assignee: 'group:dba' }).ok).toBe(false)
    expect(may(as('viewer'), 'completeStep', { assignee: 'olga' }).ok).toBe(false)
    expect(may(as(undefined), 'completeStep', { assignee: 'kim' }).ok).toBe(false)
  })

  test('being an assignee opens nothing else', () => {
    expect(may(as('viewer'), 'skipStep', { assignee: 'kim' }).ok).toBe(false)
  })
})

describe('assertMay()', () => {
  test('throws forbidden with the role that is missing and the one that is there', () => {
    const refuse = () => assertMay(as('viewer'), 'createRun')
    expect(refuse).toThrow(SopError)
    expect(refuse).toThrow(
      'Cannot start a run as "kim": it needs the role operator, and "kim" has the role viewer. Ask an admin for a token with that role',
    )
    try {
      refuse()
    } catch (error) {
      expect(error).toMatchObject({
        code: 'forbidden',
        details: { verb: 'createRun', role: 'operator', principal: 'kim' },
      })
    }
  })

  test('says nothing when it is allowed', () => expect(assertMay(as('admin'), 'createSop')).toBeUndefined())
})

describe('isMeantBy()', () => {
  test('does not take a group for a person of the same name', () => {
    const { principal } = as('viewer', 'user', ['dba'])
    expect(isMeantBy('dba', principal)).toBe(false)
    expect(isMeantBy('group:kim', principal)).toBe(false)
  })
})

describe('assertMayStart()', () => {
  test.each([
    [{}, 'operator'],
    [{ force: false, skipApproval: false, trigger: { type: 'manual' } }, 'operator'],
    [{ force: true }, 'admin'],
    [{ skipApproval: true }, 'operator'],
    [{ trigger: { type: 'cron' } }, 'admin'],
  ] as const)('takes %j from %s on', (asked, least) => {
    for (const role of ROLES.filter((each) => ROLES.indexOf(each) >= ROLES.indexOf('operator'))) {
      const may = ROLES.indexOf(role) >= ROLES.indexOf(least)
      if (may) expect(() => assertMayStart(as(role), asked)).not.toThrow()
      else expect(() => assertMayStart(as(role), asked)).toThrow(SopError)
    }
  })

  test('lets no agent skip approvals', () => {
    expect(() => assertMayStart(as('admin', 'agent'), { skipApproval: true })).toThrow(/may not skip approvals/)
  })
})
