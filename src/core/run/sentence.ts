import { formatDuration } from '../duration.ts'
import { printable } from '../printable.ts'
import type { AfterFailure, AfterRejection, EventType, RunEvent } from './event.ts'
import type { Principal, Surface } from './principal.ts'

// sentence.ts: an event of the record as a sentence for people: who did what, and what follows. The instant stands beside
// it, so a sentence names only instants that are still to come. Pure, and the only place that words events.

/** Longest text of others in a sentence, in characters; the details hold all of it. */
const QUOTED_CHARS = 300

/**
 * What happened, as one English sentence without a line break. Texts of others in it are shortened and carry no character
 * that could drive a terminal or reorder what stands around them.
 */
export const sentence = <T extends EventType>(event: RunEvent<T>): string =>
  (SENTENCES[event.eventType] as (event: RunEvent<T>) => string)(event)

const plain = (text: string): string => {
  const line = printable(text.replace(/\s+/g, ' ').trim())
  return line.length > QUOTED_CHARS ? `${line.slice(0, QUOTED_CHARS - 1)}…` : line
}
const quoted = (text: string): string => `"${plain(text)}"`

const SURFACE_WORDS: Partial<Readonly<Record<Surface, string>>> = {
  cli: 'from the command line',
  http: 'over the API',
  js: 'from a program',
  mcp: 'with an agent tool',
  web: 'on the page',
  signal: "by a signal, which proves nobody's identity,",
  update: "by an update, which proves nobody's identity,",
}

/** The actor of a sentence, e.g. `bob on the page`. */
const who = ({ principal, via }: { readonly principal: Principal; readonly via: Surface }): string => {
  if (principal.kind === 'timer') return 'The timer'
  if (principal.id === 'engine') return 'The engine'
  const kind = principal.kind === 'agent' ? 'Agent ' : principal.kind === 'service' ? 'Service ' : ''
  const vouched = (via === 'signal' || via === 'update') && principal.verified !== false
  const by = vouched ? 'through Temporal' : SURFACE_WORDS[via]
  const name = plain(principal.id)
  return `${kind}${name === '' ? 'Somebody' : name}${by === undefined ? '' : ` ${by}`}`
}

/** Who acted, and nobody where the engine itself did. */
const isEngine = ({ principal }: { readonly principal: Principal }): boolean => principal.id === 'engine'

const saying = (comment: string | undefined): string => (comment === undefined ? '' : `: ${quoted(comment)}`)
const because = (reason: string | undefined): string => (reason === undefined ? '' : `: ${plain(reason)}`)
const stop = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

interface OfStep {
  readonly stepNumber?: number
  readonly details: { readonly title?: string; readonly item?: number }
}
/** `step 3 "Deploy"`, or `item 5 of step 3 "Deploy"`. */
const stepOf = ({ stepNumber, details: { title, item } }: OfStep): string => {
  const step = `step ${stepNumber ?? 0}${title === undefined ? '' : ` ${quoted(title)}`}`
  return item === undefined ? step : `item ${item} of ${step}`
}
const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
const nth = (attempt: number): string => (attempt > 1 ? `, attempt ${attempt}` : '')
const numbers = (list: readonly number[]): string =>
  list.length > 20 ? `${list.slice(0, 20).join(', ')} and ${list.length - 20} more` : list.join(', ')
const code = (exitCode: number | undefined): string =>
  exitCode === undefined || exitCode === 0 ? '' : ` (exit code ${exitCode})`
const utc = (instant: string | undefined): string =>
  instant === undefined ? '' : `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`
const until = (instant: string | undefined): string => (instant === undefined ? '' : ` until ${utc(instant)}`)

const gateOf = ({ details }: { readonly details: { readonly gate?: string; readonly attempt?: number } }): string =>
  `gate ${quoted(details.gate ?? '')}${nth(details.attempt ?? 1)}`

const AFTER_FAILURE: Readonly<Record<AfterFailure, string>> = {
  retry: 'The engine tries again',
  pause: 'The run pauses for a person',
  fail: 'The run fails',
  continue: 'The run goes on',
  goto: 'The run jumps',
  rollback: 'The finished steps are rolled back',
}
export const AFTER_REJECTION: Readonly<Record<AfterRejection, string>> = {
  pause: 'the run pauses for a person',
  fail: 'the run fails',
  cancel: 'the run is cancelled',
  continue: 'the run goes on',
  rollback: 'the finished steps are rolled back',
}

