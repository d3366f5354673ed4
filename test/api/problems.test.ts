import { describe, expect, test } from 'vitest'
import { STATUSES } from '../../src/api/problem.ts'
import { ERROR_CODES, SopError } from '../../src/core/errors.ts'
import { fakeClient, refusedSample } from '../support/fake-client.ts'
import { testApi } from '../support/test-api.ts'

const failing = (error: unknown) =>
  testApi({
    client: fakeClient({
      getRunStatus: async () => {
        throw error
      },
    }),
  })

describe('a SopError', () => {
  test.each(ERROR_CODES)('%s has its status, its words and its details', async (code) => {
    const api = await failing(new SopError(code, `Cannot read run "x": ${code}`, { runs: ['a', 'b'] }))
    const { status, headers, json } = await api.call('GET', '/api/v1/runs/x')
    expect(status).toBe(STATUSES[code])
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(json).toEqual({
      type: `/api/docs#${code}`,
      title: expect.any(String),
      status,
      detail: `Cannot read run "x": ${code}`,
      code,
      requestId: headers['x-request-id'],
      runs: ['a', 'b'],
    })
  })

  test('cannot change what the document itself says', async () => {
    const api = await failing(
      new SopError('conflict', 'Cannot', { status: 200, code: 'ok', type: 'x', requestId: 'y' }),
    )
    const { json } = await api.call('GET', '/api/v1/runs/x')
    expect(json).toMatchObject({ status: 409, code: 'conflict', type: '/api/docs#conflict' })
    expect(json.requestId).not.toBe('y')
  })
})

describe('a foreign error', () => {
  test.each([
    ['an Error', new Error('password=hunter2 at /etc/secret')],
    ['a string', 'password=hunter2'],
    ['null', null],
    [
      'an error with a status',
      Object.assign(new Error('password=hunter2'), { status: 413, expose: true, code: 'conflict' }),
    ],
  ])('%s is internal and tells nothing; the log has it under the same id', async (_name, error) => {
    const api = await failing(error)
    const { status, json, text } = await api.call('GET', '/api/v1/runs/x')
    expect([status, json.code]).toEqual([500, 'internal'])
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('secret')
    expect(json.detail).toContain(json.requestId)
    const line = api.lines.find(({ level }) => level === 'error')
    expect(line?.fields).toMatchObject({ requestId: json.requestId })
    if (error !== null) expect(String(line?.fields.error)).toContain('hunter2')
  })

  test('from a method that throws before it promises anything is the same', async () => {
    const api = await testApi({
      clientFor: () => {
        throw new TypeError('boom')
      },
    })
    const { status, text } = await api.call('GET', '/api/v1/runs')
    expect(status).toBe(500)
    expect(text).not.toContain('boom')
  })
})

describe('a refused decision', () => {
  test.each([
    ['conflict', 409],
    ['forbidden', 403],
    ['invalid', 400],
    ['not_found', 404],
  ] as const)('with code %s is a problem with status %i that carries the reply', async (code, status) => {
    const reply = { ...refusedSample, code }
    const api = await testApi({ client: fakeClient({ approveStep: async () => reply }) })
    const answer = await api.call('POST', '/api/v1/runs/x/approve', { body: { step: 2 } })
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({
      code,
      status,
      detail: refusedSample.reason,
      reason: refusedSample.reason,
      decidedBy: 'alice',
      reply,
    })
  })

  test('without code or reason is a conflict', async () => {
    const reply = { accepted: false, runId: 'r', status: 'running' } as const
    const api = await testApi({ client: fakeClient({ cancelRun: async () => reply }) })
    const { status, json } = await api.call('POST', '/api/v1/runs/r/cancel')
    expect([status, json.code, json.reply]).toEqual([409, 'conflict', reply])
  })

  test('that is stored but unseen is 202', async () => {
    const reply = { accepted: true, runId: 'r', status: 'awaiting_approval', stored: true } as const
    const api = await testApi({ client: fakeClient({ approveStep: async () => reply }) })
    const { status, json } = await api.call('POST', '/api/v1/runs/r/approve')
    expect([status, json]).toEqual([202, reply])
  })
})

describe('an unknown route', () => {
  test.each([
    ['GET', '/api/v1/nothing'],
    ['GET', '/api/v1/'],
    ['PUT', '/api/v1/runs/x'],
    ['GET', '/api/v1/config'],
    ['GET', '/API/V1/runs'],
    ['GET', '/../../etc/passwd'],
    ['POST', '/'],
  ])('%s %s is 404, as a document', async (method, path) => {
    const api = await testApi()
    const { status, json } = await api.call(method, path)
    expect(status).toBe(404)
    expect(json).toMatchObject({ code: 'not_found', detail: expect.stringContaining('See /api/docs') })
  })
})

test('a handler that does not come back is 503, and its late answer hurts nobody', async () => {
  let finish = (): void => undefined
  const api = await testApi({
    handlerTimeoutMs: 50,
    client: fakeClient({
      listSops: () =>
        new Promise((resolve) => {
          finish = () => resolve([])
        }),
    }),
  })
  const { status, json } = await api.call('GET', '/api/v1/sops')
  expect([status, json.code]).toEqual([503, 'unavailable'])
  finish()
  expect((await api.call('GET', '/api/v1/runs')).status).toBe(200)
})

describe('the access log', () => {
  test('has one line for each request, with principal and status, and no token', async () => {
    const api = await testApi()
    await api.call('GET', '/api/v1/runs?sop=x', { headers: { 'X-SOP-Client': 'cli', 'X-Request-Id': 'mine-1' } })
    await api.call('GET', '/api/v1/runs', { token: 'sop_wrong' })
    const requests = api.lines.filter(({ message }) => message === 'request')
    expect(requests.map(({ fields }) => fields)).toMatchObject([
      { requestId: 'mine-1', method: 'GET', path: '/api/v1/runs', status: 200, principal: 'os-user', via: 'cli' },
      { status: 401 },
    ])
    expect(requests[1]?.fields).not.toHaveProperty('principal')
    expect(JSON.stringify(api.lines)).not.toContain('sop_wrong')
    expect(JSON.stringify(api.lines)).not.toContain(api.local)
  })

  test.each(['a b', 'x'.repeat(65), '<script>'])('a request id like %s is replaced', async (id) => {
    const api = await testApi()
    const { headers } = await api.call('GET', '/health', { headers: { 'X-Request-Id': id } })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})
