import type { Step } from '../definition.ts'
import { formatDuration } from '../duration.ts'
import type { EventDetails, EventDraft } from './event.ts'
import { failure, MAX_LOST } from './failure.ts'
import type { RunInput } from './input.ts'
import { ENGINE } from './principal.ts'
import { type Execution, findExecution, ofItem } from './items.ts'
import { checkLogSummary } from './log-summary.ts'
import type { Run } from './run.ts'

// decide-check.ts: what the end of a command that only looks leads to: a step's verify commands, a verification gate.

type Result = Extract<RunInput, { kind: 'command_result' }>['result']

const engine = { principal: ENGINE, via: 'engine' } as const

/** A check only looks, so one whose worker was lost is made again; one that is lost again and again has failed. */
const isAgain = (run: Run, lost: number | undefined): boolean =>
  run.seed.rulesVersion >= 2 && run.ending === undefined && run.rollback === undefined && (lost ?? 0) < MAX_LOST

/** A check that was made again wrote on in the log of the one whose worker was lost, which may yet say so in it. */
const printed = (run: Run, result: Result, lost = 0): Pick<EventDetails['verification_passed'], 'output' | 'log'> =>
  result.outcome === 'lost'
    ? {}
    : { ...(result.output !== '' && { output: result.output }), ...(lost === 0 && checkLogSummary(run, result)) }

const errorOf = (result: Result): string =>
  result.error ?? (result.outcome === 'lost' ? 'the worker died' : `exit code ${result.exitCode}`)

const durationOf = (result: Result): number => (result.outcome === 'lost' ? 0 : result.durationMs)

/**
 * The rules from which on a step is done as soon as its check passed, whatever the run does by then: one that stands paused, ends
 * or walks back does not come by to say so, and what is not told as done is not undone, and is done again by a retry.
 */
const DONE_AT_ONCE = 9

const doneDraft = (step: Step, state: Execution, item: number | undefined): EventDraft => ({
  eventType: 'step_completed',
  stepNumber: step.number,
  ...engine,
  details: {
    title: step.title,
    attempt: state.attempt,
    ...ofItem(item),
    duration: formatDuration(state.durationMs ?? 0),
    duration_ms: state.durationMs ?? 0,
    ...resultOf(state),
  },
})

/** The end of a step's verify commands. */
export const verifyEnded = (
  run: Run,
  { step: number, item }: { readonly step: number; readonly item?: number },
  result: Result,
  at: string,
): readonly EventDraft[] => {
  const { step, state } = findExecution(run, number, item)
  if (step === undefined || state === undefined) return []
  const { attempt } = state
  if (result.outcome === 'lost' && isAgain(run, state.lost)) {
    const details = { title: step.title, attempt, ...ofItem(item), ...resultOf(state), lost: (state.lost ?? 0) + 1 }
    return [{ eventType: 'verification_started', stepNumber: number, ...engine, details }]
  }
  const details = { attempt, ...ofItem(item), duration_ms: durationOf(result), ...printed(run, result, state.lost) }
  if (result.outcome === 'ok') {
    const passed: EventDraft = { eventType: 'verification_passed', stepNumber: number, ...engine, details }
    return run.seed.rulesVersion < DONE_AT_ONCE ? [passed] : [passed, doneDraft(step, state, item)]
  }
  const error = errorOf(result)
  // The step itself ran to its end, so a lost check never makes it unknown.
  const report = {
    outcome: result.outcome === 'lost' ? ('failed' as const) : result.outcome,
    error: `verification failed: ${error}`,
    durationMs: state.durationMs ?? 0,
    ...engine,
    ...ofItem(item),
  }
  return [
    { eventType: 'verification_failed', stepNumber: number, ...engine, details: { ...details, error } },
    failure(run, step, state, report, at),
  ]
}

/** What the step's own commands gave: it stands in `verification_started` until the step is completed. */
const resultOf = ({ durationMs, exitCode, output, outputs }: Execution) => ({
  ...(durationMs !== undefined && { duration_ms: durationMs }),
  ...(exitCode !== undefined && { exitCode }),
  ...(output !== undefined && { output }),
  ...(outputs !== undefined && { outputs }),
})

/** The end of a verification gate's command. */
export const gateCommandEnded = (run: Run, id: string, result: Result): readonly EventDraft[] => {
  const gate = run.gates[id]
  if (gate === undefined) return []
  const base = { ...(gate.stepNumber > 0 && { stepNumber: gate.stepNumber }), ...engine }
  if (result.outcome === 'lost' && isAgain(run, gate.lost)) {
    const again = { title: gate.title, attempt: gate.attempt + 1, lost: (gate.lost ?? 0) + 1 }
    const command = gate.command && { command: gate.command.script }
    return [{ eventType: 'verification_started', ...base, details: { gate: id, ...again, ...command } }]
  }
  const details = { gate: id, attempt: gate.attempt, duration_ms: durationOf(result), ...printed(run, result) }
  if (result.outcome === 'ok') return [{ eventType: 'verification_passed', ...base, details }]
  const then = !gate.required ? 'continue' : run.mode === 'auto' ? 'fail' : 'pause'
  return [{ eventType: 'verification_failed', ...base, details: { ...details, error: errorOf(result), then } }]
}
