import { stepOf } from './steps.ts'
import { type Actor, may, type Verb } from '../access.ts'
import type { Json } from '../definition.ts'
import type { ErrorCode } from '../errors.ts'
import { decide } from './decide.ts'
import type { Decision, DecisionKind, RetryOutcome } from './decision.ts'
import { openGates } from './gates.ts'
import { itemsIn } from './items.ts'
import type { GateRun, Run, StepRun } from './run.ts'

// controls.ts: what somebody can do about a run now, and for everything else why not. Nothing is judged here: each control
// is the decision that it would send, tried on the run by the rules that would answer it.

/** What a decision about a run says, without its sender. */
export interface ControlBody {
  readonly gate?: string
  readonly step?: number
  readonly attempt?: number
  readonly item?: number
  readonly covers?: string
  readonly rollback?: true
  readonly failed?: true
  readonly outcome?: RetryOutcome
}

/** What a control is about. */
export type ControlAbout = 'run' | 'gate' | 'step' | 'item'

/** Every control that exists, by name; several decisions have more than one meaning, and each is one of these. */
export const CONTROLS = [
  'approve',
  'reject',
  'complete',
  'fail',
  'skip',
  'did_not_run',
  'run_again',
  'pause',
  'resume',
  'retry',
  'retry_from',
  'roll_back',
  'cancel',
] as const
export type ControlName = (typeof CONTROLS)[number]

export interface Control {
  readonly name: ControlName
  /** The message that it sends: `POST /api/v1/runs/{id}/{verb}` with `body`, and a comment. */
  readonly verb: DecisionKind
  readonly about: ControlAbout
  /** Words for a button. */
  readonly label: string
  readonly body: ControlBody
  readonly allowed: boolean
  /** Why not, as a sentence. */
  readonly reason?: string
  readonly code?: ErrorCode
  /** What it leads to, in a word of the answer, e.g. `paused`. */
  readonly leadsTo?: string
  /** It cannot be taken back, so it wants a second look. */
  readonly secondLook?: true
  /** Secret params whose values have to come along again. */
  readonly secrets?: readonly string[]
}

/** Steps that `retry_from` is told of, and items of one step. */
const STEPS_SHOWN = 100
const ITEMS_SHOWN = 20

const VERBS: Readonly<Record<DecisionKind, Verb>> = {
  approve: 'approveStep',
  reject: 'rejectStep',
  complete: 'completeStep',
  skip: 'skipStep',
  cancel: 'cancelRun',
  pause: 'pauseRun',
  resume: 'resumeRun',
  retry: 'retryRun',
}

const LABELS: Readonly<Record<ControlName, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  complete: 'Complete',
  fail: 'Report as failed',
  skip: 'Skip',
  did_not_run: 'It did not run: run it',
  run_again: 'Run it again, though it may have run',
  pause: 'Pause',
  resume: 'Resume',
  retry: 'Retry',
  retry_from: 'Retry from here',
  roll_back: 'Roll back',
  cancel: 'Cancel',
}

type Sketch = Pick<Control, 'name' | 'verb' | 'about' | 'body'> & {
  readonly label?: string
  readonly secondLook?: boolean
  /** What else the rules would ask for, and a person fills in later. */
  readonly trial?: Partial<Decision>
  readonly assignee?: string | undefined
}

/**
 * The controls of a run for one actor, at an instant (ISO-8601 UTC). The same actor's decision, sent in that state, is
 * accepted exactly where `allowed` says so; values of a form are judged when they come.
 */
export const controlsOf = (run: Run, actor: Actor, at: string): readonly Control[] =>
  [
    ...openGates(run).flatMap((gate) => gateControls(run, gate)),
    ...run.steps.flatMap((step) => stepControls(run, step)),
    ...runControls(run),
    ...backControls(run),
  ].map((sketch) => judged(run, actor, sketch, at))

/** Only what answers that which the run waits for: its open gates, its manual and unknown steps, its pause. */
export const answersOf = (run: Run, actor: Actor, at: string): readonly Control[] =>
  [
    ...openGates(run).flatMap((gate) => gateControls(run, gate)),
    ...run.steps.flatMap((step) => stepControls(run, step)),
    ...(run.paused === undefined && run.rollback === undefined
      ? []
      : runControls(run).filter(({ name }) => name !== 'pause')),
  ].map((sketch) => judged(run, actor, sketch, at))

const gateControls = (run: Run, gate: GateRun): readonly Sketch[] => {
  const body = {
    gate: gate.id,
    ...(gate.stepNumber > 0 && { step: gate.stepNumber }),
    attempt: gate.attempt,
    ...(gate.covers !== undefined && { covers: gate.covers }),
  }
  const { covers: _, ...plain } = body
  const step = stepOf(run, gate.stepNumber)
  return [
    { name: 'approve', verb: 'approve', about: 'gate', body, secondLook: step?.pointOfNoReturn === true },
    { name: 'reject', verb: 'reject', about: 'gate', body: plain },
  ]
}

