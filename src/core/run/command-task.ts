import { stepOf, stepRunOf } from './steps.ts'
import { executablesOf } from '../executables.ts'
import type { SopDefinition } from '../definition.ts'
import type { Work } from './effect.ts'
import type { RunEvent } from './event.ts'
import { executionOf, itemText } from './items.ts'
import type { Run } from './run.ts'
import type { CommandTask, ExecutableId } from './task.ts'

/** Work that runs a command on a worker. */
export type CommandWork = Extract<Work, { kind: 'action' | 'verify' | 'gate_command' | 'rollback' }>

export const isCommandWork = (work: Work): work is CommandWork =>
  work.kind === 'action' || work.kind === 'verify' || work.kind === 'gate_command' || work.kind === 'rollback'

const executableIdOf = (work: CommandWork): ExecutableId => {
  switch (work.kind) {
    case 'action':
      return `step:${work.step}`
    case 'verify':
      return `verify:${work.step}`
    case 'rollback':
      return `rollback:${work.step}`
    case 'gate_command':
      return `gate:${work.gate}`
  }
}

const executables = new WeakMap<SopDefinition, ReturnType<typeof executablesOf>>()

/** The executables of a definition, made once. */
export const executablesFor = (definition: SopDefinition): ReturnType<typeof executablesOf> => {
  const known = executables.get(definition) ?? executablesOf(definition)
  executables.set(definition, known)
  return known
}

/**
 * The task of a piece of command work: what the worker gets, with the events that ride along to the record.
 *
 * @throws {RangeError} on work that the definition does not know, which is a defect of the rules.
 */
export const commandTask = (run: Run, work: CommandWork, events: readonly RunEvent[]): CommandTask => {
  const { runId, pinned, params, trigger } = run.seed
  const { definition, digest, warrants, policy } = pinned
  const executableId = executableIdOf(work)
  const executable = executablesFor(definition)[executableId]
  if (executable === undefined)
    throw new RangeError(`Cannot run "${executableId}": definition ${digest} has no such command`)
  const stepNumber = work.kind === 'gate_command' ? (run.gates[work.gate]?.stepNumber ?? 0) : work.step
  const step = definition.steps.find((each) => each.number === stepNumber)
  const secretParams = (definition.params ?? [])
    .filter((param) => param.secret === true && Object.hasOwn(params, param.name))
    .map((param) => param.name)
  return {
    runId,
    sop: definition.name,
    digest,
    executableId,
    executable,
    warrant: warrants[executableId] ?? '',
    stepNumber,
    attempt: work.attempt,
    ...(work.kind === 'verify' && work.lost !== undefined && { lost: work.lost }),
    ...itemOf(run, work),
    title: work.kind === 'gate_command' ? work.gate : (step?.title ?? ''),
    params,
    ...(secretParams.length > 0 && { secretParams }),
    outputs: { ...run.outputs, ...ownOutputs(run, work) },
    trigger: Object.fromEntries(
      Object.entries({
        type: trigger.type,
        path: trigger.path,
        event: trigger.event,
        scheduled_at: trigger.scheduledAt,
      }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    timeoutMs: work.kind === 'action' && step?.timeoutMs !== undefined ? step.timeoutMs : policy.stepTimeoutMs,
    events,
  }
}

/** The pool whose workers run this work; undefined: the engine's own worker. */
export const runsOnOf = (run: Run, work: CommandWork): string | undefined =>
  executablesFor(run.seed.pinned.definition)[executableIdOf(work)]?.runsOn

/** A step's checks may look at what it handed on, and its undo needs it, though no other step got it or gets it any more. */
const ownOutputs = (run: Run, work: CommandWork): CommandTask['outputs'] | undefined => {
  if (work.kind !== 'verify' && work.kind !== 'rollback') return undefined
  const state = stepRunOf(run, work.step)
  const execution = state && executionOf(state, work.item)
  if (work.kind === 'verify') return execution?.outputs
  if (work.item !== undefined) return execution?.outputs ?? state?.items?.runs[work.item - 1]?.ran?.outputs
  return state?.state === 'success' ? state.outputs : state?.ran?.outputs
}

const itemOf = (run: Run, work: CommandWork): Pick<CommandTask, 'item'> => {
  if (work.kind === 'gate_command' || work.item === undefined) return {}
  const value = stepRunOf(run, work.step)?.items?.list[work.item - 1]
  return value === undefined ? {} : { item: { number: work.item, value } }
}

/** One line for Temporal's UI. */
export const workSummary = (run: Run, work: CommandWork): string => {
  if (work.kind === 'gate_command') return `Gate ${work.gate}`
  const title = stepOf(run, work.step)?.title ?? ''
  const again = work.attempt > 1 ? ` (attempt ${work.attempt})` : ''
  const what = { action: 'Step', verify: 'Verify step', rollback: 'Undo step' }[work.kind]
  const { item } = itemOf(run, work)
  const of = item === undefined ? '' : `, item ${item.number} (${itemText(item.value, 60)})`
  return `${what} ${work.step}: ${title}${of}${again}`.slice(0, 200)
}
