import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SopClient } from '../../src/client/client.ts'
import { createHttpClient } from '../../src/client/http.ts'
import { ERROR_CODES, SopError } from '../../src/core/errors.ts'
import * as sample from '../support/fake-client.ts'
import { fakeClient } from '../support/fake-client.ts'
import { runScreenSamples } from '../support/run-screen-samples.ts'
import type { Accepted } from '../../src/core/trigger/accepted.ts'
import { testApi } from '../support/test-api.ts'

const KEY = `${'k'.repeat(43)}=`
const RUN = 'sop_run_abc123'

const URL_OF_RUN = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/runs\/sop_run_abc123$/)
/** The API says where each run is. */
const withUrl = (accepted: Accepted, duplicate = false) => ({
  ...accepted,
  url: URL_OF_RUN,
  runs: accepted.runs.map((run) => ({ ...run, duplicate, url: URL_OF_RUN })),
})

const screen = {
  getRunTimeline: await runScreenSamples.getRunTimeline(RUN),
  getRunNext: await runScreenSamples.getRunNext(RUN),
  getRunControls: await runScreenSamples.getRunControls(RUN),
  listLogs: await runScreenSamples.listLogs(RUN),
  readLogRows: await runScreenSamples.readLogRows(RUN, {}),
  searchLog: await runScreenSamples.searchLog(RUN, { text: 'x' }),
}

