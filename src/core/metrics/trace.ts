import type { EventType, RunEvent } from '../run/event.ts'
import type { ClosedState } from '../run/state.ts'
import { sketchOf } from './sketch.ts'
import type { Count, Tally, Timing } from './tally.ts'

// trace.ts: what a run adds to the metrics, event by event. What it keeps of a run is what is open at the moment.

/** What an event adds, or (`sign` -1) takes back of what was added before. */
export interface Delta {
  /** UTC day, `2026-03-01`. */
  readonly day: string
  readonly sop: string
  /** Absent: it is about the run as a whole. */
  readonly step?: number
  readonly sign: 1 | -1
  readonly tally: Tally
}

/** What is known of a run in order to count its next event. JSON-safe. */
export interface RunTrace {
  readonly sop: string
  /** Of the last event that was counted. */
  readonly sequence: number
  readonly createdMs: number
  readonly startedMs?: number
  /** Works of the engine that are under way: steps by number, gates whose command runs, the walk back. */
  readonly active: readonly string[]
  /** Gates that wait for a decision. */
  readonly gates: Readonly<
    Record<string, { readonly atMs: number; readonly step: number; readonly for: readonly string[] }>
  >
  /** Manual steps that wait, by number: since when. */
  readonly inputs: Readonly<Record<string, number>>
  readonly pausedMs?: number
  readonly queuedMs?: number
  /** What the run is doing since when, and how long it did in all before. */
  readonly phase: Phase
  readonly phaseMs: number
  readonly waitedMs: number
  readonly queueMs: number
  readonly attended?: true
  readonly unplanned?: true
  readonly forced?: true
  readonly skipped?: true
  readonly refused?: true
  /** What its end added: taken back where the run is opened again. */
  readonly end?: Omit<Delta, 'sign'>
}

/** `people`: nothing is under way but waiting for somebody. `queue`: nothing but waiting for a slot. */
type Phase = 'work' | 'people' | 'queue'

const blank = (sop: string, atMs: number): RunTrace => ({
  sop,
  sequence: 0,
  createdMs: atMs,
  active: [],
  gates: {},
  inputs: {},
  phase: 'work',
  phaseMs: atMs,
  waitedMs: 0,
  queueMs: 0,
})

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
  const step = new Step(before ?? blank(sop, atMs), event, atMs)
  count(step, event)
  return step.done()
}

/** One event under way: the open things of its run, and what it adds. */
class Step {
  readonly deltas: Delta[] = []
  readonly event: RunEvent
  readonly atMs: number
  readonly day: string
  trace: RunTrace

  constructor(trace: RunTrace, event: RunEvent, atMs: number) {
    this.trace = trace
    this.event = event
    this.atMs = atMs
    this.day = event.timestamp.slice(0, 10)
  }

  set(changes: Partial<RunTrace>): void {
    this.trace = { ...this.trace, ...changes }
  }

  /** Adds to the day of the event, for its step where it is about one. */
  add(
    {
      counts = [],
      times = {},
      title,
    }: { counts?: readonly Count[]; times?: Partial<Record<Timing, number>>; title?: string },
    number = this.event.stepNumber,
  ): Delta {
    const delta: Delta = {
      day: this.day,
      sop: this.trace.sop,
      ...(number !== undefined && number > 0 && { step: number }),
      sign: 1,
      tally: {
        counts: Object.fromEntries(counts.map((each) => [each, 1])),
        times: Object.fromEntries(Object.entries(times).map(([timing, ms]) => [timing, sketchOf(ms ?? 0)])),
        ...(title !== undefined && { title }),
      },
    }
    this.deltas.push(delta)
    return delta
  }

  begin(work: string): void {
    this.set({ active: [...this.trace.active.filter((each) => each !== work), work] })
  }

  end(work: string): void {
    this.set({ active: this.trace.active.filter((each) => each !== work) })
  }

