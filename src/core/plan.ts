import { type ConditionScope, evaluate } from './condition/evaluate.ts'
import { evaluateList, listCondition } from './condition/list.ts'
import type { Command, Condition, Json, SopDefinition, Step } from './definition.ts'
import { formatDuration } from './duration.ts'
import { childSeed } from './run/child.ts'
import { newRun } from './run/evolve.ts'
import {
  type GateSpec,
  gatesAfter,
  gatesBefore,
  gateTimeoutMs,
  runGates,
  startGate,
  timeoutAction,
} from './run/gates.ts'
import { branchesAt } from './run/graph.ts'
import { itemText } from './run/items.ts'
import { DEFAULT_MAX_ITEMS_AT_ONCE } from './run/room.ts'
import { type About, scopeOf } from './run/ask.ts'
import type { Run, RunSeed, StepRun } from './run/run.ts'

// plan.ts: what a run would do, before anything runs (the dry run). It asks the same gates that the run asks.

/** Whether something happens: `unknown` where only the run itself can tell. */
export type WouldRun = 'yes' | 'no' | 'unknown'

export interface PlannedItem {
  readonly kind: 'start_gate' | 'gate' | 'step'
  /** Gate id, or step number as text. */
  readonly id: string
  readonly title: string
  readonly stepNumber: number
  readonly action?: string
  /** The pool of workers that carries it out; absent: the worker of the engine. */
  readonly runsOn?: string
  readonly runs: WouldRun
  readonly condition?: string
  readonly note?: string
  readonly approvers?: readonly string[]
  readonly timeout?: string
  readonly commands?: readonly string[]
  /** Where steps have branches: the numbers of those that it waits for. */
  readonly needs?: readonly number[]
  /** The numbers of the steps that may be under way at the same time. */
  readonly beside?: readonly number[]
  /** What it runs once for. */
  readonly each?: PlannedEach
  /** Commands that undo it. */
  readonly rollback?: readonly string[]
  /** A walk back stops here and asks. */
  readonly pointOfNoReturn?: true
  /** The plan of the SOP that it runs; only at the first of the steps that run it. */
  readonly child?: ChildPlan
}

/** The items of a `for_each` step. */
export interface PlannedEach {
  /** How many there are; absent: known only during the run. */
  readonly total?: number
  /** The first of them, as text in one line. */
  readonly items?: readonly string[]
  /** Where the list comes from, or why it cannot be told. */
  readonly note?: string
  /** How many may be under way at the same time. */
  readonly atOnce: number
}

/** What an SOP would do that a step runs. */
export interface ChildPlan {
  readonly sop: string
  readonly mode: string
  /** Params that are known before the run. */
  readonly params: Readonly<Record<string, Json>>
  readonly items: readonly PlannedItem[]
}

/** Facts that were asked for the plan. */
export interface PlanFacts {
  readonly values: Readonly<Record<string, Json>>
  readonly errors?: Readonly<Record<string, string>>
  /** Params that get their values only while the run goes on. */
  readonly open?: readonly string[]
}

interface Judged {
  readonly runs: WouldRun
  readonly note?: string
}

/** All conditions of a definition: what a plan has to ask facts for. */
export const conditionsOf = (definition: SopDefinition): readonly Condition[] => [
  ...(definition.conditions?.requires ?? []),
  ...(definition.conditions?.expression ? [definition.conditions.expression] : []),
  ...(definition.gates ?? []).flatMap((gate) => (gate.if ? [gate.if] : [])),
  ...definition.steps.flatMap((step) => [step.if, step.approveIf].filter((each) => each !== undefined)),
]

/** Facts of the SOPs that steps run, by name. */
export type ChildFacts = Readonly<Record<string, PlanFacts>>

/** Gates and steps in the order in which a run would come to them, with the plans of the SOPs that steps run. */
export const planOf = (seed: RunSeed, facts: PlanFacts, childFacts: ChildFacts = {}): readonly PlannedItem[] =>
  planFor(newRun(seed), facts, childFacts)

/** The same for a run under way: conditions see what its steps did so far. What is done already is among the items. */
export const planFor = (run: Run, facts: PlanFacts, childFacts: ChildFacts = {}): readonly PlannedItem[] =>
  planWith(run, facts, { childFacts, shown: new Set([run.seed.pinned.definition.name]) })

interface Children {
  readonly childFacts: ChildFacts
  /** SOPs whose plan stands there already. */
  readonly shown: Set<string>
}

