import type { RunEvent } from '../run/event.ts'
import type { ClosedState } from '../run/state.ts'
import { sketchOf } from './sketch.ts'
import type { Count, Tally, Timing } from './tally.ts'

// open-run.ts: what is open of a run at the moment, and what it adds to the figures when it ends.

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
  /** Manual steps that somebody has done, and that are checked now. */
  readonly answered?: readonly number[]
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

/** A run of which nothing was counted yet. */
export const blank = (sop: string, atMs: number): RunTrace => ({
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

/** What is open of a run while one of its events is counted, and what that adds. */
export class OpenRun {
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

  /** A manual step is done, and its check begins. */
  answer(number: number): void {
    if (this.trace.inputs[number] === undefined) return
    this.closeInput(number)
    this.set({ answered: [...(this.trace.answered ?? []), number] })
  }

  /** The step is over, or is begun anew: nothing of it is under way any more. */
  leave(number = 0): void {
    this.end(`step:${number}`)
    this.closeInput(number)
    const { answered = [], ...rest } = this.trace
    if (!answered.includes(number)) return
    const others = answered.filter((each) => each !== number)
    this.trace = others.length === 0 ? rest : { ...rest, answered: others }
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