  openGate(gate: string, step: number, names: readonly string[]): void {
    this.closeGate(gate, ['gate_withdrawn'])
    this.set({ gates: { ...this.trace.gates, [gate]: { atMs: this.atMs, step, for: names } } })
  }

  /** `by`: who decided, as `user:alice`. */
  closeGate(gate: string, counts: readonly Count[], by?: string): void {
    const { [gate]: open, ...gates } = this.trace.gates
    if (open === undefined) return
    this.set({ gates })
    // Nobody waited for an approval that the start of the run gave.
    if (counts.includes('gate_skip_approval')) {
      this.add({ counts }, open.step)
      return
    }
    const waited = this.atMs - open.atMs
    const times: Partial<Record<Timing, number>> = { approval_wait: waited }
    for (const name of open.for) times[`for:${name}`] = waited
    if (by !== undefined) times[`by:${by}`] = waited
    this.add({ counts, times }, open.step)
  }

  closeGatesOf(number: number | undefined): void {
    for (const [gate, { step }] of Object.entries(this.trace.gates)) {
      if (number === undefined || step === number) this.closeGate(gate, ['gate_withdrawn'])
    }
  }

  closeInput(number: number): void {
    const { [number]: since, ...inputs } = this.trace.inputs
    if (since === undefined) return
    this.add({ times: { input_wait: this.atMs - since } }, number)
    this.set({ inputs })
  }

  /** The step is over, or is begun anew: nothing of it is under way any more. */
  leave(number = 0): void {
    this.end(`step:${number}`)
    this.closeInput(number)
  }

  resume(): void {
    const { pausedMs, ...rest } = this.trace
    if (pausedMs === undefined) return
    this.trace = rest
    this.add({ times: { pause: this.atMs - pausedMs } }, 0)
  }

  leaveQueue(): void {
    const { queuedMs, ...rest } = this.trace
    if (queuedMs === undefined) return
    this.trace = rest
    this.add({ times: { queue: this.atMs - queuedMs } }, 0)
  }

  /** The time since the last event belongs to what the run did then. */
  spend(): void {
    const { phase, phaseMs, waitedMs, queueMs } = this.trace
    const spentMs = Math.max(0, this.atMs - phaseMs)
    this.set({
      phaseMs: Math.max(phaseMs, this.atMs),
      ...(phase === 'people' && { waitedMs: waitedMs + spentMs }),
      ...(phase === 'queue' && { queueMs: queueMs + spentMs }),
    })
  }

  close(outcome: ClosedState): void {
    this.spend()
    this.closeGatesOf(undefined)
    for (const number of Object.keys(this.trace.inputs)) this.closeInput(Number(number))
    this.resume()
    this.leaveQueue()
    const { createdMs, startedMs, waitedMs, queueMs, attended, unplanned, forced, skipped, refused } = this.trace
    const elapsed = this.atMs - createdMs
    const working = Math.max(0, elapsed - waitedMs - queueMs)
    const { sign: _, ...end } = this.add(
      {
        counts: [
          outcome,
          ...(refused ? (['refused'] as const) : []),
          ...(attended ? (['attended'] as const) : []),
          ...(unplanned ? (['unplanned'] as const) : []),
          ...(forced ? (['forced'] as const) : []),
          ...(skipped ? (['skip_approval'] as const) : []),
        ],
        // A run that never began took no time of anybody's.
        times: startedMs === undefined ? {} : { [`elapsed:${outcome}`]: elapsed, [`working:${outcome}`]: working },
      },
      0,
    )
    this.set({ active: [], end })
  }

  /** The run was closed and goes on: what its end had added is taken back, and the time between was nobody's work. */
  reopen(): void {
    const { end, ...rest } = this.trace
    if (end === undefined) return
    this.trace = rest
    this.deltas.push({ ...end, sign: -1 })
    this.add({ counts: ['reopened'] }, 0)
  }