const planWith = (run: Run, facts: PlanFacts, children: Children): readonly PlannedItem[] => {
  const { definition } = run.seed.pinned
  const gates = (specs: readonly GateSpec[]) => specs.map((spec) => gateItem(run, spec, facts))
  const start = startGate(run)
  return [
    ...(start ? gates([start]) : []),
    ...gates(runGates(definition, 'start')),
    ...definition.steps.flatMap((step, index) => {
      const item = {
        ...stepItem(run, step, facts),
        ...branchesAt(definition, index),
        ...wideParts(run, step, facts),
        ...childOf(run, step, children),
      }
      const around = (specs: readonly GateSpec[]) =>
        gates(specs).map(
          (gate): PlannedItem => (item.runs === 'no' ? { ...gate, runs: 'no', note: 'its step is skipped' } : gate),
        )
      return [...around(gatesBefore(run, step)), item, ...around(gatesAfter(run, step))]
    }),
    ...gates(runGates(definition, 'end')),
  ]
}

const childOf = (run: Run, step: Step, children: Children): Pick<PlannedItem, 'child'> => {
  if (step.action.kind !== 'sop' || children.shown.has(step.action.sop)) return {}
  const { sop } = step.action
  const found = childSeed(run, step.action)
  if (found === undefined) return {}
  children.shown.add(sop)
  const { seed, open } = found
  const facts = { values: {}, ...children.childFacts[sop], open }
  const child = newRun(seed)
  return { child: { sop, mode: child.mode, params: seed.params, items: planWith(child, facts, children) } }
}

/** What there is to say of a step that is done several times, or undone. */
const wideParts = (
  run: Run,
  step: Step,
  facts: PlanFacts,
): Pick<PlannedItem, 'each' | 'rollback' | 'pointOfNoReturn'> => ({
  ...(step.forEach !== undefined && { each: eachOf(run, step, facts) }),
  ...(step.rollback !== undefined && step.rollback.length > 0 && { rollback: step.rollback.map(shown) }),
  ...(step.pointOfNoReturn === true && { pointOfNoReturn: true }),
})

/** Items that a plan names. */
const ITEMS_SHOWN = 20

const eachOf = (run: Run, { forEach = [], maxParallel }: Step, facts: PlanFacts): PlannedEach => {
  const atOnce = maxParallel ?? DEFAULT_MAX_ITEMS_AT_ONCE
  const known = (items: readonly Json[]): PlannedEach => ({
    total: items.length,
    items: items.slice(0, ITEMS_SHOWN).map((item) => itemText(item, 60)),
    atOnce,
  })
  if (typeof forEach !== 'string') return known(forEach)
  const open = openNames(run, listCondition(forEach)?.names ?? [], facts)
  if (open.length > 0) return { note: `"${forEach}" depends on ${open.join(', ')}`, atOnce }
  const list = evaluateList(forEach, scopeNow(run, facts))
  return list.ok ? known(list.items) : { note: list.error, atOnce }
}

/** Sentences about preconditions that keep the run from starting now. */
export const unmetPreconditions = (seed: RunSeed, facts: PlanFacts): readonly string[] => {
  const run = newRun(seed)
  const { conditions } = seed.pinned.definition
  const all = [...(conditions?.requires ?? []), ...(conditions?.expression ? [conditions.expression] : [])]
  return all.flatMap((condition) => {
    const result = evaluate(condition, scopeNow(run, facts))
    if (!result.ok) return [`Cannot evaluate condition "${condition.text}": ${result.error}`]
    return result.value ? [] : [`condition "${condition.text}" is not met`]
  })
}

const scopeNow = (run: Run, facts: PlanFacts, about?: About): ConditionScope =>
  JSON.parse(
    JSON.stringify(scopeOf(run, { values: facts.values, ...(facts.errors && { errors: facts.errors }) }, about)),
  ) as ConditionScope

/** Names that get their values only while the run goes on. */
const setByRun = (run: Run, about: About): ReadonlySet<string> => {
  const { steps } = run.seed.pinned.definition
  const ahead = steps.filter((_, index) => !isSettled(run.steps[index]))
  const at = steps.findIndex(({ number }) => number === about?.step)
  const previous = about?.after === true ? steps[at] : steps[at - 1]
  return new Set([
    ...(ahead.length > 0 ? ['steps'] : []),
    ...(previous === undefined || ahead.includes(previous) ? ['previous_step'] : []),
    ...ahead.flatMap((step) => [
      step.slug,
      `step_${step.number}`,
      ...(step.outputs ?? []),
      ...(step.action.kind === 'manual' ? (step.action.form ?? []).map(({ name }) => name) : []),
    ]),
  ])
}

