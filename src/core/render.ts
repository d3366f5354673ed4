import { stringify } from 'smol-toml'
import type { SourceFile } from './compile.ts'
import type { Param, SopDefinition, SopGate, Trigger } from './definition.ts'
import { formatDuration } from './duration.ts'
import { escapeText, plainText } from './dialect/inline.ts'
import { renderStep, type RenderedStep } from './dialect/render-step.ts'
import {
  approvalTable,
  commandOf,
  durationOf,
  type Toml,
  type TomlValue,
  tomlOf,
  withoutUndefined,
} from './dialect/render-toml.ts'
import { normalizeKey } from './settings.ts'

// render.ts: a definition as dialect A, `SOP.toml` and `SOP.md`. Compiling the two gives the definition back (its dialect
// becomes A).

/** The files of a definition in dialect A, below a folder of its name. */
export const render = (definition: SopDefinition): readonly SourceFile[] => {
  const steps = definition.steps.map(renderStep)
  return [
    { path: `${definition.name}/SOP.toml`, text: renderManifest(definition, steps) },
    { path: `${definition.name}/SOP.md`, text: renderMarkdown(definition, steps) },
  ]
}

const renderMarkdown = ({ title }: SopDefinition, steps: readonly RenderedStep[]): string =>
  [
    `# ${escapeText(title)}`,
    '## Steps',
    ...steps.flatMap(({ markdown }) => (markdown === undefined ? [] : [markdown])),
  ].join('\n\n') + '\n'

const renderManifest = (definition: SopDefinition, steps: readonly RenderedStep[]): string => {
  const { conditions, gates = [], hints = [], notifications, params = [], triggers } = definition
  const isManual = triggers.length === 1 && triggers[0]?.type === 'manual' && triggers[0].condition === undefined
  const tables = steps.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]))
  return `${stringify(
    withoutUndefined({
      sop: sopTable(definition),
      env: tableOrNone(definition.env),
      params: tableOrNone(Object.fromEntries(params.map((param) => [param.name, paramTable(param)]))),
      conditions:
        conditions === undefined
          ? undefined
          : {
              requires: conditions.requires?.map(({ text }) => text),
              expression: conditions.expression?.text,
            },
      notifications:
        notifications === undefined
          ? undefined
          : Object.fromEntries(Object.entries(notifications).map(([key, value]) => [normalizeKey(key), value])),
      gates: tableOrNone(Object.fromEntries(gates.map((gate) => [gate.key, gateTable(gate)]))),
      triggers: isManual ? undefined : triggers.map(triggerTable),
      steps: tables.length === 0 ? undefined : tables,
      hints:
        hints.length === 0 ? undefined : hints.map(({ key, value, step }) => ({ key, value: tomlOf(value), step })),
    }),
  ).trimEnd()}\n`
}

const sopTable = (definition: SopDefinition): Toml => ({
  name: definition.name,
  title: isReadBack(definition.title) ? undefined : definition.title,
  description: definition.description,
  version: definition.version,
  author: definition.author,
  owner: definition.owner,
  tags: definition.tags,
  priority: definition.priority,
  execution_mode: definition.mode,
  cooldown: definition.cooldownMs === 0 ? undefined : formatDuration(definition.cooldownMs),
  max_concurrent: definition.maxConcurrent,
  max_parallel: definition.maxParallel,
  admission: definition.admission === 'queue' ? undefined : definition.admission,
  release_slot_at_gate: definition.releaseSlotAtGate,
  lock: definition.locks,
  blackout: definition.blackout,
  holidays: definition.holidays,
  blackout_policy: definition.blackoutPolicy,
  timezone: definition.timezone,
  timeout: durationOf(definition.timeoutMs),
  on_run_timeout: definition.onRunTimeout,
  approval_timeout: durationOf(definition.approvalTimeoutMs),
  secrets: definition.secrets,
  refusals: definition.refusals,
})

/** Whether a heading gives the title back. */
const isReadBack = (title: string): boolean =>
  title.length < 500 && !/^\s|\s$|\s{2}|[\r\n\t]|(?:^|\s)#+$/.test(title) && plainText(escapeText(title)) === title

const paramTable = ({ name: _, ...param }: Param): Toml => ({ ...param })

const gateTable = (gate: SopGate): Toml => ({
  type: gate.type,
  required: gate.required ? undefined : false,
  if: gate.if?.text,
  command: gate.command === undefined ? undefined : commandOf(gate.command),
  ...(gate.position.at === 'before' || gate.position.at === 'after' ? { [gate.position.at]: gate.position.step } : {}),
  ...approvalTable(gate, 'timeout'),
})

const triggerTable = (trigger: Trigger): Toml => ({ ...ownTable(trigger), condition: trigger.condition?.text })

const ownTable = (trigger: Trigger): Toml => {
  switch (trigger.type) {
    case 'manual':
      return { type: 'manual' }
    case 'cron':
      return {
        type: 'cron',
        expression: trigger.expression,
        timezone: trigger.timezone,
        overlap: trigger.overlap,
        catch_up: durationOf(trigger.catchUpMs),
        jitter: durationOf(trigger.jitterMs),
        params: tomlOf(trigger.params),
      }
    case 'webhook':
      return {
        type: 'webhook',
        path: trigger.path,
        methods: trigger.methods,
        secret: trigger.secret,
        signature: trigger.signature,
        replay_window: durationOf(trigger.replayWindowMs),
        idempotency_key: trigger.idempotencyKey,
        params: tomlOf(trigger.params),
      }
    case 'file_watch':
      return {
        type: 'file_watch',
        path: trigger.path,
        events: trigger.events,
        settle: durationOf(trigger.settleMs),
        on_start: trigger.onStart,
        params: tomlOf(trigger.params),
      }
    case 'command':
      return {
        type: 'command',
        pattern: trigger.pattern,
        capture_groups: trigger.captureGroups || undefined,
        params: tomlOf(trigger.params),
      }
    case 'event':
      return { type: 'event', event: trigger.event, params: tomlOf(trigger.params) }
    case 'mqtt':
      return { type: 'mqtt', topic: trigger.topic, params: tomlOf(trigger.params) }
    case 'amqp':
      return { type: 'amqp', routing_key: trigger.routingKey, params: tomlOf(trigger.params) }
    case 'sop':
      return { type: 'sop', sop: trigger.sop, on: trigger.on, params: tomlOf(trigger.params) }
    case 'unserved':
      return { type: trigger.name, ...(tomlOf(trigger.settings) as Toml) }
    default:
      return trigger satisfies never
  }
}

const tableOrNone = (table: Readonly<Record<string, TomlValue>> | undefined): Toml | undefined =>
  table === undefined || Object.keys(table).length === 0 ? undefined : { ...table }
