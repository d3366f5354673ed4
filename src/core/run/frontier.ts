import { evaluate } from '../condition/evaluate.ts'
import { formatDuration } from '../duration.ts'
import type { Step } from '../definition.ts'
import { type Asked, ask } from './ask.ts'
import type { Timer, Work } from './effect.ts'
import type { EventDraft } from './event.ts'
import {
  type GateSpec,
  gatesAfter,
  gatesBefore,
  gateTimeoutMs,
  isPassed,
  isStopped,
  runGates,
  startGate,
  timeoutAction,
} from './gates.ts'
import { ENGINE } from './principal.ts'
import type { GateRun, Run, StepRun } from './run.ts'
import { needsAdmission } from './supported.ts'

// frontier.ts: what a state calls for. Either the next event follows by itself, or the run waits for work and timers.
// Nothing here remembers anything: asked twice, it answers the same.

/** The next event, or what the run waits for. */
export type Frontier =
  | { readonly next: EventDraft }
  | { readonly next?: undefined; readonly works: readonly Work[]; readonly timers: readonly Timer[] }

/** Waiting for these, and nothing follows before they are there. */
interface Waits {
  readonly works?: readonly Work[]
  readonly timers?: readonly Timer[]
}

/** One stage of the way: an event to record, something to wait for, or `undefined`: the way is free. */
type Stage = { readonly next: EventDraft } | Waits | undefined

const emit = (draft: Omit<EventDraft, 'principal' | 'via'>): Stage => ({
  next: { ...draft, principal: ENGINE, via: 'engine' } as EventDraft,
})

/** Takes the stages in order; the first that is not free decides. */
const firstOf = (...stages: readonly (() => Stage)[]): Stage => {
  for (const stage of stages) {
    const result = stage()
    if (result !== undefined) return result
  }
  return undefined
}

const plus = (iso: string, ms: number): string => new Date(Date.parse(iso) + ms).toISOString()

/** What the run calls for at the instant `at` (ISO-8601). */
export const frontier = (run: Run, at: string): Frontier => {
  if (run.outcome !== undefined || run.sequence === 0) return { works: [], timers: [] }
  if (run.ending !== undefined) return ending(run, run.ending)
  const stage = run.paused === undefined ? way(run, at) : { works: runningWorks(run) }
  if (stage !== undefined && 'next' in stage) return stage
  const waits: Waits = stage ?? {}
  return { works: waits.works ?? [], timers: [...(waits.timers ?? []), ...runTimer(run)] }
}

const way = (run: Run, at: string): Stage =>
  firstOf(
    () => arrival(run),
    () => start(run, at),
    () => slot(run),
    () => (run.startedAt === undefined ? begin(run) : undefined),
    () => allGates(run, runGates(run.seed.pinned.definition, 'start'), at),
    () => steps(run, at),
    () => allGates(run, runGates(run.seed.pinned.definition, 'end'), at),
    () => complete(run, at),
  )

/** Work that is under way whatever the run decides; only its end frees the way. */
export const runningWorks = (run: Run): readonly Work[] => [
  ...run.steps.flatMap((step) => stepWork(run, step)),
  ...Object.values(run.gates).flatMap((gate) => gateWork(gate)),
]

const stepWork = (run: Run, step: StepRun): readonly Work[] => {
  if (step.state !== 'running') return []
  const kind = run.seed.pinned.definition.steps.find((each) => each.number === step.number)?.action.kind
  if (kind !== 'shell' && kind !== 'http') return []
  const { number, attempt } = step
  return step.verification === 'running'
    ? [{ id: `verify:${number}#${attempt}`, kind: 'verify', step: number, attempt }]
    : step.verification === 'passed'
      ? []
      : [{ id: `step:${number}#${attempt}`, kind: 'action', step: number, attempt }]
}

const gateWork = ({ id, attempt, state }: GateRun): readonly Work[] =>
  state === 'verifying' ? [{ id: `gate:${id}#${attempt}`, kind: 'gate_command', gate: id, attempt }] : []

/** Nothing new begins; what is under way is ended first, so that a closed run has no process left. */
const ending = (run: Run, { state, reason, by, via }: NonNullable<Run['ending']>): Frontier => {
  if (runningWorks(run).length > 0) return { works: [], timers: [] }
  return state === 'cancelled'
    ? { next: { eventType: 'run_cancelled', principal: by, via, details: { reason } } }
    : { next: { eventType: 'run_failed', principal: by, via, details: { reason } } }
}

