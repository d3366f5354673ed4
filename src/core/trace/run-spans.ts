import type { RunEvent } from '../run/event.ts'
import { executionName } from '../run/items.ts'
import { type Attributes, rootRunId, type Span, spanIdOf, traceIdOf } from './span.ts'
import { type TraceState, type OpenSpan, Teller } from './teller.ts'

// run-spans.ts: the spans of a run, made of its events: the run, its steps, gates and waits. A span is told when it ends, so a
// run of three weeks is told bit by bit, by whichever process is there; ids come from the run and its names alone.

/** What is open after the events, and the spans that they ended. */
export interface Told {
  readonly state: TraceState
  readonly spans: readonly Span[]
}

/** Tells what ended by the event. `sop` names the SOP of a record that does not begin with `run_created`. */
export const tellSpans = (before: TraceState | undefined, event: RunEvent, sop: string): Told => {
  if (before !== undefined && event.sequence <= before.sequence) return { state: before, spans: [] }
  const teller = new Teller(before ?? blank(event, sop), event)
  tell(teller, event)
  return { state: { ...teller.state, sequence: event.sequence }, spans: teller.spans }
}

const blank = (event: RunEvent, sop: string): TraceState => {
  const { runId } = event
  const parent = event.eventType === 'run_created' ? event.details.parent : undefined
  const name = event.eventType === 'run_created' ? event.details.sop : sop
  const state: TraceState = {
    runId,
    sop: name,
    traceId: traceIdOf(rootRunId(runId, parent !== undefined)),
    sequence: 0,
    root: 'run',
    lives: 1,
    again: '',
    open: {},
  }
  const root: OpenSpan = {
    name: `run ${name}`,
    startMs: Date.parse(event.timestamp),
    spanId: spanIdOf(runId, 'run'),
    // The parent's step is called as its work, but for the kind.
    ...(parent !== undefined && { parentSpanId: spanIdOf(parent.runId, parent.workId.replace(/^[a-z]+:/, 'step:')) }),
    attributes: event.eventType === 'run_created' ? runAttributes(event) : {},
    events: [],
  }
  return { ...state, open: { run: root } }
}

const runAttributes = ({ details }: RunEvent<'run_created'>): Attributes => ({
  'sop.version': details.version,
  'sop.digest': details.digest,
  'sop.run.mode': details.effectiveMode,
  'sop.run.priority': details.priority,
  'sop.trigger.type': details.trigger.type,
  ...(details.parent !== undefined && { 'sop.parent.run.id': details.parent.runId }),
})

const stepKey = (step: number, item: number | undefined, attempt: number): string =>
  `step:${executionName(step, item)}#${attempt}`

/** The newest execution of the step that is open. */
const openStep = ({ open }: TraceState, step = 0, item?: number): string | undefined =>
  Object.keys(open).findLast((key) => key.startsWith(`step:${executionName(step, item)}#`))

const openGate = ({ open }: TraceState, gate: string): string | undefined =>
  Object.keys(open).findLast((key) => key.startsWith(`gate:${gate}#`))

const itemOf = ({ details }: RunEvent): number | undefined =>
  'item' in details && typeof details.item === 'number' ? details.item : undefined

const decidedBy = ({ principal }: RunEvent): string =>
  `${principal.kind}:${principal.id}${principal.verified === false ? ' (unverified)' : ''}`

const tell = (teller: Teller, event: RunEvent): void => {
  const { stepNumber = 0 } = event
  const step = { 'sop.step.number': stepNumber }
  switch (event.eventType) {
    case 'run_queued':
      if (teller.state.open['queue'] === undefined) teller.begin('queue', 'wait for a slot')
      return
    case 'run_admitted':
      if (event.details.phase === 'slot') teller.end('queue')
      return
    case 'approval_requested': {
      const { gate, attempt, because } = event.details
      const about = { 'sop.gate.id': gate, 'sop.gate.attempt': attempt, 'sop.gate.because': because }
      teller.begin(`gate:${gate}#${attempt}`, `gate ${gate}`, { ...about, ...(stepNumber > 0 && step) })
      return
    }
    case 'approval_reminded':
    case 'approval_escalated':
      return teller.note(openGate(teller.state, event.details.gate) ?? '', event.eventType)
    case 'approval_granted':
      return endGate(teller, event, event.details.gate, 'approved')
    case 'approval_rejected':
      return endGate(teller, event, event.details.gate, 'rejected')
    case 'approval_timeout':
      if (event.details.action === 'escalate') teller.note(openGate(teller.state, event.details.gate) ?? '', 'escalate')
      else endGate(teller, event, event.details.gate, `timer_${event.details.action}`)
      return
    case 'gate_skipped':
      return endGate(teller, event, event.details.gate, 'skipped')
    case 'verification_started': {
      const { gate } = event.details
      if (gate === undefined) teller.end(`input:${stepNumber}`)
      const within = gate === undefined ? openStep(teller.state, stepNumber, itemOf(event)) : undefined
      return teller.begin(verifyKey(event), gate === undefined ? 'verify' : `gate ${gate}`, step, within)
    }
    case 'verification_passed':
      return teller.end(verifyKey(event))
    case 'verification_failed':
      return teller.end(verifyKey(event), {}, true)
    case 'step_waiting': {
      const { pool, workId } = event.details
      const within = openStep(teller.state, stepNumber)
      return teller.begin(`pool:${workId}`, `wait for pool ${pool}`, { ...step, 'sop.pool': pool }, within)
    }
    case 'step_taken':
      return teller.end(`pool:${event.details.workId}`)
    case 'input_requested': {
      if (event.details.overdue === true) return teller.note(`input:${stepNumber}`, 'overdue')
      return teller.begin(`input:${stepNumber}`, 'wait for input', step, openStep(teller.state, stepNumber))
    }
    case 'run_paused':
      return teller.begin('pause', 'paused', { 'sop.pause.kind': event.details.kind })
    case 'run_resumed':
      return teller.end('pause')
    case 'run_retried':
      return retried(teller, event)
    case 'rollback_started':
      return teller.begin('rollback', 'roll back', { 'sop.rollback.because': event.details.because })
    case 'run_completed':
      return close(teller, 'completed')
    case 'run_failed':
      return close(teller, 'failed')
    case 'run_cancelled':
      return close(teller, 'cancelled')
    case 'run_forked':
      return teller.endAll({ 'sop.reset': true })
    default:
      tellStep(teller, event)
  }
}

