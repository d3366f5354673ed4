import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { decisionReply } from '../../src/api/schemas/decision.ts'
import { alive, health, readiness } from '../../src/api/schemas/health.ts'
import { metricsReport } from '../../src/api/schemas/metrics.ts'
import { auditLog, logChunk, runList, runView } from '../../src/api/schemas/run.ts'
import { logList, logMatches, logRows, runControls, runNext, timeline } from '../../src/api/schemas/run-screen.ts'
import { createdSop, runPlan, sopDetail, sopList, sopVersionDetail, sopVersions } from '../../src/api/schemas/sop.ts'
import { sopStatus, triggered } from '../../src/api/schemas/start.ts'
import { backfilled, dueFires, fired, scheduleList, scheduleView } from '../../src/api/schemas/schedule.ts'
import { createdToken, tokenList } from '../../src/api/schemas/token.ts'
import { auditChecked, runCheck } from '../../src/api/schemas/verify.ts'
import { fakeClient, healthSample, runSample } from '../support/fake-client.ts'
import { testApi } from '../support/test-api.ts'

const RUN = '/api/v1/runs/sop_run_abc123'
const SOP = '/api/v1/sops/deploy-production'

describe('what an answer has, the document names', () => {
  const rows: readonly [string, string, z.ZodType, unknown?][] = [
    ['GET', '/api/v1/sops', sopList],
    ['GET', SOP, sopDetail],
    ['GET', `${SOP}/versions`, sopVersions],
    ['GET', `${SOP}/versions/abc`, sopVersionDetail],
    ['POST', '/api/v1/sops', createdSop, { name: 'x' }],
    ['POST', `${SOP}/plan`, runPlan],
    ['POST', `${SOP}/runs`, runView],
    ['GET', '/api/v1/runs', runList],
    ['GET', RUN, runView],
    ['GET', `${RUN}/audit`, auditLog],
    ['GET', `${RUN}/logs`, logChunk],
    ['GET', `${RUN}/timeline`, timeline],
    ['GET', `${RUN}/next`, runNext],
    ['GET', `${RUN}/controls`, runControls],
    ['GET', `${RUN}/logs/list`, logList],
    ['GET', `${RUN}/logs/rows?step=1&from=-5`, logRows],
    ['GET', `${RUN}/logs/search?text=x`, logMatches],
    ['GET', `${RUN}/verify`, runCheck],
    ['GET', '/api/v1/audit/verify', auditChecked],
    ['POST', `${RUN}/approve`, decisionReply],
    ['POST', `${RUN}/reject`, decisionReply],
    ['GET', '/api/v1/schedules', scheduleList],
    ['GET', '/api/v1/schedules/upcoming?from=2026-01-01&to=2026-01-02', dueFires],
    ['POST', '/api/v1/schedules/x/pause', scheduleView, { comment: 'x' }],
    ['POST', '/api/v1/schedules/x/resume', scheduleView, {}],
    ['POST', '/api/v1/schedules/x/trigger', fired, {}],
    ['POST', '/api/v1/schedules/x/backfill', backfilled, { from: 'a', to: 'b' }],
    ['GET', '/api/v1/tokens', tokenList],
    ['POST', '/api/v1/tokens', createdToken, { name: 'n', role: 'viewer', groups: ['g'] }],
    ['GET', '/api/v1/metrics?sop=x&days=90', metricsReport],
    ['GET', '/api/v1/health', health],
    ['GET', '/health', alive],
    ['GET', '/ready', readiness],
    ['POST', '/api/sop/x/trigger', triggered],
    ['GET', '/api/sop/x/status', sopStatus],
  ]
  // Unknown keys are dropped by a schema: what it gives back is equal only if it names every key.
  test.each(rows)('%s %s', async (method, path, schema, body) => {
    const api = await testApi()
    const { status, headers, json } = await api.call(method, path, body === undefined ? {} : { body })
    expect(status).toBeLessThan(300)
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(schema.parse(json)).toEqual(json)
  })
})

describe('what is asked of the client', () => {
  test.each([
    [
      'approve',
      { step: 2, gate: 'g', attempt: 1, comment: 'c', decisionId: 'd', approved: true },
      'approveStep',
      ['r', 2, { gate: 'g', attempt: 1, comment: 'c', decisionId: 'd' }],
    ],
    ['reject', { reason: 'no', approved: false }, 'rejectStep', ['r', undefined, { reason: 'no' }]],
    [
      'complete',
      { step: 3, values: { a: [1] }, comment: 'c' },
      'completeStep',
      ['r', 3, { values: { a: [1] }, comment: 'c' }],
    ],
    ['complete', { step: 3, item: 1, ticked: false }, 'completeStep', ['r', 3, { item: 1, ticked: false }]],
    ['complete', { failed: true }, 'completeStep', ['r', undefined, { failed: true }]],
    ['skip', { step: 0, reason: 'x' }, 'skipStep', ['r', 0, { reason: 'x' }]],
    ['cancel', { reason: 'x', decisionId: 'd' }, 'cancelRun', ['r', { reason: 'x', decisionId: 'd' }]],
    ['cancel', { rollback: true }, 'cancelRun', ['r', { rollback: true }]],
    ['pause', { reason: 'x' }, 'pauseRun', ['r', { reason: 'x' }]],
    ['resume', { comment: 'x' }, 'resumeRun', ['r', { comment: 'x' }]],
    ['retry', { step: 2, params: { a: 1 } }, 'retryRun', ['r', { step: 2, params: { a: 1 } }]],
    ['retry', { outcome: 'did_not_run' }, 'retryRun', ['r', { outcome: 'did_not_run' }]],
  ])('POST runs/r/%s %j', async (verb, body, method, args) => {
    const api = await testApi()
    expect((await api.call('POST', `/api/v1/runs/r/${verb}`, { body })).status).toBe(200)
    expect(api.client.calls).toEqual([{ method, args }])
  })

  test('a start with all its options', async () => {
    const api = await testApi()
    const body = {
      vars: { a: 1 },
      executionMode: 'auto',
      skipApproval: true,
      force: true,
      idempotencyKey: 'k',
      wait: false,
      trigger: { type: 'event', event: 'deploy.failed', payload: { a: [1] } },
    }
    const { status, headers } = await api.call('POST', `${SOP}/runs`, { body })
    expect([status, headers.location]).toEqual([201, RUN])
    const { vars, ...rest } = body
    expect(api.client.calls).toEqual([{ method: 'createRun', args: ['deploy-production', { ...rest, params: vars }] }])
  })

  test('a new SOP', async () => {
    const api = await testApi()
    const body = { name: 'x', description: 'd', mode: 'auto', priority: 'medium', dialect: 'D' }
    const { status, headers } = await api.call('POST', '/api/v1/sops', { body })
    expect([status, headers.location]).toEqual([201, '/api/v1/sops/x'])
    expect(api.client.calls).toEqual([{ method: 'createSop', args: [body] }])
  })
})

