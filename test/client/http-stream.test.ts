import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHttpClient } from '../../src/client/http.ts'
import * as sample from '../support/fake-client.ts'
import { fakeClient } from '../support/fake-client.ts'
import { freePorts } from '../../scripts/free-port.mjs'
import { testApi } from '../support/test-api.ts'

const RUN = 'sop_run_abc123'
const listen = async (listener: RequestListener, port = 0): Promise<{ server: Server; url: string; port: number }> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = (server.address() as AddressInfo).port
  return { server, url: `http://127.0.0.1:${at}`, port: at }
}
const all = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const got: T[] = []
  for await (const item of items) got.push(item)
  return got
}
const event = (name: string, id: string, data: unknown): string =>
  `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
const STREAM = { 'Content-Type': 'text/event-stream; charset=utf-8' }
const END = 'event: end\ndata: {}\n\n'

describe('the streams of createHttpClient()', () => {
  test('give over the real API what its client gives', async () => {
    const running = { ...sample.runSample, status: 'running' as const }
    const api = await testApi({ client: fakeClient({ getRunStatus: async () => running }) })
    const client = createHttpClient({ url: api.url, token: api.local })
    expect(await all(client.followLog(RUN, { step: 1, offset: 3 }))).toEqual([sample.logSample])
    expect(await all(client.followRun(RUN, { after: 4 }))).toEqual(sample.auditSample.events)
    expect(await all(client.followRuns())).toEqual([
      { runs: [], cursor: 'c0' },
      { runs: [sample.summarySample], cursor: 'c1' },
    ])
    const asked = api.client.calls.filter(({ method }) => method.startsWith('follow')).map(({ args }) => args)
    const signal = expect.any(AbortSignal)
    expect(asked).toEqual([[RUN, { step: 1, offset: 3, signal }], [RUN, { after: 4, signal }], [{ signal }]])
  })

  test('give a check of all records as it goes on', async () => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: api.local })
    expect(await all(client.verifyAudit({ history: false }))).toEqual([
      { kind: 'progress', checked: 0, total: 1 },
      { kind: 'run', run: sample.runCheckSample },
      { kind: 'done', audit: sample.auditCheckSample },
    ])
    expect(api.client.calls).toEqual([
      { method: 'verifyAudit', args: [{ history: false, signal: expect.any(AbortSignal) }] },
    ])
  })

  test('give an export line by line, and say when it broke off', async () => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: api.local })
    expect(await all(client.exportRun('a b'))).toEqual(['{"type":"export"}\n', '{"type":"end"}\n'])
    const { url } = await listen((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      response.end('{"type":"export"}\n{"type":"rec')
    })
    await expect(all(createHttpClient({ url }).exportRun(RUN))).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('go on where a connection broke, in the middle of an event too', async () => {
    const resumed: unknown[] = []
    const { url } = await listen((request, response) => {
      resumed.push(request.headers['last-event-id'])
      response.writeHead(200, STREAM)
      if (resumed.length === 1) {
        response.write(`retry: 1\n\n: hello\n\n${event('run_event', '1', { sequence: 1 })}event: run_event\nid: 2\nda`)
        setTimeout(() => response.destroy(), 20)
      } else if (resumed.length === 2) {
        // Ended, but not by an end: a proxy, or the server that stops.
        response.end(event('run_event', '2', { sequence: 2 }))
      } else response.end(event('run_event', '3', { sequence: 3 }) + END)
    })
    const got = await all(createHttpClient({ url }).followRun(RUN))
    expect(got.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(resumed).toEqual([undefined, '1', '2'])
  })

  test('wait for an engine that is started anew', async () => {
    // One of those that no other program is given while nobody listens there.
    const [port] = await freePorts(1)
    const first = await listen((_request, response) => {
      response.writeHead(200, STREAM)
      response.write(event('run_event', '1', { sequence: 1 }))
    }, port)
    const got: number[] = []
    const done = (async () => {
      for await (const { sequence } of createHttpClient({ url: first.url }).followRun(RUN)) got.push(sequence)
    })()
    // A test that fails before it waits for it has said why.
    done.catch(() => undefined)
    await expect.poll(() => got, { timeout: 20_000 }).toEqual([1])
    first.server.closeAllConnections()
    await new Promise((resolve) => first.server.close(resolve))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await listen((request, response) => {
      response.writeHead(200, STREAM)
      response.end(event('run_event', '2', { sequence: Number(request.headers['last-event-id']) + 1 }) + END)
    }, first.port)
    await done
    expect(got).toEqual([1, 2])
  })

  test('refuse at once what the engine refuses, and when there is none', async () => {
    const api = await testApi()
    const client = createHttpClient({ url: api.url, token: 'wrong' })
    await expect(all(client.followRuns())).rejects.toMatchObject({ code: 'unauthenticated' })
    const nobody = createHttpClient({ url: 'http://127.0.0.1:1' })
    await expect(all(nobody.followRuns())).rejects.toMatchObject({ code: 'unavailable' })
    const other = await listen((_request, response) => response.end('<html>'))
    await expect(all(createHttpClient({ url: other.url }).followRuns())).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('throw what the engine tells in the stream', async () => {
    const { url } = await listen((_request, response) => {
      response.writeHead(200, STREAM)
      response.end('event: error\ndata: {"code":"not_found","detail":"Cannot read the log: removed"}\n\n')
    })
    const following = all(createHttpClient({ url }).followLog(RUN))
    await expect(following).rejects.toMatchObject({ code: 'not_found', message: 'Cannot read the log: removed' })
  })

  test('end by their signal, and when the reader leaves; the connection goes with them', async () => {
    let open = 0
    const { url } = await listen((_request, response) => {
      open += 1
      response.on('close', () => {
        open -= 1
      })
      response.writeHead(200, STREAM)
      response.write(event('runs', 'c0', { runs: [] }))
    })
    const client = createHttpClient({ url })
    for await (const batch of client.followRuns()) {
      expect(batch).toEqual({ runs: [], cursor: 'c0' })
      break
    }
    await expect.poll(() => open, { timeout: 20_000 }).toBe(0)
    const abort = new AbortController()
    const got: unknown[] = []
    const done = (async () => {
      for await (const batch of client.followRuns({ signal: abort.signal })) got.push(batch)
    })()
    await expect.poll(() => got, { timeout: 20_000 }).toHaveLength(1)
    expect(open).toBe(1)
    abort.abort()
    await done
    expect(got).toHaveLength(1)
    await expect.poll(() => open, { timeout: 20_000 }).toBe(0)
  })

  test('204 is the end', async () => {
    const { url } = await listen((_request, response) => response.writeHead(204).end())
    expect(await all(createHttpClient({ url }).followRun(RUN, { after: 9 }))).toEqual([])
  })
})
