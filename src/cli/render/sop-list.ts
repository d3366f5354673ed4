import type { SopSummary } from '../../client/client.ts'
import type { ExecutionMode, Priority, SopDefinition, Trigger } from '../../core/definition.ts'
import type { RunSummary } from '../../core/run/view.ts'
import type { Colours } from '../context.ts'
import { oneLine } from './table.ts'
import { renderInstant } from './time.ts'

const EMOJI: Readonly<Record<Priority, string>> = { critical: '🚀', high: '⚡', normal: '🕐', low: '🧹' }

export interface SopListLook {
  readonly colours: Colours
  readonly utf8: boolean
  readonly now: number
  /** The mode of SOPs that name none. */
  readonly defaultMode: ExecutionMode
  /** Given: the long form, with the last run of each SOP. */
  readonly lastRuns?: ReadonlyMap<string, RunSummary>
}

/** The block of seed 003: what can be run, by name, then what cannot. */
export const renderSopList = (sops: readonly SopSummary[], look: SopListLook): string => {
  const usable = sops.filter((sop) => sop.definition !== undefined)
  const broken = sops.filter((sop) => sop.definition === undefined)
  const blocks = [`=== SOP Engine ===\nAvailable SOPs: ${usable.length}`]
  usable.forEach((sop, index) => blocks.push(renderUsable(sop, index + 1, look)))
  if (broken.length > 0) blocks.push(`SOPs with errors: ${broken.length}`)
  broken.forEach((sop, index) => blocks.push(renderBroken(sop, usable.length + index + 1, look)))
  if (sops.length === 0) blocks.push('No SOPs yet. Create one: sop create NAME')
  return blocks.join('\n\n')
}

const renderUsable = (sop: SopSummary, number: number, look: SopListLook): string => {
  const definition = sop.definition as SopDefinition
  const emoji = look.utf8 ? `${EMOJI[definition.priority]} ` : ''
  const mode = definition.mode ?? look.defaultMode
  const lines = [
    `${number}. ${look.colours.bold(sop.name)} ${emoji}${definition.priority.toUpperCase()} (${mode})`,
    `   Triggers: ${definition.triggers.map(renderTrigger).join(', ') || 'none'}`,
    `   Conditions: ${renderConditions(definition)}`,
  ]
  if (look.lastRuns !== undefined) lines.push(...renderLong(sop, definition, look, look.lastRuns.get(sop.name)))
  return lines.join('\n')
}

const renderLong = (
  sop: SopSummary,
  definition: SopDefinition,
  look: SopListLook,
  last: RunSummary | undefined,
): string[] => [
  `   Version: ${definition.version}`,
  ...(definition.description === '' ? [] : [`   Description: ${oneLine(definition.description)}`]),
  `   File: ${sop.path}`,
  `   Steps: ${definition.steps.length}`,
  `   Last run: ${last === undefined ? 'never' : `${last.runId} ${last.status}, ${renderInstant(last.createdAt, look.now, true)}`}`,
  ...sop.blockers.map((blocker) => `   Cannot start: ${oneLine(blocker)}`),
  ...sop.diagnostics.map(
    ({ severity, message }) => `   ${severity === 'error' ? 'Error' : 'Warning'}: ${oneLine(message)}`,
  ),
  ...sop.notices.map((notice) => `   Note: ${oneLine(notice)}`),
]

const renderBroken = (sop: SopSummary, number: number, { colours }: SopListLook): string => {
  const first = sop.diagnostics.find(({ severity }) => severity === 'error')
  const where = first === undefined ? sop.path : `${first.place.file}:${first.place.line}:${first.place.column}`
  const what = first?.message ?? sop.blockers[0] ?? 'it does not compile'
  return `${number}. ${colours.bold(sop.name)}\n   ${colours.red('Error:')} ${oneLine(what)} (${where})`
}

const renderConditions = ({ conditions }: SopDefinition): string => {
  const all = [
    ...(conditions?.requires ?? []),
    ...(conditions?.expression === undefined ? [] : [conditions.expression]),
  ]
  return all.map(({ text }) => oneLine(text)).join(', ') || 'none'
}

/** `type:detail`, as seed 003 writes it. */
export const renderTrigger = (trigger: Trigger): string => {
  switch (trigger.type) {
    case 'manual':
      return 'manual'
    case 'cron':
      return `cron:${trigger.expression}`
    case 'webhook':
    case 'file_watch':
      return `${trigger.type}:${trigger.path}`
    case 'command':
      return `command:${trigger.pattern}`
    case 'event':
      return `event:${trigger.event}`
    case 'mqtt':
      return `mqtt:${trigger.topic}`
    case 'amqp':
      return `amqp:${trigger.routingKey}`
    case 'sop':
      return `sop:${trigger.sop}`
    case 'unserved':
      return trigger.name
    default:
      return trigger satisfies never
  }
}
