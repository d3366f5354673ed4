import { formatDuration } from '../duration.ts'
import { childCommandResult, childRunId } from './child.ts'
import { childTimedOut } from './child-timeout.ts'
import { reopen } from './decide-reopen.ts'
import { admissionAnswered } from './decide-admission.ts'
import { undoEnded } from './decide-rollback.ts'
import { gateCommandEnded, verifyEnded } from './decide-check.ts'
import { decideMessage } from './decide-message.ts'
import { poolNews } from './decide-pool.ts'
import type { DecisionReply } from './decision.ts'
import type { EventDraft } from './event.ts'
import { failure } from './failure.ts'
import { runningWorks } from './works.ts'
import { afterRejection } from './gates.ts'
import { isAskedNow } from './frontier-blackout.ts'
import { hasBranches } from './graph.ts'
import { findExecution, ofItem, outputExcess, readExecutionName } from './items.ts'
import { recordNews } from './record-hold.ts'
import type { RunInput } from './input.ts'
import { ENGINE, TIMER } from './principal.ts'
import type { Run } from './run.ts'
import type { CommandResult } from './task.ts'

/** The events that an input leads to at once, and for a decision its answer. An input that is out of date leads to none. */
export interface Decided {
  readonly drafts: readonly EventDraft[]
  /** State and run id are filled in by `transition`. */
  readonly reply?: Omit<DecisionReply, 'runId' | 'status'>
}

const NOTHING: Decided = { drafts: [] }

/** Turns an input into events. Pure: `at` is the only clock. */
export const decide = (run: Run, input: RunInput, at: string): Decided => {
  switch (input.kind) {
    case 'create':
      return run.sequence > 0 ? NOTHING : { drafts: [created(run)] }
    case 'decision':
      return decideMessage(run, input.decision, at)
    case 'reopen':
      return reopen(run, input.decision)
    case 'unreadable':
      return unreadable(run, input)
    case 'timer':
      return { drafts: timerFired(run, input.timerId, at) }
    case 'command_result':
      return { drafts: commandEnded(run, input, at) }
    case 'pool_news':
      return { drafts: poolNews(run, input, at) }
    case 'record_news':
      return { drafts: recordNews(run, input, at) }
    case 'child_ended':
      return { drafts: childEnded(run, input, at) }
    case 'facts_result':
      return { drafts: factsArrived(run, input) }
    case 'admission':
      return { drafts: admissionAnswered(run, input) }
  }
}

/** The rules from which on the record says that a start was forced. */
const FORCE_ON_RECORD = 5

const created = ({ seed, mode }: Run): EventDraft => {
  const { definition, digest, policy, warnings } = seed.pinned
  return {
    eventType: 'run_created',
    principal: seed.startedBy,
    via: seed.via,
    details: {
      sop: definition.name,
      version: definition.version,
      digest,
      mode: seed.mode ?? definition.mode ?? policy.defaultMode,
      effectiveMode: mode,
      priority: definition.priority,
      params: seed.params,
      trigger: seed.trigger,
      totalSteps: definition.steps.length,
      ...(warnings && warnings.length > 0 && { warnings }),
      ...(hasBranches(definition) && { parallel: true }),
      ...(seed.parent && { parent: seed.parent }),
      ...(seed.force === true && seed.rulesVersion >= FORCE_ON_RECORD && { forced: true }),
    },
  }
}

const unreadable = (run: Run, { name, reason, via }: Extract<RunInput, { kind: 'unreadable' }>): Decided => ({
  drafts:
    run.outcome !== undefined
      ? []
      : [
          {
            eventType: 'decision_refused',
            principal: { id: 'temporal', kind: 'user', verified: false },
            via,
            details: { decision: 'message', reason: `Cannot read message "${name}": ${reason}` },
          },
        ],
  reply: { accepted: false, code: 'invalid', reason: `Cannot read message "${name}": ${reason}` },
})

const timerFired = (run: Run, timerId: string, at: string): readonly EventDraft[] => {
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
      return tryAgain(run, readExecutionName(id))
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

const find = (run: Run, number: number) => ({
  step: run.seed.pinned.definition.steps.find((each) => each.number === number),
  state: run.steps.find((each) => each.number === number),
})

const waited = (run: Run, number: number, at: string): readonly EventDraft[] => {
  const { step, state } = find(run, number)
  if (step === undefined || state?.state !== 'running') return []
  const durationMs = Date.parse(at) - Date.parse(state.startedAt ?? at)
  return [
    {
      eventType: 'step_completed',
      stepNumber: number,
      principal: TIMER,
      via: 'timer',
      details: {
        title: step.title,
        attempt: state.attempt,
        duration: formatDuration(durationMs),
        duration_ms: durationMs,
      },
    },
  ]
}

const tryAgain = (run: Run, { step: number, item }: { step: number; item?: number }): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step === undefined || state?.state !== 'failed' || state.then !== 'retry') return []
  const attempt = state.attempt + 1
  const value = item === undefined ? undefined : find(run, number).state?.items?.list[item - 1]
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
        ...(step.action.kind === 'sop' && {
          child: childRunId(run.seed.runId, { step: number, attempt, ...ofItem(item) }),
        }),
      },
    },
  ]
}

