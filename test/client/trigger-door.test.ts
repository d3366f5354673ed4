import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json, SopDefinition, Trigger } from '../../src/core/definition.ts'
import type { Delivery } from '../../src/core/trigger/delivery.ts'
import type { Occurrence } from '../../src/core/trigger/occurrence.ts'
import { bash, condition, sopOf, type SopSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

// The door over a real engine: an occurrence goes in, runs and deliveries come out.

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ policy: { defaultMode: 'auto' } })
})
afterAll(() => engine.stop())

const TOKEN = [{ name: 'token', type: 'string', secret: true }] as const

let count = 0
/** An SOP with this trigger; its event has a name of its own, so that tests do not meet. */
const add = (trigger: (name: string) => Trigger, rest: Partial<SopSketch> = {}): SopDefinition => {
  const name = `door-${++count}`
  const definition = sopOf({ name, triggers: [{ type: 'manual' }, trigger(name)], steps: [{}], ...rest })
  engine.add(definition)
  return definition
}
const addEvent = (rest: Partial<SopSketch> = {}, more: object = {}): SopDefinition =>
  add((name) => ({ type: 'event', event: name, ...more }), rest)

const event = (subject: string, payload: Json = {}, rest: Partial<Occurrence> = {}): Occurrence => ({
  source: 'event',
  subject,
  at: new Date().toISOString(),
  payload,
  principal: { id: 'ci', kind: 'service' },
  ...rest,
})
const only = async (occurrence: Occurrence): Promise<Delivery> => {
  const deliveries = await engine.triggers.deliver(occurrence)
  expect(deliveries).toHaveLength(1)
  return deliveries[0] as Delivery
}
const ended = (runId: string) =>
  until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => status === 'completed',
  )

