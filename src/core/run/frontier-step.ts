import { evaluate } from '../condition/evaluate.ts'
import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import { ask } from './ask.ts'
import { childRunId } from './child.ts'
import { childTimers } from './child-timeout.ts'
import type { Timer } from './effect.ts'
import { allGates } from './frontier-gate.ts'
import { branches } from './frontier-graph.ts'
import { beginItems, itemsStage } from './frontier-items.ts'
import { type GateSpec, gatesAfter, gatesBefore } from './gates.ts'
import { hasBranches } from './graph.ts'
import type { Run, StepRun } from './run.ts'
import { boundary, conditionError, emit, firstOf, NOTHING_NEW, plus, question, type Stage } from './stage.ts'
import { waitsUntil } from './wait-until.ts'
import { isToldToEnd, stepWork } from './works.ts'

// frontier-step.ts: what the steps call for, from their condition to the gates behind them.

export const steps = (run: Run, at: string): Stage => {
  const { definition } = run.seed.pinned
  if (hasBranches(definition)) return branches(run, (step, state) => stepStage(run, step, state, at))
  return firstOf(
    ...definition.steps.map((step, index) => () => {
      const state = run.steps[index]
      return state === undefined ? undefined : stepStage(run, step, state, at)
    }),
  )
}

const stepStage = (run: Run, step: Step, state: StepRun, at: string): Stage => {
  switch (state.state) {
    case 'success':
      return allGates(run, gatesAfter(run, step), at)
    case 'skipped':
    case 'rolled_back':
      return undefined
    case 'pending':
    case 'awaiting_approval':
      return approachStep(run, step, state, at)
    case 'running':
      return state.items === undefined ? underWay(run, step, state) : itemsStage(run, step, state, state.items, at)
    case 'awaiting_input':
      return { timers: inputTimers(step, state) }
    case 'unknown':
      return unknown(run, step, state)
    case 'failed':
      return afterFailure(run, step, state, at)
  }
}

/** A person says whether it ran (product.md 4); the first version of the rules ended the run. */
const unknown = (run: Run, step: Step, state: StepRun): Stage => {
  const reason = `nobody knows whether step ${step.number} "${step.title}" ran: ${state.error}`
  return run.seed.rulesVersion < 2
    ? emit({ eventType: 'run_failed', stepNumber: step.number, details: { reason } })
    : emit({ eventType: 'run_paused', stepNumber: step.number, details: { kind: 'unknown', reason } })
}

const approachStep = (run: Run, step: Step, state: StepRun, at: string): Stage => {
  const gates = gatesBefore(run, step)
  const entered = state.startedAt !== undefined || isEntered(run, gates)
  return firstOf(
    () => (run.pauseRequested === undefined ? undefined : boundary(run.pauseRequested)),
    () => (entered || step.if === undefined ? undefined : guard(run, step, step.if)),
    () => allGates(run, gates, at),
    () => beginStep(run, step, state, at),
  )
}

/** The condition of a step is evaluated once, before its gate (rulings 15). */
const isEntered = (run: Run, gates: readonly GateSpec[]): boolean =>
  gates.some(({ id }) => {
    const now = run.gates[id]
    return now !== undefined && now.state !== 'reset'
  })

const guard = (run: Run, step: Step, condition: NonNullable<Step['if']>): Stage => {
  const asked = ask(run, question(run, step.number, 'if'), [condition], { step: step.number })
  if (asked.kind === 'wait') return { works: [asked.work] }
  const result = evaluate(condition, asked.scope)
  if (!result.ok) return conditionError(step.number, condition.text, result.error)
  if (result.value) return undefined
  return emit({
    eventType: 'step_skipped',
    stepNumber: step.number,
    details: { title: step.title, reason: `condition "${condition.text}" is false`, condition: condition.text },
  })
}

