import type { SopDefinition, Step, Trigger } from '../definition.ts'

// supported.ts: what this version does not carry out yet. A run that needs it is refused at its start with a sentence
// that names the setting: nothing is ever silently ignored.

const stepRefusals: readonly [string, (step: Step) => boolean][] = [
  ['for_each of a manual or wait step', (step) => step.forEach !== undefined && !isExecuted(step)],
  ['quorum', (step) => needsSeveral(step.quorum)],
  ['escalate_to', (step) => step.escalateTo !== undefined],
  ['timeout of a wait step', (step) => step.action.kind === 'wait' && typeof step.timeoutMs === 'number'],
]

/** What the engine does by itself: a person and a timer have nothing to do for each item. */
const isExecuted = ({ action }: Step): boolean =>
  action.kind === 'shell' || action.kind === 'http' || action.kind === 'sop'

const needsSeveral = (quorum: Step['quorum']): boolean =>
  quorum !== undefined && (typeof quorum !== 'number' || quorum > 1)

const gateRefusals: readonly [string, (gate: NonNullable<SopDefinition['gates']>[number]) => boolean][] = [
  ['quorum', (gate) => needsSeveral(gate.quorum)],
  ['escalate_to', (gate) => gate.escalateTo !== undefined],
]

/** The settings that keep a run from starting, by what sets them; docs/sop-format.md lists them. */
export const NOT_CARRIED_OUT = {
  sop: [] as readonly string[],
  step: stepRefusals.map(([key]) => key),
  gate: gateRefusals.map(([key]) => key),
} as const

/** Sentences that say which settings of the definition stand in the way of a run; empty when it can start. */
export const unsupported = (definition: SopDefinition): readonly string[] => [
  ...(definition.refusals ?? []),
  ...definition.steps.flatMap((step) =>
    stepRefusals
      .filter(([, has]) => has(step))
      .map(([key]) => `Step ${step.number} "${step.title}" sets "${key}", which this version does not carry out yet`),
  ),
  ...(definition.gates ?? []).flatMap((gate) =>
    gateRefusals
      .filter(([, has]) => has(gate))
      .map(([key]) => `Gate "${gate.key}" sets "${key}", which this version does not carry out yet`),
  ),
]

const triggerDetail = (trigger: Trigger): string => {
  switch (trigger.type) {
    case 'cron':
      return `cron:${trigger.expression}`
    case 'webhook':
      return `webhook:${trigger.path}`
    case 'unserved':
      return trigger.name
    default:
      return trigger.type
  }
}

/** The types that begin runs in this version. */
const SERVED: readonly Trigger['type'][] = [
  'manual',
  'cron',
  'webhook',
  'event',
  'command',
  'file_watch',
  'mqtt',
  'amqp',
  'sop',
]

/** Whether this version begins runs by such a trigger. */
export const isServed = ({ type }: Trigger): boolean => SERVED.includes(type)

/** Sentences about what is written, shown, and does not work yet, though runs can be started by hand. */
export const notServed = (definition: SopDefinition): readonly string[] =>
  definition.triggers
    .filter((trigger) => !isServed(trigger))
    .map((trigger) => `Trigger "${triggerDetail(trigger)}" is not served by this version yet: start the SOP by hand`)
