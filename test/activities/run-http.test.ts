import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { formatDuration } from '../../src/core/duration.ts'
import { withEnoughTime } from '../support/enough-time.ts'
import { commandRig } from './support/command-rig.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const serve = async (
  answer: (seen: Seen, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly seen: Seen[] }> => {
  const seen: Seen[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString()
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
    seen.push(one)
    answer(one, response)
  }
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}
const ok = (_: Seen, response: ServerResponse): void => void response.end('fine')
const status = (code: number) => (_: Seen, response: ServerResponse) => void response.writeHead(code).end(`was ${code}`)

describe('runCommand() sends HTTP requests', () => {
  test('with values of params, outputs and secrets in their places, and masks what comes back', async () => {
    const { url, seen } = await serve(
      ({ headers, body }, response) => void response.end(`${headers.authorization} ${body}`),
    )
    const rig = commandRig()
    const result = await rig.run(
      {
        kind: 'http',
        method: 'post',
        url: '$base/deploy/$version?by=${who}',
        headers: { authorization: 'Bearer $TOKEN', 'content-type': 'application/json' },
        body: '{"v": "$version", "count": $count, "who": $who}',
        secrets: ['TOKEN'],
      },
      { params: { base: url, version: '1/2', count: 3 }, outputs: { who: 'a "b"' } },
    )
    expect(seen).toMatchObject([
      { method: 'POST', url: '/deploy/1%2F2?by=a%20%22b%22', body: '{"v": "1/2", "count": 3, "who": "a \\"b\\""}' },
    ])
    expect(seen[0]?.headers.authorization).toBe('Bearer hunter2-token')
    expect(result).toMatchObject({ outcome: 'ok', outputs: { status: 200 } })
    expect(result.output).toBe('Bearer *** {"v": "1/2", "count": 3, "who": "a \\"b\\""}')
    expect(await rig.log()).toMatch(/^\[sop\] POST http.*\n\[sop\] HTTP 200 OK\nBearer \*\*\*/)
  })

  test.each([
    [204, undefined, 'ok'],
    [404, undefined, 'failed'],
    [404, [404, 410], 'ok'],
    [200, [404], 'failed'],
    [302, [302], 'ok'],
  ])('status %i with %j expected is %s', async (code, expected, outcome) => {
    const { url } = await serve(status(code))
    const result = await commandRig().run({ kind: 'http', method: 'GET', url, ...(expected && { expect: expected }) })
    expect(result).toMatchObject({ outcome, outputs: { status: code } })
  })

  test('says what was answered and what was expected', async () => {
    const { url } = await serve(status(503))
    const result = await commandRig().run({ kind: 'http', method: 'GET', url })
    expect(result).toMatchObject({
      error: 'The server answered 503 Service Unavailable; expected 200 to 299',
      output: 'was 503',
    })
  })

  test('follows redirects, at most five', async () => {
    const { url, seen } = await serve(({ url: path }, response) => {
      const left = Number(path.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    expect(await commandRig().run({ kind: 'http', method: 'GET', url: `${url}/5` })).toMatchObject({
      outcome: 'ok',
      output: 'there',
    })
    expect(seen).toHaveLength(6)
    const result = await commandRig().run({ kind: 'http', method: 'GET', url: `${url}/6` })
    expect(result.error).toMatch(/redirected more than 5 times/)
  })

  test('tells no other origin its headers or its body', async () => {
    const other = await serve(ok)
    const { url } = await serve(
      (seen, response) =>
        void response.writeHead(seen.method === 'PUT' ? 307 : 302, { location: `${other.url}/x` }).end(),
    )
    const headers = { 'x-api-key': '$TOKEN' }
    const get = await commandRig().run({ kind: 'http', method: 'GET', url, headers, secrets: ['TOKEN'] })
    expect(get.outcome).toBe('ok')
    expect(other.seen[0]?.headers['x-api-key']).toBeUndefined()
    const put = await commandRig().run({ kind: 'http', method: 'PUT', url, body: 'data' })
    expect(put.error).toMatch(/redirected with its body to another origin/)
    expect(other.seen).toHaveLength(1)
  })

  test('turns a redirected POST into a GET, as browsers do', async () => {
    const { url, seen } = await serve(({ url: path }, response) =>
      path === '/' ? void response.writeHead(303, { location: '/done' }).end() : void response.end(),
    )
    await commandRig().run({ kind: 'http', method: 'POST', url, body: 'x' })
    expect(seen.map(({ method, body }) => method + body)).toEqual(['POSTx', 'GET'])
  })

  test('and gives up at its timeout, also in the middle of an answer', async () => {
    const { url } = await serve((_, response) => void response.write('part'))
    const { result, time } = await withEnoughTime(300, async (timeoutMs) => {
      const one = await commandRig().run({ kind: 'http', method: 'GET', url }, { timeoutMs, title: 'Ask' })
      // Before anything was answered it is not in the middle.
      return one.output === '' ? undefined : { result: one, time: formatDuration(timeoutMs) }
    })
    expect(result).toMatchObject({
      outcome: 'timed_out',
      error: expect.stringMatching(`^"Ask" took longer than ${time}`),
      output: 'part',
    })
  })

  test.each([
    [{ url: 'http://127.0.0.1:1/' }, /^Cannot reach "http:\/\/127\.0\.0\.1:1\/": .*(ECONNREFUSED|bad port)/],
    [{ url: 'not a url' }, /Cannot send GET request to "not a url": "not a url" is not an absolute URL/],
    [{ url: 'file:///etc/passwd' }, /"file:" is not http or https/],
    [{ url: 'http://me:pw@x.test/' }, /credentials in a URL/],
    [{ url: 'http://x.test/$nope' }, /url: nothing sets "nope"/],
    [{ url: 'http://x.test/', headers: { 'a b': 'c' } }, /header "a b": its name or value is not allowed/],
    [{ url: 'http://x.test/', body: 'x' }, /a GET request cannot have a body/],
    [{ url: 'http://x.test/$PATH' }, /nothing sets "PATH"/],
  ])('%j is a failed result that says why', async (changes, error) => {
    const result = await commandRig().run({ kind: 'http', method: 'GET', ...changes })
    expect(result.outcome).toBe('failed')
    expect(result.error).toMatch(error)
  })
})
