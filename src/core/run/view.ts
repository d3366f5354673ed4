import { stepOf } from './steps.ts'
import type { EffectiveMode, Json, Param, Priority, Step } from '../definition.ts'
import { HIDDEN, isSecretMark } from '../secret-param.ts'
import { fillIn } from './fill-in.ts'
import { openGates } from './gates.ts'
import type { Principal, Surface, TriggerInfo } from './principal.ts'
import { type ItemsView, itemsView } from './view-items.ts'
import type { GateRun, ParentRun, Run, StepRun } from './run.ts'
import type { RunState, StepState } from './state.ts'
import { type HoldView, holdView, type PauseView, pauseView, type RollbackView, rollbackView } from './view-pause.ts'

/** An open gate, as everybody sees it. */
export interface GateView {
  readonly gate: string
  readonly attempt: number
  readonly stepNumber: number
  readonly title: string
  readonly because: string
  readonly openedAt: string
  readonly deadlineAt?: string
  readonly onTimeout?: string
  /** Reminders that went out, and when the next one does. */
  readonly reminders?: number
  readonly remindAt?: string
  readonly approvers?: readonly string[]
  /** Digest of what the approval covers. */
  readonly covers?: string
  /** The commands that pass through this gate, for reading. */
  readonly commands?: readonly string[]
}

/** A manual step that waits for a person or an agent. */
export interface InputView {
  readonly stepNumber: number
  readonly title: string
  readonly body?: string
  readonly since: string
  readonly assignee?: string
  readonly dueAt?: string
  readonly overdue?: true
  readonly checklist?: readonly { readonly item: number; readonly text: string; readonly ticked: boolean }[]
  readonly form?: readonly Param[]
}

/** A step that waits for a worker of its pool. */
export interface PoolWaitView {
  readonly stepNumber: number
  readonly title: string
  readonly pool: string
  readonly since: string
  /** When it is given up and fails; absent: never. */
  readonly until?: string
}

export interface StepView {
  readonly number: number
  readonly slug: string
  readonly title: string
  readonly kind: string
  readonly status: StepState
  readonly attempt: number
  /** The pool of workers that carries it out; absent: the worker of the engine. */
  readonly runsOn?: string
  readonly startedAt?: string
  readonly completedAt?: string
  readonly durationMs?: number
  readonly exitCode?: number
  readonly output?: string
  readonly outputs?: Readonly<Record<string, Json>>
  readonly error?: string
  readonly reason?: string
  /** Numbers of the steps that it waits for, where the SOP says so. */
  readonly needs?: readonly number[]
  /** For a `for_each` step that was begun. */
  readonly items?: ItemsView
  /** Run id of the SOP that it runs. */
  readonly child?: string
}

/** What queries, API, CLI, MCP and page show of a run. */
export interface RunView {
  readonly runId: string
  readonly sopName: string
  readonly title: string
  readonly version: string
  readonly digest: string
  readonly status: RunState
  readonly mode: EffectiveMode
  readonly priority: Priority
  /** Number of the step that the run stands at; `null` before the first and after the last. */
  readonly currentStep: number | null
  readonly totalSteps: number
  readonly createdAt: string
  readonly startedAt?: string
  readonly completedAt?: string
  /** Why the run is paused, failed, cancelled or queued. */
  readonly reason?: string
  readonly paused?: PauseView
  /** Who asked for a pause that takes effect at the next boundary. */
  readonly pauseRequestedBy?: string
  readonly rollback?: RollbackView
  readonly params: Readonly<Record<string, Json>>
  readonly outputs: Readonly<Record<string, Json>>
  readonly trigger: TriggerInfo
  readonly startedBy: Principal
  readonly via: Surface
  readonly openGates: readonly GateView[]
  readonly openInputs: readonly InputView[]
  /** Its events cannot be put on record, and nothing new begins until they are; it goes on by itself. */
  readonly held?: HoldView
  /** Steps whose pool has no worker now; absent when there are none. */
  readonly poolWaits?: readonly PoolWaitView[]
  readonly stepResults: readonly StepView[]
  /** The run whose step this one is. */
  readonly parent?: { readonly runId: string; readonly stepNumber: number; readonly item?: number }
  readonly warnings?: readonly string[]
  /** Sequence of the last event that this view knows of. */
  readonly sequence: number
  /** The view comes from the record because no worker answered; the run may be further on. */
  readonly stale?: true
}

