import { modeOfRun } from './mode.ts'
import type { EventDetails, EventType, RunEvent } from './event.ts'
import { stepGateId } from './gates.ts'
import type { GateRun, Run, RunSeed, StepRun } from './run.ts'
import type { StepState } from './state.ts'

// evolve.ts: what an event means for the state. Total and free of choices: every choice was made when the event was
// recorded, so that a record read back gives the run that wrote it.

/** Characters of a step's output that the state keeps for views; the record holds the long tail. */
export const STATE_OUTPUT_CHARS = 1024

export const newRun = (seed: RunSeed): Run => ({
  seed,
  mode: modeOfRun(seed),
  admitted: {},
  steps: seed.pinned.definition.steps.map((step) => ({
    number: step.number,
    state: 'pending',
    attempt: 0,
    visits: 1,
    failures: 0,
  })),
  gates: {},
  facts: {},
  outputs: {},
  sequence: 0,
})

type Of<T extends EventType> = RunEvent<T>

/** Drops keys whose value is undefined, so that a run is the same before and after JSON. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T

type Patch<T> = { readonly [K in keyof T]?: T[K] | undefined }

const patch = <T extends object>(value: T, changes: Patch<T>): T => compact<T>({ ...value, ...changes })

const patchStep = (run: Run, number: number | undefined, changes: Patch<StepRun>): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.number === number ? patch(step, changes) : step)),
})

const patchGate = (run: Run, id: string, changes: Patch<GateRun>): Run => {
  const gate = run.gates[id]
  return gate === undefined ? run : { ...run, gates: { ...run.gates, [id]: patch(gate, changes) } }
}

const without = <V>(record: Readonly<Record<string, V>>, drop: (key: string) => boolean): Record<string, V> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !drop(key)))

/** The step under the gate waits with it, and no longer once the gate closes. */
const withGateStep = (run: Run, stepNumber: number, from: StepState, to: StepState): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.number === stepNumber && step.state === from ? { ...step, state: to } : step)),
})

