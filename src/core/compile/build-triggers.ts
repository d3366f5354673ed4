import { type Condition, type Hint, type Json, type Param, TRIGGER_TYPES, type Trigger } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields } from '../dialect/fields.ts'
import { type Located, type LocatedTable, toJson } from '../dialect/located.ts'
import type { Report } from '../dialect/report.ts'
import {
  type Asked,
  fromText,
  isWithinLimit,
  placeInside,
  readTable,
  refuseType,
  refuseValue,
} from '../dialect/values.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { docOf, isForeignTriggerKey } from '../dialect/zeroclaw-keys.ts'
import { didYouMean } from '../nearest.ts'
import { checkParams, type FieldProblem } from '../params.ts'
import { normalizeKey, type Setting, SETTINGS } from '../settings.ts'
import { watchProblem } from '../trigger/glob.ts'
import { routingKeyProblem, topicFilterProblem } from '../trigger/topic.ts'
import { readKeyRule } from '../trigger/key.ts'
import { mappingProblem } from '../trigger/params.ts'
import { readSignature } from '../trigger/signature.ts'
import { compilePattern } from './build-params.ts'
import { compact } from './compact.ts'
import { cronProblem } from '../schedule/cron.ts'
import { readTimezone } from './timezone.ts'
import { readWebhookPath } from './webhook-path.ts'

// build-triggers.ts: why a run may begin (product.md 5).

/** Types of other systems, and what they are here. */
const TYPES: Readonly<Record<string, Trigger['type']>> = {
  schedule: 'cron',
  scheduled: 'cron',
  timer: 'cron',
  http: 'webhook',
  hook: 'webhook',
  filesystem: 'file_watch',
  file: 'file_watch',
  filewatch: 'file_watch',
  chat: 'command',
  shell_command: 'command',
  message: 'command',
  channel: 'event',
  cloudevent: 'event',
  rabbitmq: 'amqp',
  sop_completed: 'sop',
}
const UNSERVED = ['peripheral', 'calendar']

export interface TriggerContext {
  /** In dialect Z a cron without zone fires in UTC. */
  readonly isZeroclaw: boolean
  readonly timezone: string | undefined
  readonly secrets: readonly string[]
  /** What the SOP declares. */
  readonly params: readonly Param[] | undefined
  /** Takes the settings that are kept and change nothing. */
  keepHint(hint: Hint): void
  /** Takes the SOPs whose end is waited for, with their places. */
  keepSop(sop: string, place: Place): void
}

/** Reads `[[triggers]]`, and the empty `[triggers]` of seed 000. */
export const readTriggers = (value: Located, asked: Asked, context: TriggerContext): readonly Trigger[] => {
  const given = fromText(value)
  const items = given.kind === 'list' ? given.items : given.kind === 'table' ? tablesOf(given) : [given]
  if (!isWithinLimit(items.length, value.place, asked)) return []
  return items.flatMap((item) => {
    const table = item.kind === 'table' ? item : shortTrigger(item, asked)
    const trigger = table === undefined ? undefined : new TriggerReader(table, asked.report, context).read()
    return trigger === undefined ? [] : [trigger]
  })
}

/** `triggers: [manual, cron: …]`: a word is a trigger without settings. */
const shortTrigger = (item: Located, asked: Asked): LocatedTable | undefined => {
  if (item.kind !== 'scalar' || typeof item.value !== 'string') return refuseType(item, asked)
  return { kind: 'table', place: item.place, entries: [{ key: 'type', keyPlace: item.place, value: item }] }
}

/** `[triggers]` with a type is one trigger; with tables by type it is several; empty it is none. */
const tablesOf = (table: LocatedTable): readonly Located[] => {
  const isOne = table.entries.some(({ key, value }) => normalizeKey(key) === 'type' || value.kind === 'scalar')
  if (isOne) return [table]
  return table.entries.flatMap(({ key, keyPlace, value }) => {
    const tables = value.kind === 'list' ? value.items : [value]
    return tables.map((each): Located => {
      if (each.kind !== 'table' || each.entries.some((entry) => normalizeKey(entry.key) === 'type')) return each
      const type: Located = { kind: 'scalar', value: key, raw: key, untyped: false, place: keyPlace }
      return { ...each, entries: [{ key: 'type', keyPlace, value: type }, ...each.entries] }
    })
  })
}

class TriggerReader {
  private readonly fields: Fields
  private readonly table: LocatedTable
  private readonly report: Report
  private readonly context: TriggerContext

  constructor(table: LocatedTable, report: Report, context: TriggerContext) {
    this.table = table
    this.report = report
    this.context = context
    this.fields = Fields.of('trigger', table, report, isForeignTriggerKey)
  }

