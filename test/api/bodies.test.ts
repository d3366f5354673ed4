import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { testApi, type TestApi } from '../support/test-api.ts'

const START = '/api/v1/sops/deploy-production/runs'
const start = async (body: unknown, headers: Record<string, string> = {}) => {
  const api = await testApi()
  const answer = await api.call('POST', START, { body, headers })
  return { ...answer, calls: api.client.calls }
}

describe('a body that is refused as it is', () => {
  test.each([
    ['no JSON', '{"params": }', 400, 'it is not JSON'],
    ['half of a JSON', '{"params": {"a": ', 400, 'it is not JSON'],
    ['a list', '[]', 400, 'expected a JSON object'],
    ['a number', '7', 400, 'expected a JSON object'],
    ['null', 'null', 400, 'expected a JSON object'],
    ['text', '"x"', 400, 'expected a JSON object'],
    ['65 levels', `{"params":${'{"a":'.repeat(64)}1${'}'.repeat(65)}`, 400, 'deeper than 64'],
    ['100,000 lists', '['.repeat(100_000), 400, 'deeper than 64'],
    ['a __proto__ key', '{"params":{"__proto__":{"admin":true}}}', 400, '"__proto__" is not accepted'],
    [
      'a __proto__ key in disguise',
      '{"params":{"\\u005f_proto__":{"admin":true}}}',
      400,
      '"__proto__" is not accepted',
    ],
    ['more than 1 MB', JSON.stringify({ params: { a: 'x'.repeat(1024 * 1024) } }), 413, 'larger than 1048576 bytes'],
  ])('%s', async (_name, body, status, words) => {
    const answer = await start(body)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ code: 'invalid', detail: expect.stringContaining(words) })
    expect(answer.calls).toEqual([])
  })

  test.each([
    ['a form', 'application/x-www-form-urlencoded'],
    ['text', 'text/plain'],
    ['XML', 'application/xml'],
    ['another charset', 'application/json; charset=iso-8859-1'],
    ['nonsense', ';;;'],
  ])('declared as %s is 415 and says what to send', async (_name, type) => {
    const { status, json } = await start('{}', { 'Content-Type': type })
    expect([status, json.code]).toEqual([415, 'invalid'])
  })

  test('compressed is 415', async () => {
    const api = await testApi()
    const { status } = await api.call('POST', START, {
      body: gzipSync('{}').toString('latin1'),
      headers: { 'Content-Encoding': 'gzip' },
    })
    expect(status).toBe(415)
  })

  test('not UTF-8 is 400', async () => {
    const api = await testApi()
    const answer = await raw(api, `${head(api, 3)}{\xff}`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('it is not UTF-8')
  })

  test('chunked and endless is 413 as soon as it passes the limit', async () => {
    const api = await testApi()
    stopTheClock()
    const answer = await endless(api)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(api.client.calls).toEqual([])
  })

  test('reaches its sender, who is still sending when the answer is there, and the connection ends in order', async () => {
    const api = await testApi()
    stopTheClock()
    const answers = await Promise.all(Array.from({ length: 20 }, () => endless(api)))
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(answers.map(() => 'HTTP/1.1 413'))
  })

  test('is not read for ever by a server that has answered', async () => {
    const api = await testApi()
    const startedAt = performance.now()
    await endless(api, { isStubborn: true })
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })
})

describe('a body that is accepted', () => {
  test.each([
    ['64 levels', `{"params":${'{"a":'.repeat(63)}1${'}'.repeat(64)}`],
    ['brackets inside of text', JSON.stringify({ params: { a: '['.repeat(500), b: '\\"{{{' } })],
    ['a BOM', '\uFEFF{"params":{}}'],
    ['CRLF', '{\r\n"params":\r\n{}}\r\n'],
    ['nothing', ''],
    ['spaces', '  \n'],
    ['an odd but JSON type', '{}', 'application/vnd.ops+json; charset="UTF-8"'],
    ['names of Object', '{"params":{"constructor":1,"toString":2,"hasOwnProperty":3}}'],
    ['almost 1 MB', JSON.stringify({ params: { a: 'x'.repeat(1024 * 1024 - 30) } })],
  ])('%s', async (_name, body, type?: string) => {
    const { status } = await start(body, type === undefined ? {} : { 'Content-Type': type })
    expect(status).toBe(201)
  })

  test('reaches the client unchanged', async () => {
    const params = { constructor: 1, 'übung 🚀': 'ä\u0000b', list: [1, [null, { x: false }]], big: 1e21 }
    const { calls } = await start({ params })
    expect(calls[0]?.args).toEqual(['deploy-production', { params }])
  })

  test('without a content type is read as JSON', async () => {
    const api = await testApi()
    const answer = await raw(api, `${head(api, 22, '')}{"variables":{"a":"b"}`.replace('22', '23') + '}')
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(api.client.calls[0]?.args).toEqual(['deploy-production', { params: { a: 'b' } }])
  })
})

