import { formatDuration } from '../duration.ts'
import { childRunId } from './child.ts'
import { childTimedOut } from './child-timeout.ts'
import type { EventDraft } from './event.ts'
import { doneDraft } from './done.ts'
import { failure } from './failure.ts'
import { afterRejection } from './gates.ts'
import { findExecution, ofItem, readExecutionName } from './items.ts'
import { ENGINE, TIMER } from './principal.ts'
import type { Run } from './run.ts'
import { stepOf, stepRunOf } from './steps.ts'
import { waitsUntil } from './wait-until.ts'

// decide-timer.ts: what a timer that fires leads to. Its id says what it is for and of which execution: `gate:<id>#<attempt>`.

/** The events of a timer that fires; none where what it was for is over. */
export const timerFired = (run: Run, timerId: string, at: string): readonly EventDraft[] => {
  if (timerId === 'run') return runTimedOut(run)
  const [kind, rest] = splitOnce(timerId, ':')
  const [id, attempt] = splitLast(rest, '#')
  switch (kind) {
    case 'gate':
      return gateTimedOut(run, id, Number(attempt))
    case 'remind':
      return gateReminds(run, id, attempt)
    case 'wait':
      return waited(run, Number(id), at)
    case 'retry':
      return tryAgain(run, readExecutionName(id), at)
    case 'input':
      return inputTimedOut(run, Number(id), at)
    case 'timeout':
      return childTimedOut(run, readExecutionName(id), Number(attempt))
    case 'due':
      return overdue(run, Number(id))
    default:
      return []
  }
}

const splitOnce = (text: string, by: string): [string, string] => {
  const at = text.indexOf(by)
  return [text.slice(0, at), text.slice(at + 1)]
}
const splitLast = (text: string, by: string): [string, string] => {
  const at = text.lastIndexOf(by)
  return [text.slice(0, at), text.slice(at + 1)]
}

const runTimedOut = (run: Run): readonly EventDraft[] => [
  {
    eventType: 'run_timeout',
    principal: TIMER,
    via: 'timer',
    details: {
      reason: `the run took longer than ${formatDuration(run.seed.pinned.definition.timeoutMs ?? 0)}`,
      ...(run.seed.pinned.definition.onRunTimeout === 'rollback' && { then: 'rollback' }),
    },
  },
]

/** A timer that fires is always `approval_timeout`; no other event says what it decided (rulings 17). */
const gateTimedOut = (run: Run, id: string, attempt: number): readonly EventDraft[] => {
  const gate = run.gates[id]
  if (gate === undefined || gate.state !== 'open' || gate.attempt !== attempt) return []
  const action = gate.onTimeout ?? 'approve'
  const at = gate.stepNumber > 0 ? { stepNumber: gate.stepNumber } : {}
  const then =
    action === 'reject'
      ? afterRejection(run, gate)
      : action === 'fail'
        ? gate.required
          ? 'fail'
          : 'continue'
        : undefined
  const timeout: EventDraft = {
    eventType: 'approval_timeout',
    ...at,
    principal: TIMER,
    via: 'timer',
    details: {
      gate: id,
      attempt,
      action,
      ...(then !== undefined && { then }),
      ...(action === 'approve' && gate.covers !== undefined && { covers: gate.covers }),
    },
  }
  if (action !== 'escalate') return [timeout]
  const to = gate.settings.escalateTo
  return [
    timeout,
    {
      eventType: 'approval_escalated',
      ...at,
      principal: TIMER,
      via: 'timer',
      details: { gate: id, attempt, ...(to && { to }) },
    },
  ]
}

/** `number` is attempt and reminder, as in `1.3`. */
const gateReminds = (run: Run, id: string, number: string): readonly EventDraft[] => {
  const gate = run.gates[id]
  const reminder = (gate?.reminders ?? 0) + 1
  if (gate === undefined || gate.state !== 'open' || number !== `${gate.attempt}.${reminder}`) return []
  return [
    {
      eventType: 'approval_reminded',
      ...(gate.stepNumber > 0 && { stepNumber: gate.stepNumber }),
      principal: TIMER,
      via: 'timer',
      details: {
        gate: id,
        attempt: gate.attempt,
        reminder,
        ...(gate.deadlineAt !== undefined && { deadlineAt: gate.deadlineAt }),
      },
    },
  ]
}

const waited = (run: Run, number: number, at: string): readonly EventDraft[] => {
  const [step, state] = [stepOf(run, number), stepRunOf(run, number)]
  if (step === undefined || state?.state !== 'running' || state.verification !== undefined) return []
  const durationMs = Date.parse(at) - Date.parse(state.startedAt ?? at)
  const said = { title: step.title, attempt: state.attempt, duration_ms: durationMs }
  return [doneDraft(run, step, said, { principal: TIMER, via: 'timer' })]
}

const tryAgain = (
  run: Run,
  { step: number, item }: { step: number; item?: number },
  at: string,
): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step === undefined || state?.state !== 'failed' || state.then !== 'retry') return []
  const attempt = state.attempt + 1
  const until = waitsUntil(run, step, state, at)
  const value = item === undefined ? undefined : stepRunOf(run, number)?.items?.list[item - 1]
  return [
    {
      eventType: 'step_started',
      stepNumber: number,
      principal: ENGINE,
      via: 'engine',
      details: {
        title: step.title,
        attempt,
        kind: step.action.kind,
        ...ofItem(item),
        ...(value !== undefined && { value }),
        ...(until.kind === 'at' && until.at !== undefined && { untilAt: until.at }),
        ...(step.action.kind === 'sop' && {
          child: childRunId(run.seed.runId, { step: number, attempt, ...ofItem(item) }),
        }),
      },
    },
  ]
}

const inputTimedOut = (run: Run, number: number, at: string): readonly EventDraft[] => {
  const [step, state] = [stepOf(run, number), stepRunOf(run, number)]
  if (step === undefined || state?.state !== 'awaiting_input') return []
  const durationMs = Date.parse(at) - Date.parse(state.startedAt ?? at)
  const error = `nobody completed it within ${formatDuration(step.timeoutMs ?? durationMs)}`
  return [failure(run, step, state, { outcome: 'timed_out', error, durationMs, principal: TIMER, via: 'timer' }, at)]
}

const overdue = (run: Run, number: number): readonly EventDraft[] => {
  const [step, state] = [stepOf(run, number), stepRunOf(run, number)]
  if (step === undefined || state?.state !== 'awaiting_input' || state.overdue === true) return []
  return [
    {
      eventType: 'input_requested',
      stepNumber: number,
      principal: TIMER,
      via: 'timer',
      details: { title: step.title, attempt: state.attempt, overdue: true },
    },
  ]
}