  read(): Trigger | undefined {
    const written = this.fields.text('type')?.trim()
    if (written === undefined) {
      if (!this.fields.has('type'))
        this.report.add(
          'missing-setting',
          this.table.place,
          'Cannot read the trigger: it has no type',
          `Write type = "manual", or one of ${TRIGGER_TYPES.join(', ')}`,
        )
      return undefined
    }
    const word = normalizeKey(written)
    const type = TRIGGER_TYPES.find((each) => each === word) ?? (Object.hasOwn(TYPES, word) ? TYPES[word] : undefined)
    const condition = this.fields.condition('condition')
    if (type !== undefined && type !== 'unserved') {
      this.checkKeys(type)
      const trigger = this.build(type)
      return trigger === undefined ? undefined : withCondition(trigger, condition)
    }
    if (UNSERVED.includes(word)) return withCondition(this.unserved(word), condition)
    const help = didYouMean(word, [...TRIGGER_TYPES, ...Object.keys(TYPES), ...UNSERVED])
    return refuseValue(
      this.fields.valuePlace('type'),
      this.fields.asked('type'),
      `"${written.slice(0, 60)}" is not one of ${TRIGGER_TYPES.join(', ')}`,
      help,
    )
  }

  private checkKeys(type: string): void {
    for (const key of this.fields.keys()) {
      const setting = (SETTINGS as readonly Setting[]).find(
        (each) => each.key === key && each.scopes.includes('trigger'),
      )
      if (setting?.triggers === undefined || setting.triggers.includes(type)) continue
      const place = this.fields.keyPlace(setting.key as 'path')
      this.report.add('ignored-setting', place, `Setting "${key}" has no effect on a trigger of type ${type}`)
    }
    for (const { key, keyPlace, value } of this.fields.foreignEntries()) {
      const normalized = normalizeKey(key)
      if (normalized === 'channel') continue
      this.context.keepHint({ key: `trigger.${normalized}`, value: withoutNulls(toJson(value)) })
      this.report.add(
        'zeroclaw-hint',
        keyPlace,
        `Setting "${key}" changes nothing here: ${docOf('trigger', normalized)}`,
      )
    }
  }

  private build(type: Trigger['type']): Trigger | undefined {
    switch (type) {
      case 'manual':
        return { type }
      case 'cron':
        return this.cron()
      case 'webhook':
        return this.webhook()
      case 'file_watch':
        return this.fileWatch()
      case 'command':
        return this.command()
      case 'event':
        return this.event()
      case 'mqtt':
        return this.required('topic', (topic) =>
          this.isTopic('topic', topic, topicFilterProblem)
            ? compact({ type: 'mqtt' as const, topic, params: this.mapping() })
            : undefined,
        )
      case 'amqp':
        return this.required('routing_key', (routingKey) =>
          this.isTopic('routing_key', routingKey, routingKeyProblem)
            ? compact({ type: 'amqp' as const, routingKey, params: this.mapping() })
            : undefined,
        )
      case 'sop':
        return this.sop()
      default:
        return undefined
    }
  }

  private isTopic(
    key: 'topic' | 'routing_key',
    text: string,
    problemOf: (text: string) => string | undefined,
  ): boolean {
    const reason = problemOf(text)
    if (reason === undefined) return true
    const message = `Cannot use "${text.slice(0, 60)}" as ${key === 'topic' ? 'an MQTT topic' : 'an AMQP routing key'}: ${reason}`
    this.report.add('bad-topic', this.fields.valuePlace(key), message)
    return false
  }

  private required(
    key: 'topic' | 'routing_key' | 'path' | 'pattern' | 'expression' | 'sop',
    build: (text: string) => Trigger | undefined,
  ): Trigger | undefined {
    const text = this.fields.text(key)
    if (text !== undefined && text.trim() !== '') return build(text.trim())
    if (text !== undefined) return refuseValue(this.fields.valuePlace(key), this.fields.asked(key), 'it is empty')
    if (!this.fields.has(key))
      this.report.add(
        'missing-setting',
        this.table.place,
        `Cannot read the trigger: it has no ${key}`,
        `Write ${key} = "…"`,
      )
    return undefined
  }

