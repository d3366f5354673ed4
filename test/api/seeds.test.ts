import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { SopError } from '../../src/core/errors.ts'
import { fakeClient, refusedSample, runSample, summarySample } from '../support/fake-client.ts'
import { testApi, type TestApi } from '../support/test-api.ts'

/** Sends the lines of a seed with the credential that this engine asks for besides; the answer's status and body. */
async function sent(api: TestApi, requestLine: string, headers: readonly string[], body: string) {
  const lines = [
    `${requestLine} HTTP/1.1`,
    `Host: 127.0.0.1:${api.port}`,
    `Authorization: Bearer ${api.local}`,
    'Connection: close',
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(api.port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`))
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  const [top = '', text = ''] = answer.split('\r\n\r\n')
  return { status: Number(top.split(' ')[1]), json: text === '' ? undefined : JSON.parse(text) }
}

test('POST /api/sop/<name>/trigger answers 202 with run id, status and url', async () => {
  const api = await testApi()
  const body = `{
  "variables": {
    "severity": "high",
    "service": "api"
  }
}`
  const answer = await sent(api, 'POST /api/sop/incident-response/trigger', ['Content-Type: application/json'], body)

  expect(answer).toEqual({
    status: 202,
    json: {
      runId: 'sop_run_abc123',
      status: 'awaiting_approval',
      url: `http://127.0.0.1:${api.port}/api/v1/runs/sop_run_abc123`,
    },
  })
  expect(api.client.calls).toEqual([
    { method: 'createRun', args: ['incident-response', { params: { severity: 'high', service: 'api' } }] },
  ])
})

test('POST /api/sop/<name>/trigger names the public URL where there is one', async () => {
  const api = await testApi({
    config: { api: { host: '127.0.0.1', port: 0, publicUrl: 'https://sop.example.com/ops/' }, agentsMayCreate: false },
  })
  const { json, headers } = await api.call('POST', '/api/sop/x/trigger')
  expect(json.url).toBe('https://sop.example.com/ops/api/v1/runs/sop_run_abc123')
  expect(headers.location).toBe('/api/v1/runs/sop_run_abc123')
})

test('POST /api/sop/<name>/trigger is 409 with the reason and the time when a cooldown refuses', async () => {
  const notBefore = '2026-02-25T17:00:00.000Z'
  const api = await testApi({
    client: fakeClient({
      createRun: async () => {
        throw new SopError('conflict', 'Cannot start SOP "x": its cooldown ends later', { notBefore })
      },
    }),
  })
  const { status, json } = await api.call('POST', '/api/sop/x/trigger')
  expect([status, json.notBefore]).toEqual([409, notBefore])
})

test('GET /api/sop/<name>/status answers with the newest run and the open runs', async () => {
  const api = await testApi()
  const answer = await sent(api, 'GET /api/sop/deploy-production/status', [], '')

  expect(answer).toEqual({
    status: 200,
    json: {
      sop: 'deploy-production',
      runId: 'sop_run_abc123',
      status: 'awaiting_approval',
      currentStep: 2,
      totalSteps: 2,
      run: runSample,
      openRuns: [summarySample],
    },
  })
})

test('GET /api/sop/<name>/status of an SOP that never ran has no run; of an unknown one it is 404', async () => {
  const never = await testApi({ client: fakeClient({ listRuns: async () => [] }) })
  expect((await never.call('GET', '/api/sop/x/status')).json).toEqual({
    sop: 'x',
    runId: null,
    status: null,
    currentStep: null,
    totalSteps: null,
    run: null,
    openRuns: [],
  })
  const unknown = await testApi({
    client: fakeClient({
      listRuns: async () => [],
      getSop: async () => {
        throw new SopError('not_found', 'Cannot find SOP "x"')
      },
    }),
  })
  expect((await unknown.call('GET', '/api/sop/x/status')).status).toBe(404)
})

test('POST /api/sop/run/<run-id>/approve approves the step with its comment', async () => {
  const api = await testApi()
  // As seed 003 shows it: without a Content-Type.
  const body = `{
  "step": 2,
  "approved": true,
  "comment": "Looks good"
}`
  const answer = await sent(api, 'POST /api/sop/run/sop_run_abc123/approve', [], body)

  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ accepted: true, runId: 'sop_run_abc123', stepNumber: 2 })
  expect(api.client.calls).toEqual([{ method: 'approveStep', args: ['sop_run_abc123', 2, { comment: 'Looks good' }] }])
})

test('POST /api/sop/run/<run-id>/approve with approved false rejects', async () => {
  const api = await testApi()
  const { status, json } = await api.call('POST', '/api/sop/run/r/approve', {
    body: { step: 2, approved: false, comment: 'No' },
  })
  expect([status, json.action]).toEqual([200, 'paused'])
  expect(api.client.calls).toEqual([{ method: 'rejectStep', args: ['r', 2, { comment: 'No' }] }])
})

test('POST /api/sop/run/<run-id>/approve tells a second decider who was first', async () => {
  const api = await testApi({ client: fakeClient({ approveStep: async () => refusedSample }) })
  const { status, json } = await api.call('POST', '/api/sop/run/r/approve', { body: { step: 2, approved: true } })
  expect([status, json.decidedBy, json.reply]).toEqual([409, 'alice', refusedSample])
})

test.each([
  [{ sop: 'deploy-production' }, 'approveStep', ['deploy-production', undefined, {}]],
  [{ runId: 'r', step: 3, approved: true, comment: 'ok' }, 'approveStep', ['r', 3, { comment: 'ok' }]],
  [{ sop: 'deploy-production', approved: false }, 'rejectStep', ['deploy-production', undefined, {}]],
])('POST /api/sop/approve %j', async (body, method, args) => {
  const api = await testApi()
  expect((await api.call('POST', '/api/sop/approve', { body })).status).toBe(200)
  expect(api.client.calls).toEqual([{ method, args }])
})

test('an SOP that is called like a word of the path is still reached', async () => {
  const api = await testApi()
  await api.call('GET', '/api/sop/run/status')
  await api.call('POST', '/api/sop/approve/trigger')
  expect(api.client.calls[0]?.args[0]).toMatchObject({ sop: 'run' })
  expect(api.client.calls.at(-1)).toEqual({ method: 'createRun', args: ['approve', {}] })
})