describe('deliver()', () => {
  test('starts a durable run that knows its trigger, and puts it on record', async () => {
    const sop = addEvent({
      steps: [{ action: bash('echo "$SOP_TRIGGER_TYPE $SOP_TRIGGER_EVENT $version" >> "$SOP_OUTPUT.txt"; echo ok') }],
    })
    await engine.stopWorker()
    const delivery = await only(event(sop.name, { version: '1.2' }, { headers: { 'x-from': 'ci' } }))
    expect(delivery).toMatchObject({
      id: expect.stringMatching(/^del_[0-9a-z]{26}$/),
      source: 'event',
      subject: sop.name,
      sop: sop.name,
      trigger: 1,
      verdict: 'started',
      principal: 'ci',
      payload: { version: '1.2' },
    })
    expect(await engine.stores.deliveries.get(delivery.id)).toEqual(delivery)
    await engine.startWorker()
    const run = await ended(delivery.runId ?? '')
    expect(run).toMatchObject({
      via: 'trigger',
      startedBy: { id: 'ci', kind: 'service' },
      trigger: { type: 'event', event: sop.name, headers: { 'x-from': 'ci' }, payload: { version: '1.2' } },
      params: { version: '1.2' },
    })
  })

  test('of occurrences with one key each SOP runs once', async () => {
    const sop = addEvent()
    const keyed = () => engine.triggers.deliver(event(sop.name, {}, { key: 'delivery-1' }))
    const answers = (await Promise.all([keyed(), keyed(), keyed(), keyed(), keyed()])).flat()
    expect(answers.map(({ verdict }) => verdict).sort()).toEqual([...Array(4).fill('duplicate'), 'started'])
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1)
    await ended(answers[0]?.runId ?? '')
    expect((await keyed())[0]).toMatchObject({ verdict: 'duplicate', runId: answers[0]?.runId })
    expect((await only(event(sop.name, {}, { key: 'delivery-2' }))).verdict).toBe('started')
    await until(
      () => engine.client.listRuns({ sop: sop.name }),
      (runs) => runs.length === 2,
    )
  })

  test('without a key each one counts', async () => {
    const sop = addEvent()
    const [first, second] = [await only(event(sop.name)), await only(event(sop.name))]
    expect([first.verdict, second.verdict]).toEqual(['started', 'started'])
    expect(first.runId).not.toBe(second.runId)
  })

  test('starts every SOP that means it', async () => {
    const sop = addEvent()
    const other = add(() => ({ type: 'event', event: sop.name }))
    const deliveries = await engine.triggers.deliver(event(sop.name, {}, { key: 'k' }))
    expect(deliveries.map((each) => [each.sop, each.verdict])).toEqual([
      [sop.name, 'started'],
      [other.name, 'started'],
    ])
    expect(deliveries[0]?.runId).not.toBe(deliveries[1]?.runId)
  })

  test('says once that nothing means it', async () => {
    expect(await only(event('nobody.knows', { a: 1 }))).toMatchObject({
      verdict: 'unmatched',
      reason: 'No SOP has a trigger for event "nobody.knows"',
      payload: { a: 1 },
    })
  })

  test.each<[what: string, sop: () => SopDefinition, payload: Json, answer: Partial<Delivery>]>([
    [
      'a condition that is not met',
      () => addEvent({}, { condition: condition('level == "high"') }),
      { level: 'low' },
      { verdict: 'unmatched', reason: 'Condition "level == "high"" is not met' },
    ],
    [
      'a param that is missing',
      () => addEvent({ params: [{ name: 'version', type: 'string', required: true }] }),
      { other: 1 },
      { verdict: 'refused', code: 'invalid', reason: expect.stringContaining('Cannot do without param "version"') },
    ],
    [
      'a param that does not fit',
      () => addEvent({ params: [{ name: 'n', type: 'number' }] }),
      { n: 'many' },
      { verdict: 'refused', code: 'invalid', reason: expect.stringContaining('it must be a number') },
    ],
    [
      'an SOP that cannot start',
      () => addEvent({ refusals: ['It needs another world'] }),
      {},
      { verdict: 'refused', code: 'conflict', reason: expect.stringContaining('It needs another world') },
    ],
  ])('refuses for %s, on record, and starts nothing', async (_what, sop, payload, answer) => {
    const { name } = sop()
    const delivery = await only(event(name, payload, { key: 'k' }))
    expect(delivery).toMatchObject(answer)
    expect(delivery.runId).toBeUndefined()
    expect(await engine.stores.deliveries.list({ sop: name })).toEqual([delivery])
    expect(await engine.client.listRuns({ sop: name })).toEqual([])
  })

  test('asks whether the sender may before anything else is looked at', async () => {
    const sop = addEvent({ params: [{ name: 'version', type: 'string', required: true }] })
    const [delivery] = await engine.triggers.deliver(event(sop.name, { junk: 'x'.repeat(1000) }), {
      admits: async () => ({ refusal: { code: 'unauthenticated', reason: 'The signature is wrong' } }),
    })
    expect(delivery).toMatchObject({ verdict: 'refused', code: 'unauthenticated', redacted: 'unauthenticated' })
    expect(delivery?.payload).toBeUndefined()
  })

  test('a trigger gives no more rights than to start', async () => {
    const sop = addEvent({ mode: 'supervised' })
    const { runId = '' } = await only(event(sop.name, { executionMode: 'auto', skipApproval: true, force: true }))
    const run = await until(
      () => engine.client.getRunStatus(runId),
      ({ status }) => status !== 'pending',
    )
    expect(run).toMatchObject({ status: 'waiting_approval', mode: 'supervised', params: { skipApproval: true } })
  })

  test('the value of a secret param stands in no record', async () => {
    const sop = addEvent({
      params: [{ name: 'token', type: 'string', secret: true }],
      steps: [{ action: bash('[ "$token" = s3cret-value ] && echo right') }],
    })
    const delivery = await only(
      event(
        sop.name,
        { token: 's3cret-value', note: 'it is s3cret-value' },
        { key: 'k', headers: { x: 's3cret-value' } },
      ),
    )
    const run = await ended(delivery.runId ?? '')
    expect(delivery).toMatchObject({ payload: { token: '[secret]', note: 'it is [secret]' }, redacted: 'secret' })
    const { events } = await engine.client.getAuditLog(run.runId)
    const history = await engine.temporal.workflow.getHandle(run.runId).fetchHistory()
    const all = JSON.stringify([run, events, await engine.stores.deliveries.list({ sop: sop.name })])
    expect(all).not.toContain('s3cret-value')
    expect(Buffer.from(JSON.stringify(history)).includes(Buffer.from('s3cret-value').toString('base64'))).toBe(false)
    // A second delivery must not give the run that is there another value.
    expect(await only(event(sop.name, { token: 'other-value' }, { key: 'k' }))).toMatchObject({ verdict: 'duplicate' })
    expect(await engine.stores.vault.get(run.runId, 'token')).not.toBe('other-value')
  })

  test.each<[what: string, rest: Partial<SopSketch>, trigger: object, payload: Json]>([
    ['is not met', {}, { condition: condition('level == "high"') }, { token: 's3cret-value', note: 's3cret-value' }],
    ['does not fit', { params: [...TOKEN, { name: 'n', type: 'number' }] }, {}, { token: 's3cret-value', n: 'many' }],
    ['cannot be read', { params: [{ ...TOKEN[0], type: 'number' }] }, {}, { token: 's3cret-value' }],
    ['names a barred SOP', { refusals: ['It needs another world'] }, {}, { token: 's3cret-value' }],
    [
      'is mapped, in a text of more, and is not met',
      {},
      { condition: condition('level == "high"'), params: { token: 'Bearer {{ payload.auth.key }}' } },
      { auth: { key: 's3cret-value' } },
    ],
    [
      'is mapped, in a text of more',
      {},
      { params: { token: 'Bearer {{ payload.auth.key }}' } },
      { auth: { key: 's3cret-value' } },
    ],
  ])('what came for a secret param stands in no record where the trigger %s', async (_what, rest, trigger, payload) => {
    const sop = addEvent({ params: TOKEN, ...rest }, trigger)
    const other = add(() => ({ type: 'event', event: sop.name }))
    await engine.triggers.deliver(event(sop.name, payload, { key: 'of s3cret-value' }))
    const records = await engine.stores.deliveries.list({ limit: 10 })
    expect(records.filter((each) => each.subject === sop.name).map((each) => [each.sop, each.redacted])).toEqual(
      expect.arrayContaining([
        [sop.name, 'secret'],
        [other.name, 'secret'],
      ]),
    )
    expect(JSON.stringify(records)).not.toContain('s3cret-value')
  })

  test('of commands the one that takes most of the message is meant', async () => {
    const short = add(() => ({ type: 'command', pattern: '^restart', captureGroups: false }))
    const long = add(() => ({ type: 'command', pattern: '^restart (\\w+)', captureGroups: true }))
    const message = (text: string): Occurrence => ({ ...event(text, { message: text }), source: 'command' })
    const deliveries = await engine.triggers.deliver(message('restart db'))
    expect(deliveries.map(({ sop, verdict, reason }) => [sop, verdict, reason])).toEqual([
      [short.name, 'unmatched', `The message is a command for SOP "${long.name}": its pattern takes more of it`],
      [long.name, 'started', undefined],
    ])
    expect(await only(message('restart'))).toMatchObject({ sop: short.name, verdict: 'started' })
  })

  test('judge() tells the same and starts nothing', async () => {
    const sop = addEvent({}, { params: { version: '$.release.tag' } })
    const [judged] = await engine.triggers.judge(event(sop.name, { release: { tag: 'v1' } }))
    expect(judged).toMatchObject({ verdict: 'ready', sop: sop.name, params: { params: { version: 'v1' } } })
    expect(await engine.stores.deliveries.list({ sop: sop.name })).toEqual([])
    expect(await engine.client.listRuns({ sop: sop.name })).toEqual([])
  })
})
