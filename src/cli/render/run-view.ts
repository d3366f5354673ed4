import { parsePool } from '../../core/pool.ts'
import type { GateView, InputView, PoolWaitView, RunView, StepView } from '../../core/run/view.ts'
import type { HoldView, PauseView, RollbackView } from '../../core/run/view-pause.ts'
import type { Colours } from '../context.ts'
import { renderValue, renderValues } from './json-value.ts'
import { sopCommand } from './shell-word.ts'
import { renderState } from './state.ts'
import { oneLine, renderFacts, renderTable } from './table.ts'
import { renderDuration, renderInstant } from './time.ts'

export interface RunLook {
  readonly colours: Colours
  readonly now: number
  /** Times in UTC, and digests. */
  readonly long: boolean
  /** The id was printed before. */
  readonly withoutId?: boolean
}

/** A whole run: its facts, its steps, what it waits for. */
export const renderRun = (run: RunView, look: RunLook): string =>
  [
    renderRunFacts(run, look),
    run.stepResults.length > 0 ? renderSteps(run.stepResults, look) : '',
    ...run.openGates.map((gate) => renderGate(gate, look)),
    ...run.openInputs.map((input) => renderInput(input, look)),
    ...(run.poolWaits ?? []).map((wait) => renderPoolWait(wait, look)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')

/** The first lines about a run. The id stands in the first one, and only there, so that it is easy to pick out. */
export const renderRunFacts = (run: RunView, look: RunLook): string => {
  const when = (instant: string | undefined) => renderInstant(instant, look.now, look.long)
  return renderFacts([
    ['Run ID', look.withoutId === true ? undefined : run.runId],
    ['SOP', `${run.sopName} ${run.version}`],
    ['Status', renderState(look.colours, run.status)],
    ['Step', run.currentStep === null ? undefined : `${run.currentStep} of ${run.totalSteps}`],
    ['Reason', run.reason === undefined ? undefined : oneLine(run.reason)],
    ['Paused', run.paused === undefined ? undefined : renderPause(run.paused, when)],
    ['Held', run.held === undefined ? undefined : renderHold(run.held, when)],
    ['Pausing', run.pauseRequestedBy && `at the next boundary, asked for by ${run.pauseRequestedBy}`],
    ['Rollback', run.rollback && renderRollback(run.rollback)],
    ['Parent', run.parent === undefined ? undefined : `${run.parent.runId}, step ${run.parent.stepNumber}`],
    ['Mode', run.mode],
    ['Priority', run.priority],
    ['Created', `${when(run.createdAt)} by ${run.startedBy.id} (${run.via}, ${run.trigger.type})`],
    ['Started', when(run.startedAt)],
    ['Ended', when(run.completedAt)],
    ['Took', tookOf(run)],
    ['Params', renderValues(run.params)],
    ['Outputs', renderValues(run.outputs)],
    ['Digest', look.long ? run.digest : undefined],
    ['Warnings', run.warnings?.map(oneLine).join('; ')],
    ['Note', run.stale === true ? 'from the record: no worker answers now, the run may be further on' : undefined],
  ])
}

const renderHold = ({ since, unrecorded }: HoldView, when: (instant: string) => string): string =>
  `since ${when(since)} with ${unrecorded} events that are not on record; it goes on by itself (sop health)`

const renderPause = (
  { kind, since, by, stepNumber }: PauseView,
  when: (instant: string | undefined) => string,
): string => {
  const where = stepNumber === undefined || stepNumber === 0 ? '' : ` at step ${stepNumber}`
  return `${when(since)}${where}, ${PAUSED_SINCE[kind]}${kind === 'requested' || kind === 'rejected' ? ` by ${by}` : ''}`
}

const renderRollback = ({ because, then, by, left, failed }: RollbackView): string => {
  const cause = because === 'cancel' ? `asked for by ${by}` : `because of a ${because}`
  const rest =
    left === undefined
      ? 'begins when what is under way has ended'
      : left.length === 0
        ? 'nothing left to undo'
        : `to undo: ${left.map((number, at) => `step ${number}${at === 0 && failed !== undefined ? ` (its undo failed: ${oneLine(failed)})` : ''}`).join(', ')}`
  return `${cause}; ${rest}; then ${then}`
}

const PAUSED_SINCE: Readonly<Record<PauseView['kind'], string>> = {
  requested: 'asked for',
  rejected: 'rejected',
  failed: 'since it failed',
  condition: 'since a condition cannot be told',
  unknown: 'since nobody knows whether it ran',
  rollback: 'in the walk back',
}

const tookOf = ({ startedAt, completedAt }: RunView): string | undefined =>
  startedAt === undefined || completedAt === undefined
    ? undefined
    : renderDuration(Date.parse(completedAt) - Date.parse(startedAt))

const renderSteps = (steps: readonly StepView[], { colours }: RunLook): string =>
  renderTable(
    ['#', 'STEP', 'STATUS', 'TOOK', 'NOTE'].map((heading) => colours.dim(heading)),
    steps.map((step) => [
      String(step.number),
      oneLine(step.title),
      renderState(colours, step.status),
      step.durationMs === undefined ? '' : renderDuration(step.durationMs),
      noteOf(step),
    ]),
  )

const noteOf = ({ attempt, error, reason, items, child }: StepView): string =>
  [
    attempt > 1 ? `attempt ${attempt}` : '',
    items === undefined ? '' : renderItems(items),
    child === undefined ? '' : `run ${child}`,
    error ?? reason ?? '',
  ]
    .filter((part) => part !== '')
    .join(': ')

/** `12 of 40 items done, 5 running, 1 failed` */
const renderItems = ({ total, success, ...counts }: NonNullable<StepView['items']>): string => {
  const others = (['running', 'failed', 'unknown', 'skipped', 'rolled_back'] as const).filter(
    (state) => (counts[state] ?? 0) > 0,
  )
  const words = others.map((state) => `${counts[state]} ${state.replace('_', ' ')}`)
  return [`${success} of ${total} items done`, ...words].join(', ')
}

/** One step with everything that is known of it. */
export const renderStep = (run: RunView, step: StepView, look: RunLook): string => {
  const when = (instant: string | undefined) => renderInstant(instant, look.now, look.long)
  const facts = renderFacts([
    ['Run ID', run.runId],
    ['Step', `${step.number} of ${run.totalSteps}: ${oneLine(step.title)}`],
    ['Status', renderState(look.colours, step.status)],
    ['Kind', step.kind],
    ['Runs on', step.runsOn === undefined ? undefined : `pool ${step.runsOn}`],
    ['Attempt', String(step.attempt)],
    ['Started', when(step.startedAt)],
    ['Ended', when(step.completedAt)],
    ['Took', step.durationMs === undefined ? undefined : renderDuration(step.durationMs)],
    ['Exit code', step.exitCode === undefined ? undefined : String(step.exitCode)],
    ['Error', step.error === undefined ? undefined : oneLine(step.error)],
    ['Reason', step.reason === undefined ? undefined : oneLine(step.reason)],
    ['Items', step.items === undefined ? undefined : renderItems(step.items)],
    ['Runs', step.child],
    ['Outputs', renderValues(step.outputs ?? {})],
  ])
  const waits = [
    ...run.openGates.filter((gate) => gate.stepNumber === step.number).map((gate) => renderGate(gate, look)),
    ...run.openInputs.filter((input) => input.stepNumber === step.number).map((input) => renderInput(input, look)),
    ...(run.poolWaits ?? [])
      .filter((wait) => wait.stepNumber === step.number)
      .map((wait) => renderPoolWait(wait, look)),
  ]
  const output = step.output === undefined || step.output === '' ? [] : [`Output:\n${step.output.trimEnd()}`]
  return [facts, ...waits, ...output].join('\n\n')
}

const reminders = ({ reminders: sent = 0, remindAt }: GateView, now: number, long: boolean): string =>
  `${sent} so far${remindAt === undefined ? '' : `, the next ${renderInstant(remindAt, now, long)}`}`

/** An open gate as the person who decides needs to see it. */
export const renderGate = (gate: GateView, { colours, now, long }: RunLook): string => {
  const lines = [
    `${colours.yellow('Waiting for approval')}: ${colours.bold(oneLine(gate.title))}`,
    `  Gate: ${gate.gate} (${gate.stepNumber === 0 ? 'before the start' : `step ${gate.stepNumber}`}, attempt ${gate.attempt}, asked for by ${gate.because})`,
    `  Since: ${renderInstant(gate.openedAt, now, long)}`,
  ]
  if (gate.deadlineAt !== undefined)
    lines.push(`  Deadline: ${renderInstant(gate.deadlineAt, now, long)}, then ${gate.onTimeout ?? 'approve'}`)
  if (gate.reminders !== undefined || gate.remindAt !== undefined)
    lines.push(`  Reminders: ${reminders(gate, now, long)}`)
  if (gate.approvers !== undefined) lines.push(`  Approvers: ${gate.approvers.join(', ')}`)
  if (gate.commands !== undefined && gate.commands.length > 0) {
    lines.push(
      '  Commands:',
      ...gate.commands.flatMap((command) => command.trimEnd().split('\n')).map((line) => `    ${line}`),
    )
  }
  if (gate.covers !== undefined) lines.push(`  Covers: ${long ? gate.covers : gate.covers.slice(0, 12)}`)
  return lines.join('\n')
}

/** A step whose pool has no worker, and how to give it one. */
export const renderPoolWait = (wait: PoolWaitView, { colours, now, long }: RunLook): string => {
  const lines = [
    `${colours.yellow('Waiting for a worker')} of pool ${colours.bold(wait.pool)}: step ${wait.stepNumber}, ${oneLine(wait.title)}`,
    `  Since: ${renderInstant(wait.since, now, long)}`,
  ]
  if (wait.until !== undefined) lines.push(`  Deadline: ${renderInstant(wait.until, now, long)}, then it fails`)
  return [...lines, `  Start one: ${workerCommand(wait.pool)}`].join('\n')
}

/** The command that starts a worker which may take such a step. */
const workerCommand = (runsOn: string): string => {
  const found = parsePool(runsOn)
  const { name, labels } = found.ok ? found.pool : { name: runsOn, labels: [] }
  return sopCommand('worker', '--pool', name, ...labels.flatMap((label) => ['--label', label]))
}

/** A manual step as the person who does it needs to see it. */
export const renderInput = (input: InputView, { colours, now, long }: RunLook): string => {
  const lines = [
    `${colours.yellow('Waiting for a person')}: step ${input.stepNumber}, ${colours.bold(oneLine(input.title))}`,
  ]
  if (input.assignee !== undefined) lines.push(`  Assignee: ${input.assignee}`)
  if (input.dueAt !== undefined)
    lines.push(
      `  Due: ${renderInstant(input.dueAt, now, long)}${input.overdue === true ? colours.red(' (overdue)') : ''}`,
    )
  if (input.body !== undefined && input.body.trim() !== '')
    lines.push(
      ...input.body
        .trim()
        .split('\n')
        .map((line) => `  ${line}`),
    )
  for (const { item, text, ticked } of input.checklist ?? [])
    lines.push(`  [${ticked ? 'x' : ' '}] ${item}. ${oneLine(text)}`)
  for (const field of input.form ?? []) {
    const choices = field.choices === undefined ? field.type : field.choices.join('|')
    const standard = field.default === undefined ? '' : ` (default ${renderValue(field.default)})`
    lines.push(
      `  Field ${field.name}: ${choices}${field.required === true ? ', required' : ''}${standard}${field.description === undefined ? '' : `. ${field.description}`}`,
    )
  }
  return lines.join('\n')
}
