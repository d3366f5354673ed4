import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCli } from '../../src/cli/cli.ts'
import { createHttpClient } from '../../src/client/http.ts'
import type { SopDefinition, Trigger } from '../../src/core/definition.ts'
import { createFakeIo } from '../cli/support/fake-io.ts'
import { createFakePorts } from '../cli/support/fake-ports.ts'
import { condition, sopOf, type SopSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'
import { testApi, type TestApi } from '../support/test-api.ts'

// Events, messages and what is known of deliveries, over HTTP and from the command line, on a real engine.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { defaultMode: 'auto' } })
})
afterAll(() => engine.stop())

const open = (): Promise<TestApi> => testApi({ clientFor: ({ principal, via }) => engine.as(principal, via) })

let count = 0
const add = (trigger: (name: string) => Trigger, rest: Partial<SopSketch> = {}): SopDefinition => {
  const name = `t-${++count}`
  const definition = sopOf({ name, triggers: [trigger(name)], steps: [{}], ...rest })
  engine.add(definition)
  return definition
}
const addEvent = (rest: Partial<SopSketch> = {}, more: object = {}) =>
  add((name) => ({ type: 'event', event: `${name}.happened`, ...more }), rest)
const eventOf = ({ name }: SopDefinition): string => `${name}.happened`

const ended = (runId: unknown) =>
  until(
    () => engine.client.getRunStatus(String(runId)),
    ({ status }) => status === 'completed',
  )
const sop = async (api: TestApi, argv: readonly string[], token = api.local) => {
  const io = createFakeIo()
  const connect = async () => createHttpClient({ url: api.url, token, surface: 'cli' })
  const code = await createCli({ io, ports: createFakePorts(undefined, { connect }) }).run(argv)
  return { code, out: io.stdout(), err: io.stderr() }
}

describe('POST /api/v1/events', () => {
  const cloud = (sopName: SopDefinition, id: string, data: unknown = { a: 1 }) => ({
    specversion: '1.0',
    type: eventOf(sopName),
    source: '/ci',
    id,
    data,
  })

  test('an event begins a run of every SOP that waits for it', async () => {
    const api = await open()
    const one = addEvent()
    const two = add(() => ({ type: 'event', event: eventOf(one), condition: condition('level == "high"') }))
    const three = add(() => ({ type: 'event', event: eventOf(one), condition: condition('level == "low"') }))
    const { status, json } = await api.call('POST', '/api/v1/events', {
      token: api.tokenOf.operator,
      body: { event: eventOf(one), payload: { level: 'high' } },
    })
    expect([status, json['status']]).toEqual([202, 'started'])
    const runs = json['runs'] as { sop: string; runId: string; url: string }[]
    expect(runs.map((run) => run.sop)).toEqual([one.name, two.name])
    expect(json['others']).toEqual([
      { sop: three.name, verdict: 'unmatched', reason: 'Condition "level == "low"" is not met' },
    ])
    expect(await ended(runs[1]?.runId)).toMatchObject({
      startedBy: { id: 'a-operator' },
      via: 'trigger',
      params: { level: 'high' },
    })
  })

  test('CloudEvents: structured, binary, and told by source and id', async () => {
    const api = await open()
    const waiting = addEvent({}, { condition: condition('trigger.headers.ce_source == "/ci"') })
    const structured = await api.call('POST', '/api/v1/events', {
      body: cloud(waiting, '1'),
      headers: { 'Content-Type': 'application/cloudevents+json' },
    })
    const binary = await api.call('POST', '/api/v1/events', {
      body: { a: 1 },
      headers: { 'ce-specversion': '1.0', 'ce-type': eventOf(waiting), 'ce-source': '/ci', 'ce-id': '1' },
    })
    const plain = await api.call('POST', '/api/v1/events', { body: cloud(waiting, '2') })
    expect([structured.status, binary.status, plain.status]).toEqual([202, 202, 202])
    expect((await ended(structured.json['runId'])).params).toEqual({ a: 1 })
    expect([binary.json['runId'], binary.text]).toEqual([
      structured.json['runId'],
      expect.stringContaining('"status":"duplicate"'),
    ])
    expect(plain.json['runId']).not.toBe(structured.json['runId'])
  })

  test('a list is answered one by one, and what is wrong with one does not hold up the others', async () => {
    const api = await open()
    const good = addEvent()
    const strict = addEvent({ params: [{ name: 'n', type: 'number', required: true }] })
    const { status, json } = await api.call('POST', '/api/v1/events', {
      body: [cloud(good, '1'), { event: eventOf(strict) }, { event: 'nobody.waits' }, { event: eventOf(good) }],
    })
    expect(status).toBe(202)
    expect(json['results']).toMatchObject([
      { status: 'started', runs: [{ sop: good.name }] },
      { event: eventOf(strict), code: 'invalid', reason: expect.stringContaining('Cannot do without param "n"') },
      { status: 'unmatched', runs: [] },
      { status: 'started', runs: [{ sop: good.name }] },
    ])
  })

  test.each<[what: string, body: unknown, headers: Record<string, string>, status: number]>([
    ['no name', {}, {}, 400],
    ['a key that it does not know', { event: 'x', data: 1 }, {}, 400],
    ['a CloudEvent without source', { specversion: '1.0', type: 'x', id: '1' }, {}, 400],
    ['a CloudEvent of another version', { specversion: '0.3', type: 'x', id: '1', source: 'y' }, {}, 400],
    ['one bad event among good ones', [{ event: 'x' }, { nope: 1 }], {}, 400],
    ['more than a hundred at once', Array.from({ length: 101 }, () => ({ event: 'x' })), {}, 400],
    ['text', 'x', { 'Content-Type': 'text/plain' }, 415],
    ['more than 512 KiB', { event: 'x', payload: 'x'.repeat(524_288) }, {}, 413],
    ['a __proto__ key', '{"event":"x","payload":{"__proto__":{}}}', {}, 400],
  ])('%s begins nothing', async (_what, body, headers, status) => {
    const api = await open()
    const answer = await api.call('POST', '/api/v1/events', { body, headers })
    expect([answer.status, answer.json.code]).toEqual([status, 'invalid'])
  })

  test('params that do not fit are 422, and the record is named', async () => {
    const api = await open()
    const strict = addEvent({ params: [{ name: 'n', type: 'number', required: true }] })
    const { status, json } = await api.call('POST', '/api/v1/events', { body: { event: eventOf(strict) } })
    expect([status, json.code]).toEqual([422, 'invalid'])
    expect(await engine.client.getDelivery(String(json['deliveryId']))).toMatchObject({ sop: strict.name })
  })
})