const runTimer = (run: Run): readonly Timer[] => {
  const { timeoutMs } = run.seed.pinned.definition
  if (timeoutMs === undefined || run.startedAt === undefined) return []
  return [{ id: 'run', at: plus(run.startedAt, timeoutMs), summary: 'Time for the whole run' }]
}

/** Preconditions and cooldown; a false one refuses the run (rulings 24). */
const arrival = (run: Run): Stage => {
  const problem = run.seed.problems?.join('; ')
  if (problem !== undefined && problem !== '') return emit({ eventType: 'run_refused', details: { reason: problem } })
  if (run.admitted.arrival === true || run.seed.force === true) return undefined
  const { conditions, cooldownMs } = run.seed.pinned.definition
  const asksAdmission = needsAdmission(run.seed.pinned) && cooldownMs > 0
  if (conditions === undefined && !asksAdmission) return undefined
  return firstOf(
    () => preconditions(run, 'arrival'),
    () => (asksAdmission ? { works: [{ id: 'admission:arrival', kind: 'admission', phase: 'arrival' }] } : undefined),
  )
}

const preconditions = (run: Run, phase: 'arrival' | 'slot'): Stage => {
  const { conditions } = run.seed.pinned.definition
  const all = [...(conditions?.requires ?? []), ...(conditions?.expression ? [conditions.expression] : [])]
  if (all.length === 0 || run.seed.force === true) return undefined
  const asked = ask(run, phase, all)
  if (asked.kind === 'wait') return { works: [asked.work] }
  for (const condition of all) {
    const result = evaluate(condition, asked.scope)
    const reason = !result.ok
      ? `Cannot evaluate condition "${condition.text}": ${result.error}`
      : result.value
        ? undefined
        : `condition "${condition.text}" is not met`
    if (reason !== undefined) return emit({ eventType: 'run_refused', details: { reason } })
  }
  const done = phase === 'arrival' && !(needsAdmission(run.seed.pinned) && run.seed.pinned.definition.cooldownMs > 0)
  return done ? emit({ eventType: 'run_admitted', details: { phase } }) : undefined
}

const start = (run: Run, at: string): Stage => {
  const spec = startGate(run)
  return spec === undefined || run.startedAt !== undefined ? undefined : gate(run, spec, at)
}

/** The slot, and before it the preconditions once more: a start gate may have stood open for days. */
const slot = (run: Run): Stage => {
  if (run.admitted.slot === true || run.startedAt !== undefined || !needsAdmission(run.seed.pinned)) return undefined
  return firstOf(
    () => preconditions(run, 'slot'),
    () => ({ works: [{ id: 'admission:slot', kind: 'admission', phase: 'slot' }] }),
  )
}

const begin = (run: Run): Stage =>
  emit({ eventType: 'run_started', details: { totalSteps: run.seed.pinned.definition.steps.length } })

const allGates = (run: Run, specs: readonly GateSpec[], at: string): Stage =>
  firstOf(...specs.map((spec) => () => gate(run, spec, at)))

/** One gate: open it, wait at it, or say what its end leads to. */
const gate = (run: Run, spec: GateSpec, at: string): Stage => {
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
        details: { gate: now.id, attempt: now.attempt, comment: 'approved at the start of the run' },
      },
    }
  }
  const timer: Timer[] =
    now.deadlineAt === undefined
      ? []
      : [
          {
            id: `gate:${now.id}#${now.attempt}`,
            at: now.deadlineAt,
            summary: `Gate ${now.id}: ${now.onTimeout ?? 'approve'} when time is up`,
          },
        ]
  return { timers: timer }
}

/** `skipApproval` passes plain gates only, and never for an agent (rulings 22). */
const mayPassByStarter = (run: Run, { settings }: GateRun): boolean =>
  run.seed.skipApproval === true && run.seed.startedBy.kind !== 'agent' && (settings.approvers ?? []).length === 0

