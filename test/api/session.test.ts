import { describe, expect, test } from 'vitest'
import { type TestApi, testApi } from '../support/test-api.ts'

const HEADERS = { 'X-SOP-Client': 'web', 'Sec-Fetch-Site': 'same-origin' }

const signIn = (api: TestApi, body: unknown, headers: Readonly<Record<string, string>> = HEADERS) =>
  api.call('POST', '/api/v1/session', { token: null, body, headers })

const cookieOf = (answer: Awaited<ReturnType<typeof signIn>>): string =>
  String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''

const signedIn = async (api: TestApi, token = api.local): Promise<string> => cookieOf(await signIn(api, { token }))

describe('a browser', () => {
  test('signs in by a token, and is its holder from then on, by a cookie that no script and no other site gets', async () => {
    const api = await testApi()
    const answer = await signIn(api, { token: api.tokenOf.approver })
    expect(answer.status).toBe(204)
    const cookie = String(answer.headers['set-cookie'])
    expect(cookie).toMatch(
      new RegExp(`^sop_session_${api.port}=v1\\.[^;]+; Path=/; HttpOnly; SameSite=Strict; Expires=`),
    )
    const who = await api.call('GET', '/api/v1/session', { token: null, headers: { Cookie: cookieOf(answer) } })
    expect([who.status, who.json]).toEqual([
      200,
      {
        principal: { id: 'a-approver', kind: 'user', role: 'approver' },
        version: '0.1.0',
        expiresAt: expect.any(String),
      },
    ])
  })

  test('is on record as the page, whatever it says of itself', async () => {
    const api = await testApi()
    const headers = { Cookie: await signedIn(api), 'X-SOP-Client': 'cli' }
    await api.call('GET', '/api/v1/runs', { token: null, headers })
    expect(api.actors.at(-1)).toMatchObject({ via: 'web', principal: { id: 'os-user' } })
  })

  test('behind TLS gets a cookie for TLS alone', async () => {
    const publicUrl = 'https://sop.example.com'
    const api = await testApi({ config: { api: { host: '127.0.0.1', port: 0, publicUrl }, agentsMayCreate: false } })
    const answer = await signIn(api, { token: api.local }, { ...HEADERS, Host: 'sop.example.com', Origin: publicUrl })
    expect(String(answer.headers['set-cookie'])).toMatch(/^sop_session=v1.*; Secure;/)
  })

  test('signs in by a link once', async () => {
    const api = await testApi()
    const { status, json } = await api.call('POST', '/api/v1/session/links', { token: api.tokenOf.viewer })
    expect([status, json.url]).toEqual([201, `http://127.0.0.1:${api.port}/login#code=${String(json['code'])}`])
    const first = await signIn(api, { code: json['code'] })
    const who = await api.call('GET', '/api/v1/session', { token: null, headers: { Cookie: cookieOf(first) } })
    expect(who.json['principal']).toMatchObject({ id: 'a-viewer' })
    const second = await signIn(api, { code: json['code'] })
    expect([second.status, second.headers['set-cookie']]).toEqual([401, undefined])
    expect(second.json.detail).toContain('sop open')
  })

  test('signs out', async () => {
    const api = await testApi()
    const Cookie = await signedIn(api)
    const { status, headers } = await api.call('DELETE', '/api/v1/session', {
      token: null,
      headers: { ...HEADERS, Cookie },
    })
    expect(status).toBe(204)
    expect(String(headers['set-cookie'])).toMatch(/^sop_session_\d+=; .*Expires=Thu, 01 Jan 1970/)
  })

  test('is nobody any more when the token is revoked', async () => {
    const api = await testApi()
    const Cookie = await signedIn(api, await api.makeToken({ name: 'alice', role: 'admin' }))
    expect((await api.call('GET', '/api/v1/runs', { token: null, headers: { Cookie } })).status).toBe(200)
    await api.tokens.revoke('alice')
    const { status, json } = await api.call('GET', '/api/v1/runs', { token: null, headers: { Cookie } })
    expect([status, json.code]).toEqual([401, 'unauthenticated'])
  })

  test('guesses at most as often as programs do', async () => {
    const api = await testApi({ authFailuresPerMinute: 3 })
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await signIn(api, { code: `guess-${i}` })).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect((await signIn(api, { token: api.local })).status).toBe(204)
  })
})

describe('a request with the cookie of a session', () => {
  const BODY = { name: 'bob', role: 'viewer' }
  const call = async (api: TestApi, headers: Readonly<Record<string, string>>) =>
    api.call('POST', '/api/v1/tokens', {
      token: null,
      body: BODY,
      headers: { ...headers, Cookie: await signedIn(api) },
    })

  test('changes something when it comes from the page', async () => {
    const api = await testApi()
    expect((await call(api, HEADERS)).status).toBe(201)
    await api.tokens.revoke('bob')
    const old = { 'X-SOP-Client': 'web', Origin: `http://127.0.0.1:${api.port}` }
    expect((await call(api, old)).status).toBe(201)
  })

  test.each([
    ['without the mark of the page', { 'Sec-Fetch-Site': 'same-origin' }],
    ['with nothing that says where it is from', { 'X-SOP-Client': 'web' }],
    ['from another site', { ...HEADERS, 'Sec-Fetch-Site': 'cross-site' }],
    ['from another port of this host', { ...HEADERS, 'Sec-Fetch-Site': 'same-site' }],
    ['that was typed as an address', { ...HEADERS, 'Sec-Fetch-Site': 'none' }],
    ['of another origin', { 'X-SOP-Client': 'web', Origin: 'http://127.0.0.1:1' }],
    ['of no origin', { 'X-SOP-Client': 'web', Origin: 'null' }],
    ['of our origin by name alone', { ...HEADERS, Origin: 'https://evil.example/127.0.0.1' }],
  ])('%s changes nothing', async (_, headers) => {
    const api = await testApi()
    const { status, json } = await call(api, headers)
    expect([status, json.code]).toEqual([403, 'forbidden'])
    expect(await api.tokens.list()).not.toContainEqual(expect.objectContaining({ name: 'bob' }))
  })

  test('reads nothing for another site', async () => {
    const api = await testApi()
    const Cookie = await signedIn(api)
    for (const site of ['cross-site', 'same-site']) {
      const headers = { Cookie, 'Sec-Fetch-Site': site }
      expect((await api.call('GET', '/api/v1/runs', { token: null, headers })).status).toBe(403)
    }
  })

  test.each([
    ['cross-site', { ...HEADERS, 'Sec-Fetch-Site': 'cross-site' }],
    ['unmarked', { 'Sec-Fetch-Site': 'same-origin' }],
  ])('a %s sign-in signs nobody in', async (_, headers) => {
    const api = await testApi()
    const answer = await signIn(api, { token: api.local }, headers)
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined])
  })

  test('of a token that is sent besides, the token counts', async () => {
    const api = await testApi()
    const headers = { Cookie: await signedIn(api) }
    const { json } = await api.call('GET', '/api/v1/session', { token: api.tokenOf.viewer, headers })
    expect(json['principal']).toMatchObject({ id: 'a-viewer' })
  })
})

test.each([[{}], [{ token: 'a', code: 'b' }], [{ token: '' }], [{ user: 'x' }]])(
  'signing in with %j is invalid',
  async (body) => {
    const { status, json } = await signIn(await testApi(), body)
    expect([status, json.code]).toEqual([400, 'invalid'])
  },
)