  private cron(): Trigger | undefined {
    return this.required('expression', (expression) => {
      const problem = cronProblem(expression)
      const place = this.fields.valuePlace('expression')
      if (problem !== undefined) {
        const located = this.fields.located('expression')
        const at = located?.kind === 'scalar' ? placeInside(located, problem.offset) : place
        this.report.add('bad-cron', at, `Cannot read cron "${expression.slice(0, 60)}": ${problem.reason}`)
        return undefined
      }
      const timezone = readTimezone(this.fields)
      const isUtc = this.context.isZeroclaw && timezone === undefined && this.context.timezone === undefined
      if (isUtc)
        this.report.add(
          'cron-without-zone',
          place,
          `Cron "${expression}" has no timezone: it fires in UTC`,
          'Write timezone = "Europe/Berlin", or "UTC"',
        )
      return compact({
        type: 'cron' as const,
        expression,
        timezone: isUtc ? 'UTC' : timezone,
        overlap: this.fields.word('overlap'),
        catchUpMs: this.fields.duration('catch_up') ?? undefined,
        jitterMs: this.fields.duration('jitter') ?? undefined,
        params: this.values(),
      })
    })
  }

  private params(): Readonly<Record<string, Json>> | undefined {
    const table = this.fields.read('params', readTable)
    return table === undefined || table.entries.length === 0
      ? undefined
      : (withoutNulls(toJson(table)) as Readonly<Record<string, Json>>)
  }

  /** Params of a cron trigger stand as they are, so what a run would be refused for is known now. */
  private values(): Readonly<Record<string, Json>> | undefined {
    const params = this.params()
    const checked = checkParams(this.context.params, params ?? {}, 'trigger')
    for (const problem of checked.ok ? [] : checked.fields) this.warnOfParam(problem, 'Its runs would be refused')
    this.warnOfUndeclared(params)
    return params
  }

  /** What a trigger gives besides the declared params reaches no step. */
  private warnOfUndeclared(params: Readonly<Record<string, Json>> = {}): void {
    const declared = (this.context.params ?? []).map(({ name }) => name)
    if (declared.length === 0) return
    for (const name of Object.keys(params)) {
      if (declared.includes(name)) continue
      this.warnOfParam({ name, reason: 'this SOP has no such param' }, 'It has no effect', didYouMean(name, declared))
    }
  }

  private warnOfParam({ name, reason }: FieldProblem, then: string, help?: string): void {
    const located = this.fields.located('params')
    const entry = located?.kind === 'table' ? located.entries.find(({ key }) => key === name) : undefined
    const message = `Param "${name.slice(0, 60)}" of this trigger: ${reason}. ${then}`
    this.report.add('trigger-params', entry?.keyPlace ?? this.table.place, message, help)
  }