const approach = (run: Run, spec: GateSpec, at: string): Stage => {
  if (spec.if !== undefined) {
    const asked = ask(run, question(run, spec.stepNumber, spec.id), [spec.if])
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
  const { approvers, exclude } = spec.settings
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
      ...(approvers && { approvers }),
      ...(exclude && { exclude }),
    },
  })
}

/** A rejected or failed gate that was not answered yet. */
const stopped = ({ id, stepNumber, then, state, decidedBy }: GateRun): Stage => {
  const what = state === 'failed' ? `gate "${id}" failed its verification` : `gate "${id}" was rejected by ${decidedBy}`
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

/** Facts are asked once for each visit of a step, under the name of what needs them. */
const question = (run: Run, stepNumber: number, what: string): string => {
  const visits = run.steps.find((step) => step.number === stepNumber)?.visits ?? 1
  return `step:${stepNumber}:${visits}:${what}`
}

const conditionError = (stepNumber: number, text: string, error: string): Stage =>
  emit({
    eventType: 'run_paused',
    ...(stepNumber > 0 && { stepNumber }),
    details: { kind: 'condition', reason: `Cannot evaluate condition "${text}": ${error}` },
  })

const steps = (run: Run, at: string): Stage => {
  const { definition } = run.seed.pinned
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
      return underWay(run, step, state)
    case 'awaiting_input':
      return { timers: inputTimers(step, state) }
    case 'unknown':
      return emit({
        eventType: 'run_failed',
        stepNumber: step.number,
        details: { reason: `nobody knows whether step ${step.number} "${step.title}" ran: ${state.error}` },
      })
    case 'failed':
      return afterFailure(run, step, state, at)
  }
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

const boundary = ({ reason, by, via }: NonNullable<Run['pauseRequested']>): Stage => ({
  next: {
    eventType: 'run_paused',
    principal: by,
    via,
    details: { kind: 'requested', reason: reason ?? `paused by ${by.id}` },
  },
})

const guard = (run: Run, step: Step, condition: NonNullable<Step['if']>): Stage => {
  const asked = ask(run, question(run, step.number, 'if'), [condition])
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
  const until = waitsUntil(run, step, at)
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
    },
  })
}

type Until =
  | { readonly kind: 'at'; readonly at?: string }
  | { readonly kind: 'error'; readonly text: string; readonly error: string }
  | Extract<Asked, { kind: 'wait' }>

/** When a `wait` step ends. A time of day depends on the zone's calendar, so an activity answers it (engine.md 2). */
const waitsUntil = (run: Run, step: Step, at: string): Until => {
  const { action } = step
  if (action.kind !== 'wait') return { kind: 'at' }
  if (action.durationMs !== undefined) return { kind: 'at', at: plus(at, action.durationMs) }
  const until = action.until ?? ''
  if (!/^\d{1,2}:\d{2}$/.test(until)) return { kind: 'at', at: new Date(Date.parse(until)).toISOString() }
  const name = `until:${until}`
  const key = question(run, step.number, 'until')
  const known = run.facts[key]
  if (known === undefined)
    return { kind: 'wait', work: { id: `facts:${key}`, kind: 'facts', question: key, names: [name] } }
  const answer = known.values[name]
  return typeof answer === 'string'
    ? { kind: 'at', at: answer }
    : { kind: 'error', text: until, error: known.errors?.[name] ?? 'nobody knows that time' }
}

const underWay = (run: Run, step: Step, state: StepRun): Stage => {
  if (state.verification === 'passed') return verifiedStep(step, state)
  switch (step.action.kind) {
    case 'manual':
      return requestInput(step, state)
    case 'wait':
      return {
        timers:
          state.untilAt === undefined
            ? []
            : [
                {
                  id: `wait:${step.number}#${state.attempt}`,
                  at: state.untilAt,
                  summary: `Step ${step.number}: ${step.title}`,
                },
              ],
      }
    default:
      return { works: stepWork(run, state) }
  }
}

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

const complete = (run: Run, at: string): Stage => {
  const durationMs = Date.parse(at) - Date.parse(run.startedAt ?? at)
  const count = (state: StepRun['state']): number => run.steps.filter((step) => step.state === state).length
  return emit({
    eventType: 'run_completed',
    details: {
      duration: formatDuration(durationMs),
      duration_ms: durationMs,
      stepsCompleted: count('success'),
      stepsSkipped: count('skipped'),
    },
  })
}