const openGate = (run: Run, event: Of<'approval_requested'>): Run => {
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

const closeGate = (run: Run, event: RunEvent, id: string, changes: Patch<GateRun>): Run =>
  withGateStep(
    patchGate(run, id, { closedAt: event.timestamp, decidedBy: event.principal.id, deadlineAt: undefined, ...changes }),
    run.gates[id]?.stepNumber ?? -1,
    'awaiting_approval',
    'pending',
  )

const gateTimedOut = (run: Run, event: Of<'approval_timeout'>): Run => {
  const { gate, action, then } = event.details
  switch (action) {
    case 'approve':
      return closeGate(run, event, gate, { state: 'passed' })
    case 'reject':
      return closeGate(run, event, gate, { state: 'rejected', then: then ?? 'pause' })
    case 'fail':
      return closeGate(run, event, gate, { state: 'rejected', then: then ?? 'fail' })
    case 'escalate':
      return patchGate(run, gate, { deadlineAt: undefined })
  }
}

const startVerifying = (run: Run, event: Of<'verification_started'>): Run => {
  const { details } = event
  if (details.gate === undefined) {
    return patchStep(run, event.stepNumber, {
      verification: 'running',
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
  }) as GateRun
  return { ...run, gates: { ...run.gates, [gate.id]: gate } }
}

const verified = (run: Run, event: Of<'verification_passed' | 'verification_failed'>): Run => {
  const { gate } = event.details
  if (gate === undefined) {
    return patchStep(run, event.stepNumber, {
      verification: event.eventType === 'verification_passed' ? 'passed' : undefined,
    })
  }
  return event.eventType === 'verification_passed'
    ? closeGate(run, event, gate, { state: 'passed' })
    : closeGate(run, event, gate, { state: 'failed', then: gateThen(event.details.then) })
}

const gateThen = (then: EventDetails['verification_failed']['then']): NonNullable<GateRun['then']> =>
  then === 'continue' || then === 'fail' ? then : 'pause'

const stepEnded = (run: Run, event: Of<'step_completed'>): Run => {
  const { details } = event
  const outputs = details.outputs ?? {}
  return {
    ...patchStep(run, event.stepNumber, {
      state: 'success',
      endedAt: event.timestamp,
      durationMs: details.duration_ms,
      exitCode: details.exitCode,
      output: details.output?.slice(-STATE_OUTPUT_CHARS),
      outputs: details.outputs,
      verification: undefined,
      error: undefined,
      deadlineAt: undefined,
      untilAt: undefined,
      then: undefined,
      retryAt: undefined,
    }),
    outputs: { ...run.outputs, ...outputs },
    facts: without(run.facts, (question) => question.startsWith(`step:${event.stepNumber}:`)),
  }
}

const stepFailed = (run: Run, event: Of<'step_failed'>): Run => {
  const { details } = event
  const before = run.steps.find((step) => step.number === event.stepNumber)
  const failed = patchStep(run, event.stepNumber, {
    state: 'failed',
    endedAt: event.timestamp,
    durationMs: details.duration_ms,
    exitCode: details.exitCode,
    output: details.output?.slice(-STATE_OUTPUT_CHARS),
    outputs: details.outputs,
    verification: undefined,
    error: details.error,
    deadlineAt: undefined,
    untilAt: undefined,
    failures: (before?.failures ?? 0) + 1,
    then: details.then,
    retryAt: details.retryAt,
  })
  const withOutputs = { ...failed, outputs: { ...run.outputs, ...details.outputs } }
  return details.then === 'goto' && details.goto !== undefined
    ? jump(withOutputs, event.stepNumber ?? 0, details.goto)
    : withOutputs
}

/** Back: the steps between are done again, gates included. Forward: the steps between are passed over. */
const jump = (run: Run, from: number, to: number): Run => {
  const index = (number: number): number => run.steps.findIndex((step) => step.number === number)
  const [here, there] = [index(from), index(to)]
  if (there > here) {
    return {
      ...run,
      steps: run.steps.map((step, at) =>
        at === here
          ? patch(step, { then: 'continue' })
          : at > here && at < there
            ? patch(step, { state: 'skipped', reason: `step ${from} failed and went on at step ${to}` })
            : step,
      ),
    }
  }
  const again = new Set(run.steps.slice(there, here + 1).map((step) => step.number))
  return {
    ...run,
    steps: run.steps.map((step) => (again.has(step.number) ? revisited(step) : step)),
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        again.has(gate.stepNumber) ? { ...gate, state: 'reset' } : gate,
      ]),
    ),
    facts: without(run.facts, (question) => [...again].some((number) => question.startsWith(`step:${number}:`))),
  }
}

const revisited = (step: StepRun): StepRun => ({
  number: step.number,
  state: 'pending',
  attempt: step.attempt,
  visits: step.visits + 1,
  failures: 0,
})

const paused = (run: Run, event: Of<'run_paused'>): Run => {
  const { pauseRequested: _, ...rest } = run
  return {
    ...rest,
    paused: compact({
      kind: event.details.kind,
      reason: event.details.reason,
      at: event.timestamp,
      by: event.principal.id,
      stepNumber: event.stepNumber,
      gate: event.details.gate,
    }) as NonNullable<Run['paused']>,
  }
}

/** The deadlines that stood still move on by the length of the pause (rulings 18). */
const resumed = (run: Run, event: RunEvent): Run => {
  const { paused: pause, ...rest } = run
  const byMs = Date.parse(event.timestamp) - Date.parse(pause?.at ?? event.timestamp)
  const later = (at: string | undefined): string | undefined =>
    at === undefined ? undefined : new Date(Date.parse(at) + byMs).toISOString()
  return {
    ...rest,
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        gate.state === 'open' ? patch(gate, { deadlineAt: later(gate.deadlineAt) }) : gate,
      ]),
    ),
    steps: run.steps.map((step) =>
      step.state === 'awaiting_input'
        ? patch(step, { deadlineAt: later(step.deadlineAt), dueAt: later(step.dueAt) })
        : step,
    ),
  }
}

