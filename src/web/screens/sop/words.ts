import type { SopGate, Step, Trigger } from '../../../core/definition.ts'
import { length } from '../../parts/time-text.ts'

// words.ts: settings of a definition as short phrases, for reading beside the procedure.

/** What a trigger waits for. */
export const triggerText = (trigger: Trigger): string => {
  switch (trigger.type) {
    case 'manual':
      return 'by hand'
    case 'cron':
      return `schedule ${trigger.expression}${trigger.timezone === undefined ? '' : ` (${trigger.timezone})`}`
    case 'webhook':
      return `webhook ${trigger.path}`
    case 'file_watch':
      return `file ${trigger.path} (${trigger.events.join(', ')})`
    case 'command':
      return `command ${trigger.pattern}`
    case 'event':
      return `event ${trigger.event}`
    case 'mqtt':
      return `MQTT ${trigger.topic}`
    case 'amqp':
      return `AMQP ${trigger.routingKey}`
    case 'sop':
      return `after ${trigger.sop} (${trigger.on.join(', ')})`
    case 'unserved':
      return `${trigger.name} (not served)`
    default:
      return trigger satisfies never
  }
}

type Approval = Pick<
  SopGate,
  'approvers' | 'quorum' | 'exclude' | 'approvalTimeoutMs' | 'onTimeout' | 'onReject' | 'remindMs' | 'escalateTo'
>

/** Who approves, how many, how long it is waited, and what happens then. */
export const approvalTexts = (approval: Approval): readonly string[] => [
  ...(approval.approvers === undefined ? [] : [`by ${approval.approvers.join(', ')}`]),
  ...(approval.quorum === undefined ? [] : [`quorum ${quorumText(approval.quorum)}`]),
  ...(approval.exclude === undefined ? [] : [`never ${approval.exclude.join(', ')}`]),
  ...(approval.approvalTimeoutMs === undefined
    ? []
    : approval.approvalTimeoutMs === null
      ? ['waits for ever']
      : [`after ${length(approval.approvalTimeoutMs)}: ${approval.onTimeout ?? 'approve'}`]),
  ...(approval.onReject === undefined ? [] : [`rejected: ${approval.onReject}`]),
  ...(approval.remindMs === undefined ? [] : [`reminds every ${length(approval.remindMs)}`]),
  ...(approval.escalateTo === undefined ? [] : [`escalates to ${approval.escalateTo.join(', ')}`]),
]

const quorumText = (quorum: number | Readonly<Record<string, number>>): string =>
  typeof quorum === 'number'
    ? String(quorum)
    : Object.entries(quorum)
        .map(([group, count]) => `${count} of ${group}`)
        .join(', ')

/** What a step says of itself besides its text. */
export const stepTexts = (step: Step): readonly string[] => [
  ...(step.if === undefined ? [] : [`if ${step.if.text}`]),
  ...(step.requiresApproval === true
    ? ['asks for approval']
    : step.requiresApproval === false
      ? ['waives approval']
      : []),
  ...(step.approveIf === undefined ? [] : [`asks for approval if ${step.approveIf.text}`]),
  ...approvalTexts(step),
  ...(step.timeoutMs === undefined
    ? []
    : [step.timeoutMs === null ? 'no time limit' : `at most ${length(step.timeoutMs)}`]),
  ...(step.retries === undefined ? [] : [`${step.retries} retries`]),
  ...(step.idempotent === true ? ['may be repeated'] : []),
  ...(step.onFailure === undefined ? [] : [`on failure: ${failureText(step.onFailure)}`]),
  ...(step.rollback === undefined ? [] : ['can be rolled back']),
  ...(step.pointOfNoReturn === true ? ['point of no return'] : []),
  ...(step.verify === undefined ? [] : ['verified afterwards']),
  ...(step.needs === undefined ? [] : [step.needs.length === 0 ? 'needs nothing' : `needs ${step.needs.join(', ')}`]),
  ...(step.forEach === undefined ? [] : ['once for each item']),
  ...(step.runsOn === undefined ? [] : [`on ${step.runsOn}`]),
  ...(step.secrets === undefined ? [] : [`secrets ${step.secrets.join(', ')}`]),
]

const failureText = (failure: NonNullable<Step['onFailure']>): string =>
  failure.kind === 'retry'
    ? `retry ${failure.times} times`
    : failure.kind === 'goto'
      ? `go to step ${failure.step}`
      : failure.kind

/** Where a gate of the SOP stands. */
export const gateText = ({ position }: SopGate): string =>
  'step' in position
    ? `${position.at} step ${position.step}`
    : position.at === 'start'
      ? 'before the first step'
      : 'after the last step'

/** Modes in words. */
export const MODES = {
  auto: 'auto: asks only where a step says so',
  supervised: 'supervised: one approval to begin',
  step_by_step: 'step by step: approval before each step',
  priority_based: 'by priority',
} as const

/** A Markdown file without the front matter, which the settings show. */
export const procedureOf = (text: string): string =>
  text.replace(/^\uFEFF?---[ \t]*\r?\n[\s\S]*?\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/, '')
