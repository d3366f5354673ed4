import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/core/compile.ts'
import { createCatalog } from '../../src/client/catalog.ts'
import { createWebhookDoor } from '../../src/client/webhook-door.ts'
import type { Trigger } from '../../src/core/definition.ts'
import { condition, sopOf, type SopSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { testApi, type TestApi } from '../support/test-api.ts'

// Webhooks over a real engine: bytes at a port go in; runs, or nothing, come out.

const SECRET = 'a secret of the tests'
const examples = await createCatalog({ sopDir: join(import.meta.dirname, '../../sops') }).list()
/** The seeds' files, each by its folder; some of them have one name. Steps that they lack, or that only others carry out, are no matter here. */
const seeds = (await createCatalog({ sopDir: join(import.meta.dirname, '../fixtures/sop') }).list()).flatMap(
  (entry) => {
    const { definition } = compile({ files: entry.files, fallbackName: 'seed' })
    if (definition === undefined) return []
    const { refusals: _, ...rest } = definition
    const name = `seed-${dirname(entry.path).replace('.', entry.name)}`
    return [{ ...rest, name, steps: sopOf({ steps: [{}] }).steps }]
  },
)
const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../fixtures/webhook/${name}.json`), 'utf8')

let engine: TestEngine
let clock: number | undefined
beforeAll(async () => {
  engine = await startTestEngine({
    policy: { defaultMode: 'auto' },
    environment: {
      HOOK_SECRET: SECRET,
      GITHUB_WEBHOOK_SECRET: 'github secret',
      ALERT_WEBHOOK_TOKEN: 'alert-token',
      PAGERDUTY_WEBHOOK_SECRET: 'pagerduty secret',
    },
    sops: examples.flatMap(({ compiled: { definition } }) => (definition === undefined ? [] : [definition])),
  })
})
afterAll(() => engine.stop())

const open = (): Promise<TestApi> => {
  clock = undefined
  return testApi({
    clientFor: ({ principal, via }) => engine.as(principal, via),
    webhooks: createWebhookDoor({
      catalog: engine.catalog,
      triggers: engine.triggers,
      secrets: engine.stores.secrets,
      warn: () => {},
      now: () => clock ?? Date.now(),
    }),
    authFailuresPerMinute: 100,
  })
}

let count = 0
/** An SOP with a webhook of its own. */
const add = (trigger: Partial<Extract<Trigger, { type: 'webhook' }>> = {}, rest: Partial<SopSketch> = {}) => {
  const name = `hook-${++count}`
  const path = `/hooks/test-${count}`
  engine.add(
    sopOf({ name, triggers: [{ type: 'webhook', path, secret: 'HOOK_SECRET', ...trigger }], steps: [{}], ...rest }),
  )
  return { name, path }
}

const hex = (body: string, secret = SECRET): string => createHmac('sha256', secret).update(body).digest('hex')
const signed = (body: string, secret = SECRET): Record<string, string> => ({
  'X-Hub-Signature-256': `sha256=${hex(body, secret)}`,
})
const post = (api: TestApi, path: string, body: string, headers: Record<string, string> = {}) =>
  api.call('POST', path, { token: null, body, headers })
const runsOf = (sop: string) => engine.client.listRuns({ sop })
const deliveriesOf = (sop: string) => engine.stores.deliveries.list({ sop })
const ended = (runId: string) =>
  until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => status === 'completed',
  )

describe('a webhook', () => {
  test('answers 202 with the run, which is durable before any worker saw it', async () => {
    const api = await open()
    const { name, path } = add()
    await engine.stopWorker()
    const { status, json, headers } = await post(api, path, '{"version":"1.2"}', signed('{"version":"1.2"}'))
    await engine.startWorker()
    expect(status).toBe(202)
    expect(json).toMatchObject({
      runId: expect.stringMatching(/^sop_run_/),
      status: 'started',
      url: `http://127.0.0.1:${api.port}/api/v1/runs/${String(json['runId'])}`,
      runs: [{ sop: name, duplicate: false }],
      others: [],
    })
    expect(headers['location']).toBe(`/api/v1/runs/${String(json['runId'])}`)
    const run = await ended(String(json['runId']))
    expect(run).toMatchObject({
      params: { version: '1.2' },
      startedBy: { id: `webhook:${path}`, kind: 'service' },
      via: 'trigger',
      trigger: { type: 'webhook', path },
    })
    expect(JSON.stringify(run.trigger.headers)).not.toContain('signature')
  })

  test('one delivery that comes five times at once, and once more, is one run that all answers name', async () => {
    const api = await open()
    const { name, path } = add()
    const headers = { ...signed('{}'), 'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }
    const deliver = () => post(api, path, '{}', headers)
    const answers = [...(await Promise.all([1, 2, 3, 4, 5].map(deliver))), await deliver()]
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(202))
    expect(new Set(answers.map(({ json }) => json['runId'])).size).toBe(1)
    expect(answers.filter(({ text }) => text.includes('"status":"started"'))).toHaveLength(1)
    await ended(String(answers[0]?.json['runId']))
    expect(await runsOf(name)).toHaveLength(1)
    expect((await deliveriesOf(name)).map(({ verdict }) => verdict).sort()).toEqual([
      ...Array(5).fill('duplicate'),
      'started',
    ])
  })

  test('the same key at another webhook of the SOP is another delivery', async () => {
    const api = await open()
    const name = `hook-${++count}`
    const triggers = ['a', 'b'].map(
      (end): Trigger => ({ type: 'webhook', path: `/hooks/two-${end}`, secret: 'HOOK_SECRET' }),
    )
    engine.add(sopOf({ name, triggers, steps: [{}] }))
    const headers = { ...signed('{}'), 'Idempotency-Key': '1' }
    const [a, b] = [await post(api, '/hooks/two-a', '{}', headers), await post(api, '/hooks/two-b', '{}', headers)]
    expect([a.status, b.status]).toEqual([202, 202])
    expect(a.json['runId']).not.toBe(b.json['runId'])
  })

  test('two SOPs on one path both start, each by its own secret', async () => {
    const api = await open()
    const { name, path } = add()
    const other = add({ path })
    const stranger = add({ path, secret: 'a secret that nobody here knows' })
    const { status, json } = await post(api, path, '{}', signed('{}'))
    expect(status).toBe(202)
    expect((json['runs'] as { sop: string }[]).map(({ sop }) => sop).sort()).toEqual([name, other.name].sort())
    expect(JSON.stringify(json)).not.toContain(stranger.name)
    expect(await deliveriesOf(stranger.name)).toMatchObject([{ verdict: 'refused', code: 'unauthenticated' }])
  })

  test('without a secret it takes a token of an operator, who is then the starter', async () => {
    const api = await open()
    const name = `hook-${++count}`
    const path = `/hooks/open-${count}`
    engine.add(sopOf({ name, triggers: [{ type: 'webhook', path }], steps: [{}] }))
    const call = (token: string | null) => api.call('POST', path, { token, body: {} })
    expect((await call(null)).status).toBe(401)
    expect((await call('sop_wrong')).status).toBe(401)
    expect((await call(api.tokenOf.viewer)).status).toBe(403)
    expect(await runsOf(name)).toEqual([])
    const { status, json } = await call(api.tokenOf.operator)
    expect(status).toBe(202)
    expect(await ended(String(json['runId']))).toMatchObject({ startedBy: { id: 'a-operator' } })
  })

  test('other methods than it lists are no webhook, and a path that nobody named is none', async () => {
    const api = await open()
    const { path } = add({ methods: ['PUT'] })
    const body = '{}'
    expect((await api.call('PUT', path, { token: null, body, headers: signed(body) })).status).toBe(202)
    for (const [method, at] of [
      ['POST', path],
      ['GET', path],
      ['PUT', `${path}/more`],
      ['PUT', path.toUpperCase()],
      ['PUT', `/hooks/../hooks${path.slice('/hooks'.length)}`],
      ['PUT', `/hooks/%2e%2e${path}`],
      ['POST', '/api/../hooks/x'],
    ] as const) {
      const withoutToken = await api.call(method, at, { token: null, headers: signed('') })
      expect([method, at, withoutToken.status]).toEqual([method, at, 401])
      expect([method, at, (await api.call(method, at)).status]).toEqual([method, at, 404])
    }
  })

  test('nothing is started where a condition does not hold, and that is an answer', async () => {
    const api = await open()
    const { name, path } = add({ condition: condition('action == "opened"') })
    const { status, json } = await post(api, path, '{"action":"closed"}', signed('{"action":"closed"}'))
    expect([status, json['status'], json['runs']]).toEqual([200, 'unmatched', []])
    expect(json['others']).toEqual([
      { sop: name, verdict: 'unmatched', reason: 'Condition "action == "opened"" is not met' },
    ])
    expect(await runsOf(name)).toEqual([])
  })

  test('a file that no longer compiles is told to the sender, not passed over', async () => {
    const api = await open()
    const { name, path } = add()
    expect((await post(api, path, '{}', signed('{}'))).status).toBe(202)
    engine.breakSop(name)
    clock = Date.now() + 5_000
    const { status, json } = await post(api, path, '{}', signed('{}'))
    expect([status, json.code]).toEqual([409, 'conflict'])
    expect((await deliveriesOf(name))[0]).toMatchObject({ verdict: 'refused', code: 'conflict' })
    expect((await post(api, path, '{}', signed('{}', 'wrong'))).status).toBe(401)
  })
})

