import type { Action, Command, Json } from '../definition.ts'
import type { Place } from '../diagnostic.ts'
import { Fields } from '../dialect/fields.ts'
import type { Located } from '../dialect/located.ts'
import type { RawPart } from '../dialect/raw-step.ts'
import { interpreterOf } from '../dialect/step-fence.ts'
import {
  type Asked,
  fromText,
  readDuration,
  readInteger,
  readJsonValue,
  readList,
  readText,
  refuseType,
  refuseValue,
} from '../dialect/values.ts'
import { withoutNulls } from '../dialect/without-nulls.ts'
import { parseDuration } from '../duration.ts'
import type { SettingKey } from '../settings.ts'
import { texts } from './build-approval.ts'
import { readParams } from './build-params.ts'
import { compact } from './compact.ts'

// build-action.ts: what a step does. One thing: two are an error.

export interface ActionSource {
  readonly fields: Fields
  /** The commands that the step runs. */
  readonly commands: readonly Command[]
  readonly commandsPlace: Place | undefined
  readonly parts: readonly RawPart[]
}

interface Candidate {
  readonly what: string
  readonly place: Place
  readonly build: () => Action | undefined
}

/** The step's action; a manual one when it says nothing else. */
export const buildAction = (source: ActionSource): Action | undefined => {
  const { fields, commands, commandsPlace } = source
  const candidates: Candidate[] = []
  if (commands.length > 0) {
    candidates.push({
      what: 'run commands',
      place: commandsPlace ?? fields.place,
      build: () => ({ kind: 'shell', commands }),
    })
  }
  const add = (key: SettingKey, what: string, build: () => Action | undefined): void => {
    if (fields.has(key)) candidates.push({ what, place: fields.keyPlace(key), build })
  }
  add('sop', 'run another SOP', () => sopAction(fields))
  add('wait', 'wait', () => fields.read('wait', readWait))
  add('http', 'send a request', () => fields.read('http', readHttp(fields)))
  add('form', 'ask for values', () => manualAction(source))
  const [first, second] = candidates
  if (first !== undefined && second !== undefined) {
    const message = `Cannot do two things in one step: it would ${first.what} and ${second.what}`
    fields.report.add('two-actions', later(first.place, second.place), message, 'Make it two steps')
  }
  reportIdle(fields, first?.what)
  return first === undefined ? manualAction(source) : first.build()
}

const later = (a: Place, b: Place): Place => (a.file === b.file && a.line > b.line ? a : b)

/** Settings that belong to another action than the step's. */
const reportIdle = (fields: Fields, what: string | undefined): void => {
  const idle = (key: SettingKey, belongs: boolean, where: string): void => {
    if (!fields.has(key) || belongs) return
    fields.report.add(
      'ignored-setting',
      fields.keyPlace(key),
      `Setting "${key}" has no effect here: it belongs to ${where}`,
    )
  }
  const isManual = what === undefined || what === 'ask for values'
  idle('assignee', isManual, 'a manual step')
  idle('due', isManual, 'a manual step')
  idle('checklist', isManual, 'a manual step')
  idle('with', what === 'run another SOP' || fields.foreignEntry('kind') !== undefined, 'a step with sop')
  idle('expect', what === 'send a request', 'a step with http')
  idle('shell', what === 'run commands' || fields.has('verify') || fields.has('rollback'), 'a step with commands')
}

const manualAction = ({ fields, parts }: ActionSource): Action =>
  compact({
    kind: 'manual' as const,
    checklist: texts(fields, 'checklist') ?? checklistOf(parts),
    form: fields.read('form', readParams('a form field')),
    assignee: fields.text('assignee'),
    dueMs: fields.duration('due') ?? undefined,
  })

const checklistOf = (parts: readonly RawPart[]): readonly string[] | undefined => {
  const items = parts.flatMap((part) => (part.kind === 'bullets' ? part.items : []))
  return items.length === 0 ? undefined : items
}

