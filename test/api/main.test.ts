import { connect, createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApi } from '../../src/api/main.ts'
import { openTokenStore } from '../../src/client/tokens.ts'
import { fakeClient, healthSample } from '../support/fake-client.ts'
import { freePorts } from '../../scripts/free-port.mjs'
import { fakeDoor, noSessions, noWebhooks, testApi, type TestApi } from '../support/test-api.ts'

/** What comes back for these bytes until the server closes; nothing more is sent. */
function exchange(api: Pick<TestApi, 'port'>, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(api.port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8')
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', () => resolve(answer))
  })
}

const problemIn = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

describe('a request that Node cannot read', () => {
  test.each([
    ['is not HTTP', 'hello\r\n\r\n', 400],
    ['has no host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    [
      'smuggles a second length',
      'GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'has length and chunks',
      'POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['has 20 KB of headers', `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('that %s', async (_name, text, status) => {
    const api = await testApi()
    const answer = await exchange(api, text)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect((await api.call('GET', '/health')).status).toBe(200)
  })

  test('is told so by a problem document', async () => {
    const api = await testApi()
    expect(problemIn(await exchange(api, 'hello\r\n\r\n'))).toMatchObject({ status: 400, code: 'invalid' })
  })
})

test('more than 100 headers are 431, since Node would drop some', async () => {
  const api = await testApi()
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1']))
  const { status, json } = await api.call('GET', '/api/v1/runs', { headers: many })
  expect([status, json.code]).toEqual([431, 'invalid'])
})

describe('a request that never ends', () => {
  test.each([
    ['in its headers', 'GET /health HTTP/1.1\r\nHost: localhost\r\n'],
    [
      'in its body',
      'POST /api/v1/sops/x/plan HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\nContent-Length: 10\r\n\r\n{',
    ],
  ])('%s is 408', async (_name, text) => {
    const api = await testApi({ requestTimeoutMs: 200 })
    const answer = await exchange(api, text.replace('TOKEN', api.local))
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(problemIn(answer)).toMatchObject({ status: 408, code: 'invalid' })
    expect(api.client.calls).toEqual([])
  })
})

test('a client that leaves in the middle of its body hurts nobody', async () => {
  const api = await testApi()
  await new Promise<void>((resolve) => {
    const socket = connect(api.port, '127.0.0.1', () => {
      const head = `POST /api/v1/sops/x/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.local}\r\nContent-Length: 99\r\n\r\n{"params`
      socket.write(head, () => socket.resetAndDestroy())
    })
    socket.on('close', () => resolve())
  })
  expect((await api.call('GET', '/health')).status).toBe(200)
  expect(api.client.calls).toEqual([])
})

describe('the Host header of a loopback server', () => {
  test.each(['localhost', 'LOCALHOST:7780', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:7780'])(
    '%s is let through',
    async (host) => {
      const api = await testApi()
      expect((await api.call('GET', '/health', { headers: { Host: host } })).status).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'evil.example:7780',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '[::2]',
    'localhost@evil.example',
  ])('"%s" is refused before anything else, with or without a token', async (host) => {
    const api = await testApi()
    for (const token of [api.local, null]) {
      for (const path of ['/', '/health', '/api/docs', '/api/v1/runs']) {
        const { status, json } = await api.call('GET', path, { token, headers: { Host: host } })
        expect([status, json.code]).toEqual([403, 'forbidden'])
      }
    }
    expect(api.client.calls).toEqual([])
  })

  test('may be that of the public URL', async () => {
    const publicUrl = 'https://sop.example.com:8443/x'
    const api = await testApi({ config: { api: { host: '127.0.0.1', port: 0, publicUrl }, agentsMayCreate: false } })
    expect((await api.call('GET', '/health', { headers: { Host: 'sop.example.com' } })).status).toBe(200)
    expect((await api.call('GET', '/health', { headers: { Host: 'example.com' } })).status).toBe(403)
  })

  test('may be any where the server is bound to all addresses, and the log warns about TLS', async () => {
    const api = await testApi({ config: { api: { host: '0.0.0.0', port: 0 }, agentsMayCreate: false } })
    expect((await api.call('GET', '/health', { headers: { Host: 'ops.example.com' } })).status).toBe(200)
    expect(api.url).toBe(`http://127.0.0.1:${api.port}`)
    expect(api.lines.find(({ level }) => level === 'warn')?.message).toContain('without TLS')
  })
})

describe('startApi()', () => {
  const options = (host: string, port: number) => ({
    config: { api: { host, port }, agentsMayCreate: false },
    clientFor: () => fakeClient(),
    tokens: openTokenStore({ dataDir: '/nonexistent' }),
    sessions: noSessions,
    workers: fakeDoor,
    webhooks: noWebhooks,
    health: async () => healthSample,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    version: '0.1.0',
  })

  test('says that a port is taken, and the way out', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()))
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    await expect(startApi(options('127.0.0.1', port))).rejects.toMatchObject({
      code: 'conflict',
      message: `Cannot serve the API on 127.0.0.1:${port}: the port is taken. Stop what uses it, or set SOP_API_PORT (0 picks a free one)`,
    })
  })

  test('says that the machine has no such address', async () => {
    await expect(startApi(options('203.0.113.7', 0))).rejects.toMatchObject({ code: 'invalid' })
    await expect(startApi(options('no-such-host.invalid', 0))).rejects.toMatchObject({
      message: expect.stringMatching(/^Cannot serve the API on no-such-host/),
    })
  })

  test('frees its port when it stops, also when stopped twice', async () => {
    // One of those that no other program is given while it is free.
    const [port = 0] = await freePorts(1)
    const api = await startApi(options('127.0.0.1', port))
    await Promise.all([api.stop(), api.stop()])
    const again = await startApi(options('127.0.0.1', port))
    await again.stop()
  })

  test('lets a request under way finish when it stops', async () => {
    let finish = (): void => undefined
    let began = (): void => undefined
    const under = new Promise<void>((resolve) => {
      began = resolve
    })
    const client = fakeClient({
      listSops: () =>
        new Promise((resolve) => {
          finish = () => resolve([])
          began()
        }),
    })
    const api = await testApi({ client })
    const answer = api.call('GET', '/api/v1/sops')
    await under
    const stopped = api.stop()
    finish()
    expect((await answer).status).toBe(200)
    await stopped
    await expect(api.call('GET', '/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('serves over IPv6', async (context) => {
    const api = await startApi(options('::1', 0)).catch(() => context.skip('no IPv6 on this machine'))
    expect(api.url).toBe(`http://[::1]:${api.port}`)
    await api.stop()
  })
})