describe('POST /api/v1/messages', () => {
  test('begins a run by the pattern that takes most of it, with its groups', async () => {
    const api = await open()
    add(() => ({ type: 'command', pattern: '^ship', captureGroups: false }))
    const long = add(() => ({ type: 'command', pattern: '^ship:(?P<what>\\w+)', captureGroups: true }))
    const { status, json } = await api.call('POST', '/api/v1/messages', {
      body: { message: 'ship:shop now', payload: { channel: '#ops' } },
    })
    expect([status, (json['runs'] as { sop: string }[]).map((run) => run.sop)]).toEqual([202, [long.name]])
    expect(await ended(json['runId'])).toMatchObject({
      params: { message: 'ship:shop now', '1': 'shop', what: 'shop' },
      trigger: { type: 'command', payload: { channel: '#ops', message: 'ship:shop now' } },
    })
  })

  test('what is a command for nobody begins nothing, and a viewer may send none', async () => {
    const api = await open()
    const body = { message: 'good morning' }
    const { status, json } = await api.call('POST', '/api/v1/messages', { body })
    expect([status, json['status'], json['runs']]).toEqual([200, 'unmatched', []])
    expect((await api.call('POST', '/api/v1/messages', { body, token: api.tokenOf.viewer })).status).toBe(403)
  })

  test('/approve and /reject decide about a gate, as who sends it', async () => {
    const api = await open()
    const gated = add((name) => ({ type: 'event', event: name }), {
      steps: [{ requiresApproval: true }, { requiresApproval: true }],
    })
    const { runId } = await engine.client.createRun(gated.name)
    const viewer = await api.call('POST', '/api/v1/messages', {
      body: { message: `/approve ${runId}` },
      token: api.tokenOf.viewer,
    })
    expect(viewer.status).toBe(403)
    const approved = await sop(api, ['message', '/approve', gated.name, '1', 'looks', 'good'], api.tokenOf.approver)
    expect(approved).toMatchObject({ code: 0, out: expect.stringMatching(/^Approved gate 1-step_1 of run sop_run_/) })
    await until(
      () => engine.client.getRunStatus(runId),
      ({ openGates }) => openGates[0]?.stepNumber === 2,
    )
    const { status, json } = await api.call('POST', '/api/v1/messages', {
      body: { message: `/reject ${runId} 2 not today` },
      token: api.tokenOf.approver,
    })
    expect([status, json['decision']]).toMatchObject([200, { accepted: true }])
    // The run is open, so its record may be a little behind its state.
    const granted = await until(
      async () =>
        (await engine.client.getAuditLog(runId)).events.find(({ eventType }) => eventType === 'approval_granted'),
      (event) => event !== undefined,
    )
    expect(granted).toMatchObject({
      principal: { id: 'a-approver' },
      details: { comment: 'looks good' },
    })
    const again = await sop(api, ['message', `/approve ${runId} 1`], api.tokenOf.approver)
    expect(again.code).toBe(7)
  })
})

