import { describe, expect, test } from 'vitest'
import { parseCondition } from '../../../src/core/condition/parse.ts'
import type { Condition, Json, Trigger } from '../../../src/core/definition.ts'
import { addressed, matchTrigger, triggerFacts, type TriggerMatch } from '../../../src/core/trigger/match.ts'
import type { Occurrence } from '../../../src/core/trigger/occurrence.ts'
import { inZeroclawWords } from '../../../src/core/trigger/zeroclaw.ts'
import { processorMs } from '../../support/processor-time.ts'

const when = (text: string): Condition => {
  const parsed = parseCondition(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.condition
}

const occurrence = (source: Occurrence['source'], subject: string, rest: Partial<Occurrence> = {}): Occurrence => ({
  source,
  subject,
  at: '2026-01-01T00:00:00.000Z',
  payload: {},
  principal: { id: `${source}:${subject}`, kind: 'service' },
  ...rest,
})

/** The answer in one word or table: not about it, the params, or the reason. */
const ask = (trigger: Trigger, what: Occurrence, facts?: Parameters<typeof matchTrigger>[3]): unknown => {
  const meant = addressed(trigger, what)
  if (meant === undefined) return 'other'
  const match: TriggerMatch = matchTrigger(trigger, what, meant, facts)
  return match.matches ? match.params : [match.why, match.reason]
}

const hook: Trigger = { type: 'webhook', path: '/webhook/deploy' }
const file: Trigger = { type: 'file_watch', path: '/srv/in/*.csv', events: ['create'] }
const deploy: Trigger = { type: 'command', pattern: '^deploy:(?P<name>\\w+)( to (\\w+))?', captureGroups: true }

describe('addressed()', () => {
  test.each<[what: string, trigger: Trigger, occurrence: Occurrence, isMeant: boolean]>([
    ['the path of a webhook', hook, occurrence('webhook', '/webhook/deploy', { action: 'POST' }), true],
    ['another path', hook, occurrence('webhook', '/webhook/deploy2', { action: 'POST' }), false],
    ['the same path in other letters', hook, occurrence('webhook', '/Webhook/deploy', { action: 'POST' }), false],
    ['a method that it does not list', hook, occurrence('webhook', '/webhook/deploy', { action: 'PUT' }), false],
    [
      'a method that it lists',
      { ...hook, methods: ['PUT'] },
      occurrence('webhook', '/webhook/deploy', { action: 'PUT' }),
      true,
    ],
    ['an event of another source', hook, occurrence('event', '/webhook/deploy'), false],
    ['an event by its name', { type: 'event', event: 'deploy.failed' }, occurrence('event', 'deploy.failed'), true],
    [
      'an event that only begins so',
      { type: 'event', event: 'deploy.failed' },
      occurrence('event', 'deploy.failed2'),
      false,
    ],
    ['a message that begins with it', deploy, occurrence('command', 'deploy:api'), true],
    ['a message that has it later', deploy, occurrence('command', 'please deploy:api'), false],
    [
      'a pattern without an anchor anywhere',
      { ...deploy, pattern: 'deploy' },
      occurrence('command', 'please deploy'),
      true,
    ],
    ['a file of its pattern', file, occurrence('file_watch', '/srv/in/a.csv', { action: 'create' }), true],
    ['another change of the file', file, occurrence('file_watch', '/srv/in/a.csv', { action: 'delete' }), false],
    ['another file', file, occurrence('file_watch', '/srv/in/a.txt', { action: 'create' }), false],
    [
      'a file below the working directory',
      { ...file, path: 'in/*.csv' },
      occurrence('file_watch', '/srv/in/a.csv', { action: 'create' }),
      true,
    ],
    ['a topic', { type: 'mqtt', topic: 'ci/+/done' }, occurrence('mqtt', 'ci/main/done'), true],
    ['a routing key', { type: 'amqp', routingKey: 'ci.#' }, occurrence('amqp', 'ci.main.done'), true],
    [
      'the end of a run',
      { type: 'sop', sop: 'build', on: ['completed'] },
      occurrence('sop', 'build', { action: 'completed' }),
      true,
    ],
    [
      'another end',
      { type: 'sop', sop: 'build', on: ['completed'] },
      occurrence('sop', 'build', { action: 'failed' }),
      false,
    ],
  ])('%s', (_what, trigger, what, isMeant) => {
    expect(addressed(trigger, what, '/srv') !== undefined).toBe(isMeant)
  })

  test('a pattern that would blow up elsewhere takes no time', () => {
    const evil: Trigger = { type: 'command', pattern: '^(a+)+$', captureGroups: false }
    const took = processorMs(() =>
      expect(addressed(evil, occurrence('command', `${'a'.repeat(50_000)}!`))).toBeUndefined(),
    )
    expect(took).toBeLessThan(2_000)
  })
})

describe('matchTrigger()', () => {
  const body: Json = { environment: 'production', alerts: [{ labels: { host: 'db-1' } }], count: 3, 'odd key': true }
  const posted = (payload: Json = body) => occurrence('webhook', '/webhook/deploy', { action: 'POST', payload })
  const event = (condition: string) => ({ type: 'event', event: 'x', condition: when(condition) }) as const

  test.each<[what: string, trigger: Trigger, occurrence: Occurrence, answer: unknown]>([
    ['gives the payload by name', hook, posted({ a: 1, b: 'x' }), { a: 1, b: 'x' }],
    ['gives nothing of a list', hook, posted([1, 2]), {}],
    ['gives nothing of a text', hook, posted('x'), {}],
    [
      'gives what its table says, and no more',
      { ...hook, params: { env: '$.environment', level: 2 } },
      posted(),
      { env: 'production', level: 2 },
    ],
    ['follows a path', { ...hook, params: { host: '$.alerts[0].labels.host' } }, posted(), { host: 'db-1' }],
    [
      'follows a path with dots for indexes',
      { ...hook, params: { host: '$.alerts.0.labels.host' } },
      posted(),
      { host: 'db-1' },
    ],
    ['follows a key in brackets', { ...hook, params: { odd: '$["odd key"]' } }, posted(), { odd: true }],
    ['takes the whole payload', { ...hook, params: { all: '$' } }, posted('x'), { all: 'x' }],
    ['works out CEL', { ...hook, params: { n: '{{ payload.alerts.size() + payload.count }}' } }, posted(), { n: 4 }],
    [
      'keeps what a name stands for',
      { ...hook, params: { list: '{{ alerts }}' } },
      posted(),
      { list: [{ labels: { host: 'db-1' } }] },
    ],
    [
      'fills in a text',
      { ...hook, params: { t: 'on {{ environment }} ({{count}})' } },
      posted(),
      { t: 'on production (3)' },
    ],
    ['takes a text as it is', { ...hook, params: { t: 'costs $5' } }, posted(), { t: 'costs $5' }],
    ['leaves out what nothing sets', { ...hook, params: { a: '$.no.such', b: 1 } }, posted(), { b: 1 }],
    [
      'says what it cannot work out',
      { ...hook, params: { t: 'v{{ payload.nope }}' } },
      posted(),
      ['unfit', 'Cannot work out param "t" = "v{{ payload.nope }}": "payload.nope" has no value'],
    ],
    ['a condition that holds', event("environment == 'production'"), occurrence('event', 'x', { payload: body }), body],
    [
      'a condition that does not',
      event("environment == 'test'"),
      occurrence('event', 'x', { payload: body }),
      ['unmet', `Condition "environment == 'test'" is not met`],
    ],
    [
      'a condition that cannot be told',
      event("region == 'eu'"),
      occurrence('event', 'x', { payload: body }),
      ['unmet', `Cannot evaluate condition "region == 'eu'": nothing sets "region"`],
    ],
    ['a JSON path', event('$.alerts.0.labels.host == "db-1"'), occurrence('event', 'x', { payload: body }), body],
    ['a bare comparison', event('> 2'), occurrence('event', 'x', { payload: 3 }), {}],
    [
      'headers',
      event('trigger.headers.x_source == "ci"'),
      occurrence('event', 'x', { payload: body, headers: { 'x-source': 'ci' } }),
      body,
    ],
    [
      'a command that asks for nothing',
      { ...deploy, captureGroups: false },
      occurrence('command', 'deploy:api'),
      { message: 'deploy:api' },
    ],
    [
      'the groups of a command, by number and name',
      deploy,
      occurrence('command', 'deploy:api to eu'),
      { message: 'deploy:api to eu', '1': 'api', '2': ' to eu', '3': 'eu', name: 'api' },
    ],
    [
      'groups that took no part',
      deploy,
      occurrence('command', 'deploy:api'),
      { message: 'deploy:api', '1': 'api', name: 'api' },
    ],
    [
      'a condition over the groups of a command',
      { ...deploy, condition: when('name == "db"') },
      occurrence('command', 'deploy:api'),
      ['unmet', 'Condition "name == "db"" is not met'],
    ],
  ])('%s', (_what, trigger, what, answer) => {
    expect(ask(trigger, what)).toEqual(answer)
  })

  test('asks for the facts of its condition and its params', () => {
    const trigger: Trigger = { ...hook, condition: when('business_hours'), params: { region: '{{ env.REGION }}' } }
    expect(triggerFacts(trigger, [])).toEqual(['business_hours', 'env.REGION'])
    expect(ask(trigger, posted(), { facts: { business_hours: true, 'env.REGION': 'eu' } })).toEqual({ region: 'eu' })
    expect(ask(trigger, posted(), { facts: { business_hours: false } })).toEqual([
      'unmet',
      'Condition "business_hours" is not met',
    ])
  })

  test('a payload cannot reach what is not in it', () => {
    const trigger: Trigger = { ...hook, params: { a: '$.constructor', b: '$.toString', c: '$.__proto__' } }
    expect(ask(trigger, posted())).toEqual({})
  })
})

describe('inZeroclawWords()', () => {
  test.each([
    ['create', 'created'],
    ['modify', 'modified'],
    ['delete', 'deleted'],
  ])('says of a file %s what dialect Z says: %s', (action, word) => {
    const told = occurrence('file_watch', '/a', { action, payload: { path: '/a', event: action } })
    expect(inZeroclawWords(told).payload).toEqual({ path: '/a', event: word })
  })

  test('leaves all else as it is', () => {
    const told = occurrence('mqtt', 'a', { action: 'create', payload: { event: 'create' } })
    expect(inZeroclawWords(told)).toBe(told)
  })
})
