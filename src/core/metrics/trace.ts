import type { EventType, RunEvent } from '../run/event.ts'
import type { Count } from './tally.ts'
import { type Delta, type RunTrace, blank, OpenRun } from './open-run.ts'

// trace.ts: what a run adds to the metrics, event by event. What it keeps of a run is what is open at the moment.

/**
 * The trace after the event, and what the event adds; the same trace and nothing where it is older. Marks of resets are
 * not for it: see `replay`. `sop` names the run's SOP where its record does not begin with `run_created`.
 */
export const advance = (
  before: RunTrace | undefined,
  event: RunEvent,
  sop: string,
): { readonly trace: RunTrace; readonly deltas: readonly Delta[] } => {
  if (before !== undefined && event.sequence <= before.sequence) return { trace: before, deltas: [] }
  const atMs = Date.parse(event.timestamp)
  const run = new OpenRun(before ?? blank(sop, atMs), event, atMs)
  count(run, event)
  return run.done()
}

/** What only people do. With `planned` a gate or a manual step had asked for it. */
const ACTS: Partial<Record<EventType, 'planned' | 'unplanned'>> = {
  approval_granted: 'planned',
  approval_rejected: 'planned',
  step_completed: 'planned',
  step_failed: 'planned',
  input_received: 'planned',
  step_skipped: 'unplanned',
  verification_started: 'unplanned',
  pause_requested: 'unplanned',
  run_paused: 'unplanned',
  run_resumed: 'unplanned',
  run_retried: 'unplanned',
  cancel_requested: 'unplanned',
  run_cancelled: 'unplanned',
}

const noteActs = (run: OpenRun, { eventType, principal, via, stepNumber = 0 }: RunEvent): void => {
  const isAskedFor = eventType === 'verification_started' && run.trace.inputs[stepNumber] !== undefined
  const act = isAskedFor ? 'planned' : ACTS[eventType]
  if (act === undefined || principal.kind !== 'user' || via === 'skip_approval') return
  run.set({ attended: true, ...(act === 'unplanned' && { unplanned: true }) })
}

/** Nobody vouches for an id that came by a bare signal: such deciders are one. */
const decider = ({ principal }: RunEvent): string =>
  principal.verified === false ? `${principal.kind}:unverified` : `${principal.kind}:${principal.id}`

/** Says something of one item of a `for_each` step alone. */
const isOfItem = ({ eventType, details }: RunEvent): boolean => eventType !== 'input_received' && 'item' in details

const count = (run: OpenRun, event: RunEvent): void => {
  noteActs(run, event)
  if (isOfItem(event)) return countItem(run, event)
  if (event.stepNumber === undefined || event.stepNumber === 0) countRun(run, event)
  else countStep(run, event)
}

/** Items have durations of their own; what is counted of them is how often somebody, or the engine, tried again. */
const countItem = (run: OpenRun, event: RunEvent): void => {
  if (event.eventType === 'step_failed' && event.details.then === 'retry') run.add({ counts: ['retry_by_engine'] })
  if (event.eventType === 'run_retried') retried(run, event)
  if (event.eventType === 'run_resumed' || event.eventType === 'step_skipped') run.resume()
  if (event.eventType === 'step_failed' && event.details.then === 'rollback') walksBack(run)
}

const walksBack = (run: OpenRun): void => {
  run.closeGatesOf(undefined)
  run.begin('rollback')
}

const retried = (run: OpenRun, { details, stepNumber }: RunEvent<'run_retried'>): void => {
  run.reopen()
  run.resume()
  run.add({ counts: ['retry_by_person'] }, details.fromStep ?? stepNumber ?? 0)
  for (const gate of details.gates ?? []) run.closeGate(gate, ['gate_withdrawn'])
  for (const number of details.again ?? []) run.leave(number)
}

const countRun = (run: OpenRun, event: RunEvent): void => {
  switch (event.eventType) {
    case 'run_created': {
      const { sop, trigger, forced } = event.details
      run.set({ sop, ...(forced === true && { forced }) })
      run.add({ counts: ['created', `trigger:${trigger.type}`] })
      return
    }
    case 'run_queued':
      return run.set({ queuedMs: run.trace.queuedMs ?? run.atMs })
    case 'run_admitted':
      if (event.details.phase === 'slot') run.leaveQueue()
      return
    case 'run_refused':
      return run.set({ refused: true })
    case 'run_started':
      run.set({ startedMs: run.trace.startedMs ?? run.atMs })
      run.add({ counts: ['started'] })
      return
    default:
      countEither(run, event)
  }
}