/** It is at its end: what it set stands. */
const isSettled = (step: StepRun | undefined): boolean =>
  step !== undefined && (step.state === 'success' || step.state === 'skipped' || step.then === 'continue')

/** Those of the names that get their values only while the run goes on. */
const openNames = (run: Run, names: readonly string[], { open = [] }: PlanFacts, about?: About): readonly string[] => {
  const later = setByRun(run, about)
  return names.filter((name) => later.has(name) || later.has(name.toLowerCase()) || open.includes(name))
}

const judge = (run: Run, condition: Condition | undefined, facts: PlanFacts, about: About): Judged => {
  if (condition === undefined) return { runs: 'yes' }
  const isKnown = (name: string): boolean =>
    Object.keys({ ...run.seed.params, ...run.outputs, ...facts.values, ...facts.errors }).some(
      (known) => known.toLowerCase() === name.toLowerCase(),
    )
  const open = openNames(run, condition.names, facts, about)
  if (open.length > 0) return { runs: 'unknown', note: `depends on ${open.join(', ')}` }
  const result = evaluate(condition, scopeNow(run, facts, about))
  if (!result.ok) return { runs: 'unknown', note: result.error }
  const unset = condition.names.filter(
    (name) => !isKnown(name) && !['env', 'trigger', 'payload', 'params'].includes(name),
  )
  return {
    runs: result.value ? 'yes' : 'no',
    ...(unset.length > 0 && { note: `nothing sets ${unset.join(', ')} yet` }),
  }
}

const gateItem = (run: Run, spec: GateSpec, facts: PlanFacts): PlannedItem => {
  const timeoutMs = spec.type === 'approval' ? gateTimeoutMs(run, spec.settings) : undefined
  const { runs, note } = judge(run, spec.if, facts, {
    step: spec.stepNumber,
    ...(spec.isAfter && { after: true }),
  })
  return {
    kind: spec.because === 'start' ? 'start_gate' : 'gate',
    id: spec.id,
    title: spec.title,
    stepNumber: spec.stepNumber,
    action: spec.type,
    runs,
    ...(spec.if && { condition: spec.if.text }),
    note: [`because of ${spec.because}`, ...(note === undefined ? [] : [note])].join('; '),
    ...(spec.settings.approvers && { approvers: spec.settings.approvers }),
    ...(timeoutMs !== undefined && { timeout: `${formatDuration(timeoutMs)}, then ${timeoutAction(spec.settings)}` }),
    ...(spec.command && { commands: [spec.command.script] }),
  }
}

const stepItem = (run: Run, step: Step, facts: PlanFacts): PlannedItem => {
  const { runs, note } = judge(run, step.if, facts, { step: step.number })
  const waived =
    run.mode === 'step_by_step' && step.requiresApproval === false ? ['its approval is waived by the step'] : []
  const notes = [...(note === undefined ? [] : [note]), ...waived]
  const commands = commandsOf(step)
  const timeoutMs = step.timeoutMs ?? (step.action.kind === 'shell' ? run.seed.pinned.policy.stepTimeoutMs : undefined)
  return {
    kind: 'step',
    id: String(step.number),
    title: step.title,
    stepNumber: step.number,
    action: step.action.kind,
    ...(step.runsOn !== undefined && { runsOn: step.runsOn }),
    runs,
    ...(step.if && { condition: step.if.text }),
    ...(notes.length > 0 && { note: notes.join('; ') }),
    ...(timeoutMs != null && { timeout: formatDuration(timeoutMs) }),
    ...(commands && { commands }),
  }
}

const shown = ({ interpreter, script }: Command): string =>
  interpreter === 'bash' ? script : `${interpreter}: ${script}`

const commandsOf = ({ action }: Step): readonly string[] | undefined => {
  switch (action.kind) {
    case 'shell':
      return action.commands.map(shown)
    case 'http':
      return [`${action.method} ${action.url}`]
    case 'wait':
      return [`wait ${action.durationMs === undefined ? `until ${action.until}` : formatDuration(action.durationMs)}`]
    case 'manual':
      return action.checklist?.map((item) => `[ ] ${item}`)
    case 'sop':
      return [`sop run ${action.sop}`]
  }
}
