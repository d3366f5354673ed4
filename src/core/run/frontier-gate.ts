import { evaluate } from '../condition/evaluate.ts'
import { ask } from './ask.ts'
import { coverOf } from './covers.ts'
import type { Timer } from './effect.ts'
import { type GateSpec, gateTimeoutMs, isPassed, isStopped, stopReason, timeoutAction } from './gates.ts'
import type { GateRun, Run } from './run.ts'
import { conditionError, emit, firstOf, NOTHING_NEW, plus, question, type Stage } from './stage.ts'
import { gateWork } from './works.ts'

// frontier-gate.ts: what a gate on the way calls for.

export const allGates = (run: Run, specs: readonly GateSpec[], at: string): Stage =>
  firstOf(...specs.map((spec) => () => gate(run, spec, at)))

/** One gate: open it, wait at it, or say what its end leads to. */
export const gate = (run: Run, spec: GateSpec, at: string): Stage => {
  const now = run.gates[spec.id]
  if (isPassed(now)) return undefined
  if (now === undefined || now.state === 'reset' || now.state === 'closed') return approach(run, spec, at)
  if (now.state === 'verifying') return { works: gateWork(now) }
  if (isStopped(now)) return stopped(now)
  if (mayPassByStarter(run, now)) {
    return {
      next: {
        eventType: 'approval_granted',
        ...(now.stepNumber > 0 && { stepNumber: now.stepNumber }),
        principal: run.seed.startedBy,
        via: 'skip_approval',
        details: {
          gate: now.id,
          attempt: now.attempt,
          comment: 'approved at the start of the run',
          ...(now.covers !== undefined && { covers: now.covers }),
        },
      },
    }
  }
  return { timers: gateTimers(now) }
}

/** The timers of an open gate. */
export const gateTimers = (gate: GateRun): readonly Timer[] => [...deadline(gate), ...reminder(gate)]

const deadline = ({ id, attempt, deadlineAt, onTimeout }: GateRun): readonly Timer[] =>
  deadlineAt === undefined
    ? []
    : [
        {
          id: `gate:${id}#${attempt}`,
          at: deadlineAt,
          summary: `Gate ${id}: ${onTimeout ?? 'approve'} when time is up`,
        },
      ]

/** The next reminder, if the gate is still open then. Its number is part of its id: each is a timer of its own. */
const reminder = ({ id, attempt, deadlineAt, remindAt, reminders = 0 }: GateRun): readonly Timer[] =>
  remindAt === undefined || (deadlineAt !== undefined && Date.parse(remindAt) >= Date.parse(deadlineAt))
    ? []
    : [{ id: `remind:${id}#${attempt}.${reminders + 1}`, at: remindAt, summary: `Gate ${id}: remind` }]

/** `skipApproval` passes plain gates only, and never for an agent (rulings 22). */
const mayPassByStarter = (run: Run, { settings }: GateRun): boolean =>
  run.seed.skipApproval === true && run.seed.startedBy.kind !== 'agent' && (settings.approvers ?? []).length === 0

const approach = (run: Run, spec: GateSpec, at: string): Stage => {
  if (spec.if !== undefined) {
    const asked = ask(run, question(run, spec.stepNumber, spec.id), [spec.if], {
      step: spec.stepNumber,
      after: spec.isAfter === true,
    })
    if (asked.kind === 'wait') return { works: [asked.work] }
    const result = evaluate(spec.if, asked.scope)
    if (!result.ok) return conditionError(spec.stepNumber, spec.if.text, result.error)
    if (!result.value) {
      return emit({
        eventType: 'gate_skipped',
        ...(spec.stepNumber > 0 && { stepNumber: spec.stepNumber }),
        details: { gate: spec.id, condition: spec.if.text },
      })
    }
  }
  const attempt = (run.gates[spec.id]?.attempt ?? 0) + 1
  if (spec.type === 'verification' && run.held !== undefined) return NOTHING_NEW
  return spec.type === 'verification'
    ? emit({
        eventType: 'verification_started',
        ...(spec.stepNumber > 0 && { stepNumber: spec.stepNumber }),
        details: {
          gate: spec.id,
          title: spec.title,
          attempt,
          ...(spec.command && { command: spec.command.script }),
        },
      })
    : open(run, spec, attempt, at)
}

const open = (run: Run, spec: GateSpec, attempt: number, at: string): Stage => {
  const timeoutMs = gateTimeoutMs(run, spec.settings)
  const { approvers, exclude, remindMs } = spec.settings
  return emit({
    eventType: 'approval_requested',
    ...(spec.stepNumber > 0 && { stepNumber: spec.stepNumber }),
    details: {
      gate: spec.id,
      attempt,
      title: spec.title,
      because: spec.because,
      ...(timeoutMs !== undefined && {
        deadlineAt: plus(at, timeoutMs),
        timeoutMs,
        onTimeout: timeoutAction(spec.settings),
      }),
      ...(remindMs !== undefined && { remindMs }),
      ...(approvers && { approvers }),
      ...(exclude && { exclude }),
      ...(run.seed.rulesVersion >= 2 && { covers: coverOf(run, spec.stepNumber) }),
    },
  })
}

/** A rejected or failed gate that was not answered yet. */
const stopped = (gate: GateRun): Stage => {
  const { id, stepNumber, then, state } = gate
  const what = stopReason(gate)
  const at = stepNumber > 0 ? { stepNumber } : {}
  switch (then) {
    case 'fail':
      return emit({ eventType: 'run_failed', ...at, details: { reason: what } })
    case 'cancel':
      return emit({ eventType: 'run_cancelled', ...at, details: { reason: what } })
    default:
      return emit({
        eventType: 'run_paused',
        ...at,
        details: { kind: state === 'failed' ? 'failed' : 'rejected', reason: what, gate: id },
      })
  }
}