/** A line of a list of runs. */
export interface RunSummary {
  readonly runId: string
  readonly sopName: string
  readonly version: string
  /** Names the definition that it runs by; absent for a run that was listed before lists knew it. */
  readonly digest?: string
  readonly status: RunState
  readonly priority: Priority
  readonly mode: EffectiveMode
  readonly currentStep: number | null
  readonly totalSteps: number
  readonly createdAt: string
  readonly startedAt?: string
  readonly completedAt?: string
  readonly reason?: string
  readonly startedBy: string
  readonly trigger: string
  /** Ids of the open gates. */
  readonly openGates: readonly string[]
  /** Numbers of the manual steps that wait for a person or an agent; absent when there are none. */
  readonly openInputs?: readonly number[]
  /** Pools that a step waits for a worker of. */
  readonly poolWaits?: readonly string[]
  readonly sequence: number
}

/** The state of the run, one of the eight (product.md 2, rulings 19). */
export const runState = (run: Run): RunState => {
  if (run.outcome !== undefined) return run.outcome.state
  if (run.paused !== undefined) return 'paused'
  if (run.rollback !== undefined) return 'running'
  const open = openGates(run)
  if (run.queued !== undefined && open.length === 0) return 'pending'
  if (run.startedAt === undefined) return open.length > 0 ? 'waiting_approval' : 'pending'
  const moving =
    run.steps.some((step) => step.state === 'running' || step.state === 'awaiting_input' || step.then === 'retry') ||
    Object.values(run.gates).some((gate) => gate.state === 'verifying')
  return !moving && open.length > 0 ? 'awaiting_approval' : 'running'
}

/** What everybody sees of the run. A run that was not created yet has no view. */
export const viewOf = (run: Run): RunView => {
  const { definition, digest, warnings } = run.seed.pinned
  const reason = reasonOf(run)
  return {
    runId: run.seed.runId,
    sopName: definition.name,
    title: filled(run, definition.title),
    version: definition.version,
    digest,
    status: runState(run),
    mode: run.mode,
    priority: definition.priority,
    currentStep: currentStep(run),
    totalSteps: definition.steps.length,
    createdAt: run.createdAt ?? '',
    ...(run.startedAt !== undefined && { startedAt: run.startedAt }),
    ...(run.closedAt !== undefined && { completedAt: run.closedAt }),
    ...(reason !== undefined && { reason }),
    ...(run.paused !== undefined && run.outcome === undefined && { paused: pauseView(run.paused) }),
    ...(run.pauseRequested !== undefined && { pauseRequestedBy: run.pauseRequested.by.id }),
    ...(run.rollback !== undefined && run.outcome === undefined && { rollback: rollbackView(run.rollback) }),
    params: shownParams(run.seed.params),
    outputs: run.outputs,
    trigger: run.seed.trigger,
    startedBy: run.seed.startedBy,
    via: run.seed.via,
    openGates: openGates(run).map((gate) => gateView(run, gate)),
    openInputs: run.steps.filter((step) => step.state === 'awaiting_input').flatMap((step) => inputView(run, step)),
    ...(run.held !== undefined && run.outcome === undefined && { held: holdView(run.held) }),
    ...(run.poolWaits !== undefined && { poolWaits: waitViews(run) }),
    stepResults: run.steps.flatMap((step) => stepView(run, step)),
    ...(run.seed.parent && { parent: parentView(run.seed.parent) }),
    ...(warnings && warnings.length > 0 && { warnings }),
    sequence: run.sequence,
  }
}

/** Whether a secret one was changed is for the record; a view only says that it is one. */
export const shownParams = (params: RunView['params']): RunView['params'] =>
  Object.values(params).some(isSecretMark)
    ? Object.fromEntries(Object.entries(params).map(([name, value]) => [name, isSecretMark(value) ? HIDDEN : value]))
    : params
const parentView = ({ runId, stepNumber, item }: ParentRun): NonNullable<RunView['parent']> => ({
  runId,
  stepNumber,
  ...(item !== undefined && { item }),
})

const reasonOf = (run: Run): string | undefined =>
  run.outcome?.reason ??
  run.paused?.reason ??
  run.ending?.reason ??
  run.held?.reason ??
  (run.rollback === undefined ? undefined : `is rolled back: ${run.rollback.reason}`) ??
  run.queued?.reason