const tellStep = (teller: Teller, event: RunEvent): void => {
  const { stepNumber = 0 } = event
  const item = itemOf(event)
  const about = { 'sop.step.number': stepNumber, ...(item !== undefined && { 'sop.step.item': item }) }
  switch (event.eventType) {
    case 'step_started': {
      const { attempt, kind, title } = event.details
      const within = item === undefined ? undefined : openStep(teller.state, stepNumber)
      const key = stepKey(stepNumber, item, attempt)
      return teller.begin(
        key,
        `step ${title}`,
        { ...about, 'sop.step.attempt': attempt, 'sop.step.kind': kind },
        within,
      )
    }
    case 'step_completed':
      return endStep(teller, event, { 'sop.step.result': 'completed', ...exitCode(event.details.exitCode) })
    case 'step_failed': {
      const { outcome } = event.details
      const how = { 'sop.step.result': 'failed', 'error.type': outcome, ...exitCode(event.details.exitCode) }
      return endStep(teller, event, how, true)
    }
    case 'step_unknown':
      return endStep(teller, event, { 'sop.step.result': 'unknown', 'error.type': 'unknown' }, true)
    case 'step_skipped':
      if (item === undefined) {
        for (const key of Object.keys(teller.state.open)) {
          if (key.startsWith('gate:') && teller.state.open[key]?.attributes['sop.step.number'] === stepNumber)
            teller.end(key, { 'sop.gate.decision': 'skipped' })
        }
      }
      teller.end('pause')
      return endStep(teller, event, { 'sop.step.result': 'skipped' })
    case 'step_rolled_back':
    case 'rollback_failed': {
      const { title, attempt, duration_ms: durationMs } = event.details
      const key = `undo:${executionName(stepNumber, item)}#${attempt}`
      const isError = event.eventType === 'rollback_failed'
      return teller.whole(key, `undo ${title}`, durationMs, about, isError, 'rollback')
    }
    default:
  }
}

const exitCode = (code: number | undefined): Attributes => (code === undefined ? {} : { 'process.exit.code': code })

const verifyKey = (event: RunEvent<'verification_started' | 'verification_passed' | 'verification_failed'>): string =>
  event.details.gate === undefined
    ? `verify:${executionName(event.stepNumber ?? 0, itemOf(event))}`
    : `verify:${event.details.gate}`

const endStep = (teller: Teller, event: RunEvent, attributes: Attributes, isError = false): void => {
  const key = openStep(teller.state, event.stepNumber, itemOf(event))
  if (key !== undefined) teller.end(key, attributes, isError)
}

const endGate = (teller: Teller, event: RunEvent, gate: string, decision: string): void => {
  const key = openGate(teller.state, gate)
  if (key === undefined) return
  teller.end(key, { 'sop.gate.decision': decision, 'sop.gate.decided_by': decidedBy(event), 'sop.gate.via': event.via })
}

const retried = (teller: Teller, { details }: RunEvent<'run_retried'>): void => {
  teller.end('pause')
  for (const gate of details.gates ?? []) teller.end(openGate(teller.state, gate) ?? '')
  if (details.reopens !== true) return
  const lives = teller.state.lives + 1
  const root = `run~${lives}`
  teller.begin(root, `run ${teller.state.sop} again`, { 'sop.run.life': lives })
  teller.state = { ...teller.state, lives, root }
}

const close = (teller: Teller, outcome: 'completed' | 'failed' | 'cancelled'): void => {
  teller.endAll(outcome === 'completed' ? {} : { 'sop.cut_off': true })
  const failed = outcome === 'failed'
  teller.end(teller.state.root, { 'sop.run.outcome': outcome, ...(failed && { 'error.type': 'failed' }) }, failed)
}

/**
 * Tells what the events of a whole record after `after` ended. Telling it piece by piece tells the same. Where the run was
 * reset in Temporal, what was open ends there, and what was open at the place that it went back to is open again.
 */
export const replaySpans = (record: readonly RunEvent[], sop: string, after = 0): Told | undefined => {
  let counting: TraceState[] = []
  let state: TraceState | undefined
  const spans: Span[] = []
  for (const event of record) {
    const told = tellSpans(state, event, sop)
    if (event.sequence > after) spans.push(...told.spans)
    state = told.state
    if (event.eventType === 'run_forked') {
      counting = counting.slice(0, event.details.runSequence - 1)
      state = resumed(told.state, counting.at(-1))
    } else counting.push(state)
  }
  return state === undefined ? undefined : { state, spans }
}

/** What was open then is open again, by names of their own: the old ones may have been told of. */
const resumed = (now: TraceState, then: TraceState | undefined): TraceState => {
  if (then === undefined) return now
  const again = `@${now.sequence}`
  const open = Object.entries(then.open).map(([key, span]) => [
    key,
    key === then.root ? span : { ...span, spanId: spanIdOf(now.runId, key + again) },
  ])
  return { ...now, again, root: then.root, lives: then.lives, open: Object.fromEntries(open) as TraceState['open'] }
}