const inputTimedOut = (run: Run, number: number, at: string): readonly EventDraft[] => {
  const { step, state } = find(run, number)
  if (step === undefined || state?.state !== 'awaiting_input') return []
  const durationMs = Date.parse(at) - Date.parse(state.startedAt ?? at)
  const error = `nobody completed it within ${formatDuration(step.timeoutMs ?? durationMs)}`
  return [failure(run, step, state, { outcome: 'timed_out', error, durationMs, principal: TIMER, via: 'timer' }, at)]
}

const overdue = (run: Run, number: number): readonly EventDraft[] => {
  const { step, state } = find(run, number)
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

type CommandEnded = Extract<RunInput, { kind: 'command_result' }>

const commandEnded = (run: Run, { workId, result }: CommandEnded, at: string): readonly EventDraft[] => {
  const work = runningWorks(run).find((each) => each.id === workId)
  switch (work?.kind) {
    case 'action':
      return actionEnded(run, work, result, at)
    case 'verify':
      return verifyEnded(run, work, result, at)
    case 'gate_command':
      return gateCommandEnded(run, work.gate, result)
    case 'rollback':
      return undoEnded(run, work, result)
    default:
      return []
  }
}

/** How a child run ended is how its step ended; how long it took, the parent measures. */
const childEnded = (
  run: Run,
  { workId, result }: Extract<RunInput, { kind: 'child_ended' }>,
  at: string,
): readonly EventDraft[] => {
  const work = runningWorks(run).find((each) => each.id === workId)
  if (work?.kind !== 'child') return []
  const { step, state } = findExecution(run, work.step, work.item)
  if (step === undefined || state === undefined) return []
  return actionEnded(run, work, childCommandResult(step, childRunId(run.seed.runId, work), state, result, at), at)
}

type OfExecution = { readonly step: number; readonly item?: number }

const actionEnded = (
  run: Run,
  { step: number, item }: OfExecution,
  result: CommandEnded['result'],
  at: string,
): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step === undefined || state === undefined) return []
  const engine = { principal: ENGINE, via: 'engine' } as const
  if (result.outcome === 'lost') {
    if (step.idempotent !== true) {
      return [
        {
          eventType: 'step_unknown',
          stepNumber: number,
          ...engine,
          details: { title: step.title, attempt: state.attempt, ...ofItem(item), error: result.error },
        },
      ]
    }
    return [failure(run, step, state, { ...result, durationMs: 0, ...engine, ...ofItem(item) }, at)]
  }
  if (result.outcome !== 'ok') {
    const error = result.error ?? `exit code ${result.exitCode}`
    return [failure(run, step, state, { ...result, outcome: result.outcome, error, ...engine, ...ofItem(item) }, at)]
  }
  const excess = item === undefined ? undefined : outputExcess(find(run, number).state?.items, result.outputs)
  if (excess !== undefined) {
    const { outputs: _, ...rest } = result
    return [failure(run, step, state, { ...rest, outcome: 'failed', error: excess, ...engine, ...ofItem(item) }, at)]
  }
  const facts = resultDetails(result)
  // Nothing begins in a run that ends, and a check that nobody makes would be waited for without end.
  if (step.verify === undefined || step.verify.length === 0 || isEnding(run)) {
    return [
      {
        eventType: 'step_completed',
        stepNumber: number,
        ...engine,
        details: {
          title: step.title,
          attempt: state.attempt,
          ...ofItem(item),
          duration: formatDuration(result.durationMs),
          ...facts,
        },
      },
    ]
  }
  return [
    {
      eventType: 'verification_started',
      stepNumber: number,
      ...engine,
      details: { title: step.title, attempt: state.attempt, ...ofItem(item), ...facts },
    },
  ]
}

const isEnding = (run: Run): boolean => run.ending !== undefined || run.rollback !== undefined

const resultDetails = ({ durationMs, exitCode, output, outputs, logBytes, logSha256, adopted }: CommandResult) => ({
  duration_ms: durationMs,
  ...(exitCode !== undefined && { exitCode }),
  ...(output !== '' && { output }),
  ...(Object.keys(outputs).length > 0 && { outputs }),
  ...(logSha256 !== undefined && { log: { bytes: logBytes, sha256: logSha256 } }),
  ...(adopted !== undefined && { adopted }),
})

const factsArrived = (
  run: Run,
  { workId, result }: Extract<RunInput, { kind: 'facts_result' }>,
): readonly EventDraft[] => {
  const question = workId.slice('facts:'.length)
  if (run.outcome !== undefined || run.facts[question] !== undefined || !isAskedNow(run, question)) return []
  return [
    {
      eventType: 'facts_resolved',
      principal: ENGINE,
      via: 'engine',
      details: { question, values: result.values, ...(result.errors && { errors: result.errors }) },
    },
  ]
}
