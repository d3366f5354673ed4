import { stepOf, stepRunOf } from './steps.ts'
import type { Actor } from '../access.ts'
import { type Json, PRIORITIES, type Priority, type Step } from '../definition.ts'
import { answersOf, type Control } from './controls.ts'
import { afterRejection, openGates } from './gates.ts'
import type { GateRun, Run } from './run.ts'
import { AFTER_REJECTION, BECAUSE } from './sentence.ts'
import {
  filled,
  gateView,
  type GateView,
  inputView,
  type InputView,
  shownParams,
  stepView,
  type StepView,
} from './view.ts'

// waiting.ts: what stands still until a person answers, with all that the person needs to answer it.

export const WAITING_KINDS = ['gate', 'input', 'unknown', 'paused'] as const
export type WaitingKind = (typeof WAITING_KINDS)[number]

/** A step that an approval covers. */
export interface CoveredStep {
  readonly number: number
  readonly title: string
  readonly kind: string
  readonly commands?: readonly string[]
  readonly verify?: readonly string[]
  readonly rollback?: readonly string[]
  /** The pool of workers that carries it out. */
  readonly runsOn?: string
  readonly pointOfNoReturn?: true
}

/** One thing that waits for a person. */
export interface WaitingItem {
  /** Names it for as long as it waits: `<run id>/<kind>/<what>#<attempt>`. */
  readonly key: string
  readonly kind: WaitingKind
  readonly runId: string
  readonly sopName: string
  readonly sopTitle: string
  readonly version: string
  readonly priority: Priority
  readonly startedBy: string
  readonly trigger: string
  /** 0 for what concerns the whole run. */
  readonly stepNumber: number
  readonly totalSteps: number
  readonly title: string
  readonly since: string
  /** When it is answered without a person, or overdue. */
  readonly until?: string
  /** What happens then, or that nothing does: a sentence. */
  readonly then: string
  /** Why it waits: a sentence. */
  readonly why: string
  readonly params: Readonly<Record<string, Json>>
  /** The prose of the step, as Markdown. */
  readonly body?: string
  readonly gate?: GateView
  readonly input?: InputView
  /** What an approval covers. */
  readonly covered?: readonly CoveredStep[]
  /** How many steps it covers, where `covered` leaves some out. */
  readonly coveredSteps?: number
  /** The step that ended last: an approver sees its result. */
  readonly previous?: StepView
  /** Sentences that ask for a second look before an approval; absent where none is needed. */
  readonly secondLook?: readonly string[]
  readonly actions: readonly Control[]
  /** The actor can answer it. */
  readonly mine: boolean
}

export interface WaitingList {
  /** The most urgent first. */
  readonly items: readonly WaitingItem[]
  /** How many there are, where `items` leaves some out. */
  readonly total: number
  /** How many of all the actor can answer. */
  readonly mine: number
}

const STEPS_SHOWN = 60

/** What waits in a run, for one actor, at an instant (ISO-8601 UTC). */
export const waitingIn = (run: Run, actor: Actor, at: string): readonly WaitingItem[] => {
  if (run.outcome !== undefined) return []
  const controls = answersOf(run, actor, at)
  const open = run.paused === undefined ? openGates(run) : []
  return [
    ...pausedItems(run, controls),
    ...open.map((gate) => gateItem(run, gate, controls)),
    ...(run.paused === undefined ? run.steps : []).flatMap((state) =>
      state.state === 'awaiting_input' ? inputItem(run, state.number, controls) : [],
    ),
  ]
}

const common = (run: Run, stepNumber: number) => {
  const { definition } = run.seed.pinned
  return {
    runId: run.seed.runId,
    sopName: definition.name,
    sopTitle: filled(run, definition.title),
    version: definition.version,
    priority: definition.priority,
    startedBy: run.seed.startedBy.id,
    trigger: run.seed.trigger.type,
    totalSteps: definition.steps.length,
    params: shownParams(run.seed.params),
    stepNumber,
    ...bodyOf(run, stepNumber),
  }
}

const bodyOf = (run: Run, stepNumber: number): { readonly body?: string } => {
  const body = stepOf(run, stepNumber)?.body
  return body === undefined ? {} : { body: filled(run, body) }
}