const sopAction = (fields: Fields): Action | undefined => {
  const sop = fields.text('sop')
  if (sop === undefined) return undefined
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(sop)) {
    return refuseValue(fields.valuePlace('sop'), fields.asked('sop'), `"${sop.slice(0, 60)}" is not the name of an SOP`)
  }
  const given = fields.located('with')
  if (given === undefined) return { kind: 'sop', sop }
  const table = fromText(given)
  if (table.kind !== 'table') return refuseType(given, fields.asked('with'), 'Write a table, as in { version = "1.0" }')
  return { kind: 'sop', sop, with: withoutNulls(readJsonValue(table)) as Readonly<Record<string, Json>> }
}

const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)$/
const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|z|[+-]\d\d:?\d\d)$/

const readWait = (value: Located, asked: Asked): Action | undefined => {
  if (value.kind === 'scalar' && typeof value.value === 'number') return waitFor(value, asked)
  const text = readText(value, asked)?.trim()
  if (text === undefined) return undefined
  const clock = CLOCK.exec(text)
  if (clock !== null) return { kind: 'wait', until: `${clock[1]?.padStart(2, '0')}:${clock[2]}` }
  if (INSTANT.test(text)) {
    const instant = new Date(text.replace(' ', 'T'))
    if (!Number.isNaN(instant.getTime())) return { kind: 'wait', until: instant.toISOString() }
    return refuseValue(value.place, asked, `"${text}" is no instant`)
  }
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    return refuseValue(value.place, asked, `"${text}" is no instant with a zone`, 'Write it as 2026-03-01T09:00:00Z')
  }
  if (!parseDuration(text).ok) return refuseType(value, asked)
  return waitFor(value, asked)
}