const retried = (run: Run, event: Of<'run_retried'>): Run => {
  const { fromStep, gate } = event.details
  const { paused: _, ...rest } = run
  const withGate = gate === undefined ? rest : patchGate(rest, gate, { state: 'reset', then: undefined })
  const withStep =
    fromStep === undefined
      ? withGate
      : {
          ...withGate,
          steps: withGate.steps.map((step) =>
            step.number === fromStep && (step.state === 'failed' || step.state === 'unknown')
              ? patch(step, { state: 'pending', failures: 0, then: undefined, retryAt: undefined })
              : step,
          ),
        }
  return { ...withStep, facts: {} }
}

const skipped = (run: Run, event: Of<'step_skipped'>): Run => {
  const { paused: pause, ...rest } = run
  const freed = pause?.stepNumber === event.stepNumber ? rest : run
  return {
    ...patchStep(freed, event.stepNumber, {
      state: 'skipped',
      endedAt: event.timestamp,
      reason: event.details.reason,
      then: undefined,
      retryAt: undefined,
      deadlineAt: undefined,
      verification: undefined,
    }),
    gates: Object.fromEntries(
      Object.entries(freed.gates).map(([id, gate]) => [
        id,
        gate.stepNumber === event.stepNumber && (gate.state === 'open' || gate.state === 'rejected')
          ? patch(gate, {
              state: 'skipped',
              deadlineAt: undefined,
              closedAt: event.timestamp,
              decidedBy: event.principal.id,
            })
          : gate,
      ]),
    ),
    facts: without(freed.facts, (question) => question.startsWith(`step:${event.stepNumber}:`)),
  }
}

const UNDER_WAY: readonly StepState[] = ['running', 'awaiting_input', 'awaiting_approval']

const closed = (run: Run, event: RunEvent, outcome: NonNullable<Run['outcome']>): Run => {
  const { ending: _e, paused: _p, pauseRequested: _r, queued: _q, ...rest } = run
  return {
    ...rest,
    closedAt: event.timestamp,
    outcome: compact(outcome),
    facts: {},
    gates: Object.fromEntries(
      Object.entries(run.gates).map(([id, gate]) => [
        id,
        gate.state === 'open' || gate.state === 'verifying'
          ? patch(gate, { state: 'closed', deadlineAt: undefined })
          : gate,
      ]),
    ),
    steps: run.steps.map((step) =>
      UNDER_WAY.includes(step.state)
        ? patch(step, {
            state: step.state === 'awaiting_approval' ? 'pending' : 'skipped',
            reason: step.state === 'awaiting_approval' ? undefined : `the run was ${outcome.state}`,
            deadlineAt: undefined,
            untilAt: undefined,
          })
        : step,
    ),
  }
}