describe('deliveries', () => {
  test('are listed with the state that their run has now, and one is found by its id', async () => {
    const api = await open()
    const waiting = addEvent()
    const { json } = await api.call('POST', '/api/v1/events', { body: { event: eventOf(waiting), payload: { a: 1 } } })
    await ended(json['runId'])
    const listed = await until(
      () => api.call('GET', `/api/v1/deliveries?sop=${waiting.name}&source=event&verdict=started&limit=5`),
      ({ text }) => text.includes('completed'),
    )
    const [delivery] = listed.json['deliveries'] as { id: string }[]
    expect(delivery).toMatchObject({ runId: json['runId'], runState: 'completed', payload: { a: 1 } })
    expect((await api.call('GET', `/api/v1/deliveries/${delivery?.id}`)).json).toEqual(delivery)
    expect((await api.call('GET', '/api/v1/deliveries/del_nope')).status).toBe(404)
    expect((await api.call('GET', '/api/v1/deliveries?limit=0')).status).toBe(400)
    const shown = await sop(api, ['triggers', waiting.name])
    expect(shown.out).toMatch(
      new RegExp(`${waiting.name} +event +${eventOf(waiting)} +.* +started +sop_run_\\w+ +completed`),
    )
  })

  test('one is delivered again: what had begun a run by a key is answered with it, what was refused begins one now', async () => {
    const api = await open()
    const keyed = addEvent()
    const send = (body: object) => api.call('POST', '/api/v1/events', { body })
    const first = await send({ event: eventOf(keyed), key: 'k1' })
    const [id] = first.json['deliveryIds'] as string[]
    const again = await sop(api, ['triggers', 'redeliver', id ?? ''])
    expect(again).toMatchObject({
      code: 0,
      out: `It is here already: run ${String(first.json['runId'])} of ${keyed.name}\n`,
    })

    const strict = addEvent({ params: [{ name: 'n', type: 'number' }] })
    const refused = await send({ event: eventOf(strict), payload: { n: 'many' }, key: 'k2' })
    expect(refused.status).toBe(422)
    // The SOP is mended, and what came for it begins its run after all.
    engine.add({ ...strict, params: [{ name: 'n', type: 'string' }] })
    const { status, json } = await api.call(
      'POST',
      `/api/v1/deliveries/${String(refused.json['deliveryId'])}/redeliver`,
      {
        body: {},
      },
    )
    expect([status, json['status']]).toEqual([202, 'started'])
    expect(await ended(json['runId'])).toMatchObject({ params: { n: 'many' }, startedBy: { id: 'os-user' } })
    const [newest] = await engine.client.listDeliveries({ sop: strict.name })
    expect(newest).toMatchObject({ redeliveryOf: refused.json['deliveryId'], verdict: 'started' })
  })

  test('what was not kept cannot be delivered again', async () => {
    const api = await open()
    const secretive = addEvent({ params: [{ name: 'token', type: 'string', secret: true }] })
    const { json } = await api.call('POST', '/api/v1/events', {
      body: { event: eventOf(secretive), payload: { token: 'swordfish' } },
    })
    const [id] = json['deliveryIds'] as string[]
    const again = await sop(api, ['triggers', 'redeliver', id ?? ''])
    expect([again.code, again.err]).toEqual([7, expect.stringContaining('the value of a secret param')])
  })
})

