// match.ts: whether a trigger means an occurrence, and which params it gives the run. Pure: the facts that conditions need
// are asked before. What a trigger means is told by its subject first (path, name, pattern, topic), then by its condition
// (rulings 15: an error in it is no match, on record).

import { compilePattern } from '../condition/language.ts'
import { type ConditionScope, evaluate, factNames } from '../condition/evaluate.ts'
import type { Json, Param, Trigger } from '../definition.ts'
import { absoluteGlob, readGlob } from './glob.ts'
import type { Occurrence } from './occurrence.ts'
import { mapParams, mappedValues, mappingFacts } from './params.ts'
import { matchesRoutingKey, matchesTopic } from './topic.ts'

/** Facts, answered. */
export type TriggerFacts = Pick<ConditionScope, 'facts' | 'factErrors'>
const NO_FACTS: TriggerFacts = { facts: {} }

export type TriggerMatch =
  | { readonly matches: true; readonly params: Readonly<Record<string, Json>> }
  /** `unmet`: its condition does not hold, or cannot be told. `unfit`: its `params` cannot be worked out. */
  | { readonly matches: false; readonly why: 'unmet' | 'unfit'; readonly reason: string }

/** A trigger that is meant by its subject; the condition was not asked yet. */
export interface Addressed {
  /** Values of the capture groups of a command, by number and by name. */
  readonly captures: Readonly<Record<string, string>>
  /** Characters of the message that the pattern of a command took: of several commands the longest counts. */
  readonly taken: number
}

const NOTHING_CAPTURED: Addressed = { captures: {}, taken: 0 }

/** Whether the subject of the occurrence is the trigger's. Relative paths of files begin at `workdir`. */
export const addressed = (trigger: Trigger, occurrence: Occurrence, workdir = '/'): Addressed | undefined => {
  const { source, subject, action } = occurrence
  if (trigger.type !== source) return undefined
  switch (trigger.type) {
    case 'webhook':
      return orNothing(trigger.path === subject && (trigger.methods ?? ['POST']).includes(action ?? 'POST'))
    case 'event':
      return orNothing(trigger.event === subject)
    case 'command':
      return capture(trigger.pattern, subject)
    case 'file_watch': {
      const read = readGlob(absoluteGlob(trigger.path, workdir))
      return orNothing(read.ok && read.glob.matches(subject) && trigger.events.some((event) => event === action))
    }
    case 'mqtt':
      return orNothing(matchesTopic(trigger.topic, subject))
    case 'amqp':
      return orNothing(matchesRoutingKey(trigger.routingKey, subject))
    case 'sop':
      return orNothing(trigger.sop === subject && trigger.on.some((state) => state === action))
    default:
      return undefined
  }
}

const orNothing = (isMeant: boolean): Addressed | undefined => (isMeant ? NOTHING_CAPTURED : undefined)

/** The pattern is looked for anywhere in the message: `^` and `$` hold it to its ends. */
const capture = (pattern: string, message: string): Addressed | undefined => {
  const matcher = compilePattern(pattern).matcher(message)
  if (!matcher.find()) return undefined
  const captures: [string, string][] = []
  for (let group = 1; group <= matcher.groupCount(); group++) {
    const text = matcher.group(group)
    if (text !== null) captures.push([String(group), text])
  }
  for (const name of Object.keys(matcher.namedGroups ?? {})) {
    const text = matcher.group(name)
    if (text !== null) captures.push([name, text])
  }
  return { captures: Object.fromEntries(captures), taken: (matcher.group() ?? '').length }
}

/** The facts that the trigger's condition and params need (see `factNames`). */
export const triggerFacts = (trigger: Trigger, known: readonly string[]): readonly string[] => [
  ...new Set([
    ...(trigger.condition === undefined ? [] : factNames(trigger.condition, known)),
    ...mappingFacts(tableOf(trigger) ?? {}, known),
  ]),
]

/** Asks the condition of a trigger that is addressed, and works out the params. */
export const matchTrigger = (
  trigger: Trigger,
  occurrence: Occurrence,
  { captures }: Addressed,
  facts: TriggerFacts = NO_FACTS,
): TriggerMatch => {
  const scope = scopeOf(trigger, occurrence, captures, facts)
  if (trigger.condition !== undefined) {
    const met = evaluate(trigger.condition, scope)
    if (!met.ok) return { matches: false, why: 'unmet', reason: met.error }
    if (!met.value) return { matches: false, why: 'unmet', reason: `Condition "${trigger.condition.text}" is not met` }
  }
  const table = tableOf(trigger)
  if (table === undefined) return { matches: true, params: ownParams(trigger, occurrence, captures) }
  const mapped = mapParams(table, scope)
  if (mapped.ok) return { matches: true, params: mapped.params }
  return { matches: false, why: 'unfit', reason: mapped.problems.join('; ') }
}

/**
 * What the occurrence brings for the secret params of an SOP, whether or not a run comes of it: no record holds it. Facts
 * are nobody's secret, so none is asked.
 */
export const secretsBrought = (
  trigger: Trigger,
  occurrence: Occurrence,
  { captures }: Addressed,
  declared: readonly Param[] = [],
): readonly Json[] => {
  const names = declared.filter(({ secret }) => secret === true).map(({ name }) => name)
  if (names.length === 0) return []
  const table = tableOf(trigger)
  const scope = scopeOf(trigger, occurrence, captures, NO_FACTS)
  const own = table === undefined ? ownParams(trigger, occurrence, captures) : table
  return names.flatMap((name) => {
    const value = Object.hasOwn(own, name) ? own[name] : undefined
    if (value === undefined || value === null) return []
    return table === undefined ? [value] : mappedValues(value, scope)
  })
}

/** What conditions and expressions of a trigger see. */
const scopeOf = (
  trigger: Trigger,
  { source, subject, action, payload, headers }: Occurrence,
  captures: Addressed['captures'],
  facts: TriggerFacts,
): ConditionScope => ({
  ...facts,
  params: trigger.type === 'command' ? captures : {},
  outputs: {},
  steps: {},
  payload,
  trigger: { type: source, ...triggerSubject(source, subject), ...(action && { action }), ...(headers && { headers }) },
})

/** The subject by the names that a run knows it by (rulings 21). */
export const triggerSubject = (
  source: Occurrence['source'],
  subject: string,
): { readonly path?: string; readonly event?: string } => {
  if (source === 'command') return {}
  return source === 'webhook' || source === 'file_watch' ? { path: subject } : { event: subject }
}

const tableOf = (trigger: Trigger): Readonly<Record<string, Json>> | undefined =>
  'params' in trigger ? trigger.params : undefined

/** Without a table: the payload by name; of a command its groups where they are asked for, else the message (rulings 20). */
const ownParams = (
  trigger: Trigger,
  { subject, payload }: Occurrence,
  captures: Addressed['captures'],
): Readonly<Record<string, Json>> => {
  if (trigger.type === 'command')
    return trigger.captureGroups ? { message: subject, ...captures } : { message: subject }
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload)
    ? (payload as Readonly<Record<string, Json>>)
    : {}
}