/** Events of a run that may name a step. */
const countEither = (run: OpenRun, event: RunEvent): void => {
  switch (event.eventType) {
    case 'approval_requested':
      return run.openGate(event.details.gate, event.stepNumber ?? 0, event.details.approvers ?? [])
    case 'approval_granted':
    case 'approval_rejected':
      return decided(run, event)
    case 'approval_timeout':
      return timedOut(run, event)
    case 'gate_skipped':
      return run.closeGate(event.details.gate, ['gate_withdrawn'])
    case 'run_paused':
      if (run.trace.pausedMs === undefined) run.set({ pausedMs: run.atMs })
      run.end('rollback')
      run.add({ counts: ['paused'] }, 0)
      return
    case 'run_resumed':
      return run.resume()
    case 'run_retried':
      return retried(run, event)
    case 'rollback_started':
      return walksBack(run)
    case 'cancel_requested':
      if (event.details.rollback === true) walksBack(run)
      return
    case 'verification_started':
      if (event.details.gate === undefined) run.answer(event.stepNumber ?? 0)
      return run.begin(event.details.gate ?? `step:${event.stepNumber ?? 0}`)
    case 'verification_passed':
    case 'verification_failed':
      if (event.details.gate !== undefined) run.end(event.details.gate)
      return
    case 'run_completed':
      return run.close('completed')
    case 'run_failed':
      return run.close('failed')
    case 'run_cancelled':
      return run.close('cancelled')
    default:
  }
}

const countStep = (run: OpenRun, event: RunEvent): void => {
  const number = event.stepNumber ?? 0
  switch (event.eventType) {
    case 'step_started':
      run.leave(number)
      if (event.details.kind !== 'manual') run.begin(`step:${number}`)
      run.add({ counts: ['step_started'], title: event.details.title })
      return
    case 'input_requested':
      if (run.trace.inputs[number] === undefined) run.set({ inputs: { ...run.trace.inputs, [number]: run.atMs } })
      return
    case 'step_completed': {
      // How long a manual step waited is no work of the engine.
      const isManual = run.trace.inputs[number] !== undefined || run.trace.answered?.includes(number) === true
      run.leave(number)
      run.add({
        counts: ['step_completed'],
        times: isManual ? {} : { step: event.details.duration_ms },
        title: event.details.title,
      })
      return
    }
    case 'step_failed': {
      const { then, title } = event.details
      run.leave(number)
      if (then === 'retry') run.begin(`step:${number}`)
      run.add({ counts: ['step_failed', ...(then === 'retry' ? (['retry_by_engine'] as const) : [])], title })
      // The steps on the way back are begun anew, and their gates asked again.
      for (const other of event.details.again ?? []) {
        run.leave(other)
        run.closeGatesOf(other)
      }
      if (then === 'rollback') walksBack(run)
      return
    }
    case 'step_unknown':
      run.leave(number)
      run.add({ counts: ['step_unknown'], title: event.details.title })
      return
    case 'step_skipped':
      run.leave(number)
      run.closeGatesOf(number)
      run.resume()
      run.add({ counts: [whySkipped(event)], title: event.details.title })
      return
    case 'step_rolled_back':
      run.add({ counts: ['step_rolled_back'], title: event.details.title })
      return
    default:
      countEither(run, event)
  }
}

const whySkipped = ({ details, principal }: RunEvent<'step_skipped'>): Count => {
  if (details.condition !== undefined) return 'skipped_by_condition'
  return principal.kind === 'user' || principal.kind === 'agent' ? 'skipped_by_person' : 'skipped_otherwise'
}

const decided = (run: OpenRun, event: RunEvent<'approval_granted'> | RunEvent<'approval_rejected'>): void => {
  const by = decider(event)
  if (event.via === 'skip_approval') {
    run.set({ skipped: true })
    return run.closeGate(event.details.gate, ['gate_skip_approval'])
  }
  const counts: readonly Count[] =
    event.eventType === 'approval_granted' ? ['gate_granted', `approved:${by}`] : ['gate_rejected', `rejected:${by}`]
  run.closeGate(event.details.gate, counts, by)
  if (event.eventType === 'approval_rejected' && event.details.action === 'rollback') walksBack(run)
}

const timedOut = (run: OpenRun, { details, stepNumber = 0 }: RunEvent<'approval_timeout'>): void => {
  if (details.action === 'escalate') {
    run.add({ counts: ['timer_escalate'] }, stepNumber)
    return
  }
  run.closeGate(details.gate, [`timer_${details.action}`])
  if (details.then === 'rollback') walksBack(run)
}