describe('createHttpClient() over the real API', () => {
  const start = {
    params: { a: 1 },
    executionMode: 'auto',
    skipApproval: true,
    force: true,
    idempotencyKey: 'k',
    wait: false,
  } as const
  const rows: readonly [keyof SopClient, readonly unknown[], unknown][] = [
    ['listSops', [], [sample.sopSample]],
    ['getSop', ['my sop/ü?#'], { ...sample.sopSample, source: { 'SOP.md': '# Deploy\n' } }],
    [
      'createSop',
      [{ name: 'x', description: 'd', mode: 'auto', priority: 'low', dialect: 'D' }],
      { name: 'x', files: ['x/SOP.toml', 'x/SOP.md'] },
    ],
    ['listSchedules', [{ sop: 'a b' }], [sample.scheduleSample]],
    ['listUpcoming', [{ from: '2026-01-01', to: '2026-01-02', sop: 'x', limit: 3 }], [sample.fireSample]],
    [
      'pauseSchedule',
      ['a b', { comment: 'x' }],
      { ...sample.scheduleSample, state: 'paused', pausedBy: 'alice via http', pauseReason: 'holiday' },
    ],
    ['resumeSchedule', ['x'], sample.scheduleSample],
    ['triggerSchedule', ['x'], { schedule: sample.scheduleSample.id, runId: RUN }],
    [
      'backfillSchedule',
      ['x', { from: '2026-01-01', to: '2026-01-02' }],
      { schedule: sample.scheduleSample.id, fires: ['2026-11-20T01:30:00.000Z'] },
    ],
    ['planRun', ['deploy', { params: { a: [1] } }], sample.planSample],
    ['createRun', ['deploy', start], sample.runSample],
    ['createRun', ['deploy', {}], sample.runSample],
    ['listRuns', [{ sop: 'a b', states: ['running', 'paused'], limit: 3 }], [sample.summarySample]],
    ['listRuns', [{}], [sample.summarySample]],
    [
      'listRunPage',
      [
        {
          sop: 'a b',
          states: ['running'],
          priorities: ['high', 'low'],
          triggers: ['cron'],
          waiting: true,
          from: '7d',
          to: '2026-03-01T00:00:00+01:00',
          text: 'two words & more',
          cursor: '2026-02-25T16:00:00.000Z~sop_run_1',
          limit: 1000,
        },
      ],
      { runs: [sample.summarySample], next: 'c', total: 10_000, more: true },
    ],
    ['listSopVersions', ['deploy'], [sample.versionSample]],
    ['getSopVersion', ['deploy', 'abc'], sample.versionDetailSample],
    ['getRunStatus', [RUN], sample.runSample],
    [
      'approveStep',
      [RUN, 2, { comment: 'Tests passed', gate: 'g', attempt: 3, decisionId: 'd', covers: 'c' }],
      { accepted: true, runId: RUN, status: 'running', gate: 'g', stepNumber: 2, attempt: 1 },
    ],
    [
      'rejectStep',
      [RUN, undefined, { reason: 'no' }],
      { accepted: true, runId: RUN, status: 'paused', action: 'paused', gate: '2-back_up', stepNumber: 2, attempt: 1 },
    ],
    [
      'completeStep',
      [RUN, 3, { values: { a: null }, failed: false }],
      { accepted: true, runId: RUN, status: 'running', gate: '2-back_up', stepNumber: 3, attempt: 1 },
    ],
    [
      'skipStep',
      [RUN, 0, { reason: 'x' }],
      { accepted: true, runId: RUN, status: 'running', gate: '2-back_up', stepNumber: 0, attempt: 1 },
    ],
    ['cancelRun', [RUN, { reason: 'x', rollback: true }], { accepted: true, runId: RUN, status: 'cancelled' }],
    ['pauseRun', [RUN, { reason: 'x' }], { accepted: true, runId: RUN, status: 'paused', action: 'paused' }],
    ['resumeRun', [RUN, {}], { accepted: true, runId: RUN, status: 'running', action: 'resumed' }],
    [
      'retryRun',
      [RUN, { step: 2, params: { a: [1] }, outcome: 'did_not_run' }],
      { accepted: true, runId: RUN, status: 'running', action: 'retried' },
    ],
    ['getAuditLog', [RUN, { after: 3, limit: 20 }], sample.auditSample],
    ['getRunTimeline', [RUN], screen.getRunTimeline],
    ['getRunNext', [RUN], screen.getRunNext],
    ['getRunControls', [RUN], screen.getRunControls],
    ['listLogs', [RUN, { step: 1, item: 2, attempt: 3, source: 'verify' }], screen.listLogs],
    ['readLogRows', [RUN, { step: 1, item: 2, from: -5, limit: 6 }], screen.readLogRows],
    ['searchLog', [RUN, { step: 1, text: 'a & b', from: 7 }], screen.searchLog],
    ['readLog', [RUN, { step: 1, attempt: 2, source: 'verify', offset: 5, limit: 6, waitMs: 7 }], sample.logSample],
    ['listTriggers', ['a b'], [{ ...sample.triggerSample, last: sample.deliverySample }]],
    ['sendEvent', [{ event: 'x y', payload: [1], key: 'k', headers: { a: 'b' } }], withUrl(sample.acceptedSample)],
    ['sendMessage', [{ message: 'deploy:shop', payload: { channel: 'c' }, key: 'k' }], withUrl(sample.acceptedSample)],
    [
      'testTrigger',
      [{ source: 'event', subject: 'x', payload: null }],
      [
        {
          sop: 'deploy-production',
          trigger: 1,
          type: 'webhook',
          awaits: '/webhook/deploy',
          verdict: 'would_start',
          params: { severity: 'high' },
        },
      ],
    ],
    [
      'listDeliveries',
      [{ sop: 'a b', source: 'event', verdict: 'started', limit: 3, before: 'del_1' }],
      [sample.deliverySample],
    ],
    ['getDelivery', ['del_1'], sample.deliverySample],
    ['redeliver', ['del_1'], { ...withUrl(sample.acceptedSample, true), status: 'duplicate' }],
    [
      'verifyRun',
      [RUN, { keys: [KEY, KEY], head: { index: 7, hash: 'ab'.repeat(32) }, history: false }],
      sample.runCheckSample,
    ],
    ['getQueue', [], sample.queueSample],
    ['listWaiting', [], sample.waitingSample],
    ['getMetrics', [{ sop: 'a b', days: 7 }], sample.metricsSample('a b', 7)],
    ['getMetrics', [{}], sample.metricsSample()],
    ['moveInQueue', ['sop_run_b', { to: 'front' }, { reason: 'hotfix' }], { runId: RUN, action: 'move', position: 1 }],
    ['dropFromQueue', ['sop_run_b', {}], { runId: RUN, action: 'drop' }],
    ['admitFromQueue', ['sop_run_b', {}], { runId: RUN, action: 'admit' }],
    ['health', [], sample.healthSample],
  ]

  test.each(rows)('%s %j arrives and is answered as it was meant', async (method, args, answer) => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: api.local, surface: 'cli' })
    const result = await (client[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args)
    expect(result).toEqual(answer)
    // The list is a page of which one asks no more.
    expect(api.client.calls).toEqual([{ method: method === 'listRuns' ? 'listRunPage' : method, args }])
    expect(api.actors[0]?.via).toBe('cli')
  })

  test('covers every method of the contract', () => {
    expect([...new Set(rows.map(([method]) => method))].sort()).toEqual(
      Object.keys(fakeClient())
        // What is followed is in http-stream.test.ts.
        .filter((key) => key !== 'calls' && !['verifyAudit', 'exportRun'].includes(key) && !key.startsWith('follow'))
        .sort(),
    )
  })

  test.each(ERROR_CODES)('gives back a SopError of code %s with its words and details', async (code) => {
    const api = await testApi({
      client: fakeClient({
        getRunStatus: async () => {
          throw new SopError(code, `Cannot read run: ${code}`, { runs: ['a'] })
        },
      }),
    })
    const asked = createHttpClient({ url: api.url, token: api.local }).getRunStatus('x')
    await expect(asked).rejects.toBeInstanceOf(SopError)
    await expect(asked).rejects.toMatchObject({ code, message: `Cannot read run: ${code}`, details: { runs: ['a'] } })
  })

  test('gives back a refused decision as an answer', async () => {
    const api = await testApi({ client: fakeClient({ approveStep: async () => sample.refusedSample }) })
    const client = createHttpClient({ url: api.url, token: api.local })
    expect(await client.approveStep(RUN, 2)).toEqual(sample.refusedSample)
  })

  test('is unauthenticated without a token, and with a wrong one', async () => {
    const api = await testApi()
    await expect(createHttpClient({ url: api.url }).listSops()).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(createHttpClient({ url: api.url, token: 'x' }).listSops()).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  test('manages tokens', async () => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: api.local })
    const { token } = await client.createToken({ name: 'alice', role: 'viewer', groups: ['dba'] })
    expect((await client.listTokens()).find(({ name }) => name === 'alice')).toMatchObject({
      groups: ['dba'],
      createdBy: 'os-user',
    })
    expect(await createHttpClient({ url: api.url, token }).listRuns()).toHaveLength(1)
    expect(await client.revokeToken('alice')).toBeUndefined()
    await expect(client.revokeToken('alice')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('never asks to wait longer than the API lets it', async () => {
    const api = await testApi()
    await createHttpClient({ url: api.url, token: api.local }).readLog(RUN, { waitMs: 120_000 })
    expect(api.client.calls[0]?.args[1]).toEqual({ waitMs: 30_000 })
  })

  test.each(['', '.', '..'])('does not mistake "%s" for another question', async (ref) => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: api.local })
    await expect(client.getRunStatus(ref)).rejects.toMatchObject({ code: 'invalid' })
    await expect(client.getSop(ref)).rejects.toMatchObject({ code: 'invalid' })
    expect(api.client.calls).toEqual([])
  })

  test('keeps a path prefix of the URL', async () => {
    const asked: string[] = []
    const url = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.setHeader('Content-Type', 'application/json').end('{"sops":[]}')
    })
    await createHttpClient({ url: `${url}/ops/` }).listSops()
    expect(asked).toEqual(['/ops/api/v1/sops'])
  })

  test('finds out where to ask at the first call, and anew after a failure', async () => {
    const api = await testApi()
    let asked = 0
    const client = createHttpClient(async () => {
      if (++asked === 1) throw new SopError('invalid', 'not yet')
      return { url: api.url, token: api.local }
    })
    expect(asked).toBe(0)
    await expect(client.listSops()).rejects.toThrow('not yet')
    await client.listSops()
    await client.listRuns()
    expect(asked).toBe(2)
  })
})