describe('its signature', () => {
  const BODY = '{"a":"ü"}'
  const t = 1_700_000_000
  const stamped = (at: number, body = BODY, secret = SECRET) => `t=${at},v1=${hex(`${at}.${body}`, secret)}`
  type Row = [what: string, trigger: Parameters<typeof add>[0], headers: Record<string, string>, status: number]
  test.each<Row>([
    ['GitHub', {}, signed(BODY), 202],
    ['GitHub, asked for by name', { signature: 'github' }, signed(BODY), 202],
    ['of another body', {}, signed('{"a":"u"}'), 401],
    ['of another secret', {}, signed(BODY, 'another'), 401],
    ['missing', {}, {}, 401],
    ['empty', {}, { 'X-Hub-Signature-256': '' }, 401],
    ['no signature at all', {}, { 'X-Hub-Signature-256': 'sha256=zz' }, 401],
    ['half of one', {}, { 'X-Hub-Signature-256': `sha256=${hex(BODY).slice(0, 32)}` }, 401],
    ['in a header that the trigger does not ask for', { signature: 'stripe' }, signed(BODY), 401],
    [
      'PagerDuty, of two one right',
      { signature: 'pagerduty' },
      { 'X-PagerDuty-Signature': `v1=${hex(BODY, 'old')},v1=${hex(BODY)}` },
      202,
    ],
    ['PagerDuty, none right', { signature: 'pagerduty' }, { 'X-PagerDuty-Signature': `v1=${hex(BODY, 'old')}` }, 401],
    ['Grafana', {}, { 'X-Grafana-Alerting-Signature': hex(BODY) }, 202],
    [
      'a header of its own, in hex',
      { signature: 'X-Acme-Signature' },
      { 'X-Acme-Signature': hex(BODY).toUpperCase() },
      202,
    ],
    [
      'a header of its own, in base64',
      { signature: 'hmac X-Acme' },
      { 'X-Acme': Buffer.from(hex(BODY), 'hex').toString('base64') },
      202,
    ],
    ['Stripe, just now', {}, { 'Stripe-Signature': stamped(t) }, 202],
    ['Stripe, with an older scheme beside it', {}, { 'Stripe-Signature': `${stamped(t)},v0=00` }, 202],
    ['Stripe, five minutes old', {}, { 'Stripe-Signature': stamped(t - 300) }, 202],
    ['Stripe, older', {}, { 'Stripe-Signature': stamped(t - 301) }, 401],
    ['Stripe, from ahead', {}, { 'Stripe-Signature': stamped(t + 301) }, 401],
    [
      'Stripe, older, and the trigger allows it',
      { replayWindowMs: 3_600_000 },
      { 'Stripe-Signature': stamped(t - 3_600) },
      202,
    ],
    [
      'Stripe, an old one with a new time',
      {},
      { 'Stripe-Signature': stamped(t - 900).replace(String(t - 900), String(t)) },
      401,
    ],
    ['Stripe, without time', {}, { 'Stripe-Signature': `v1=${hex(BODY)}` }, 401],
    ['timestamped in a header of its own', { signature: 'timestamped X-Acme' }, { 'X-Acme': stamped(t) }, 202],
    [
      'the secret as a bearer token',
      { signature: 'bearer', secret: 'plain-token' },
      { Authorization: 'Bearer plain-token' },
      202,
    ],
    [
      'another bearer token',
      { signature: 'bearer', secret: 'plain-token' },
      { Authorization: 'Bearer plain-tokem' },
      401,
    ],
    ['the secret in a header of GitLab', { signature: 'gitlab' }, { 'X-Gitlab-Token': SECRET }, 202],
    ['another one in it', { signature: 'gitlab' }, { 'X-Gitlab-Token': `${SECRET} ` + 'x' }, 401],
  ])('%s', async (_what, trigger, headers, status) => {
    const api = await open()
    const { name, path } = add(trigger)
    clock = t * 1000
    const answer = await post(api, path, BODY, headers)
    expect([answer.status, answer.json.code]).toEqual([status, status === 401 ? 'unauthenticated' : undefined])
    if (status === 202) return
    expect(answer.text).not.toContain(hex(BODY))
    expect(await runsOf(name)).toEqual([])
    expect(await deliveriesOf(name)).toMatchObject([{ verdict: 'refused', redacted: 'unauthenticated' }])
  })

  test('for a time is good once: what somebody overheard and sends again starts nothing, what is signed anew does', async () => {
    const api = await open()
    const { name, path } = add()
    clock = t * 1000
    const send = (time: string, body = BODY) =>
      post(api, path, body, { 'Stripe-Signature': `t=${time},v1=${hex(`${time}.${body}`)}` })
    const first = await send(String(t))
    const again = await send(String(t))
    expect([first.status, again.status]).toEqual([202, 202])
    expect(again.json).toMatchObject({ status: 'duplicate', runId: first.json['runId'] })
    expect((await send(String(t + 1))).json).toMatchObject({ status: 'started' })
    expect((await send(String(t), '{"a":"v"}')).json).toMatchObject({ status: 'started' })
    expect(await deliveriesOf(name)).toHaveLength(4)
  })

  test('an admin token opens no webhook that has a secret', async () => {
    const api = await open()
    const { path } = add()
    expect((await api.call('POST', path, { body: {} })).status).toBe(401)
  })

  test('a secret that the engine does not have is 503, so that the sender tries again', async () => {
    const api = await open()
    const { name, path } = add({ secret: 'NO_SUCH_SECRET' })
    const { status, text } = await post(api, path, '{}', signed('{}'))
    expect(status).toBe(503)
    expect(text).not.toContain('NO_SUCH_SECRET')
    expect((await deliveriesOf(name))[0]?.reason).toContain('Cannot read secret "NO_SUCH_SECRET"')
  })

  test('wrong ones from one address are looked at no more after a hundred', async () => {
    const api = await open()
    const { path } = add()
    const statuses: number[] = []
    for (let at = 0; at < 102; at++) statuses.push((await post(api, path, '{}', signed('{}', 'wrong'))).status)
    expect([statuses[0], statuses[99], statuses[101]]).toEqual([401, 401, 429])
    // A right one always passes.
    expect((await post(api, path, '{}', signed('{}'))).status).toBe(202)
  })
})