describe('sop triggers test', () => {
  test('says what would start, with which params, and why not; it starts nothing', async () => {
    const api = await open()
    const yes = add((name) => ({ type: 'webhook', path: `/${name}`, secret: 'X', params: { host: '$.alert.host' } }))
    const no = addEvent({}, { condition: condition('$.alert.level == "low"') })
    const strict = addEvent({ params: [{ name: 'n', type: 'number', required: true }] })
    const ask = (...argv: string[]) =>
      sop(api, ['triggers', 'test', '--payload', '{"alert": {"host": "db-1", "level": "high"}}', ...argv])
    expect(await ask('--sop', yes.name)).toMatchObject({
      code: 0,
      out: `${yes.name} (webhook /${yes.name}): would start\n  Params: host=db-1\n`,
    })
    expect(await ask('--source', 'webhook', '--subject', `/${yes.name}`)).toMatchObject({ code: 0 })
    expect(await ask('--sop', no.name)).toMatchObject({
      code: 1,
      out: expect.stringContaining('would not start\n  Condition "$.alert.level == "low"" is not met'),
    })
    expect((await ask('--sop', strict.name)).out).toContain('would be refused\n  Cannot start SOP')
    const json = JSON.parse((await ask('--json')).out) as { sop: string; verdict: string }[]
    expect(
      json.filter(({ sop: name }) => [yes.name, no.name, strict.name].includes(name)).map((each) => each.verdict),
    ).toEqual(['would_start', 'unmatched', 'refused'])
    for (const { name } of [yes, no, strict]) {
      expect(await engine.client.listDeliveries({ sop: name })).toEqual([])
      expect(await engine.client.listRuns({ sop: name })).toEqual([])
    }
  })

  test('a file and the end of a run are tested by what happened to them', async () => {
    const api = await open()
    const folder = `/tmp/test-${Date.now()}`
    const files = add(() => ({ type: 'file_watch', path: `${folder}/*.csv`, events: ['create', 'delete'] }))
    const ends = add(() => ({ type: 'sop', sop: files.name, on: ['failed'], params: { how: '$.status' } }))
    const ask = (source: string, subject: string, ...argv: string[]) =>
      sop(api, ['triggers', 'test', '--source', source, '--subject', subject, ...argv])
    const created = await ask('file_watch', `${folder}/a b.csv`)
    expect([created.code, created.out]).toEqual([0, expect.stringContaining('would start')])
    expect(created.out).toContain(`path=${folder}/a b.csv, name=a b.csv`)
    expect((await ask('file_watch', `${folder}/a b.csv`, '--action', 'modify')).code).toBe(1)
    expect((await ask('file_watch', `${folder}/a b.csv`, '--action', 'delete')).out).toContain('event=delete')
    expect((await ask('sop', files.name)).code).toBe(1)
    expect((await ask('sop', files.name, '--action', 'failed')).out).toBe(
      `${ends.name} (sop ${files.name}): would start\n  Params: how=failed\n`,
    )
  })

  test('a message is tested by its text', async () => {
    const api = await open()
    const command = add(() => ({ type: 'command', pattern: '^reboot (\\S+)$', captureGroups: true }))
    const { code, out } = await sop(api, ['triggers', 'test', '--source', 'command', '--subject', 'reboot db-1'])
    expect([code, out]).toEqual([0, expect.stringContaining(`${command.name} (command ^reboot (\\S+)$): would start`)])
    expect(out).toContain('1=db-1')
  })
})

test('sop event begins runs, says which, and exits with 1 where it began none', async () => {
  const api = await open()
  const waiting = addEvent()
  const begun = await sop(api, ['event', eventOf(waiting), '--payload', '{"a": 1}', '--key', 'one'])
  expect(begun).toMatchObject({ code: 0, out: expect.stringMatching(/^Started run sop_run_\w+ of t-/) })
  expect((await sop(api, ['event', eventOf(waiting), '--key', 'one'])).out).toContain('It is here already')
  expect(await sop(api, ['event', 'nobody.waits'])).toMatchObject({
    code: 1,
    out: 'Nothing was started.\nNo SOP has a trigger for event "nobody.waits"\n',
  })
  expect((await sop(api, ['event', eventOf(waiting), '--payload', 'nope'])).code).toBe(2)
  expect((await sop(api, ['event', eventOf(waiting)], api.tokenOf.viewer)).code).toBe(5)
})