const stepControls = (run: Run, state: StepRun): readonly Sketch[] => {
  const step = stepOf(run, state.number)
  const body = { step: state.number, ...(state.attempt > 0 && { attempt: state.attempt }) }
  const skip: Sketch = { name: 'skip', verb: 'skip', about: 'step', body: { step: state.number } }
  if (state.state === 'awaiting_input') {
    const assignee = step?.action.kind === 'manual' ? step.action.assignee : undefined
    const about = { about: 'step', verb: 'complete', trial: { failed: true }, assignee } as const
    return [{ ...about, name: 'complete', body }, { ...about, name: 'fail', body: { ...body, failed: true } }, skip]
  }
  if (state.state === 'unknown') return [...unknownControls(body, 'step'), skip]
  if (state.items !== undefined && state.state === 'running') return itemControls(state, state.items)
  const stands = run.paused?.stepNumber === state.number
  return state.state === 'awaiting_approval' || state.state === 'failed' || stands ? [skip] : []
}

const unknownControls = (body: ControlBody, about: ControlAbout): readonly Sketch[] => [
  { name: 'complete', verb: 'complete', about, label: 'It ran', body, trial: { failed: true } },
  { name: 'fail', verb: 'complete', about, label: 'It ran and failed', body: { ...body, failed: true } },
  { name: 'did_not_run', verb: 'retry', about, body: { ...body, outcome: 'did_not_run' } },
  { name: 'run_again', verb: 'retry', about, body, secondLook: true },
]

const itemControls = ({ number }: StepRun, items: NonNullable<StepRun['items']>): readonly Sketch[] => {
  const unknown = itemsIn(items, 'unknown').slice(0, ITEMS_SHOWN)
  const failed = itemsIn(items, 'failed').slice(0, ITEMS_SHOWN)
  const about = 'item'
  const skip = (item: number): Sketch => ({
    name: 'skip',
    verb: 'skip',
    about,
    label: `Skip item ${item}`,
    body: { step: number, item },
  })
  return [
    ...unknown.flatMap((item) => [...unknownControls({ step: number, item }, about).map(ofItem(item)), skip(item)]),
    ...failed.flatMap((item): readonly Sketch[] => [
      { name: 'retry', verb: 'retry', about, label: `Retry item ${item}`, body: { step: number, item } },
      skip(item),
    ]),
  ]
}

/** Several items may wait at once: each button says of which it is. */
const ofItem =
  (item: number) =>
  (sketch: Sketch): Sketch => ({ ...sketch, label: `Item ${item}: ${sketch.label ?? LABELS[sketch.name]}` })

const runControls = (run: Run): readonly Sketch[] => {
  const walks = run.rollback !== undefined
  return [
    { name: 'pause', verb: 'pause', about: 'run', body: {} },
    { name: 'resume', verb: 'resume', about: 'run', body: {} },
    {
      name: 'retry',
      verb: 'retry',
      about: 'run',
      body: {},
      ...(walks && { label: 'Undo it after all' }),
      // Without a word about what became of it, a retry runs again what may have run.
      ...(!walks && run.paused?.kind === 'unknown' && { label: LABELS.run_again, secondLook: true }),
    },
    ...(walks ? [{ name: 'skip', verb: 'skip', about: 'run', label: 'Leave it as it is', body: {} } as const] : []),
    { name: 'roll_back', verb: 'cancel', about: 'run', body: { rollback: true }, secondLook: true },
    { name: 'cancel', verb: 'cancel', about: 'run', body: {}, secondLook: true },
  ]
}

/** Back to each step that the run has been at; one that may have run asks that first. */
const backControls = (run: Run): readonly Sketch[] =>
  run.steps
    .filter(({ attempt, state }) => attempt > 0 && state !== 'unknown')
    .slice(-STEPS_SHOWN)
    .map(({ number }) => ({ name: 'retry_from', verb: 'retry', about: 'step', body: { step: number } }))

const judged = (run: Run, actor: Actor, sketch: Sketch, at: string): Control => {
  const { name, verb, about, body, label, secondLook } = sketch
  const verdict = verdictOf(run, actor, sketch, at)
  const secrets = verdict.allowed && verb === 'retry' ? secretsToGive(run) : []
  return {
    name,
    verb,
    about,
    label: label ?? LABELS[name],
    body,
    ...verdict,
    ...(secondLook === true && { secondLook: true }),
    ...(secrets.length > 0 && { secrets }),
  }
}

const verdictOf = (
  run: Run,
  actor: Actor,
  { verb, body, trial, assignee }: Sketch,
  at: string,
): Pick<Control, 'allowed' | 'reason' | 'code' | 'leadsTo'> => {
  const role = may(actor, VERBS[verb], verb === 'complete' ? { assignee } : {})
  if (!role.ok) return { allowed: false, reason: role.reason, code: 'forbidden' }
  const decision: Decision = { kind: verb, ...body, ...trial, principal: actor.principal, via: actor.via }
  const reopens = verb === 'retry' && run.outcome !== undefined
  const { reply } = decide(run, reopens ? { kind: 'reopen', decision } : { kind: 'decision', decision }, at)
  if (reply?.accepted === true) return { allowed: true, ...(reply.action !== undefined && { leadsTo: reply.action }) }
  const { reason = 'the rules gave no answer', code = 'internal' } = reply ?? {}
  return { allowed: false, reason: `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}`, code }
}

/** Values of secret params go when a run closes, so whoever opens it again has to give them again. */
export const secretsToGive = (run: Run, params: Readonly<Record<string, Json>> = {}): readonly string[] =>
  run.outcome === undefined
    ? []
    : (run.seed.pinned.definition.params ?? [])
        .filter(
          ({ name, secret }) => secret === true && Object.hasOwn(run.seed.params, name) && !Object.hasOwn(params, name),
        )
        .map(({ name }) => name)