const waitFor = (value: Located, asked: Asked): Action | undefined => {
  // Nothing to wait for is a step that only marks a place, such as ZeroClaw's checkpoint.
  const ms = readDuration(value, { ...asked, setting: { ...asked.setting, zero: true } })
  if (ms === null) return refuseValue(value.place, asked, 'a wait without end never ends', 'Make it a manual step')
  return ms === undefined ? undefined : { kind: 'wait', durationMs: ms }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const SHORT = /^(?:([A-Za-z]+)\s+)?(\S+)(?:\s*(?:->|=>|→)\s*([\d,\s]+))?$/

const readHttp =
  (fields: Fields) =>
  (value: Located, asked: Asked): Action | undefined => {
    const found = fromText(value)
    if (found.kind === 'table') return httpOf(Fields.of('http', found, asked.report), fields)
    const text = readText(value, asked)
    if (text === undefined) return undefined
    const short = SHORT.exec(text.trim())
    if (short === null) return refuseType(value, asked)
    const [, method, url = '', expect] = short
    const inner = new Fields('http', value.place, asked.report)
    const put = (key: string, raw: string | undefined): void => {
      if (raw === undefined) return
      inner.add(
        { key, keyPlace: value.place, value: { kind: 'scalar', value: raw, raw, untyped: true, place: value.place } },
        'manifest',
      )
    }
    put('method', method)
    put('url', url)
    put('expect', expect?.trim().replace(/\s+/g, ','))
    return httpOf(inner, fields)
  }

const httpOf = (http: Fields, step: Fields): Action | undefined => {
  const { report } = http
  const method = (http.text('method') ?? 'GET').toUpperCase()
  if (!METHODS.includes(method)) {
    return refuseValue(
      http.valuePlace('method'),
      http.asked('method'),
      `"${method.slice(0, 20)}" is not one of ${METHODS.join(', ')}`,
    )
  }
  const url = http.text('url')
  if (url === undefined) {
    if (!http.has('url')) report.add('missing-setting', http.place, 'Cannot send a request: it has no url')
    return undefined
  }
  const problem = urlProblem(url)
  if (problem !== undefined) return refuseValue(http.valuePlace('url'), http.asked('url'), problem)
  const body = http.json('body')
  const headers = http.map('headers')
  return compact({
    kind: 'http' as const,
    method,
    url,
    headers: headers === undefined ? undefined : Object.fromEntries(headers.map(({ name, text }) => [name, text])),
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    expect: http.read('expect', readStatuses) ?? step.read('expect', readStatuses),
  })
}

/** References such as `$host` are filled in when the request is sent. */
const urlProblem = (url: string): string | undefined => {
  const filled = url.replace(/\$(?:[A-Za-z_]\w*|\{\w+\})/g, 'x')
  if (/^\$/.test(url)) return undefined
  if (!/^https?:\/\//i.test(filled)) return `"${url.slice(0, 60)}" is not an http or https URL`
  return URL.canParse(filled) ? undefined : `"${url.slice(0, 60)}" is not a URL`
}

const readStatuses = (value: Located, asked: Asked): readonly number[] | undefined => {
  const given = fromText(value)
  const single = given.kind === 'scalar' && typeof given.value === 'number' ? readInteger(given, asked) : undefined
  const list = single === undefined ? statusTexts(given, asked) : [{ text: String(single), place: value.place }]
  if (list === undefined || list.length === 0) return undefined
  const statuses: number[] = []
  for (const { text, place } of list) {
    const range = /^(\d{3})\s*(?:-|to)\s*(\d{3})$/.exec(text)
    const [low, high] = range === null ? [Number(text), Number(text)] : [Number(range[1]), Number(range[2])]
    if (!Number.isInteger(low) || low < 100 || high > 599 || high < low)
      return refuseValue(place, asked, `"${text.slice(0, 20)}" is no HTTP status`)
    for (let status = low; status <= high; status++) statuses.push(status)
  }
  return statuses
}

const statusTexts = (value: Located, asked: Asked): ReturnType<typeof readList> => {
  if (value.kind !== 'list') return readList(value, asked)
  return readList(
    { ...value, items: value.items.map((item) => (item.kind === 'scalar' ? { ...item, value: item.raw } : item)) },
    asked,
  )
}

/** A script as shells read it: a CR would be part of the last word of each line. */
const unixLines = (script: string): string => script.replaceAll('\r\n', '\n').replace(/\n+$/, '')

/** A command, a list of commands, or tables `{ interpreter, script }`. */
export const readCommands = (value: Located, asked: Asked): readonly Command[] | undefined => {
  const found = fromText(value)
  if (found.kind === 'list') {
    const commands = found.items.flatMap((item) => readCommands(item, asked) ?? [])
    return commands.length === 0 ? refuseType(value, asked) : commands
  }
  if (found.kind === 'table') return tableCommand(found, asked)
  const script = readText(found, asked)
  if (script === undefined) return undefined
  return script.trim() === ''
    ? refuseValue(value.place, asked, 'the command is empty')
    : [{ interpreter: 'bash', script: unixLines(script) }]
}

const tableCommand = (table: Extract<Located, { kind: 'table' }>, asked: Asked): readonly Command[] | undefined => {
  const entry = (...names: readonly string[]): Located | undefined =>
    table.entries.find(({ key }) => names.includes(key))?.value
  const script = entry('script', 'command', 'run')
  const language = entry('interpreter', 'language', 'lang')
  if (script === undefined) return refuseType(table, asked)
  const text = readText(script, asked)
  const name = language === undefined ? 'bash' : readText(language, asked)
  if (text === undefined || name === undefined) return undefined
  const interpreter = interpreterOf(name)
  if (interpreter === undefined)
    return refuseValue(language?.place ?? table.place, asked, `"${name.slice(0, 20)}" is no known interpreter`)
  return text.trim() === ''
    ? refuseValue(script.place, asked, 'the command is empty')
    : [{ interpreter, script: unixLines(text) }]
}