const isAllowed = (actions: readonly Control[]): boolean => actions.some(({ allowed }) => allowed)

const gateItem = (run: Run, gate: GateRun, controls: readonly Control[]): WaitingItem => {
  const actions = controls.filter(({ about, body }) => about === 'gate' && body.gate === gate.id)
  const secondLook = secondLookAt(run, gate)
  const previous = previousStep(run)
  const steps = coveredBy(run, gate)
  return {
    ...common(run, gate.stepNumber),
    key: `${run.seed.runId}/gate/${gate.id}#${gate.attempt}`,
    kind: 'gate',
    title: filled(run, gate.title),
    since: gate.openedAt,
    ...(gate.deadlineAt !== undefined && { until: gate.deadlineAt }),
    then: afterGate(run, gate),
    why: `It waits for approval, because ${BECAUSE[gate.because] ?? gate.because}.`,
    gate: gateView(run, gate),
    covered: steps.slice(0, STEPS_SHOWN).map((step) => coveredStep(run, step)),
    ...(steps.length > STEPS_SHOWN && { coveredSteps: steps.length }),
    ...(previous !== undefined && { previous }),
    ...(secondLook.length > 0 && { secondLook }),
    actions,
    mine: isAllowed(actions),
  }
}

const TIMER: Readonly<Record<string, string>> = {
  approve: 'Without an answer the timer approves it then.',
  escalate: 'Without an answer it is escalated then, and goes on waiting.',
  fail: 'Without an answer the run fails then.',
}

const afterGate = (run: Run, gate: GateRun): string => {
  if (gate.deadlineAt === undefined) return 'It waits until somebody decides.'
  const rejected = `Without an answer the timer rejects it then, and ${AFTER_REJECTION[afterRejection(run, gate)]}.`
  return TIMER[gate.onTimeout ?? 'approve'] ?? rejected
}

/** A gate before or after the whole run covers all of it. */
const coveredBy = (run: Run, gate: GateRun): readonly Step[] => {
  const { steps } = run.seed.pinned.definition
  return gate.stepNumber === 0 ? steps : steps.filter(({ number }) => number === gate.stepNumber)
}

const coveredStep = (run: Run, step: Step): CoveredStep => {
  const commands = commandsOf(step)
  return {
    number: step.number,
    title: filled(run, step.title),
    kind: step.action.kind,
    ...(commands.length > 0 && { commands }),
    ...(step.verify !== undefined && step.verify.length > 0 && { verify: step.verify.map(({ script }) => script) }),
    ...(step.rollback !== undefined &&
      step.rollback.length > 0 && { rollback: step.rollback.map(({ script }) => script) }),
    ...(step.runsOn !== undefined && { runsOn: step.runsOn }),
    ...(step.pointOfNoReturn === true && { pointOfNoReturn: true }),
  }
}

const commandsOf = ({ action }: Step): readonly string[] => {
  switch (action.kind) {
    case 'shell':
      return action.commands.map(({ script }) => script)
    case 'http':
      return [`${action.method} ${action.url}`]
    case 'sop':
      return [`run SOP ${action.sop}`]
    case 'manual':
    case 'wait':
      return []
    default:
      return action satisfies never
  }
}

/** Tags by which people mark what must not happen by a slip of the hand. */
const GRAVE_TAGS = ['production', 'prod', 'irreversible', 'destructive', 'dangerous']

/** Why an approval of this gate wants a second look, as sentences; none where a slip can be made good. */
const secondLookAt = (run: Run, gate: GateRun): readonly string[] => {
  const { definition } = run.seed.pinned
  const steps = coveredBy(run, gate)
  const marked = (tags: readonly string[] = []): readonly string[] =>
    tags.filter((tag) => GRAVE_TAGS.includes(tag.toLowerCase()))
  const tags = [...new Set([...marked(definition.tags), ...steps.flatMap((step) => marked(step.tags))])]
  return [
    ...steps
      .filter((step) => step.pointOfNoReturn === true)
      .slice(0, 5)
      .map((step) => `Step ${step.number} is a point of no return: nothing before it can be rolled back afterwards.`),
    ...(definition.priority === 'critical' ? ['This procedure has the priority critical.'] : []),
    ...(tags.length === 0 ? [] : [`It is marked ${tags.map((tag) => `"${tag}"`).join(', ')}.`]),
  ]
}

