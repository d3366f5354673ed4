import { describe, expect, test } from 'vitest'
import type { LogChunk } from '../../src/client/client.ts'
import { SopError } from '../../src/core/errors.ts'
import { fakeClient, logSample } from '../support/fake-client.ts'
import { testApi, type TestApi } from '../support/test-api.ts'
import { openStream } from './support/event-stream.ts'

const LOGS = '/api/v1/runs/sop_run_abc123/logs'

describe('a piece of a log', () => {
  test('is JSON unless text is asked for', async () => {
    const api = await testApi()
    const { json, headers } = await api.call('GET', `${LOGS}?step=1&attempt=2&source=verify&offset=3&limit=4&wait=5`)
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(json).toEqual(logSample)
    expect(api.client.calls).toEqual([
      {
        method: 'readLog',
        args: ['sop_run_abc123', { step: 1, attempt: 2, source: 'verify', offset: 3, limit: 4, waitMs: 5 }],
      },
    ])
  })

  test.each([
    ['?format=text', {}],
    ['', { Accept: 'text/plain' }],
    ['?format=text', { Accept: 'application/json' }],
  ])('is text by %s %j, with the offset to go on from', async (query, headers) => {
    const api = await testApi()
    const answer = await api.call('GET', LOGS + query, { headers })
    expect(answer.text).toBe('All tests passed\n')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-log-step': '1',
      'x-log-attempt': '1',
      'x-log-source': 'step',
      'x-log-next': '17',
      'x-log-complete': 'true',
    })
  })

  test.each(['*/*', 'application/json, text/plain'])('is JSON for Accept: %s', async (Accept) => {
    const api = await testApi()
    expect((await api.call('GET', LOGS, { headers: { Accept } })).json).toEqual(logSample)
  })

  test('that is not there is 404', async () => {
    const api = await testApi({ client: fakeClient({ readLog: noLog }) })
    expect((await api.call('GET', LOGS)).status).toBe(404)
  })
})

describe('a stream of a log', () => {
  const chunk = (text: string, at: Partial<LogChunk> = {}): LogChunk => ({
    ...logSample,
    text,
    next: text.length,
    ...at,
  })
  const following = (...chunks: readonly LogChunk[]) =>
    fakeClient({
      followLog: async function* () {
        yield* chunks
      },
    })
  const asked = (api: TestApi) =>
    api.client.calls.filter(({ method }) => method === 'followLog').map(({ args }) => args)

  test('sends every piece with its place as id, and ends', async () => {
    const api = await testApi({
      client: following(
        chunk('one\n', { next: 4 }),
        chunk('two\n', { stepNumber: 0, attempt: 2, source: 'pre_check.it', next: 9 }),
      ),
    })
    const events = await openStream(api, `${LOGS}?follow=true`).all()
    expect(events.map(({ event, id, data }) => [event, id, data.text])).toEqual([
      ['log', '1.1.step.4', 'one\n'],
      ['log', '0.2.pre_check.it.9', 'two\n'],
      ['end', undefined, undefined],
    ])
  })

  test('begins where it is asked to, by query or by Accept', async () => {
    const api = await testApi({ client: following() })
    await openStream(api, `${LOGS}?follow=1&step=2&attempt=3&source=verify&offset=4&wait=5&limit=6`).all()
    await openStream(api, LOGS, { Accept: 'text/event-stream' }).all()
    const signal = expect.any(AbortSignal)
    expect(asked(api)).toEqual([
      ['sop_run_abc123', { step: 2, attempt: 3, source: 'verify', offset: 4, signal }],
      ['sop_run_abc123', { signal }],
    ])
  })

  test('resumes after the last event that the client has', async () => {
    const api = await testApi({ client: following() })
    await openStream(api, `${LOGS}?follow&step=1`, { 'Last-Event-ID': '1.2.pre_check%3A1.40' }).all()
    const after = { step: 1, attempt: 2, source: 'pre_check:1', offset: 40 }
    expect(asked(api)).toEqual([['sop_run_abc123', { step: 1, after, signal: expect.any(AbortSignal) }]])
  })

  test.each(['x', '1.1.step', '1.1.step.x', '-1.1.step.0', '1.1.%E0%A4%A.0', '1.1.a/b.0'])(
    'refuses to resume at "%s"',
    async (id) => {
      const api = await testApi()
      const { status, json } = await api.call('GET', `${LOGS}?follow`, { headers: { 'Last-Event-ID': id } })
      expect([status, json.code]).toEqual([400, 'invalid'])
    },
  )

  test('of an unknown run is 404, not a stream', async () => {
    const api = await testApi({ client: fakeClient({ getRunStatus: notFound }) })
    const { status, headers } = await api.call('GET', `${LOGS}?follow`)
    expect(status).toBe(404)
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  test.each<[string, Error, Record<string, string>]>([
    [
      'a refusal',
      new SopError('not_found', 'Cannot read the log: removed'),
      { code: 'not_found', detail: 'Cannot read the log: removed' },
    ],
    [
      'a fault, without its text',
      new Error('/secret/path'),
      { code: 'internal', detail: 'Cannot go on: the engine failed' },
    ],
  ])('tells %s, and ends', async (_, error, data) => {
    const client = fakeClient({
      followLog: async function* () {
        yield chunk('one')
        throw error
      },
    })
    const events = await openStream(await testApi({ client }), `${LOGS}?follow`).all()
    expect(events.slice(1)).toEqual([{ event: 'error', id: undefined, data }])
  })

  test('needs a token', async () => {
    const api = await testApi()
    expect((await api.call('GET', `${LOGS}?follow`, { token: null })).status).toBe(401)
  })
})

const noLog = async (): Promise<LogChunk> => {
  throw new SopError('not_found', 'Cannot read the log')
}
const notFound = async (): Promise<never> => {
  throw new SopError('not_found', 'Cannot find run "x"')
}
