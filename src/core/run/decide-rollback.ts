import { stepOf } from './steps.ts'
import { formatDuration } from '../duration.ts'
import type { Decided } from './decide.ts'
import { cancel, pause, resume } from './decide-control.ts'
import type { Decision } from './decision.ts'
import type { EventDraft } from './event.ts'
import type { RunInput } from './input.ts'
import { checkLogSummary } from './log-summary.ts'
import { ENGINE } from './principal.ts'
import { idOf, noteOf, refuse, type Sender } from './refuse.ts'
import { ofItem } from './items.ts'
import { hasUndo, isAllLeft, stoppedItem } from './rollback.ts'
import type { Run } from './run.ts'

// decide-rollback.ts: what people say, and what undos come to, while a run walks back.

/** While a run is rolled back it can be paused and cancelled; where the walk stands still it can be answered. */
export const decideInRollback = (run: Run, decision: Decision, sender: Sender): Decided => {
  switch (decision.kind) {
    case 'cancel':
      return decision.rollback === true
        ? refuse(decision, sender, { code: 'conflict', reason: `${busy(run)} already` })
        : cancel(decision, sender)
    case 'pause':
      return pause(run, decision, sender)
    case 'resume':
      return resume(run, decision, sender)
    case 'retry':
    case 'skip':
      return answer(run, decision, sender)
    case 'approve':
    case 'reject':
    case 'complete':
      return refuse(decision, sender, { code: 'conflict', reason: busy(run) })
  }
}

const busy = (run: Run): string => `run "${run.seed.runId}" is being rolled back (${run.rollback?.reason ?? ''})`

/** `retry` undoes the step at which the walk stands, `skip` leaves it as it is; both go on to the steps before it. */
const answer = (run: Run, decision: Decision, sender: Sender): Decided => {
  const number = run.paused?.kind === 'rollback' ? run.paused.stepNumber : undefined
  if (number === undefined) return refuse(decision, sender, { code: 'conflict', reason: busy(run) })
  if (decision.step !== undefined && decision.step !== number) {
    const reason = `${busy(run)} and stands at step ${number}, not ${decision.step}`
    return refuse(decision, sender, { code: 'conflict', reason })
  }
  const more = (['params', 'outcome'] as const).find((key) => decision[key] !== undefined)
  if (more !== undefined) {
    return refuse(decision, sender, { code: 'invalid', reason: `${busy(run)}: "${more}" means nothing to that` })
  }
  const item = stoppedItem(run, number)
  if (decision.item !== undefined && decision.item !== item) {
    const where = item === undefined ? `step ${number} as a whole` : `item ${item} of step ${number}`
    const reason = `${busy(run)} and stands at ${where}, not at item ${decision.item}`
    return refuse(decision, sender, { code: 'conflict', reason })
  }
  const note = noteOf(decision)
  const said = { ...ofItem(item), ...(note !== undefined && { comment: note }), ...idOf(decision) }
  const about = { stepNumber: number, ...sender }
  const step = stepOf(run, number)
  const passes = item !== undefined && isAllLeft(run, number, item) ? { passes: true as const } : {}
  const draft: EventDraft =
    decision.kind === 'retry' && hasUndo(step)
      ? { eventType: 'run_retried', ...about, details: { fromStep: number, undo: true, ...said } }
      : { eventType: 'run_resumed', ...about, details: { leaves: number, ...passes, ...said } }
  const action = draft.eventType === 'run_retried' ? 'undone' : 'left'
  return { drafts: [draft], reply: { accepted: true, stepNumber: number, action } }
}

type Result = Extract<RunInput, { kind: 'command_result' }>['result']

/** The end of an undo. */
export const undoEnded = (
  run: Run,
  { step: number, attempt, item }: { readonly step: number; readonly attempt: number; readonly item?: number },
  result: Result,
): readonly EventDraft[] => {
  const title = stepOf(run, number)?.title ?? ''
  const durationMs = result.outcome === 'lost' ? 0 : result.durationMs
  const about = { stepNumber: number, principal: ENGINE, via: 'engine' } as const
  const details = {
    title,
    attempt,
    ...ofItem(item),
    duration: formatDuration(durationMs),
    duration_ms: durationMs,
    ...(result.outcome !== 'lost' && result.exitCode !== undefined && { exitCode: result.exitCode }),
    ...(result.outcome !== 'lost' && result.output !== '' && { output: result.output }),
    ...(result.outcome !== 'lost' && checkLogSummary(run, result)),
  }
  if (result.outcome === 'ok') return [{ eventType: 'step_rolled_back', ...about, details }]
  const error =
    result.outcome === 'lost'
      ? `nobody knows whether it ran: ${result.error}`
      : (result.error ?? `exit code ${result.exitCode}`)
  return [{ eventType: 'rollback_failed', ...about, details: { ...details, error, outcome: result.outcome } }]
}