describe('its body', () => {
  const type = (text: string) => ({ 'Content-Type': text })
  const event = { specversion: '1.0', type: 'com.example.x', source: '/ci', id: '7' }
  test.each<[what: string, body: string, headers: Record<string, string>, params: unknown]>([
    ['JSON', '{"a":1}', type('application/json; charset=utf-8'), { a: 1 }],
    ['JSON by another name', '{"a":1}', type('application/vnd.acme+json'), { a: 1 }],
    [
      'a form',
      'a=1&b=x+y&c=%C3%BC&d=1&d=2',
      type('application/x-www-form-urlencoded'),
      { a: '1', b: 'x y', c: 'ü', d: ['1', '2'] },
    ],
    [
      'the form of GitHub',
      `payload=${encodeURIComponent('{"a":1}')}`,
      type('application/x-www-form-urlencoded'),
      { a: 1 },
    ],
    [
      'a structured CloudEvent',
      JSON.stringify({ ...event, data: { a: 1 } }),
      type('application/cloudevents+json'),
      { a: 1 },
    ],
    [
      'a binary CloudEvent',
      '{"a":1}',
      { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/ci', 'ce-id': '8' },
      { a: 1 },
    ],
    ['nothing', '', {}, {}],
  ])('%s', async (_what, body, headers, params) => {
    const api = await open()
    const { path } = add()
    const answer = await api.call('POST', path, { token: null, body, headers: { ...headers, ...signed(body) } })
    expect([answer.status, answer.text]).toEqual([202, expect.anything()])
    expect((await ended(String(answer.json['runId']))).params).toEqual(params)
  })

  test('a CloudEvent is told by its source and id', async () => {
    const api = await open()
    const { path } = add()
    const send = (source: string) => {
      const body = JSON.stringify({ ...event, source })
      return post(api, path, body, { ...type('application/cloudevents+json'), ...signed(body) })
    }
    const [first, second, other] = [await send('/a'), await send('/a'), await send('/b')]
    expect(second.json['runId']).toBe(first.json['runId'])
    expect(other.json['runId']).not.toBe(first.json['runId'])
  })

  test.each<[what: string, body: string | Buffer, headers: Record<string, string>, status: number]>([
    ['text', 'x', type('text/plain'), 415],
    ['XML', '<x/>', type('application/xml'), 415],
    ['another charset', '{}', type('application/json; charset=latin1'), 415],
    ['compressed', '{}', { 'Content-Encoding': 'gzip' }, 415],
    ['no JSON', '{"a":', {}, 400],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`, {}, 400],
    ['100,000 levels', '['.repeat(100_000), {}, 400],
    ['a __proto__ key', '{"__proto__":{"admin":true}}', {}, 400],
    ['a form that is no UTF-8', 'a=%ff', type('application/x-www-form-urlencoded'), 400],
    ['a __proto__ field', '__proto__=x', type('application/x-www-form-urlencoded'), 400],
    [
      'a CloudEvent without id',
      '{"specversion":"1.0","type":"x","source":"y"}',
      type('application/cloudevents+json'),
      400,
    ],
    ['more than 512 KiB', JSON.stringify('x'.repeat(524_288)), {}, 413],
  ])('%s starts nothing', async (_what, body, headers, status) => {
    const api = await open()
    const { name, path } = add()
    const answer = await post(api, path, String(body), { ...headers, ...signed(String(body)) })
    expect([answer.status, answer.json.code]).toEqual([status, 'invalid'])
    expect(await runsOf(name)).toEqual([])
    expect(await deliveriesOf(name)).toEqual([])
  })

  test('bytes that are no UTF-8 start nothing', async () => {
    const api = await open()
    const { name, path } = add()
    const body = Buffer.from([0x22, 0xff, 0x22])
    const mac = createHmac('sha256', SECRET).update(body).digest('hex')
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Hub-Signature-256: sha256=${mac}\r\nContent-Length: 3\r\n\r\n`
    expect(await raw(api, Buffer.concat([Buffer.from(head), body]))).toMatch(/^HTTP\/1\.1 400 /)
    expect(await runsOf(name)).toEqual([])
  })

  test('params that do not fit are 422 with the reason', async () => {
    const api = await open()
    const { name, path } = add({}, { params: [{ name: 'n', type: 'number', required: true }] })
    for (const body of ['{}', '{"n":"many"}', '{"n":{"$gt":0}}', '[]', 'null', '7']) {
      const answer = await post(api, path, body, signed(body))
      expect([body, answer.status, answer.json.detail]).toEqual([body, 422, expect.stringContaining('param "n"')])
    }
    expect(await runsOf(name)).toEqual([])
    expect(await deliveriesOf(name)).toHaveLength(6)
  })
})

test('of a thousand requests at once from one address some are told to come again, and no other is lost', {
  timeout: 180_000,
}, async () => {
  const api = await open()
  const { name, path } = add()
  await engine.stopWorker()
  const before = process.memoryUsage().rss
  const statuses = await Promise.all(
    Array.from({ length: 1_000 }, async () => (await post(api, path, '{}', signed('{}'))).status),
  )
  const grownMb = (process.memoryUsage().rss - before) / 1e6
  const taken = statuses.filter((status) => status === 202).length
  expect(statuses.filter((status) => status === 429).length + taken).toBe(1_000)
  expect(taken).toBeGreaterThanOrEqual(100)
  expect(taken).toBeLessThan(1_000)
  expect((await engine.stores.deliveries.list({ sop: name, limit: 1_000 })).length).toBe(taken)
  expect(grownMb).toBeLessThan(300)
  const open_ = engine.temporal.workflow.list({ query: `SopName = "${name}"` })
  await until(
    async () => (await engine.temporal.workflow.count(`SopName = "${name}"`)).count,
    (started) => started === taken,
    60_000,
  )
  const closing: Promise<unknown>[] = []
  for await (const { workflowId } of open_) closing.push(engine.temporal.workflow.getHandle(workflowId).terminate())
  await Promise.all(closing)
  await engine.startWorker()
})

test('requests that a webhook takes by GET are held to the same number', { timeout: 180_000 }, async () => {
  const api = await open()
  const { name, path } = add({ methods: ['GET'], signature: 'token X-Acme-Token' })
  await engine.stopWorker()
  const ask = () => api.call('GET', path, { token: null, headers: { 'X-Acme-Token': SECRET } })
  const statuses = await Promise.all(Array.from({ length: 400 }, async () => (await ask()).status))
  const taken = statuses.filter((status) => status === 202).length
  expect(taken).toBeGreaterThanOrEqual(100)
  expect(statuses.filter((status) => status === 429)).toHaveLength(400 - taken)
  expect(taken).toBeLessThan(400)
  expect((await deliveriesOf(name)).length).toBeLessThanOrEqual(taken)
  const started = await until(
    async () => {
      const ids: string[] = []
      for await (const { workflowId } of engine.temporal.workflow.list({ query: `SopName = "${name}"` }))
        ids.push(workflowId)
      return ids
    },
    (ids) => ids.length === taken,
    60_000,
  )
  await Promise.all(started.map((runId) => engine.temporal.workflow.getHandle(runId).terminate()))
  await engine.startWorker()
})

describe('what senders really send', () => {
  type Row = [
    what: string,
    path: string,
    body: string,
    headers: (body: string) => Record<string, string>,
    sop: string,
    params: Record<string, string>,
  ]
  const rows: Row[] = [
    [
      'GitHub: a workflow run that went well',
      '/hooks/github',
      fixture('github-workflow-run'),
      (body) => ({ ...signed(body, 'github secret'), 'X-GitHub-Event': 'workflow_run', 'X-GitHub-Delivery': 'g1' }),
      'deploy-on-push',
      {
        repository: 'octo-org/shop',
        commit: '59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5',
        title: 'Round prices half up',
      },
    ],
    [
      'Alertmanager',
      '/hooks/alertmanager',
      fixture('alertmanager'),
      () => ({ Authorization: 'Bearer alert-token' }),
      'alert-triage',
      {
        alert: 'DiskWillFillIn4Hours',
        host: 'db-1.example.com:9100',
        severity: 'critical',
        summary: 'Disk will fill in 4 hours',
      },
    ],
    [
      'Grafana',
      '/hooks/grafana',
      fixture('grafana'),
      (body) => ({ 'X-Grafana-Alerting-Signature': hex(body, 'alert-token') }),
      'alert-triage',
      {
        alert: 'High latency',
        host: 'shop-2.example.com',
        severity: 'high',
        summary: '[FIRING:1] High latency Shop (shop-2.example.com high)',
      },
    ],
    [
      'PagerDuty',
      '/hooks/pagerduty',
      fixture('pagerduty'),
      (body) => ({ 'X-PagerDuty-Signature': `v1=${hex(body, 'pagerduty secret')}` }),
      'page-response',
      {
        incident: 'PGR0VU2',
        title: 'Checkout answers 502',
        service: 'Checkout',
        link: 'https://acme.pagerduty.com/incidents/PGR0VU2',
      },
    ],
  ]
  test.each(rows)('%s', async (_what, path, body, headers, sop, params) => {
    const api = await open()
    const { status, json, text } = await post(api, path, body, headers(body))
    expect([status, text]).toEqual([202, expect.stringContaining(`"sop":"${sop}"`)])
    expect((await ended(String(json['runId']))).params).toEqual(params)
    // Sent again, as senders do, it is the same run.
    expect((await post(api, path, body, headers(body))).json['runId']).toBe(json['runId'])
  })
})

test('a push to GitHub that no SOP waits for is answered, and starts nothing', async () => {
  const api = await open()
  const body = fixture('github-push')
  const headers = { ...signed(body, 'github secret'), 'X-GitHub-Event': 'push' }
  const { status, json } = await post(api, '/hooks/github', body, headers)
  expect([status, json['status'], json['runs']]).toEqual([200, 'unmatched', []])
})

describe('every webhook, event and command of the seeds, as the seeds spell it', () => {
  /** What has to come so that the conditions of a trigger hold. */
  const payload = {
    environment: 'production',
    severity: 'critical',
    build: { passed: 'true' },
    event_type: 'release.published',
  }
  const rows = seeds.flatMap((definition) =>
    definition.triggers.flatMap((trigger, index) =>
      ['webhook', 'event', 'command'].includes(trigger.type)
        ? [[definition.name, index, trigger, definition] as const]
        : [],
    ),
  )

  test('there are some of each', () => {
    expect(new Set(rows.map(([, , { type }]) => type))).toEqual(new Set(['webhook', 'event', 'command']))
    expect(rows.filter(([, , { type }]) => type === 'webhook').length).toBeGreaterThanOrEqual(5)
  })

  test.each(rows)('%s, trigger %d: %j', async (name, _index, trigger, definition) => {
    const api = await open()
    engine.add({ ...definition, cooldownMs: 0 })
    // The example of that name waits for the same message, and of equals the first by name is meant.
    engine.breakSop('deploy-production')
    const params = Object.fromEntries(
      (definition.params ?? []).map(({ name: param, choices, default: value }) => [
        param,
        value ?? choices?.[0] ?? '1',
      ]),
    )
    const body = { ...payload, ...params }
    const { status, json } =
      trigger.type === 'webhook'
        ? await api.call((trigger.methods ?? ['POST'])[0] ?? '', trigger.path, { body })
        : trigger.type === 'event'
          ? await api.call('POST', '/api/v1/events', { body: { event: trigger.event, payload: body } })
          : await api.call('POST', '/api/v1/messages', { body: { message: 'deploy:shop', payload: body } })
    const runs = json['runs'] as { sop: string; runId: string }[] | undefined
    expect([status, runs?.map(({ sop }) => sop)]).toEqual([202, expect.arrayContaining([name])])
    const runId = runs?.find(({ sop }) => sop === name)?.runId ?? ''
    const run = await until(
      () => engine.client.getRunStatus(runId),
      (view) => view.status !== 'pending',
    )
    expect(run).toMatchObject({ sopName: name, trigger: { type: trigger.type } })
    await engine.temporal.workflow
      .getHandle(runId)
      .terminate()
      .catch(() => {})
    engine.breakSop(name)
  })
})

const raw = (api: TestApi, bytes: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(api.port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