  private webhook(): Trigger | undefined {
    return this.required('path', (written) => {
      const path = readWebhookPath(this.fields, written)
      if (path === undefined) return undefined
      const secret = this.fields.text('secret')
      if (secret !== undefined && !this.context.secrets.includes(secret) && !/^[A-Z][A-Z0-9_]*$/.test(secret)) {
        this.report.add(
          'plain-secret',
          this.fields.valuePlace('secret'),
          'The secret of the webhook stands in the file itself, where everybody can read it',
          'Write the name of a secret in capitals, as in HOOK_SECRET, and set it where the engine is started',
        )
      }
      const methods = this.fields.list('methods')?.map(({ text, place }) => ({ text: text.toUpperCase(), place }))
      for (const { text, place } of methods ?? []) {
        if (!['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(text))
          refuseValue(
            place,
            this.fields.asked('methods'),
            `"${text.slice(0, 20)}" is not one of GET, POST, PUT, PATCH, DELETE`,
          )
      }
      return compact({
        type: 'webhook' as const,
        path,
        methods: methods === undefined || methods.length === 0 ? undefined : methods.map(({ text }) => text),
        secret,
        signature: this.signature(secret),
        replayWindowMs: this.fields.duration('replay_window') ?? undefined,
        idempotencyKey: this.idempotencyKey(),
        params: this.mapping(),
      })
    })
  }

  private signature(secret: string | undefined): string | undefined {
    const written = this.fields.text('signature')
    if (written === undefined) return undefined
    const read = readSignature(written)
    if (!read.ok) return refuseValue(this.fields.valuePlace('signature'), this.fields.asked('signature'), read.reason)
    if (secret !== undefined) return written.trim()
    const asked = this.fields.asked('signature')
    return refuseValue(
      this.fields.valuePlace('signature'),
      asked,
      'a signature needs a secret',
      'Write secret = "NAME"',
    )
  }

  private idempotencyKey(): string | undefined {
    const written = this.fields.text('idempotency_key')
    if (written === undefined) return undefined
    const read = readKeyRule(written)
    if (read.ok) return written.trim()
    return refuseValue(this.fields.valuePlace('idempotency_key'), this.fields.asked('idempotency_key'), read.reason)
  }

  /** Params that are worked out from what came. */
  private mapping(): Readonly<Record<string, Json>> | undefined {
    const table = this.fields.read('params', readTable)
    for (const { value } of table?.entries ?? []) {
      const reason = value.kind === 'scalar' ? mappingProblem(withoutNulls(toJson(value)) ?? null) : undefined
      if (reason !== undefined) this.report.add('bad-expression', value.place, reason)
    }
    const params = this.params()
    this.warnOfUndeclared(params)
    return params
  }

  private fileWatch(): Trigger | undefined {
    return this.required('path', (path) => {
      const written = this.fields.list('event')
      const events = new Set<'create' | 'modify' | 'delete'>()
      for (const { text, place } of written ?? []) {
        const word = text.trim().toLowerCase()
        const event = Object.hasOwn(FILE_EVENTS, word) ? FILE_EVENTS[word] : undefined
        if (event !== undefined) events.add(event)
        else
          refuseValue(
            place,
            this.fields.asked('event'),
            `"${text.slice(0, 30)}" is not one of create, modify, delete`,
            didYouMean(text, Object.keys(FILE_EVENTS)),
          )
      }
      const reason = watchProblem(path)
      if (reason !== undefined) {
        const message = `Cannot watch "${path.slice(0, 60)}": ${reason}`
        this.report.add('bad-glob', this.fields.valuePlace('path'), message)
        return undefined
      }
      return compact({
        type: 'file_watch' as const,
        path,
        events: events.size === 0 ? (['create', 'modify', 'delete'] as const) : [...events],
        settleMs: this.fields.duration('settle') ?? undefined,
        onStart: this.fields.boolean('on_start') === true ? (true as const) : undefined,
        params: this.mapping(),
      })
    })
  }

  private command(): Trigger | undefined {
    return this.required('pattern', (pattern) => {
      if (compilePattern(pattern, this.fields.valuePlace('pattern'), this.report) === undefined) return undefined
      return compact({
        type: 'command' as const,
        pattern,
        captureGroups: this.fields.boolean('capture_groups') ?? false,
        params: this.mapping(),
      })
    })
  }

  private event(): Trigger | undefined {
    const channel = this.fields.foreignEntry('channel')
    if (channel !== undefined && channel.value.kind === 'scalar' && channel.value.value !== null) {
      return compact({ type: 'event' as const, event: `channel.${channel.value.raw}`, params: this.mapping() })
    }
    const [name, ...more] = this.fields.list('event') ?? []
    if (more[0] !== undefined)
      return refuseValue(
        more[0].place,
        this.fields.asked('event'),
        'a trigger waits for one event',
        'Make it two triggers',
      )
    if (name !== undefined && name.text.trim() !== '')
      return compact({ type: 'event' as const, event: name.text.trim(), params: this.mapping() })
    this.report.add(
      'missing-setting',
      this.table.place,
      'Cannot read the trigger: it has no event',
      'Write event = "deploy.failed"',
    )
    return undefined
  }

  private sop(): Trigger | undefined {
    return this.required('sop', (sop) => {
      if (!SOP_NAME.test(sop)) {
        const why = `"${sop.slice(0, 60)}" is not the name of an SOP`
        return refuseValue(this.fields.valuePlace('sop'), this.fields.asked('sop'), why)
      }
      const on = new Set<'completed' | 'failed' | 'cancelled'>()
      for (const { text, place } of this.fields.list('on') ?? []) {
        const state = SOP_STATES.find((each) => each === text.trim().toLowerCase())
        if (state !== undefined) on.add(state)
        else
          refuseValue(
            place,
            this.fields.asked('on'),
            `"${text.slice(0, 30)}" is not one of ${SOP_STATES.join(', ')}`,
            didYouMean(text, SOP_STATES),
          )
      }
      this.context.keepSop(sop, this.fields.valuePlace('sop'))
      return compact({
        type: 'sop' as const,
        sop,
        on: on.size === 0 ? (['completed'] as const) : [...on],
        params: this.mapping(),
      })
    })
  }

  private unserved(name: string): Trigger {
    const place: Place = this.fields.valuePlace('type')
    this.report.add(
      'unserved',
      place,
      `Nothing here can begin a run by a trigger of type "${name}": it is shown and never fires`,
    )
    const settings = this.table.entries.filter(({ key }) => !['type', 'condition'].includes(normalizeKey(key)))
    return {
      type: 'unserved',
      name,
      settings: withoutNulls(toJson({ ...this.table, entries: settings })) as Readonly<Record<string, Json>>,
    }
  }
}

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
const SOP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const SOP_STATES = ['completed', 'failed', 'cancelled'] as const

const withCondition = (trigger: Trigger, condition: Condition | undefined): Trigger =>
  condition === undefined ? trigger : { ...trigger, condition }