  done(): { readonly trace: RunTrace; readonly deltas: readonly Delta[] } {
    this.spend()
    this.set({ phase: phaseOf(this.trace), sequence: this.event.sequence })
    return { trace: this.trace, deltas: this.deltas }
  }
}

const phaseOf = ({ active, gates, inputs, pausedMs, queuedMs, end }: RunTrace): Phase => {
  if (active.length > 0) return 'work'
  const waits =
    pausedMs !== undefined || end !== undefined || Object.keys(gates).length + Object.keys(inputs).length > 0
  return waits ? 'people' : queuedMs === undefined ? 'work' : 'queue'
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

const noteActs = (step: Step, { eventType, principal, via }: RunEvent): void => {
  const act = ACTS[eventType]
  if (act === undefined || principal.kind !== 'user' || via === 'skip_approval') return
  step.set({ attended: true, ...(act === 'unplanned' && { unplanned: true }) })
}

/** Nobody vouches for an id that came by a bare signal: such deciders are one. */
const decider = ({ principal }: RunEvent): string =>
  principal.verified === false ? `${principal.kind}:unverified` : `${principal.kind}:${principal.id}`

/** Says something of one item of a `for_each` step alone. */
const isOfItem = ({ eventType, details }: RunEvent): boolean => eventType !== 'input_received' && 'item' in details

const count = (step: Step, event: RunEvent): void => {
  noteActs(step, event)
  if (isOfItem(event)) return countItem(step, event)
  if (event.stepNumber === undefined || event.stepNumber === 0) countRun(step, event)
  else countStep(step, event)
}

/** Items have durations of their own; what is counted of them is how often somebody, or the engine, tried again. */
const countItem = (step: Step, event: RunEvent): void => {
  if (event.eventType === 'step_failed' && event.details.then === 'retry') step.add({ counts: ['retry_by_engine'] })
  if (event.eventType === 'run_retried') retried(step, event)
  if (event.eventType === 'run_resumed' || event.eventType === 'step_skipped') step.resume()
  if (event.eventType === 'step_failed' && event.details.then === 'rollback') walksBack(step)
}

const walksBack = (step: Step): void => {
  step.closeGatesOf(undefined)
  step.begin('rollback')
}

const retried = (step: Step, { details, stepNumber }: RunEvent<'run_retried'>): void => {
  step.reopen()
  step.resume()
  step.add({ counts: ['retry_by_person'] }, details.fromStep ?? stepNumber ?? 0)
  for (const gate of details.gates ?? []) step.closeGate(gate, ['gate_withdrawn'])
  for (const number of details.again ?? []) step.leave(number)
}

const countRun = (step: Step, event: RunEvent): void => {
  switch (event.eventType) {
    case 'run_created': {
      const { sop, trigger, forced } = event.details
      step.set({ sop, ...(forced === true && { forced }) })
      step.add({ counts: ['created', `trigger:${trigger.type}`] })
      return
    }
    case 'run_queued':
      return step.set({ queuedMs: step.trace.queuedMs ?? step.atMs })
    case 'run_admitted':
      if (event.details.phase === 'slot') step.leaveQueue()
      return
    case 'run_refused':
      return step.set({ refused: true })
    case 'run_started':
      step.set({ startedMs: step.trace.startedMs ?? step.atMs })
      step.add({ counts: ['started'] })
      return
    default:
      countEither(step, event)
  }
}

/** Events of a run that may name a step. */
const countEither = (step: Step, event: RunEvent): void => {
  switch (event.eventType) {
    case 'approval_requested':
      return step.openGate(event.details.gate, event.stepNumber ?? 0, event.details.approvers ?? [])
    case 'approval_granted':
    case 'approval_rejected':
      return decided(step, event)
    case 'approval_timeout':
      return timedOut(step, event)
    case 'gate_skipped':
      return step.closeGate(event.details.gate, ['gate_withdrawn'])
    case 'run_paused':
      if (step.trace.pausedMs === undefined) step.set({ pausedMs: step.atMs })
      step.end('rollback')
      step.add({ counts: ['paused'] }, 0)
      return
    case 'run_resumed':
      return step.resume()
    case 'run_retried':
      return retried(step, event)
    case 'rollback_started':
      return walksBack(step)
    case 'cancel_requested':
      if (event.details.rollback === true) walksBack(step)
      return
    case 'verification_started':
      return step.begin(event.details.gate ?? `step:${event.stepNumber ?? 0}`)
    case 'verification_passed':
    case 'verification_failed':
      if (event.details.gate !== undefined) step.end(event.details.gate)
      return
    case 'run_completed':
      return step.close('completed')
    case 'run_failed':
      return step.close('failed')
    case 'run_cancelled':
      return step.close('cancelled')
    default:
  }
}

const countStep = (step: Step, event: RunEvent): void => {
  const number = event.stepNumber ?? 0
  switch (event.eventType) {
    case 'step_started':
      step.leave(number)
      if (event.details.kind !== 'manual') step.begin(`step:${number}`)
      step.add({ counts: ['step_started'], title: event.details.title })
      return
    case 'input_requested':
      if (step.trace.inputs[number] === undefined) step.set({ inputs: { ...step.trace.inputs, [number]: step.atMs } })
      return
    case 'step_completed': {
      // How long a manual step waited is no work of the engine.
      const isManual = step.trace.inputs[number] !== undefined
      step.leave(number)
      step.add({
        counts: ['step_completed'],
        times: isManual ? {} : { step: event.details.duration_ms },
        title: event.details.title,
      })
      return
    }
    case 'step_failed': {
      const { then, title } = event.details
      step.leave(number)
      if (then === 'retry') step.begin(`step:${number}`)
      step.add({ counts: ['step_failed', ...(then === 'retry' ? (['retry_by_engine'] as const) : [])], title })
      // The steps on the way back are begun anew, and their gates asked again.
      for (const other of event.details.again ?? []) {
        step.leave(other)
        step.closeGatesOf(other)
      }
      if (then === 'rollback') walksBack(step)
      return
    }
    case 'step_unknown':
      step.leave(number)
      step.add({ counts: ['step_unknown'], title: event.details.title })
      return
    case 'step_skipped':
      step.leave(number)
      step.closeGatesOf(number)
      step.resume()
      step.add({ counts: [whySkipped(event)], title: event.details.title })
      return
    case 'step_rolled_back':
      step.add({ counts: ['step_rolled_back'], title: event.details.title })
      return
    default:
      countEither(step, event)
  }
}

const whySkipped = ({ details, principal }: RunEvent<'step_skipped'>): Count => {
  if (details.condition !== undefined) return 'skipped_by_condition'
  return principal.kind === 'user' || principal.kind === 'agent' ? 'skipped_by_person' : 'skipped_otherwise'
}

const decided = (step: Step, event: RunEvent<'approval_granted'> | RunEvent<'approval_rejected'>): void => {
  const by = decider(event)
  if (event.via === 'skip_approval') {
    step.set({ skipped: true })
    return step.closeGate(event.details.gate, ['gate_skip_approval'])
  }
  const counts: readonly Count[] =
    event.eventType === 'approval_granted' ? ['gate_granted', `approved:${by}`] : ['gate_rejected', `rejected:${by}`]
  step.closeGate(event.details.gate, counts, by)
  if (event.eventType === 'approval_rejected' && event.details.action === 'rollback') walksBack(step)
}

const timedOut = (step: Step, { details, stepNumber = 0 }: RunEvent<'approval_timeout'>): void => {
  if (details.action === 'escalate') {
    step.add({ counts: ['timer_escalate'] }, stepNumber)
    return
  }
  step.closeGate(details.gate, [`timer_${details.action}`])
  if (details.then === 'rollback') walksBack(step)
}