describe('a body that does not fit', () => {
  test('lists every place with what was expected, and the keys that are known', async () => {
    const { status, json } = await start({
      params: [],
      executionMode: 'fast',
      force: 'yes',
      parms: {},
      idempotencyKey: '',
    })
    expect(status).toBe(400)
    expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'executionMode',
      'force',
      'idempotencyKey',
      'params',
      'parms',
    ])
    expect(json.detail).toContain('executionMode: expected one of "auto"|"supervised"|"step_by_step"|"priority_based"')
    expect(json.detail).toContain('parms: unknown key. Known keys: params, vars, variables, payload')
    expect(json.detail).toContain('force: expected boolean, received string')
  })

  test('names twenty places at most', async () => {
    const { json } = await start(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key${i}`, 1])))
    expect(json.errors).toHaveLength(20)
  })

  test.each([
    ['/api/v1/runs/x/approve', { approved: false }, 'for the other decision POST to …/reject'],
    ['/api/v1/runs/x/reject', { approved: true }, 'for the other decision POST to …/approve'],
    ['/api/v1/runs/x/approve', { step: -1 }, 'step'],
    ['/api/v1/runs/x/approve', { step: 1.5 }, 'step'],
    ['/api/v1/runs/x/approve', { step: '2' }, 'step: expected'],
    ['/api/v1/runs/x/approve', { principal: { id: 'root' } }, 'principal: unknown key'],
    ['/api/v1/runs/x/approve', { via: 'timer' }, 'via: unknown key'],
    ['/api/v1/runs/x/approve', { comment: 'x'.repeat(10_001) }, 'comment'],
    ['/api/v1/runs/x/complete', { item: 0 }, 'item'],
    ['/api/v1/runs/x/complete', { values: 'x' }, 'values'],
    ['/api/sop/approve', {}, 'exactly one of "sop" and "runId"'],
    ['/api/sop/approve', { sop: 'a', runId: 'b' }, 'exactly one of "sop" and "runId"'],
    ['/api/sop/run/x/approve', { step: 2, approved: 'yes' }, 'approved: expected boolean'],
    ['/api/v1/tokens', { name: 'x' }, 'role'],
    ['/api/v1/tokens', { name: 'x', role: 'root' }, 'role'],
    ['/api/v1/tokens', { name: 'x', role: 'viewer', kind: 'timer' }, 'kind'],
    ['/api/v1/sops', {}, 'name'],
    ['/api/v1/sops', { name: 'x', dialect: 'Z' }, 'dialect'],
  ])('%s %j is 400 and says where', async (path, body, words) => {
    const api = await testApi()
    const { status, json } = await api.call('POST', path, { body })
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: 'invalid', detail: expect.stringContaining(words) })
    expect(api.client.calls).toEqual([])
  })
})

describe('the params of a start', () => {
  test.each(['params', 'vars', 'variables', 'payload'])('may be called %s', async (word) => {
    const { calls } = await start({ [word]: { version: '1' } })
    expect(calls[0]?.args).toEqual(['deploy-production', { params: { version: '1' } }])
  })

  test('under two names at once are refused', async () => {
    const { status, json } = await start({ params: {}, vars: {} })
    expect(status).toBe(400)
    expect(json.detail).toContain('"params" and "vars" mean the same')
  })
})

describe('the idempotency key', () => {
  test('may be a header or part of the body', async () => {
    const byHeader = await start({}, { 'Idempotency-Key': 'k1' })
    const byBody = await start({ idempotencyKey: 'k1' })
    expect(byHeader.calls[0]?.args).toEqual(byBody.calls[0]?.args)
  })

  test('that differs between the two is refused', async () => {
    expect((await start({ idempotencyKey: 'k1' }, { 'Idempotency-Key': 'k2' })).status).toBe(400)
    expect((await start({}, { 'Idempotency-Key': 'k'.repeat(257) })).status).toBe(400)
  })
})

describe('a query', () => {
  test.each([
    ['/api/v1/runs?limit=0', 'limit'],
    ['/api/v1/runs?limit=1001', 'limit'],
    ['/api/v1/runs?limit=ten', 'expected a whole number from 1 to 1000'],
    ['/api/v1/runs?limit=1e2', 'limit'],
    ['/api/v1/runs?limit=', 'limit'],
    ['/api/v1/runs?limit=5&limit=6', 'limit'],
    ['/api/v1/runs?state=done', 'expected some of pending'],
    ['/api/v1/runs?page=2', 'page: unknown key. Known keys: sop, state, '],
    ['/api/v1/runs?__proto__=1', '__proto__'],
    ['/api/v1/runs/x/logs?offset=-1', 'offset'],
    ['/api/v1/runs/x/logs?wait=30001', 'wait'],
    ['/api/v1/runs/x/logs?format=xml', 'format'],
    ['/api/v1/runs/x/logs?follow=maybe', 'follow'],
    ['/api/v1/sops?x=1', 'x: unknown key'],
  ])('%s is 400 and says where', async (path, words) => {
    const api = await testApi()
    const { status, json } = await api.call('GET', path)
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: 'invalid', detail: expect.stringContaining(words) })
    expect(api.client.calls).toEqual([])
  })

  test.each([
    ['?sop=deploy&state=running,paused&limit=5', { sop: 'deploy', states: ['running', 'paused'], limit: 5 }],
    ['?state=running&state=paused', { states: ['running', 'paused'] }],
    ['?state=open', { states: ['pending', 'waiting_approval', 'running', 'awaiting_approval', 'paused'] }],
    ['', {}],
    ['?sop=name%20with%20spaces%26more', { sop: 'name with spaces&more' }],
  ])('GET /api/v1/runs%s asks for %j', async (query, filter) => {
    const api = await testApi()
    await api.call('GET', `/api/v1/runs${query}`)
    expect(api.client.calls[0]?.args).toEqual([filter])
  })
})

describe('a path', () => {
  test.each([
    ['/api/v1/runs/%E0%A4%A', 400],
    ['/api/v1/runs/a%00b', 400],
    ['/api/v1/runs/a%0Ab', 400],
    [`/api/v1/runs/${'x'.repeat(1001)}`, 400],
    [`/api/v1/runs/${'x'.repeat(1000)}`, 200],
    ['/api/v1/runs/%2e%2e%2fetc', 200],
  ])('%s is %i', async (path, status) => {
    const api = await testApi()
    expect((await api.call('GET', path)).status).toBe(status)
  })

  test('gives its name to the client decoded', async () => {
    const api = await testApi()
    await api.call('GET', '/api/v1/sops/my%20sop%2F%C3%BC')
    expect(api.client.calls[0]?.args).toEqual(['my sop/ü'])
  })
})

const head = (api: TestApi, length: number, type = 'Content-Type: application/json\r\n'): string =>
  `POST ${START} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${api.local}\r\n${type}Content-Length: ${length}\r\nConnection: close\r\n\r\n`

function raw(api: TestApi, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(api.port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')))
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8')
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

/** The server reads on for two seconds and no longer, and a busy machine may not let the sender see its answer in that time. */
function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Sends a body without end until it has an answer; `isStubborn`: until the connection breaks. */
function endless(api: TestApi, { isStubborn = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    let isAnswered = false
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const socket = connect(api.port, '127.0.0.1', () => {
      socket.write(head(api, 0).replace('Content-Length: 0', 'Transfer-Encoding: chunked'))
      const push = () => {
        if (socket.destroyed || socket.writableEnded) return
        if (isAnswered && !isStubborn) socket.end('0\r\n\r\n')
        else socket.write(chunk, () => setImmediate(push))
      }
      push()
    })
    socket.on('data', (data) => {
      answer += data.toString('utf8')
      isAnswered = answer.includes('}')
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error) => (isStubborn ? resolve(answer) : reject(error)))
  })
}