/** The first step that is not settled; `null` before the run began and after it ended well. */
const currentStep = (run: Run): number | null => {
  if (run.startedAt === undefined) return null
  if (run.rollback?.steps?.[0] !== undefined) return run.rollback.steps[0]
  const settled = (step: StepRun): boolean =>
    step.state === 'success' || step.state === 'skipped' || step.state === 'rolled_back' || step.then === 'continue'
  return run.steps.find((step) => !settled(step))?.number ?? null
}

/** Values that titles and prose may name; params win, as everywhere. */
export const filled = (run: Run, text: string): string =>
  text.includes('{{') ? fillIn(text, { ...run.outputs, ...run.seed.params }) : text

const commandsOf = (step: Step | undefined): readonly string[] | undefined => {
  switch (step?.action.kind) {
    case 'shell':
      return step.action.commands.map(({ script }) => script)
    case 'http':
      return [`${step.action.method} ${step.action.url}`]
    default:
      return undefined
  }
}

/** An open gate, as everybody sees it. */
export const gateView = (run: Run, gate: GateRun): GateView => {
  const commands = commandsOf(stepOf(run, gate.stepNumber))
  return {
    gate: gate.id,
    attempt: gate.attempt,
    stepNumber: gate.stepNumber,
    title: filled(run, gate.title),
    because: gate.because,
    openedAt: gate.openedAt,
    ...(gate.deadlineAt !== undefined && { deadlineAt: gate.deadlineAt }),
    ...(gate.deadlineAt !== undefined && gate.onTimeout !== undefined && { onTimeout: gate.onTimeout }),
    ...(gate.reminders !== undefined && { reminders: gate.reminders }),
    ...(gate.remindAt !== undefined && { remindAt: gate.remindAt }),
    ...(gate.settings.approvers && { approvers: gate.settings.approvers }),
    ...(gate.covers !== undefined && { covers: gate.covers }),
    ...(commands && { commands }),
  }
}

/** A manual step that waits, as everybody sees it; none where the step is of another kind. */
export const inputView = (run: Run, state: StepRun): readonly InputView[] => {
  const step = stepOf(run, state.number)
  if (step === undefined || step.action.kind !== 'manual') return []
  const { checklist, form, assignee } = step.action
  return [
    {
      stepNumber: step.number,
      title: filled(run, step.title),
      ...(step.body !== undefined && { body: filled(run, step.body) }),
      since: state.startedAt ?? '',
      ...(assignee !== undefined && { assignee }),
      ...(state.dueAt !== undefined && { dueAt: state.dueAt }),
      ...(state.overdue && { overdue: true as const }),
      ...(checklist && {
        checklist: checklist.map((text, index) => ({
          item: index + 1,
          text,
          ticked: state.ticked?.includes(index + 1) ?? false,
        })),
      }),
      ...(form && { form }),
    },
  ]
}

const waitViews = (run: Run): readonly PoolWaitView[] =>
  Object.values(run.poolWaits ?? {}).map(({ stepNumber, pool, since, until }) => ({
    stepNumber,
    title: filled(run, stepOf(run, stepNumber)?.title ?? ''),
    pool,
    since,
    ...(until !== undefined && { until }),
  }))

/** A step, as everybody sees it. */
export const stepView = (run: Run, state: StepRun): readonly StepView[] => {
  const step = stepOf(run, state.number)
  if (step === undefined) return []
  return [
    {
      number: step.number,
      slug: step.slug,
      title: filled(run, step.title),
      kind: step.action.kind,
      status: state.state,
      attempt: state.attempt,
      ...(step.runsOn !== undefined && { runsOn: step.runsOn }),
      ...(state.startedAt !== undefined && { startedAt: state.startedAt }),
      ...(state.endedAt !== undefined && { completedAt: state.endedAt }),
      ...(state.durationMs !== undefined && { durationMs: state.durationMs }),
      ...(state.exitCode !== undefined && { exitCode: state.exitCode }),
      ...(state.output !== undefined && { output: state.output }),
      ...(state.outputs !== undefined && { outputs: state.outputs }),
      ...(state.error !== undefined && { error: state.error }),
      ...(state.reason !== undefined && { reason: state.reason }),
      ...(step.needs !== undefined && { needs: step.needs }),
      ...(state.items !== undefined && { items: itemsView(state.items) }),
      ...(state.child !== undefined && { child: state.child }),
    },
  ]
}