const beginStep = (run: Run, step: Step, state: StepRun, at: string): Stage => {
  if (run.held !== undefined) return NOTHING_NEW
  if (step.forEach !== undefined) return beginItems(run, step, state)
  const until = waitsUntil(run, step, state, at)
  if (until.kind === 'wait') return { works: [until.work] }
  if (until.kind === 'error') return conditionError(step.number, until.text, until.error)
  return emit({
    eventType: 'step_started',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt: state.attempt + 1,
      kind: step.action.kind,
      ...(until.at !== undefined && { untilAt: until.at }),
      ...(step.action.kind === 'sop' && {
        child: childRunId(run.seed.runId, { step: step.number, attempt: state.attempt + 1 }),
      }),
    },
  })
}

const underWay = (run: Run, step: Step, state: StepRun): Stage => {
  if (state.verification === 'passed') return verifiedStep(step, state)
  if (state.verification === 'running') return { works: stepWork(run, state) }
  switch (step.action.kind) {
    case 'manual':
      return requestInput(step, state)
    case 'wait':
      return { timers: waitTimer(step, state) }
    case 'sop':
      return {
        works: stepWork(run, state).filter((work) => !isToldToEnd(run, work)),
        timers: childTimers(step, state),
      }
    default:
      return { works: stepWork(run, state) }
  }
}

const waitTimer = (step: Step, state: StepRun): readonly Timer[] =>
  state.untilAt === undefined
    ? []
    : [
        {
          id: `wait:${step.number}#${state.attempt}`,
          at: state.untilAt,
          summary: `Step ${step.number}: ${step.title}`,
        },
      ]

/** The timers of all `wait` steps that are under way. */
export const waitTimers = (run: Run): readonly Timer[] =>
  run.seed.pinned.definition.steps.flatMap((step, index) => {
    const state = run.steps[index]
    return step.action.kind === 'wait' && state?.state === 'running' ? waitTimer(step, state) : []
  })

const verifiedStep = (step: Step, state: StepRun): Stage =>
  emit({
    eventType: 'step_completed',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt: state.attempt,
      duration: formatDuration(state.durationMs ?? 0),
      duration_ms: state.durationMs ?? 0,
      ...(state.exitCode !== undefined && { exitCode: state.exitCode }),
      ...(state.output !== undefined && { output: state.output }),
      ...(state.outputs !== undefined && { outputs: state.outputs }),
    },
  })

const requestInput = (step: Step, state: StepRun): Stage => {
  const action = step.action.kind === 'manual' ? step.action : undefined
  const since = state.startedAt ?? ''
  return emit({
    eventType: 'input_requested',
    stepNumber: step.number,
    details: {
      title: step.title,
      attempt: state.attempt,
      ...(action?.assignee !== undefined && { assignee: action.assignee }),
      ...(action?.dueMs !== undefined && { dueAt: plus(since, action.dueMs) }),
      // A person needs days: only a timeout that the step itself sets ends its waiting.
      ...(typeof step.timeoutMs === 'number' && { deadlineAt: plus(since, step.timeoutMs) }),
    },
  })
}

const inputTimers = (step: Step, state: StepRun): readonly Timer[] => [
  ...(state.deadlineAt === undefined
    ? []
    : [
        {
          id: `input:${step.number}#${state.attempt}`,
          at: state.deadlineAt,
          summary: `Step ${step.number}: time is up`,
        },
      ]),
  ...(state.dueAt === undefined || state.overdue === true
    ? []
    : [{ id: `due:${step.number}#${state.attempt}`, at: state.dueAt, summary: `Step ${step.number}: due` }]),
]

const afterFailure = (run: Run, step: Step, state: StepRun, at: string): Stage => {
  const reason = `step ${step.number} "${step.title}" failed: ${state.error}`
  switch (state.then) {
    case 'continue':
      return undefined
    case 'retry':
      return state.retryAt === undefined
        ? beginStep(run, step, state, at)
        : {
            timers: [
              {
                id: `retry:${step.number}#${state.attempt}`,
                at: state.retryAt,
                summary: `Step ${step.number}: try again`,
              },
            ],
          }
    case 'fail':
      return emit({ eventType: 'run_failed', stepNumber: step.number, details: { reason } })
    default:
      return emit({ eventType: 'run_paused', stepNumber: step.number, details: { kind: 'failed', reason } })
  }
}
