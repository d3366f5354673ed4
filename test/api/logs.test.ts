import { request } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createStreams } from '../../src/api/log-stream.ts'
import type { LogChunk, SopClient } from '../../src/client/client.ts'
import { SopError } from '../../src/core/errors.ts'
import type { RunView, StepView } from '../../src/core/run/view.ts'
import { fakeClient, logSample, runSample } from '../support/fake-client.ts'
import { testApi, type TestApi } from '../support/test-api.ts'

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

describe('a stream', () => {
  test('sends every piece with its id, goes on to later steps, and ends with the run', async () => {
    const play = scripted([
      { step: 1, text: 'one\n', then: 2 },
      { step: 2, text: 'two\n', then: 3 },
      { step: 3, text: 'three\n', then: null },
    ])
    const api = await testApi({ client: fakeClient(play.client) })
    const events = await follow(api, '?follow=true').all()
    expect(events.map(({ event, data }) => [event, data.text])).toEqual([
      ['log', 'one\n'],
      ['log', 'two\n'],
      ['log', 'three\n'],
      ['end', undefined],
    ])
    expect(events.slice(0, 3).map(({ id }) => id)).toEqual(['1.1.step.4', '2.1.step.4', '3.1.step.6'])
  })

  test('does not pass over a step that began and ended between two looks', async () => {
    const play = scripted([
      { step: 1, text: 'one\n', then: 3 },
      { step: 2, text: 'quick\n', then: 3 },
      { step: 3, text: 'three\n', then: null },
    ])
    const api = await testApi({ client: fakeClient(play.client) })
    const events = await follow(api, '?follow').all()
    expect(events.map(({ data }) => data.text)).toEqual(['one\n', 'quick\n', 'three\n', undefined])
  })

  test('of one step ends with that step', async () => {
    const play = scripted([{ step: 1, text: 'one\n', then: 2 }])
    const api = await testApi({ client: fakeClient(play.client) })
    const events = await follow(api, '?follow=1&step=1').all()
    expect(events.map(({ event }) => event)).toEqual(['log', 'end'])
    const asked = api.client.calls.filter(({ method }) => method === 'readLog').map(({ args }) => args[1])
    expect(asked).toEqual([expect.objectContaining({ step: 1, source: 'step' })])
  })

  test('resumes after the last event that the client has', async () => {
    const play = scripted([{ step: 1, text: 'one two\n', then: null }])
    const api = await testApi({ client: fakeClient(play.client) })
    const events = await follow(api, '', { Accept: 'text/event-stream', 'Last-Event-ID': '1.1.step.4' }).all()
    expect(events[0]?.data).toMatchObject({ text: 'two\n', offset: 4 })
  })

  test('begins at an offset', async () => {
    const play = scripted([{ step: 1, text: 'one two\n', then: null }])
    const api = await testApi({ client: fakeClient(play.client) })
    expect((await follow(api, '?follow&step=1&offset=4').all())[0]?.data.text).toBe('two\n')
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
    const api = await testApi({
      client: fakeClient({
        getRunStatus: async () => {
          throw new SopError('not_found', 'Cannot find run "x"')
        },
      }),
    })
    const { status, headers } = await api.call('GET', `${LOGS}?follow`)
    expect(status).toBe(404)
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  test('of a closed run without any log ends at once', async () => {
    const api = await testApi({
      client: fakeClient({ readLog: noLog, getRunStatus: async () => ({ ...runSample, status: 'cancelled' }) }),
    })
    expect((await follow(api, '?follow').all()).map(({ event }) => event)).toEqual(['end'])
  })

  test('waits for a step that has not begun', async () => {
    let looks = 0
    const api = await testApi({
      client: fakeClient({
        getRunStatus: async () => ({ ...runSample, status: 'running' }),
        readLog: async () => (++looks < 3 ? noLog() : logSample),
      }),
    })
    expect((await follow(api, '?follow&step=1').all())[0]?.data.text).toBe('All tests passed\n')
  })

  test('tells a failure without its text, and ends', async () => {
    const api = await testApi({
      client: fakeClient({
        readLog: async () => {
          throw new Error('secret path')
        },
      }),
    })
    const events = await follow(api, '?follow').all()
    expect(events).toEqual([{ event: 'error', id: undefined, data: { detail: 'Cannot go on: the engine failed' } }])
  })

  test('ends when the server stops', async () => {
    const waiting = { ...logSample, text: '', next: 0, complete: false }
    const client = fakeClient({
      getRunStatus: async () => ({ ...runSample, status: 'running' }),
      readLog: async () => waiting,
    })
    const api = await testApi({ client })
    const stream = follow(api, '?follow')
    await stream.opened
    await api.stop()
    expect(await stream.all()).toEqual([])
  })

  test('asks no more once its client has left', async () => {
    let release = (): void => undefined
    const client = fakeClient({
      getRunStatus: async () => ({ ...runSample, status: 'running' }),
      readLog: () =>
        new Promise((resolve) => {
          release = () => resolve({ ...logSample, text: '', next: 0, complete: false })
        }),
    })
    const api = await testApi({ client })
    const stream = follow(api, '?follow')
    await stream.opened
    stream.leave()
    await expect.poll(() => api.lines.some(({ fields }) => fields.aborted === true)).toBe(true)
    const asked = client.calls.length
    release()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(client.calls.length).toBe(asked)
  })

  test('is not one too many', () => {
    const streams = createStreams(1)
    const response = { on: () => response } as never
    streams.open(response)
    expect(() => streams.open(response)).toThrow('Cannot follow the log: 1 streams are open already')
  })

  test('needs a token', async () => {
    const api = await testApi()
    expect((await api.call('GET', `${LOGS}?follow`, { token: null })).status).toBe(401)
  })
})

const noLog = async (): Promise<LogChunk> => {
  throw new SopError('not_found', 'Cannot read the log')
}

interface ScriptedStep {
  readonly step: number
  readonly text: string
  /** The step that is newest once this one was read to its end; `null` ends the run. */
  readonly then: number | null
}

/** A run whose newest log changes when the one before it was read to its end. */
function scripted(steps: readonly ScriptedStep[]) {
  let newest: number = steps[0]?.step ?? 1
  let status: RunView['status'] = 'running'
  const chunk = (step: number, offset: number, limit = Number.MAX_SAFE_INTEGER): LogChunk => {
    const found = steps.find((each) => each.step === step)
    if (found === undefined) throw new SopError('not_found', 'no log')
    const text = found.text.slice(offset, offset + limit)
    const next = offset + text.length
    return {
      runId: runSample.runId,
      stepNumber: step,
      attempt: 1,
      source: 'step',
      offset,
      next,
      text,
      complete: next >= found.text.length,
    }
  }
  const stepResults = steps.map(
    ({ step }): StepView => ({ ...(runSample.stepResults[0] as StepView), number: step, attempt: 1 }),
  )
  const client: Partial<SopClient> = {
    getRunStatus: async () => ({ ...runSample, status, stepResults }),
    readLog: async (_run, { step = newest, offset = 0, limit }) => {
      const piece = chunk(step, offset, limit)
      if (piece.complete && limit === undefined && step === newest) {
        const then = steps.find((each) => each.step === step)?.then
        if (then === null) status = 'completed'
        else newest = then ?? newest
      }
      return piece
    },
  }
  return { client }
}

interface SentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

function follow(api: TestApi, query: string, headers: Record<string, string> = {}) {
  let opened = (): void => undefined
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  const outgoing = request({
    host: '127.0.0.1',
    port: api.port,
    path: LOGS + query,
    agent: false,
    headers: { Authorization: `Bearer ${api.local}`, ...headers },
  })
  const text = new Promise<string>((resolve, reject) => {
    outgoing.on('response', (incoming) => {
      let received = ''
      opened()
      expect(incoming.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.toString('utf8')
      })
      incoming.on('close', () => resolve(received))
      incoming.on('error', () => resolve(received))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
  onTestFinished(() => void outgoing.destroy())
  return {
    opened: open,
    leave: () => outgoing.destroy(),
    all: async () =>
      (await text)
        .split('\n\n')
        .filter((block) => block !== '' && !block.startsWith(':'))
        .map(parseEvent),
  }
}

function parseEvent(block: string): SentEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  return { event: field('event') ?? '', id: field('id'), data: JSON.parse(field('data') ?? '{}') }
}