describe('tokens', () => {
  test('a made token opens at once, is shown once, and names its maker', async () => {
    const api = await testApi()
    const made = await api.call('POST', '/api/v1/tokens', {
      body: { name: 'alice', role: 'approver', groups: ['dba'] },
    })
    expect(made.json).toMatchObject({
      name: 'alice',
      kind: 'user',
      role: 'approver',
      groups: ['dba'],
      createdBy: 'os-user',
    })
    expect((await api.call('GET', RUN, { token: made.json.token })).status).toBe(200)
    const list = await api.call('GET', '/api/v1/tokens')
    expect(list.json.tokens[0]).toMatchObject({ name: 'a-admin' })
    expect(list.text).not.toContain(made.json.token)
    expect(list.text).not.toContain('sha256')
  })

  test('a name that is taken is 409, a bad one 400, and an unknown one cannot be revoked', async () => {
    const api = await testApi()
    const make = (name: string) => api.call('POST', '/api/v1/tokens', { body: { name, role: 'viewer' } })
    expect((await make('a-viewer')).status).toBe(409)
    expect((await make('../x')).status).toBe(400)
    expect((await make('timer')).status).toBe(400)
    expect((await api.call('DELETE', '/api/v1/tokens/nobody')).status).toBe(404)
  })
})

describe('without a credential', () => {
  test('GET / says what this is and where to go, without script', async () => {
    const api = await testApi({ temporalUiUrl: 'http://127.0.0.1:8233/?a="><script>' })
    const { status, headers, text } = await api.call('GET', '/', { token: null })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(text).toContain('SOP Engine 0.1.0')
    expect(text).toContain('href="/api/docs"')
    expect(text).toContain('href="http://127.0.0.1:8233/?a=&#34;&#62;&#60;script&#62;"')
    expect(text).not.toContain('<script')
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/)
  })

  test('GET / has no link to a Temporal UI that is not there', async () => {
    const api = await testApi()
    expect((await api.call('GET', '/', { token: null })).text).not.toContain('Temporal UI')
  })

  test('GET /health only says that the process answers', async () => {
    const api = await testApi({ health: () => Promise.reject(new Error('down')) })
    const { status, json } = await api.call('GET', '/health', { token: null })
    expect([status, json]).toEqual([200, { status: 'ok' }])
  })

  test.each([
    ['ok', 200],
    ['degraded', 200],
    ['down', 503],
  ] as const)('GET /ready of an engine that is %s is %i, and tells no details', async (status, expected) => {
    const checks = { temporal: { ok: status !== 'down', detail: 'secret.internal:7233' } }
    const api = await testApi({ health: async () => ({ ...healthSample, status, checks }) })
    const answer = await api.call('GET', '/ready', { token: null })
    expect([answer.status, answer.json]).toEqual([
      expected,
      { status, checks: { temporal: { ok: status !== 'down' } } },
    ])
  })

  test('GET /ready is 500 without text when the check itself breaks', async () => {
    const api = await testApi({ health: () => Promise.reject(new Error('at secret.internal')) })
    const { status, text } = await api.call('GET', '/ready', { token: null })
    expect(status).toBe(500)
    expect(text).not.toContain('secret.internal')
  })

  test('HEAD works where GET does', async () => {
    const api = await testApi()
    const { status, text } = await api.call('HEAD', '/health', { token: null })
    expect([status, text]).toEqual([200, ''])
  })
})

test('every answer has the headers that keep browsers from doing harm, and none that opens it to other sites', async () => {
  const api = await testApi({ client: fakeClient({ getRunStatus: async () => ({ ...runSample, title: '<b>' }) }) })
  for (const [path, token] of [
    ['/', null],
    ['/health', null],
    [RUN, undefined],
    ['/api/v1/runs', null],
    ['/nope', undefined],
  ] as const) {
    const { headers } = await api.call('GET', path, {
      headers: { Origin: 'https://evil.example' },
      ...(token === undefined ? {} : { token }),
    })
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.any(String),
    })
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect(headers).not.toHaveProperty('x-powered-by')
  }
})
