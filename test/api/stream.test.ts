import { describe, expect, test } from 'vitest'
import type { RunChanges } from '../../src/client/client.ts'
import { SopError } from '../../src/core/errors.ts'
import { auditSample, fakeClient, summarySample } from '../support/fake-client.ts'
import { testApi, type TestApi } from '../support/test-api.ts'
import { openStream } from './support/event-stream.ts'

const STREAM = '/api/v1/stream'
const asked = (api: TestApi, method: string) =>
  api.client.calls.filter((call) => call.method === method).map(({ args }) => args)

/** Events until so many came. */
const take = async (api: TestApi, path: string, count: number, headers: Readonly<Record<string, string>> = {}) => {
  const stream = openStream(api, path, headers)
  const events = await stream.first(count)
  stream.leave()
  return events
}

describe('the stream of a page', () => {
  test('carries runs, the events of one run and a log, each with where all of them stand', async () => {
    const api = await testApi()
    const events = await take(api, `${STREAM}?runs=1&run=sop_run_abc123&log=sop_run_abc123&step=2`, 7)
    const kinds = events.map(({ event }) => event)
    expect(kinds.filter((kind) => kind === 'runs')).toHaveLength(2)
    expect(kinds.filter((kind) => kind === 'run_event')).toHaveLength(auditSample.events.length)
    expect(kinds).toContain('log')
    const last = new URLSearchParams(events.findLast(({ id }) => id !== undefined)?.id)
    expect(Object.fromEntries(last)).toMatchObject({ runs: 'c1', run: 'sop_run_abc123', log: 'sop_run_abc123' })
  })

  test('resumes all of it where it was', async () => {
    const api = await testApi()
    const id = new URLSearchParams({ runs: 'c7', run: 'r', after: '4', log: 'r', at: '2.1.step.300' }).toString()
    await take(api, `${STREAM}?runs=1&run=r&after=1&log=r&step=2`, 3, { 'Last-Event-ID': id })
    expect(asked(api, 'followRuns')[0]?.[0]).toMatchObject({ cursor: 'c7' })
    expect(asked(api, 'followRun')[0]).toMatchObject(['r', { after: 4 }])
    expect(asked(api, 'followLog')[0]).toMatchObject([
      'r',
      { after: { step: 2, attempt: 1, source: 'step', offset: 300 } },
    ])
  })

  test('begins anew with what the page did not follow before', async () => {
    const api = await testApi()
    const id = new URLSearchParams({ runs: 'c7', run: 'other', after: '4', log: 'r', at: '2.1.step.300' }).toString()
    await take(api, `${STREAM}?runs=1&run=r&after=1&log=r&step=3`, 3, { 'Last-Event-ID': id })
    expect(asked(api, 'followRun')[0]).toMatchObject(['r', { after: 1 }])
    expect(asked(api, 'followLog')[0]?.[1]).not.toHaveProperty('after')
  })

  test.each(['run=r&after=x', 'log=r&at=nonsense', `run=r&after=${'9'.repeat(20)}`])(
    'refuses to resume at "%s"',
    async (id) => {
      const api = await testApi()
      const { status, json } = await api.call('GET', `${STREAM}?run=r`, { headers: { 'Last-Event-ID': id } })
      expect([status, json.code]).toEqual([400, 'invalid'])
    },
  )

  test('goes on with the others where one of them fails', async () => {
    const followRun = async function* () {
      yield* await Promise.reject<never[]>(new SopError('not_found', 'Cannot find run "x"'))
    }
    const api = await testApi({ client: fakeClient({ followRun }) })
    const events = await take(api, `${STREAM}?runs=1&run=x`, 4)
    expect(events).toContainEqual({
      event: 'failed',
      id: undefined,
      data: { of: 'run', code: 'not_found', detail: 'Cannot find run "x"' },
    })
    expect(events.filter(({ event }) => event === 'runs')).toHaveLength(2)
  })

  test('ends with the session that it began with', async () => {
    const api = await testApi({ streamBeatMs: 50 })
    const token = await api.makeToken({ name: 'eve', role: 'viewer' })
    const headers = { 'X-SOP-Client': 'web', 'Sec-Fetch-Site': 'same-origin' }
    const answer = await api.call('POST', '/api/v1/session', { token: null, body: { token }, headers })
    const Cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''
    const stream = openStream(api, `${STREAM}?runs=1`, { Cookie }, null)
    await stream.first(3)
    await api.tokens.revoke('eve')
    const all = await stream.all()
    expect(all.map(({ event }) => event)).toEqual(['runs', 'runs', 'ended', 'session_ended', 'end'])
  })

  test('of 200 pages is 200 streams, and each hears of a change', async () => {
    const listeners = new Set<() => void>()
    const followRuns = async function* ({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RunChanges> {
      yield { runs: [], cursor: 'c0' }
      await new Promise<void>((resolve) => {
        listeners.add(resolve)
        signal?.addEventListener('abort', () => resolve())
      })
      yield { runs: [summarySample], cursor: 'c1' }
    }
    const api = await testApi({ client: fakeClient({ followRuns }) })
    const streams = Array.from({ length: 200 }, () => openStream(api, `${STREAM}?runs=1`))
    await expect.poll(() => listeners.size, { timeout: 30_000 }).toBe(200)
    for (const wake of listeners) wake()
    const changes = await Promise.all(streams.map((stream) => stream.first(2)))
    expect(new Set(changes.map(([, change]) => change?.id))).toEqual(new Set(['runs=c1']))
    // One question for each page, and none for each row.
    expect(api.client.calls).toHaveLength(200)
    for (const stream of streams) stream.leave()
  })
})
