import { describe, expect, test } from 'vitest'
import { ROLES, type Role } from '../../src/core/run/principal.ts'
import { testApi } from '../support/test-api.ts'

interface Row {
  readonly call: readonly [method: string, path: string]
  readonly body?: unknown
  readonly ok: number
  readonly least: Role
}

const RUN = '/api/v1/runs/sop_run_abc123'
const SOP = '/api/v1/sops/deploy-production'
const LOG = '/api/v1/worker/logs/sop_run_abc123/step:2/1'
const SEED = '/api/sop/deploy-production'

const ROWS: readonly Row[] = [
  { call: ['GET', '/api/v1/sops'], ok: 200, least: 'viewer' },
  { call: ['GET', SOP], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/sops'], body: { name: 'x' }, ok: 201, least: 'admin' },
  { call: ['POST', `${SOP}/plan`], body: {}, ok: 200, least: 'viewer' },
  { call: ['POST', `${SOP}/runs`], body: {}, ok: 201, least: 'operator' },
  { call: ['POST', `${SOP}/runs`], body: { force: true }, ok: 201, least: 'admin' },
  { call: ['POST', `${SOP}/runs`], body: { skipApproval: true }, ok: 201, least: 'operator' },
  { call: ['POST', `${SOP}/runs`], body: { trigger: { type: 'cron' } }, ok: 201, least: 'admin' },
  { call: ['POST', `${SOP}/runs`], body: { trigger: { type: 'manual' } }, ok: 201, least: 'operator' },
  { call: ['GET', '/api/v1/runs'], ok: 200, least: 'viewer' },
  { call: ['GET', RUN], ok: 200, least: 'viewer' },
  { call: ['GET', `${RUN}/audit`], ok: 200, least: 'viewer' },
  { call: ['GET', `${RUN}/logs`], ok: 200, least: 'viewer' },
  { call: ['POST', `${RUN}/approve`], body: {}, ok: 200, least: 'approver' },
  { call: ['POST', `${RUN}/reject`], body: {}, ok: 200, least: 'approver' },
  { call: ['POST', `${RUN}/complete`], body: {}, ok: 200, least: 'operator' },
  { call: ['POST', `${RUN}/skip`], body: {}, ok: 200, least: 'operator' },
  { call: ['POST', `${RUN}/cancel`], body: {}, ok: 200, least: 'operator' },
  { call: ['GET', '/api/v1/schedules'], ok: 200, least: 'viewer' },
  { call: ['GET', '/api/v1/schedules/upcoming?from=2026-01-01&to=2026-01-02'], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/schedules/x/pause'], body: { comment: 'x' }, ok: 200, least: 'admin' },
  { call: ['POST', '/api/v1/schedules/x/resume'], body: {}, ok: 200, least: 'admin' },
  { call: ['POST', '/api/v1/schedules/x/trigger'], body: {}, ok: 202, least: 'admin' },
  { call: ['POST', '/api/v1/schedules/x/backfill'], body: { from: 'a', to: 'b' }, ok: 202, least: 'admin' },
  { call: ['GET', '/api/v1/tokens'], ok: 200, least: 'admin' },
  { call: ['POST', '/api/v1/tokens'], body: { name: 'new', role: 'viewer' }, ok: 201, least: 'admin' },
  { call: ['DELETE', '/api/v1/tokens/a-viewer'], ok: 204, least: 'admin' },
  { call: ['GET', '/api/v1/worker'], ok: 200, least: 'admin' },
  { call: ['PUT', `${LOG}?offset=0`], body: 'bytes', ok: 200, least: 'admin' },
  { call: ['POST', `${LOG}/end`], body: { bytes: 0, sha256: 'a'.repeat(64) }, ok: 204, least: 'admin' },
  { call: ['GET', '/api/v1/worker/runs/sop_run_abc123'], ok: 200, least: 'admin' },
  { call: ['GET', '/api/v1/worker/runs/sop_run_abc123/params/password'], ok: 200, least: 'admin' },
  { call: ['GET', '/api/v1/triggers'], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/triggers/test'], body: { payload: {} }, ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/events'], body: { event: 'x' }, ok: 202, least: 'operator' },
  { call: ['POST', '/api/v1/messages'], body: { message: 'x' }, ok: 202, least: 'viewer' },
  { call: ['GET', '/api/v1/deliveries'], ok: 200, least: 'viewer' },
  { call: ['GET', '/api/v1/deliveries/del_1'], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/deliveries/del_1/redeliver'], ok: 202, least: 'operator' },
  { call: ['GET', '/api/v1/queue'], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/v1/queue/sop_run_abc123/move'], body: { place: { to: 'front' } }, ok: 200, least: 'operator' },
  { call: ['POST', '/api/v1/queue/sop_run_abc123/drop'], body: {}, ok: 200, least: 'operator' },
  { call: ['POST', '/api/v1/queue/sop_run_abc123/admit'], body: {}, ok: 200, least: 'admin' },
  { call: ['GET', '/api/v1/health'], ok: 200, least: 'viewer' },
  { call: ['POST', `${SEED}/trigger`], body: { variables: {} }, ok: 202, least: 'operator' },
  { call: ['GET', `${SEED}/status`], ok: 200, least: 'viewer' },
  { call: ['POST', '/api/sop/run/sop_run_abc123/approve'], body: { step: 2 }, ok: 200, least: 'approver' },
  { call: ['POST', '/api/sop/approve'], body: { sop: 'deploy-production' }, ok: 200, least: 'approver' },
]

const name = ({ call, body }: Row): string => `${call.join(' ')} ${body === undefined ? '' : JSON.stringify(body)}`

describe.each(ROWS.map((row) => [name(row), row] as const))(
  '%s',
  (_name, { call: [method, path], body, ok, least }) => {
    test('answers each role, and nobody without a token, with its status', async () => {
      const api = await testApi()
      const without = await api.call(method, path, { body, token: null })
      const wrong = await api.call(method, path, { body, token: 'sop_wrong' })

      expect([without.status, wrong.status]).toEqual([401, 401])
      expect(without.headers['www-authenticate']).toBe('Bearer realm="sop-engine"')
      expect(wrong.headers['www-authenticate']).toBe('Bearer realm="sop-engine", error="invalid_token"')
      expect(without.json).toMatchObject({ code: 'unauthenticated', status: 401 })
      expect(api.client.calls).toEqual([])
      expect((await api.tokens.list()).length).toBe(ROLES.length)

      for (const role of ROLES) {
        const { status, json } = await api.call(method, path, { body, token: api.tokenOf[role] })
        const may = ROLES.indexOf(role) >= ROLES.indexOf(least)
        expect([role, status]).toEqual([role, may ? ok : 403])
        if (!may)
          expect(json).toMatchObject({
            code: 'forbidden',
            detail: expect.stringContaining('it needs the role'),
          })
      }
    })
  },
)

test("a worker's token opens what workers need, and nothing else", async () => {
  const api = await testApi()
  const token = await api.makeToken({ name: 'build-1', role: 'worker' })
  for (const { call, body, ok } of ROWS) {
    const { status } = await api.call(call[0], call[1], { body, token })
    expect([...call, status]).toEqual([...call, call[1].startsWith('/api/v1/worker') ? ok : 403])
  }
  expect(api.client.calls).toEqual([])
})

test('a role that is too low reaches no client method that changes anything', async () => {
  const api = await testApi()
  for (const { call, body, least } of ROWS.filter(({ call: [method] }) => method === 'POST')) {
    if (least !== 'viewer') await api.call(call[0], call[1], { body, token: api.tokenOf.viewer })
  }
  // The one look is at who the assignee of a manual step is.
  expect(api.client.calls.map(({ method }) => method)).toEqual(['getRunStatus'])
})

test.each([
  ['GET', '/api/v1/unknown', undefined],
  ['GET', '/nothing/here', undefined],
  ['POST', '/api/v1/runs/x/approve', '{broken'],
  ['POST', '/api/v1/runs/x/approve', `"${'x'.repeat(2_000_000)}"`],
  ['PUT', '/api/v1/runs', undefined],
  ['OPTIONS', '/api/v1/runs', undefined],
  ['GET', '/api/v1/runs/%E0%A4%A', undefined],
  ['POST', '/health', undefined],
])('%s %s is 401 without a token, before anything else is looked at', async (method, path, body) => {
  const api = await testApi()
  expect((await api.call(method, path, { body, token: null })).status).toBe(401)
})

test.each([
  ['Basic', 'Basic YTpi'],
  ['an empty bearer', 'Bearer '],
  ['a bare token', 'sop_abc'],
  ['two words', 'Bearer a b'],
])('%s is no credential', async (_name, header) => {
  const api = await testApi()
  const { status, json } = await api.call('GET', '/api/v1/runs', { token: null, headers: { Authorization: header } })
  expect(status).toBe(401)
  expect(json.detail).toContain('Authorization: Bearer <token>')
})

test('the scheme is read in any case, and a token past 512 characters is refused unread', async () => {
  const api = await testApi()
  const lower = await api.call('GET', '/api/v1/runs', {
    token: null,
    headers: { Authorization: `bearer ${api.local}` },
  })
  expect(lower.status).toBe(200)
  expect((await api.call('GET', '/api/v1/runs', { token: 'x'.repeat(10_000) })).status).toBe(401)
})

test.each([
  [undefined, 'http'],
  ['cli', 'cli'],
  ['js', 'js'],
  ['mcp', 'mcp'],
  ['web', 'web'],
  ['signal', 'http'],
  ['timer', 'http'],
  ['CLI', 'http'],
])('X-SOP-Client %s is recorded as via %s, and never as identity', async (client, via) => {
  const api = await testApi()
  await api.call('GET', '/api/v1/runs', { headers: client === undefined ? {} : { 'X-SOP-Client': client } })
  expect(api.actors).toEqual([{ principal: { id: 'os-user', kind: 'user', role: 'admin' }, via }])
})

test('the principal is that of the token, with its groups and kind', async () => {
  const api = await testApi()
  const token = await api.makeToken({ name: 'bot', role: 'operator', kind: 'agent', groups: ['sre', 'dba'] })
  await api.call('POST', `${RUN}/cancel`, { token, body: {} })
  expect(api.actors[0]?.principal).toEqual({ id: 'bot', kind: 'agent', role: 'operator', groups: ['dba', 'sre'] })
})

test('a token that is revoked, or made, elsewhere counts at the next call', async () => {
  const api = await testApi()
  const token = await api.makeToken({ name: 'short', role: 'viewer' })
  expect((await api.call('GET', '/api/v1/runs', { token })).status).toBe(200)
  await api.tokens.revoke('short')
  expect((await api.call('GET', '/api/v1/runs', { token })).status).toBe(401)
})

describe('agents', () => {
  test('may not create SOPs, not even as admin', async () => {
    const api = await testApi()
    const token = await api.makeToken({ name: 'bot', role: 'admin', kind: 'agent' })
    const { status, json } = await api.call('POST', '/api/v1/sops', { token, body: { name: 'x' } })
    expect([status, json.code]).toEqual([403, 'forbidden'])
    expect(api.client.calls).toEqual([])
  })

  test('may create SOPs as admin where the config says so', async () => {
    const api = await testApi({ config: { api: { host: '127.0.0.1', port: 0 }, agentsMayCreate: true } })
    const token = await api.makeToken({ name: 'bot', role: 'admin', kind: 'agent' })
    expect((await api.call('POST', '/api/v1/sops', { token, body: { name: 'x' } })).status).toBe(201)
  })

  test('may neither manage tokens nor skip approvals', async () => {
    const api = await testApi()
    const token = await api.makeToken({ name: 'bot', role: 'admin', kind: 'agent' })
    const made = await api.call('POST', '/api/v1/tokens', { token, body: { name: 'human', role: 'admin' } })
    const started = await api.call('POST', `${SOP}/runs`, { token, body: { skipApproval: true } })
    expect([made.status, started.status]).toEqual([403, 403])
  })
})

describe('completing a manual step', () => {
  test('is open to its assignee, who needs no role but viewer', async () => {
    const api = await testApi()
    const vera = await api.makeToken({ name: 'vera', role: 'viewer' })
    const victor = await api.makeToken({ name: 'victor', role: 'viewer' })
    expect((await api.call('POST', `${RUN}/complete`, { token: vera, body: { step: 2 } })).status).toBe(200)
    expect((await api.call('POST', `${RUN}/complete`, { token: victor, body: { step: 2 } })).status).toBe(403)
    expect((await api.call('POST', `${RUN}/complete`, { token: vera, body: { step: 1 } })).status).toBe(403)
  })
})

describe('wrong tokens', () => {
  test('get 429 past the limit, with Retry-After; a right token still passes', async () => {
    const api = await testApi({ authFailuresPerMinute: 3 })
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await api.call('GET', '/api/v1/runs', { token: `sop_${i}` })).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    const { headers, json } = await api.call('GET', '/api/v1/runs', { token: 'sop_x' })
    expect(json).toMatchObject({ code: 'invalid', status: 429 })
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect((await api.call('GET', '/api/v1/runs')).status).toBe(200)
    expect((await api.call('GET', '/api/v1/runs', { token: null })).status).toBe(401)
  })
})
