import { stepRunOf } from './steps.ts'
import type { EventDetails, EventType, RunEvent } from './event.ts'
import { itemVerified, itemVerifying } from './evolve-items.ts'
import { rollBack } from './evolve-rollback.ts'
import { stepGateId, stopReason } from './gates.ts'
import { isWide } from './graph.ts'
import { compact, type Patch, patchGate, patchStep } from './patch.ts'
import type { GateRun, Run } from './run.ts'
import { plus } from './stage.ts'
import type { StepState } from './state.ts'

// evolve-gate.ts: what the events of gates and verifications mean for a run.

type Of<T extends EventType> = RunEvent<T>

/** The step under the gate waits with it, and no longer once the gate closes. */
const withGateStep = (run: Run, stepNumber: number, from: StepState, to: StepState): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.number === stepNumber && step.state === from ? { ...step, state: to } : step)),
})

export const openGate = (run: Run, event: Of<'approval_requested'>): Run => {
  const { details } = event
  const stepNumber = event.stepNumber ?? 0
  const gate: GateRun = compact({
    id: details.gate,
    attempt: details.attempt,
    stepNumber,
    title: details.title,
    state: 'open' as const,
    because: details.because,
    settings: settingsOf(run, details.gate, details),
    required: requiredOf(run, details.gate),
    openedAt: event.timestamp,
    deadlineAt: details.deadlineAt,
    onTimeout: details.onTimeout,
    ...(details.remindMs !== undefined && {
      remindMs: details.remindMs,
      remindAt: plus(event.timestamp, details.remindMs),
    }),
    covers: details.covers,
  }) as GateRun
  return withGateStep({ ...run, gates: { ...run.gates, [gate.id]: gate } }, stepNumber, 'pending', 'awaiting_approval')
}

const settingsOf = (run: Run, id: string, details: EventDetails['approval_requested']): GateRun['settings'] => {
  const { definition } = run.seed.pinned
  const source =
    definition.gates?.find((gate) => gate.key === id) ?? definition.steps.find((step) => stepGateId(step) === id)
  const onReject = details.because === 'start' ? ('cancel' as const) : source?.onReject
  return compact({
    approvers: details.approvers,
    exclude: details.exclude,
    onReject,
    escalateTo: source?.escalateTo,
  }) as GateRun['settings']
}

const requiredOf = (run: Run, id: string): boolean =>
  run.seed.pinned.definition.gates?.find((gate) => gate.key === id)?.required ?? true

export const closeGate = (run: Run, event: RunEvent, id: string, changes: Patch<GateRun>): Run => {
  const closed = patchGate(run, id, {
    closedAt: event.timestamp,
    decidedBy: event.principal.id,
    deadlineAt: undefined,
    remindAt: undefined,
    ...changes,
  })
  const freed = withGateStep(closed, run.gates[id]?.stepNumber ?? -1, 'awaiting_approval', 'pending')
  return endingBy(freed, event, closed.gates[id])
}

/** The next reminder counts from when this one went out, so that an engine that was off does not make up for all of them. */
export const gateReminded = (run: Run, { timestamp, details }: Of<'approval_reminded'>): Run => {
  const remindMs = run.gates[details.gate]?.remindMs
  return patchGate(run, details.gate, {
    reminders: details.reminder,
    ...(remindMs !== undefined && { remindAt: plus(timestamp, remindMs) }),
  })
}

/** Where other executions may be under way, a gate that ends the run ends them first. */
const endingBy = (run: Run, { principal, via }: RunEvent, gate: GateRun | undefined): Run => {
  if (gate === undefined || (gate.then !== 'fail' && gate.then !== 'cancel')) return run
  if (run.ending !== undefined || !isWide(run.seed.pinned.definition)) return run
  return {
    ...run,
    ending: {
      state: gate.then === 'fail' ? 'failed' : 'cancelled',
      reason: stopReason(gate),
      by: principal,
      via,
      ...(gate.stepNumber > 0 && { stepNumber: gate.stepNumber }),
    },
  }
}

/** A rejection may ask for a walk back. */
const afterNo = (run: Run, event: RunEvent, id: string, then: GateRun['then']): Run =>
  then === 'rollback'
    ? rollBack(run, event, {
        because: 'rejection',
        reason: `gate "${id}" was rejected by ${event.principal.id}`,
        then: 'failed',
      })
    : run

export const rejected = (run: Run, event: Of<'approval_rejected'>): Run => {
  const { gate, comment, action } = event.details
  return afterNo(closeGate(run, event, gate, { state: 'rejected', comment, then: action }), event, gate, action)
}

export const gateTimedOut = (run: Run, event: Of<'approval_timeout'>): Run => {
  const { gate, action, then } = event.details
  switch (action) {
    case 'approve':
      return closeGate(run, event, gate, { state: 'passed' })
    case 'reject':
      return afterNo(closeGate(run, event, gate, { state: 'rejected', then: then ?? 'pause' }), event, gate, then)
    case 'fail':
      return closeGate(run, event, gate, { state: 'rejected', then: then ?? 'fail' })
    case 'escalate':
      return patchGate(run, gate, { deadlineAt: undefined })
  }
}

export const startVerifying = (run: Run, event: Of<'verification_started'>): Run => {
  const { details } = event
  if (details.item !== undefined) return itemVerifying(run, event, details.item)
  if (details.gate === undefined) {
    return patchStep(run, event.stepNumber, {
      state: 'running',
      verification: 'running',
      lost: details.lost,
      endedAt: undefined,
      // What waited for a time does so no more.
      untilAt: undefined,
      error: undefined,
      durationMs: details.duration_ms,
      exitCode: details.exitCode,
      output: details.output,
      outputs: details.outputs,
    })
  }
  const spec = run.seed.pinned.definition.gates?.find((gate) => gate.key === details.gate)
  const gate: GateRun = compact({
    id: details.gate,
    attempt: details.attempt,
    stepNumber: event.stepNumber ?? 0,
    title: details.title,
    state: 'verifying' as const,
    because: 'gates',
    settings: {},
    command: spec?.command,
    required: spec?.required ?? true,
    openedAt: event.timestamp,
    lost: details.lost,
  }) as GateRun
  return { ...run, gates: { ...run.gates, [gate.id]: gate } }
}

export const verified = (run: Run, event: Of<'verification_passed' | 'verification_failed'>): Run => {
  const { gate, item } = event.details
  if (item !== undefined) return itemVerified(run, event, item)
  if (gate === undefined) {
    if (event.eventType === 'verification_passed') return patchStep(run, event.stepNumber, { verification: 'passed' })
    const outputs = stepRunOf(run, event.stepNumber)?.outputs
    return patchStep(run, event.stepNumber, {
      verification: undefined,
      ran: { at: event.timestamp, sequence: event.sequence, ...(outputs && { outputs }) },
    })
  }
  return event.eventType === 'verification_passed'
    ? closeGate(run, event, gate, { state: 'passed' })
    : closeGate(run, event, gate, { state: 'failed', then: gateThen(event.details.then) })
}

const gateThen = (then: EventDetails['verification_failed']['then']): NonNullable<GateRun['then']> =>
  then === 'continue' || then === 'fail' ? then : 'pause'