const apply = (run: Run, event: RunEvent): Run => {
  switch (event.eventType) {
    case 'run_created':
      return { ...run, createdAt: event.timestamp }
    case 'run_queued':
      return { ...run, queued: { reason: event.details.reason, at: event.timestamp } }
    case 'run_admitted': {
      const { queued: _, ...rest } = run
      return { ...rest, admitted: { ...run.admitted, [event.details.phase]: true }, facts: {} }
    }
    case 'run_refused':
      return {
        ...run,
        ending: { state: 'cancelled', reason: event.details.reason, by: event.principal, via: event.via },
      }
    case 'run_started':
      return { ...run, startedAt: event.timestamp }
    case 'facts_resolved':
      return {
        ...run,
        facts: {
          ...run.facts,
          [event.details.question]: compact({ values: event.details.values, errors: event.details.errors }) as {
            values: typeof event.details.values
          },
        },
      }
    case 'approval_requested':
      return openGate(run, event)
    case 'approval_granted':
      return closeGate(run, event, event.details.gate, { state: 'passed', comment: event.details.comment })
    case 'approval_rejected':
      return closeGate(run, event, event.details.gate, {
        state: 'rejected',
        comment: event.details.comment,
        then: event.details.action,
      })
    case 'approval_timeout':
      return gateTimedOut(run, event)
    case 'gate_skipped':
      return {
        ...run,
        gates: {
          ...run.gates,
          [event.details.gate]: {
            id: event.details.gate,
            attempt: run.gates[event.details.gate]?.attempt ?? 0,
            stepNumber: event.stepNumber ?? 0,
            title: event.details.gate,
            state: 'skipped',
            because: 'gates',
            settings: {},
            required: true,
            openedAt: event.timestamp,
            closedAt: event.timestamp,
          },
        },
      }
    case 'verification_started':
      return startVerifying(run, event)
    case 'verification_passed':
    case 'verification_failed':
      return verified(run, event)
    case 'step_started':
      return patchStep(run, event.stepNumber, {
        state: 'running',
        attempt: event.details.attempt,
        startedAt: event.timestamp,
        endedAt: undefined,
        untilAt: event.details.untilAt,
        then: undefined,
        retryAt: undefined,
        error: undefined,
        ticked: undefined,
        overdue: undefined,
      })
    case 'input_requested':
      return patchStep(run, event.stepNumber, {
        state: 'awaiting_input',
        ...(event.details.overdue === true
          ? { overdue: true }
          : { dueAt: event.details.dueAt, deadlineAt: event.details.deadlineAt }),
      })
    case 'input_received': {
      const { item, ticked } = event.details
      const before = run.steps.find((step) => step.number === event.stepNumber)?.ticked ?? []
      const rest = before.filter((other) => other !== item)
      return patchStep(run, event.stepNumber, { ticked: ticked ? [...rest, item].sort((a, b) => a - b) : rest })
    }
    case 'step_completed':
      return stepEnded(run, event)
    case 'step_failed':
      return stepFailed(run, event)
    case 'step_skipped':
      return skipped(run, event)
    case 'step_unknown':
      return patchStep(run, event.stepNumber, {
        state: 'unknown',
        endedAt: event.timestamp,
        error: event.details.error,
        verification: undefined,
      })
    case 'step_rolled_back':
      return patchStep(run, event.stepNumber, { state: 'rolled_back' })
    case 'pause_requested':
      return {
        ...run,
        pauseRequested: compact({ reason: event.details.reason, by: event.principal, via: event.via }) as NonNullable<
          Run['pauseRequested']
        >,
      }
    case 'run_paused':
      return paused(run, event)
    case 'run_resumed':
      return resumed(run, event)
    case 'run_retried':
      return retried(run, event)
    case 'cancel_requested':
      return {
        ...run,
        ending: { state: 'cancelled', reason: event.details.reason, by: event.principal, via: event.via },
      }
    case 'run_timeout':
      return { ...run, ending: { state: 'failed', reason: event.details.reason, by: event.principal, via: event.via } }
    case 'run_completed':
      return closed(run, event, { state: 'completed' })
    case 'run_failed':
      return closed(run, event, { state: 'failed', reason: event.details.reason })
    case 'run_cancelled':
      return closed(run, event, { state: 'cancelled', reason: event.details.reason })
    case 'approval_escalated':
    case 'approval_reminded':
    case 'decision_refused':
    case 'notification_sent':
    case 'notification_failed':
    case 'definition_amended':
      return run
    default:
      return event satisfies never
  }
}

/** The run after the event. */
export const evolve = (run: Run, event: RunEvent): Run => ({ ...apply(run, event), sequence: event.sequence })

/** The run that a record tells of; the same that `transition` had when it wrote the record. */
export const fold = (seed: RunSeed, events: readonly RunEvent[]): Run => events.reduce(evolve, newRun(seed))