/** Why a gate is there, as the end of a sentence. */
export const BECAUSE: Readonly<Record<string, string>> = {
  start: 'runs of this mode need approval to begin',
  mode: 'this mode asks before each step',
  requires_approval: 'the step requires approval',
  approve_if: 'the condition for approval holds',
  gates: 'the SOP has a gate here',
}

const THEN: Readonly<Record<string, string>> = {
  approve: 'it is approved',
  reject: 'it is rejected',
  escalate: 'it is escalated',
  fail: 'the run fails',
}

const SENTENCES: { readonly [K in EventType]: (event: RunEvent<K>) => string } = {
  run_created: (event) => {
    const { sop, version, effectiveMode, trigger, parent, totalSteps } = event.details
    const why = parent
      ? ` as step ${parent.stepNumber} of run ${plain(parent.runId)}`
      : trigger.type === 'manual'
        ? ''
        : ` by trigger ${quoted(trigger.type)}`
    const steps = totalSteps === undefined ? '' : `, ${totalSteps} step${totalSteps === 1 ? '' : 's'}`
    return `${who(event)} started ${quoted(sop)} version ${plain(version)}${why} (${effectiveMode}${steps}).`
  },
  run_started: ({ details }) =>
    `The run began; it has ${details.totalSteps} step${details.totalSteps === 1 ? '' : 's'}.`,
  run_queued: ({ details: { reason, notBefore, again } }) =>
    stop(
      `The run ${again === true ? 'gave its slot back and ' : ''}waits in the queue: ${plain(reason)}${
        notBefore === undefined ? '' : `, not before ${utc(notBefore)}`
      }`,
    ),
  run_admitted: (event) =>
    event.details.overLimit === true
      ? stop(`${who(event)} let the run in before its turn${saying(event.details.comment)}`)
      : event.details.phase === 'slot'
        ? 'The run got a slot.'
        : 'The run was let in.',
  run_refused: (event) => {
    const { reason, notBefore, replacedBy, comment } = event.details
    const later = notBefore === undefined ? '' : `; it may run from ${utc(notBefore)}`
    const newer = replacedBy === undefined ? '' : `; run ${plain(replacedBy)} takes its place`
    const by = isEngine(event) ? 'The run was not let in' : `${who(event)} refused the run`
    return stop(`${by}: ${plain(reason)}${later}${newer}${saying(comment)}`)
  },
  slot_released: ({ details }) =>
    `The run gave its slot away while it waits at ${details.gates.map((gate) => quoted(gate)).join(', ')}.`,
  run_held: ({ details: { reason } }) => stop(`The run waits: ${plain(reason)}`),
  run_released: ({ details: { duration } }) =>
    `Everything is on record again, and the run goes on after it had waited ${duration}.`,
  facts_resolved: ({ details: { values, errors } }) => {
    const said = Object.entries(values).map(([name, value]) => `${plain(name)} is ${plain(JSON.stringify(value))}`)
    const unknown = Object.entries(errors ?? {}).map(([name, error]) => `${plain(name)} is not known (${plain(error)})`)
    const all = [...said, ...unknown]
    return all.length === 0 ? 'The engine looked up nothing new.' : `The engine found out: ${all.join('; ')}.`
  },
  approval_requested: (event) => {
    const { title, because: reason, deadlineAt, onTimeout, approvers } = event.details
    const from = approvers === undefined ? '' : ` from ${approvers.map(plain).join(', ')}`
    const end = deadlineAt === undefined ? '' : ` At ${utc(deadlineAt)} ${THEN[onTimeout ?? 'approve'] ?? 'it ends'}.`
    return `Approval is asked for${from} at ${gateOf(event)} (${plain(title)}), because ${BECAUSE[reason] ?? plain(reason)}.${end}`
  },
  approval_granted: (event) => stop(`${who(event)} approved ${gateOf(event)}${saying(event.details.comment)}`),
  approval_rejected: (event) =>
    stop(
      `${who(event)} rejected ${gateOf(event)}, so ${AFTER_REJECTION[event.details.action]}${saying(event.details.comment)}`,
    ),
  approval_timeout: (event) => {
    const { action, then } = event.details
    const what =
      action === 'approve'
        ? 'approved it'
        : action === 'escalate'
          ? 'escalated it'
          : `${action === 'reject' ? 'rejected it' : 'ended it'}${then === undefined ? '' : `, so ${AFTER_REJECTION[then]}`}`
    return `Nobody decided ${gateOf(event)} in time: the timer ${what}.`
  },
  approval_escalated: (event) =>
    `${capital(gateOf(event))} was escalated${event.details.to === undefined ? '' : ` to ${event.details.to.map(plain).join(', ')}`}.`,
  approval_reminded: (event) =>
    `Reminder ${event.details.reminder}: ${gateOf(event)} still waits for a decision${until(event.details.deadlineAt)}.`,
  gate_skipped: ({ details }) =>
    `Gate ${quoted(details.gate)} was passed over: its condition ${quoted(details.condition)} is false.`,
  step_started: (event) => {
    const { attempt, untilAt, child, items, kept, value } = event.details
    const many =
      items === undefined
        ? ''
        : ` for ${items.length} item${items.length === 1 ? '' : 's'}${kept === undefined ? '' : `, ${kept} of them done before`}`
    const one = value === undefined ? '' : ` (${plain(typeof value === 'string' ? value : JSON.stringify(value))})`
    const run = child === undefined ? '' : ` as run ${plain(child)}`
    return `${capital(stepOf(event))}${one} began${nth(attempt)}${many}${run}${until(untilAt)}.`
  },
  step_waiting: (event) =>
    `${capital(stepOf(event))} waits for a worker of pool ${quoted(event.details.pool)}${until(event.details.until)}.`,
  step_taken: (event) =>
    `A worker of pool ${quoted(event.details.pool)} took ${stepOf(event)} after ${event.details.duration}.`,
  step_timeout: (event) => stop(`${capital(stepOf(event))} took too long: ${plain(event.details.reason)}`),
  step_completed: (event) => {
    const { duration, comment, adopted } = event.details
    const kept = adopted === undefined ? '' : `; its worker was lost, and host ${plain(adopted)} kept it`
    const by = isEngine(event) || event.principal.kind === 'timer'
    return by
      ? stop(`${capital(stepOf(event))} succeeded after ${duration}${kept}`)
      : stop(`${who(event)} completed ${stepOf(event)} after ${duration}${saying(comment)}`)
  },
  step_failed: (event) => {
    const { error, then, exitCode, duration, goto, retryAt, comment } = event.details
    const told = isEngine(event) || event.principal.kind === 'timer' ? '' : ` (reported by ${who(event)})`
    const jump = then === 'goto' && goto !== undefined ? ` to step ${goto}` : ''
    const at = then === 'retry' && retryAt !== undefined ? ` at ${utc(retryAt)}` : ''
    const exit = /exit code/.test(error) ? '' : code(exitCode)
    const said = stop(
      `${capital(stepOf(event))} failed after ${duration}${told}: ${plain(error)}${exit}${saying(comment)}`,
    )
    return `${said} ${AFTER_FAILURE[then]}${jump}${at}.`
  },
  step_skipped: (event) => {
    const { reason, condition, cutOff } = event.details
    const why = condition === undefined ? plain(reason) : `its condition ${quoted(condition)} is false`
    const by = isEngine(event) ? `${capital(stepOf(event))} was skipped` : `${who(event)} skipped ${stepOf(event)}`
    return stop(`${by}: ${why}${cutOff === true ? ' (it was under way)' : ''}`)
  },
  step_unknown: (event) =>
    `Nobody knows whether ${stepOf(event)} ran: ${plain(event.details.error)}. A person has to say.`,
  step_rolled_back: (event) => {
    const items = event.details.items === undefined ? '' : ` for ${event.details.items} items`
    return `${capital(stepOf(event))} was undone${items} after ${event.details.duration}.`
  },
  rollback_started: (event) => {
    const { reason, then, steps } = event.details
    const left =
      steps.length === 0
        ? 'there is nothing to undo'
        : `to undo: ${steps.length === 1 ? 'step' : 'steps'} ${numbers(steps)}`
    return `The run walks back (${plain(reason)}); ${left}. Then it is ${then}.`
  },
  rollback_failed: (event) => stop(`The undo of ${stepOf(event)} failed: ${plain(event.details.error)}`),
  input_requested: (event) => {
    const { assignee, dueAt, deadlineAt, overdue } = event.details
    if (overdue === true) return `${capital(stepOf(event))} is overdue.`
    const due = dueAt === undefined ? '' : `, due ${utc(dueAt)}`
    const end = deadlineAt === undefined ? '' : `, given up at ${utc(deadlineAt)}`
    return `${capital(stepOf(event))} waits for ${assignee === undefined ? 'a person' : plain(assignee)}${due}${end}.`
  },
  input_received: (event) => {
    const { item, ticked, text } = event.details
    return `${who(event)} ${ticked ? 'ticked' : 'unticked'} item ${item} of step ${event.stepNumber ?? 0}: ${quoted(text)}.`
  },
  verification_started: (event) => {
    const what = event.details.gate === undefined ? stepOf(event) : gateOf(event)
    const lost = event.details.lost === undefined ? '' : ' again, since its worker was lost'
    return isEngine(event) || event.principal.kind === 'timer'
      ? `The check of ${what} began${lost}.`
      : stop(`${who(event)} said that ${what} was done${saying(event.details.comment)}; its check began`)
  },
  verification_passed: (event) =>
    `The check of ${event.details.gate === undefined ? stepOf(event) : gateOf(event)} passed after ${formatDuration(event.details.duration_ms)}.`,
  verification_failed: (event) => {
    const { gate, error, then } = event.details
    const said = stop(`The check of ${gate === undefined ? stepOf(event) : gateOf(event)} failed: ${plain(error)}`)
    return then === undefined ? said : `${said} ${AFTER_FAILURE[then]}.`
  },
  pause_requested: (event) =>
    stop(`${who(event)} asked to pause the run at the next boundary between steps${saying(event.details.reason)}`),
  run_paused: (event) => {
    const { kind, reason } = event.details
    return kind === 'requested' && !isEngine(event)
      ? stop(`${who(event)} paused the run${because(reason)}`)
      : stop(`The run paused${because(reason)}`)
  },
  run_resumed: (event) => {
    const { leaves, item, comment } = event.details
    const left =
      leaves === undefined ? '' : `, leaving ${item === undefined ? '' : `item ${item} of `}step ${leaves} as it is`
    return stop(`${who(event)} let the run go on${left}${saying(comment)}`)
  },
  run_retried: (event) => {
    const { fromStep, also = [], gate, outcome, reopens, undo, again, params, comment, item } = event.details
    const opened = reopens === true ? ' opened the closed run again' : undefined
    const from = fromStep === undefined ? '' : ` ${item === undefined ? '' : `item ${item} of `}step ${fromStep}`
    const what =
      undo === true
        ? ` asked for the undo of${from} after all`
        : (opened ?? (gate === undefined ? ' retried the run' : ` asked gate ${quoted(gate)} again`))
    const where = undo === true || from === '' ? '' : ` from${from}`
    const more = [
      also.length === 0 ? '' : `, with steps ${numbers(also)}`,
      outcome === 'did_not_run' ? ', saying that it did not run' : '',
      again === undefined || again.length < 2 ? '' : `; steps ${numbers(again)} are done again`,
      params === undefined ? '' : `, with other params: ${Object.keys(params).map(plain).join(', ')}`,
    ]
    return stop(`${who(event)}${what}${where}${more.join('')}${saying(comment)}`)
  },
  cancel_requested: (event) =>
    stop(
      `${who(event)} cancelled the run${event.details.rollback === true ? ' and asked to roll it back first' : ''}${because(event.details.reason)}`,
    ),
  run_timeout: ({ details }) =>
    stop(
      `The run ran out of time: ${plain(details.reason)}${details.then === 'rollback' ? '; it is rolled back' : ''}`,
    ),
  run_completed: ({ details: { duration, stepsCompleted, stepsSkipped } }) =>
    `The run completed after ${duration}: ${stepsCompleted} step${stepsCompleted === 1 ? '' : 's'} done, ${stepsSkipped} skipped.`,
  run_failed: ({ details: { reason, stepNumber } }) =>
    stop(`The run failed${stepNumber === undefined ? '' : ` at step ${stepNumber}`}: ${plain(reason)}`),
  run_cancelled: ({ details }) => stop(`The run was cancelled: ${plain(details.reason)}`),
  decision_refused: (event) => {
    const { decision, reason, gate, decidedBy } = event.details
    const about = gate === undefined ? '' : ` of gate ${quoted(gate)}`
    const first = decidedBy === undefined || reason.includes(decidedBy) ? '' : ` (${plain(decidedBy)} had decided)`
    return stop(`The "${decision}"${about} that ${lower(who(event))} sent was refused: ${plain(reason)}${first}`)
  },
  notification_sent: ({ details }) => `${capital(plain(details.channel))} was told of ${quoted(details.what)}.`,
  notification_failed: ({ details }) =>
    stop(`${capital(plain(details.channel))} could not be told of ${quoted(details.what)}: ${plain(details.error)}`),
  definition_amended: (event) =>
    `${who(event)} amended the definition; its digest is now ${plain(event.details.digest).slice(0, 12)}.`,
  run_forked: ({ sequence, details: { fromSequence } }) =>
    `The run was reset in Temporal: events ${fromSequence} to ${sequence - 1} count no more.`,
}

/** An actor within a sentence: `The engine` begins small there, a name stays as it is. */
const lower = (actor: string): string => actor.replace(/^(The|Agent|Service|Somebody)\b/, (word) => word.toLowerCase())
