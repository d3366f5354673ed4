import type { Registry } from 'prom-client'
import type { Cell } from '../../core/metrics/ledger.ts'
import { addSketch, type Sketch } from '../../core/metrics/sketch.ts'
import { type Count, countOf, sketchIn, type Tally, type Timing } from '../../core/metrics/tally.ts'
import type { OpenRuns } from '../../core/run/census.ts'
import { isClosed, RUN_STATES } from '../../core/run/state.ts'
import { addHistogram, addSamples, type Labels, type Sample, type SketchSample } from './families.ts'

// run-families.ts: what is told of runs. It comes from the record: the same after a restart, and from every process.

export type SopLabel = (sop: string) => string

type Row = readonly [labels: Labels, count: (tally: Tally) => number]
const row = (labels: Labels, ...counts: readonly Count[]): Row => [
  labels,
  (tally) => counts.reduce((sum, count) => sum + countOf(tally, count), 0),
]

/** What is counted of runs since the beginning; each with the label `sop` besides. */
const COUNTERS: readonly { readonly name: string; readonly help: string; readonly rows: readonly Row[] }[] = [
  {
    name: 'sop_runs_ended_total',
    help: 'Ends of runs by outcome; a run that is opened again by a retry ends once more. refused: never let in',
    rows: [
      row({ outcome: 'completed' }, 'completed'),
      row({ outcome: 'failed' }, 'failed'),
      [{ outcome: 'cancelled' }, (tally) => countOf(tally, 'cancelled') - countOf(tally, 'refused')],
      row({ outcome: 'refused' }, 'refused'),
    ],
  },
  { name: 'sop_runs_started_total', help: 'Runs that began to carry out steps', rows: [row({}, 'started')] },
  { name: 'sop_runs_reopened_total', help: 'Closed runs that were opened again', rows: [row({}, 'reopened')] },
  { name: 'sop_runs_paused_total', help: 'Pauses of runs', rows: [row({}, 'paused')] },
  {
    name: 'sop_runs_attended_total',
    help: 'Ends of runs in which a person acted; unplanned: though no gate or manual step had asked',
    rows: [row({ kind: 'any' }, 'attended'), row({ kind: 'unplanned' }, 'unplanned')],
  },
  { name: 'sop_runs_forced_total', help: 'Ends of runs that were started by force', rows: [row({}, 'forced')] },
  {
    name: 'sop_runs_approvals_skipped_total',
    help: 'Ends of runs whose start skipped approvals',
    rows: [row({}, 'skip_approval')],
  },
  {
    name: 'sop_gates_closed_total',
    help: 'Gates by how they closed; withdrawn: the run went on or ended without a decision; skipped: approved by the start of the run',
    rows: [
      row({ how: 'approved' }, 'gate_granted'),
      row({ how: 'rejected' }, 'gate_rejected'),
      row({ how: 'timer_approved' }, 'timer_approve'),
      row({ how: 'timer_rejected' }, 'timer_reject', 'timer_fail'),
      row({ how: 'withdrawn' }, 'gate_withdrawn'),
      row({ how: 'skipped' }, 'gate_skip_approval'),
    ],
  },
  { name: 'sop_gates_escalated_total', help: 'Escalations of gates by their timer', rows: [row({}, 'timer_escalate')] },
  {
    name: 'sop_step_executions_total',
    help: 'Executions of steps by how they ended; unknown: nobody knew whether it ran',
    rows: [
      row({ result: 'completed' }, 'step_completed'),
      row({ result: 'failed' }, 'step_failed'),
      row({ result: 'unknown' }, 'step_unknown'),
    ],
  },
  { name: 'sop_steps_rolled_back_total', help: 'Steps that were undone', rows: [row({}, 'step_rolled_back')] },
  {
    name: 'sop_steps_skipped_total',
    help: 'Steps that were passed over, by what decided it',
    rows: [
      row({ by: 'condition' }, 'skipped_by_condition'),
      row({ by: 'person' }, 'skipped_by_person'),
      row({ by: 'other' }, 'skipped_otherwise'),
    ],
  },
  {
    name: 'sop_retries_total',
    help: 'Steps and runs that were tried again',
    rows: [row({ by: 'engine' }, 'retry_by_engine'), row({ by: 'person' }, 'retry_by_person')],
  },
]

