import type { SopSummary } from '../../client/client.ts'
import type { Action, Param, SopDefinition, SopGate, Step } from '../../core/definition.ts'
import type { Colours } from '../context.ts'
import { renderValue } from './json-value.ts'
import { renderTrigger } from './sop-list.ts'
import { oneLine, renderFacts } from './table.ts'
import { renderDuration } from './time.ts'

/** One SOP for reading: what it is, what it asks for, what it does in which order. */
export const renderSop = (sop: SopSummary, colours: Colours): string => {
  const { definition } = sop
  const findings = sop.diagnostics.map(
    ({ severity, message, place }) =>
      `${severity === 'error' ? colours.red('Error') : colours.yellow('Warning')}: ${oneLine(message)} (${place.file}:${place.line}:${place.column})`,
  )
  const blockers =
    definition === undefined ? [] : sop.blockers.map((blocker) => `${colours.red('Cannot start')}: ${oneLine(blocker)}`)
  const notes = [...findings, ...blockers, ...sop.notices.map((notice) => `Note: ${oneLine(notice)}`)].join('\n')
  if (definition === undefined)
    return [`${colours.bold(sop.name)} does not compile (${sop.path})`, notes].filter(Boolean).join('\n\n')
  const parts = [
    `${colours.bold(definition.title)}\n${oneLine(definition.description)}`.trim(),
    renderSettings(sop, definition),
    section('Params', (definition.params ?? []).map(renderParam)),
    section('Gates', (definition.gates ?? []).map(renderSopGate)),
    section(
      'Steps',
      definition.steps.map((step) => renderStep(step, colours)),
    ),
    notes,
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [`${title}:`, ...lines].join('\n')

const renderSettings = (sop: SopSummary, definition: SopDefinition): string => {
  const { conditions } = definition
  const texts = [
    ...(conditions?.requires ?? []),
    ...(conditions?.expression === undefined ? [] : [conditions.expression]),
  ]
  return renderFacts([
    ['Name', definition.name],
    ['Version', definition.version],
    ['Author', definition.author],
    ['Owner', definition.owner],
    ['Tags', definition.tags?.join(', ')],
    ['Priority', definition.priority],
    ['Mode', definition.mode ?? 'the default of the configuration'],
    ['Triggers', definition.triggers.map(renderTrigger).join(', ') || 'none'],
    ['Conditions', texts.map(({ text }) => oneLine(text)).join(', ') || 'none'],
    ['Cooldown', definition.cooldownMs === 0 ? undefined : renderDuration(definition.cooldownMs)],
    [
      'At once',
      definition.maxConcurrent === undefined
        ? undefined
        : `${definition.maxConcurrent} (others ${definition.admission})`,
    ],
    ['Timeout', definition.timeoutMs === undefined ? undefined : renderDuration(definition.timeoutMs)],
    ['Timezone', definition.timezone],
    ['Secrets', definition.secrets?.join(', ')],
    ['File', sop.path],
    ['Dialect', definition.dialect],
    ['Digest', sop.digest],
  ])
}

const renderParam = (param: Param): string => {
  const kind = param.choices === undefined ? param.type : param.choices.join('|')
  const more = [
    param.required === true ? 'required' : '',
    param.default === undefined || param.secret === true ? '' : `default ${renderValue(param.default)}`,
    param.pattern === undefined ? '' : `pattern ${param.pattern}`,
    param.secret === true ? 'secret' : '',
  ].filter((part) => part !== '')
  return `  ${param.name}: ${[kind, ...more].join(', ')}${param.description === undefined ? '' : `. ${oneLine(param.description)}`}`
}

const renderSopGate = (gate: SopGate): string => {
  const { position } = gate
  const where =
    'step' in position
      ? `${position.at} step ${position.step}`
      : position.at === 'start'
        ? 'before the first step'
        : 'after the last step'
  const what = gate.command === undefined ? gate.type : `${gate.type}: ${oneLine(gate.command.script)}`
  const who = gate.approvers === undefined ? '' : `, by ${gate.approvers.join(', ')}`
  return `  ${gate.key}: ${what}, ${where}${who}${gate.required ? '' : ', not required'}`
}

const renderStep = (step: Step, colours: Colours): string => {
  const facts = [
    step.if === undefined ? '' : `if ${oneLine(step.if.text)}`,
    step.requiresApproval === true ? 'requires approval' : step.requiresApproval === false ? 'no approval' : '',
    step.approveIf === undefined ? '' : `approval if ${oneLine(step.approveIf.text)}`,
    step.approvers === undefined ? '' : `by ${step.approvers.join(', ')}`,
    step.approvalTimeoutMs == null
      ? ''
      : `approval timeout ${renderDuration(step.approvalTimeoutMs)}, then ${step.onTimeout ?? 'approve'}`,
    step.timeoutMs == null ? '' : `timeout ${renderDuration(step.timeoutMs)}`,
    step.retries === undefined ? '' : `retries ${step.retries}`,
    step.runsOn === undefined ? '' : `runs on ${step.runsOn}`,
    step.onFailure === undefined ? '' : `on failure ${step.onFailure.kind}`,
  ].filter((part) => part !== '')
  const head = `  ${step.number}. ${colours.bold(oneLine(step.title))} (${step.action.kind})${facts.length === 0 ? '' : ` [${facts.join('; ')}]`}`
  return [head, ...actionLines(step.action).map((line) => `     ${line}`)].join('\n')
}

const actionLines = (action: Action): readonly string[] => {
  switch (action.kind) {
    case 'shell':
      return action.commands.flatMap(({ interpreter, script }) =>
        script
          .trimEnd()
          .split('\n')
          .map((line) => `${interpreter === 'bash' ? '$' : `${interpreter}>`} ${line}`),
      )
    case 'manual':
      return [
        ...(action.assignee === undefined ? [] : [`assignee: ${action.assignee}`]),
        ...(action.checklist ?? []).map((item) => `[ ] ${oneLine(item)}`),
        ...(action.form ?? []).map((field) => `field ${renderParam(field).trim()}`),
      ]
    case 'wait':
      return [action.durationMs === undefined ? `until ${action.until ?? ''}` : renderDuration(action.durationMs)]
    case 'http':
      return [`${action.method} ${action.url}`]
    case 'sop':
      return [`runs ${action.sop}`]
    default:
      return action satisfies never
  }
}
