import { describe, expect, test } from 'vitest'
import type { RunChanges } from '../../src/client/client.ts'
import { SopError } from '../../src/core/errors.ts'
import { auditSample, fakeClient, runSample, summarySample } from '../support/fake-client.ts'
import { testApi, type TestApi } from '../support/test-api.ts'
import { openStream } from './support/event-stream.ts'

const EVENTS = '/api/v1/runs/sop_run_abc123/events'
const running = async () => ({ ...runSample, status: 'running' as const, sequence: 9 })
const asked = (api: TestApi, method: string) =>
  api.client.calls.filter((call) => call.method === method).map(({ args }) => args)

describe('the events of a run', () => {
  test('come with their sequence as id, and end with the run', async () => {
    const api = await testApi({ client: fakeClient({ getRunStatus: running }) })
    const events = await openStream(api, EVENTS).all()
    expect(events).toEqual([
      { event: 'run_event', id: '1', data: auditSample.events[0] },
      { event: 'end', id: undefined, data: {} },
    ])
    expect(asked(api, 'followRun')).toEqual([['sop_run_abc123', { after: 0, signal: expect.any(AbortSignal) }]])
  })

  test.each([
    ['?after=7', {}, 7],
    ['', { 'Last-Event-ID': '8' }, 8],
    // A browser comes back with the address that it began with.
    ['?after=7', { 'Last-Event-ID': '8' }, 8],
  ])('resume by %s %j', async (query, headers, after) => {
    const api = await testApi({ client: fakeClient({ getRunStatus: running }) })
    await openStream(api, EVENTS + query, headers).all()
    expect(asked(api, 'followRun')[0]?.[1]).toMatchObject({ after })
  })

  test('are 204 once the run is closed and one has them all, so that a browser stays away', async () => {
    const closed = { ...runSample, status: 'completed' as const, sequence: 9 }
    const api = await testApi({ client: fakeClient({ getRunStatus: async () => closed }) })
    const answer = await api.call('GET', EVENTS, { headers: { 'Last-Event-ID': '9' } })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await openStream(api, `${EVENTS}?after=8`).all()).toHaveLength(2)
  })

  test.each(['x', '-1', '1.5', '9'.repeat(16)])('refuse to resume at "%s"', async (id) => {
    const api = await testApi()
    const { status, json } = await api.call('GET', EVENTS, { headers: { 'Last-Event-ID': id } })
    expect([status, json.code]).toEqual([400, 'invalid'])
  })

  test('of an unknown run are 404', async () => {
    const getRunStatus = async () => {
      throw new SopError('not_found', 'Cannot find run "x"')
    }
    const api = await testApi({ client: fakeClient({ getRunStatus }) })
    expect((await api.call('GET', EVENTS)).status).toBe(404)
  })
})

describe('runs that change', () => {
  test('come in batches, with the place to resume at as id', async () => {
    const api = await testApi()
    expect(await openStream(api, '/api/v1/events').all()).toEqual([
      { event: 'runs', id: 'c0', data: { runs: [] } },
      { event: 'runs', id: 'c1', data: { runs: [summarySample] } },
      { event: 'end', id: undefined, data: {} },
    ])
    expect(asked(api, 'followRuns')).toEqual([[{ signal: expect.any(AbortSignal) }]])
  })

  test('resume by the id or by a cursor, and say when the place is not known any more', async () => {
    const changes: RunChanges = { runs: [summarySample], cursor: 'n', reset: true }
    const followRuns = async function* () {
      yield changes
    }
    const api = await testApi({ client: fakeClient({ followRuns }) })
    const events = await openStream(api, '/api/v1/events?cursor=old', { 'Last-Event-ID': 'c1' }).all()
    expect(events[0]?.data).toEqual({ runs: [summarySample], reset: true })
    await openStream(api, '/api/v1/events?cursor=old').all()
    expect(asked(api, 'followRuns').map(([options]) => (options as { cursor: string }).cursor)).toEqual(['c1', 'old'])
  })

  test('need a token, and stop with the server', async () => {
    const followRuns = async function* ({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RunChanges> {
      yield { runs: [], cursor: 'c0' }
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }
    const api = await testApi({ client: fakeClient({ followRuns }) })
    expect((await api.call('GET', '/api/v1/events', { token: null })).status).toBe(401)
    const stream = openStream(api, '/api/v1/events')
    await stream.first(1)
    await api.stop()
    expect((await stream.all()).map(({ event }) => event)).toEqual(['runs'])
  })
})