/** What took time; each with the label `sop` besides. */
const HISTOGRAMS: readonly {
  readonly name: string
  readonly help: string
  readonly rows: readonly (readonly [Labels, Timing])[]
}[] = [
  {
    name: 'sop_run_duration_seconds',
    help: 'From the creation of a run to its end, waits for people and in the queue included',
    rows: [
      [{ outcome: 'completed' }, 'elapsed:completed'],
      [{ outcome: 'failed' }, 'elapsed:failed'],
      [{ outcome: 'cancelled' }, 'elapsed:cancelled'],
    ],
  },
  {
    name: 'sop_run_work_seconds',
    help: 'The same without the time in which the run only waited for people or for a slot',
    rows: [
      [{ outcome: 'completed' }, 'working:completed'],
      [{ outcome: 'failed' }, 'working:failed'],
      [{ outcome: 'cancelled' }, 'working:cancelled'],
    ],
  },
  { name: 'sop_approval_wait_seconds', help: 'From the opening of a gate to its end', rows: [[{}, 'approval_wait']] },
  { name: 'sop_input_wait_seconds', help: 'How long manual steps waited to be done', rows: [[{}, 'input_wait']] },
  { name: 'sop_queue_wait_seconds', help: 'How long runs waited for a slot', rows: [[{}, 'queue']] },
  { name: 'sop_pause_seconds', help: 'How long runs stood paused', rows: [[{}, 'pause']] },
  { name: 'sop_step_duration_seconds', help: 'Completed executions of steps by the engine', rows: [[{}, 'step']] },
]

/** Runs of each SOP, for who gets a name. */
export const runsBySop = (totals: readonly Cell[]): ReadonlyMap<string, number> =>
  new Map(totals.filter(({ sign }) => sign === 1).map(({ sop, tally }) => [sop, countOf(tally, 'created')]))

/** Counters and histograms of runs. What was taken back stays counted: counters only grow. */
export const addRunTotals = (registry: Registry, totals: readonly Cell[], label: SopLabel): void => {
  const added = totals.filter(({ sign }) => sign === 1)
  for (const { name, help, rows } of COUNTERS) {
    const labels = ['sop', ...Object.keys(rows[0]?.[0] ?? {})]
    const samples = added.flatMap(({ sop, tally }) =>
      rows.map(([of, count]): Sample => ({ labels: { sop: label(sop), ...of }, value: count(tally) })),
    )
    addSamples(registry, 'counter', { name, help, labels }, samples)
  }
  addSamples(
    registry,
    'counter',
    { name: 'sop_runs_created_total', help: 'Runs by the kind of trigger that began them', labels: ['sop', 'trigger'] },
    added.flatMap(({ sop, tally }) => byTrigger(label(sop), tally)),
  )
  for (const { name, help, rows } of HISTOGRAMS) {
    const samples = added.flatMap(({ sop, tally }) =>
      rows.map(
        ([of, timing]): SketchSample => ({ labels: { sop: label(sop), ...of }, sketch: sketchIn(tally, timing) }),
      ),
    )
    addHistogram(registry, { name, help }, merged(samples))
  }
}

const byTrigger = (sop: string, { counts }: Tally): readonly Sample[] =>
  Object.entries(counts).flatMap(([key, value]) =>
    key.startsWith('trigger:') ? [{ labels: { sop, trigger: key.slice('trigger:'.length) }, value }] : [],
  )

/** Several SOPs may share a label. */
const merged = (samples: readonly SketchSample[]): readonly SketchSample[] => {
  const sums = new Map<string, { readonly labels: Labels; readonly sketch: Sketch }>()
  for (const { labels, sketch } of samples) {
    const key = JSON.stringify(labels)
    const sum = sums.get(key)
    sums.set(key, { labels, sketch: sum === undefined ? sketch : addSketch(sum.sketch, sketch) })
  }
  return [...sums.values()]
}

const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))

/** Gauges of open runs. */
export const addOpenRuns = (
  registry: Registry,
  open: readonly OpenRuns[],
  label: SopLabel,
  known: readonly string[],
): void => {
  const sops = [...new Set(known.map(label))]
  addSamples(registry, 'gauge', { name: 'sop_runs_open', help: 'Open runs by state', labels: ['sop', 'state'] }, [
    // Every state of every SOP, so that a series does not vanish with its last run.
    ...sops.flatMap((sop) => OPEN_STATES.map((state) => ({ labels: { sop, state }, value: 0 }))),
    ...open.map(({ sop, state, runs }) => ({ labels: { sop: label(sop), state }, value: runs })),
  ])
  addSamples(registry, 'gauge', { name: 'sop_gates_open', help: 'Gates that wait for a decision', labels: ['sop'] }, [
    ...sops.map((sop) => ({ labels: { sop }, value: 0 })),
    ...open.map(({ sop, gates }) => ({ labels: { sop: label(sop) }, value: gates })),
  ])
  const queued = open.reduce((sum, each) => sum + each.queued, 0)
  addSamples(registry, 'gauge', { name: 'sop_queue_length', help: 'Runs that wait for a slot', labels: [] }, [
    { labels: {}, value: queued },
  ])
}