describe('createHttpClient() without an engine', () => {
  test('says that nothing listens, and how to start one', async () => {
    const url = await freeUrl()
    await expect(createHttpClient({ url }).listSops()).rejects.toMatchObject({
      code: 'unavailable',
      message: `Cannot reach the engine at ${url}: nothing listens there. Start one with "sop serve" (or "npm start" in its folder), or set SOP_URL to where it runs`,
    })
  })

  test('says that there is no such host', async () => {
    await expect(createHttpClient({ url: 'http://no-such-host.invalid' }).listSops()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Check SOP_URL'),
    })
  })

  test.each(['', 'localhost:7780', 'ftp://x', 'not a url', '/api'])('refuses the URL "%s"', async (url) => {
    await expect(createHttpClient({ url }).listSops()).rejects.toMatchObject({
      code: 'invalid',
      message: `Cannot use the engine URL "${url}": expected one like http://127.0.0.1:7780 (SOP_URL)`,
    })
  })

  test('refuses a token that no header can hold, before anything is sent', async () => {
    const url = await freeUrl()
    await expect(createHttpClient({ url, token: 'a\r\nX: y' }).listSops()).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('Check SOP_TOKEN'),
    })
  })

  test.each<[string, RequestListener]>([
    ['a page', (_request, response) => void response.setHeader('Content-Type', 'text/html').end('<h1>Hello</h1>')],
    [
      'JSON of somebody else',
      (_request, response) =>
        void response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"error":"no"}'),
    ],
    [
      'broken JSON',
      (_request, response) => void response.setHeader('Content-Type', 'application/json').end('{"sops":'),
    ],
    ['a redirect', (_request, response) => void response.writeHead(301, { Location: 'https://x/' }).end()],
    ['nothing', (_request, response) => void response.end()],
    [
      'a problem without our code',
      (_request, response) =>
        void response
          .writeHead(400, { 'Content-Type': 'application/problem+json' })
          .end('{"detail":"x","code":"teapot"}'),
    ],
  ])('says that something else answers when it gets %s', async (_name, listener) => {
    const url = await serve(listener)
    await expect(createHttpClient({ url }).listSops()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('something else answers there'),
    })
  })

  test('says that the connection broke, and that the call may have taken effect', async () => {
    const port = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await expect(createHttpClient({ url: `http://127.0.0.1:${port}` }).createRun('x')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('may have taken effect'),
    })
  })

  test('says so when an answer breaks off in the middle', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' })
      response.write('{"sops":[', () => response.destroy())
    })
    await expect(createHttpClient({ url }).listSops()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('gives up on an engine that does not answer', async () => {
    const port = await listen(() => undefined)
    await expect(createHttpClient({ url: `http://127.0.0.1:${port}`, timeoutMs: 50 }).listSops()).rejects.toMatchObject(
      {
        code: 'unavailable',
        message: expect.stringContaining('it took more than 0.05 s'),
      },
    )
  })
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>()
  const server = createTcpServer((socket) => {
    open.add(socket.on('error', () => undefined))
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

/** A URL where nothing listens: its port was just given back. */
async function freeUrl(): Promise<string> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as { port: number }
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return `http://127.0.0.1:${port}`
}
