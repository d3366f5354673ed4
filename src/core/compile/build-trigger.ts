import type { Trigger } from '../definition.ts'
import { placeInside, refuseValue } from '../dialect/values.ts'
import { spell } from '../dialect/spell.ts'
import { cronProblem } from '../schedule/cron.ts'
import { watchProblem } from '../trigger/glob.ts'
import { routingKeyProblem, topicFilterProblem } from '../trigger/topic.ts'
import { compilePattern } from './build-params.ts'
import { webhookTrigger } from './build-webhook.ts'
import { compact } from './compact.ts'
import type { GivenTrigger } from './given-trigger.ts'
import { readTimezone } from './timezone.ts'

// build-trigger.ts: one trigger, by its type.

/** The trigger by its type; undefined where its settings do not allow it: the report says why. */
export const buildTrigger = (given: GivenTrigger, type: Trigger['type']): Trigger | undefined => {
  switch (type) {
    case 'manual':
      return { type }
    case 'cron':
      return cronTrigger(given)
    case 'webhook':
      return webhookTrigger(given)
    case 'file_watch':
      return fileWatchTrigger(given)
    case 'command':
      return commandTrigger(given)
    case 'event':
      return eventTrigger(given)
    case 'mqtt':
      return given.required('topic', (topic) =>
        isTopic(given, 'topic', topic, topicFilterProblem)
          ? compact({ type: 'mqtt' as const, topic, params: given.mapping() })
          : undefined,
      )
    case 'amqp':
      return given.required('routing_key', (routingKey) =>
        isTopic(given, 'routing_key', routingKey, routingKeyProblem)
          ? compact({ type: 'amqp' as const, routingKey, params: given.mapping() })
          : undefined,
      )
    case 'sop':
      return sopTrigger(given)
    default:
      return undefined
  }
}

const isTopic = (
  given: GivenTrigger,
  key: 'topic' | 'routing_key',
  text: string,
  problemOf: (text: string) => string | undefined,
): boolean => {
  const reason = problemOf(text)
  if (reason === undefined) return true
  const message = `Cannot use "${text.slice(0, 60)}" as ${key === 'topic' ? 'an MQTT topic' : 'an AMQP routing key'}: ${reason}`
  given.report.add('bad-topic', given.fields.valuePlace(key), message)
  return false
}

const cronTrigger = (given: GivenTrigger): Trigger | undefined =>
  given.required('expression', (expression) => {
    const problem = cronProblem(expression)
    const place = given.fields.valuePlace('expression')
    if (problem !== undefined) {
      const located = given.fields.located('expression')
      const at = located?.kind === 'scalar' ? placeInside(located, problem.offset) : place
      given.report.add('bad-cron', at, `Cannot read cron "${expression.slice(0, 60)}": ${problem.reason}`)
      return undefined
    }
    const timezone = readTimezone(given.fields)
    const isUtc = given.context.isZeroclaw && timezone === undefined && given.context.timezone === undefined
    if (isUtc)
      given.report.add(
        'cron-without-zone',
        place,
        `Cron "${expression}" has no timezone: it fires in UTC`,
        `Write ${spell(place, 'timezone', 'Europe/Berlin')}, or UTC`,
      )
    return compact({
      type: 'cron' as const,
      expression,
      timezone: isUtc ? 'UTC' : timezone,
      overlap: given.fields.word('overlap'),
      catchUpMs: given.fields.duration('catch_up') ?? undefined,
      jitterMs: given.fields.duration('jitter') ?? undefined,
      params: given.values(),
    })
  })

const FILE_EVENTS: Readonly<Record<string, 'create' | 'modify' | 'delete'>> = {
  create: 'create',
  created: 'create',
  add: 'create',
  added: 'create',
  renamed: 'create',
  modify: 'modify',
  modified: 'modify',
  change: 'modify',
  changed: 'modify',
  delete: 'delete',
  deleted: 'delete',
  remove: 'delete',
  removed: 'delete',
}

const fileWatchTrigger = (given: GivenTrigger): Trigger | undefined =>
  given.required('path', (path) => {
    const events = given.words('event', FILE_EVENTS)
    const reason = watchProblem(path)
    if (reason !== undefined) {
      const message = `Cannot watch "${path.slice(0, 60)}": ${reason}`
      given.report.add('bad-glob', given.fields.valuePlace('path'), message)
      return undefined
    }
    return compact({
      type: 'file_watch' as const,
      path,
      events: events.length === 0 ? (['create', 'modify', 'delete'] as const) : events,
      settleMs: given.fields.duration('settle') ?? undefined,
      onStart: given.fields.boolean('on_start') === true ? (true as const) : undefined,
      params: given.mapping(),
    })
  })

const commandTrigger = (given: GivenTrigger): Trigger | undefined =>
  given.required('pattern', (pattern) => {
    if (compilePattern(pattern, given.fields.valuePlace('pattern'), given.report) === undefined) return undefined
    return compact({
      type: 'command' as const,
      pattern,
      captureGroups: given.fields.boolean('capture_groups') ?? false,
      params: given.mapping(),
    })
  })

const eventTrigger = (given: GivenTrigger): Trigger | undefined => {
  const channel = given.fields.foreignEntry('channel')
  if (channel !== undefined && channel.value.kind === 'scalar' && channel.value.value !== null) {
    return compact({ type: 'event' as const, event: `channel.${channel.value.raw}`, params: given.mapping() })
  }
  const [name, ...more] = given.fields.list('event') ?? []
  if (more[0] !== undefined)
    return refuseValue(
      more[0].place,
      given.fields.asked('event'),
      'a trigger waits for one event',
      'Make it two triggers',
    )
  if (name !== undefined && name.text.trim() !== '')
    return compact({ type: 'event' as const, event: name.text.trim(), params: given.mapping() })
  given.report.add(
    'missing-setting',
    given.table.place,
    'Cannot read the trigger: it has no event',
    `Write ${spell(given.table.place, 'event', 'deploy.failed')}`,
  )
  return undefined
}

const SOP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const SOP_ENDS = { completed: 'completed', failed: 'failed', cancelled: 'cancelled' } as const

const sopTrigger = (given: GivenTrigger): Trigger | undefined =>
  given.required('sop', (sop) => {
    if (!SOP_NAME.test(sop)) {
      const why = `"${sop.slice(0, 60)}" is not the name of an SOP`
      return refuseValue(given.fields.valuePlace('sop'), given.fields.asked('sop'), why)
    }
    const on = given.words('on', SOP_ENDS)
    given.context.keepSop(sop, given.fields.valuePlace('sop'))
    return compact({
      type: 'sop' as const,
      sop,
      on: on.length === 0 ? (['completed'] as const) : on,
      params: given.mapping(),
    })
  })