const previousStep = (run: Run): StepView | undefined => {
  const ended = run.steps
    .filter(({ endedAt, state }) => endedAt !== undefined && state !== 'pending')
    .sort((a, b) => ((a.endedAt ?? '') < (b.endedAt ?? '') ? -1 : 1))
    .at(-1)
  return ended && stepView(run, ended)[0]
}

const inputItem = (run: Run, stepNumber: number, controls: readonly Control[]): readonly WaitingItem[] => {
  const state = stepRunOf(run, stepNumber)
  const input = state && inputView(run, state)[0]
  if (state === undefined || input === undefined) return []
  const actions = controls.filter(({ about, body }) => about === 'step' && body.step === stepNumber)
  const { assignee, dueAt, overdue } = input
  return [
    {
      ...common(run, stepNumber),
      key: `${run.seed.runId}/input/${stepNumber}#${state.attempt}`,
      kind: 'input',
      title: input.title,
      since: input.since,
      ...(dueAt !== undefined && { until: dueAt }),
      then:
        dueAt === undefined
          ? 'It waits until somebody completes it.'
          : overdue === true
            ? 'It is overdue, and goes on waiting.'
            : 'It is overdue then, and goes on waiting.',
      why: assignee === undefined ? 'A person has to do this.' : `${assignee} has to do this.`,
      input,
      actions,
      mine: isAllowed(actions),
    },
  ]
}

const pausedItems = (run: Run, controls: readonly Control[]): readonly WaitingItem[] => {
  const { paused } = run
  if (paused === undefined) return []
  const unknown = run.steps.filter(({ state }) => state === 'unknown')
  const stepNumber = paused.stepNumber ?? unknown[0]?.number ?? 0
  // Of a for_each step the items are unknown, not the step.
  const isUnknown = paused.kind === 'unknown'
  const actions = controls.filter(
    ({ about, body, name }) =>
      (about !== 'gate' && about !== 'run' && body.step === stepNumber) ||
      // Of a step that may have run, its own answers say more than a retry of the run.
      (about === 'run' && name !== 'pause' && !(isUnknown && name === 'retry')),
  )
  const step = stepOf(run, stepNumber)
  const previous = previousStep(run)
  return [
    {
      ...common(run, stepNumber),
      key: `${run.seed.runId}/${isUnknown ? 'unknown' : 'paused'}/${stepNumber}#${Date.parse(paused.at)}`,
      kind: isUnknown ? 'unknown' : 'paused',
      title: step === undefined ? filled(run, run.seed.pinned.definition.title) : filled(run, step.title),
      since: paused.at,
      then: 'The run stands still until somebody decides.',
      why: isUnknown
        ? sentence(paused.reason === '' ? `nobody knows whether step ${stepNumber} ran` : paused.reason)
        : sentence(paused.reason === '' ? `${paused.by} paused the run` : paused.reason),
      ...(previous !== undefined && { previous }),
      actions,
      mine: isAllowed(actions),
    },
  ]
}

const sentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

/** Deadlines that come so soon go before everything else. */
const SOON_MS = 15 * 60_000

/** Most urgent first: what the actor can answer; of it what ends soon, then by priority, then what waits longest. */
export const byUrgency = (items: readonly WaitingItem[], at: string): readonly WaitingItem[] => {
  const nowMs = Date.parse(at)
  const rank = ({ mine, until, priority }: WaitingItem): readonly number[] => {
    const untilMs = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until)
    const isSoon = untilMs - nowMs <= SOON_MS
    return [mine ? 0 : 1, isSoon ? 0 : 1, isSoon ? untilMs : 0, -PRIORITIES.indexOf(priority)]
  }
  const ranked = items.map((item) => ({ item, rank: rank(item) }))
  ranked.sort((a, b) => {
    const at = a.rank.findIndex((value, index) => value !== b.rank[index])
    if (at >= 0) return (a.rank[at] ?? 0) - (b.rank[at] ?? 0)
    return a.item.since < b.item.since ? -1 : a.item.since > b.item.since ? 1 : a.item.key < b.item.key ? -1 : 1
  })
  return ranked.map(({ item }) => item)
}
