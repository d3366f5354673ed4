import { stepOf } from './steps.ts'
import type { Step } from '../definition.ts'
import type { Work } from './effect.ts'
import { executionName, findExecution, type ItemRun } from './items.ts'
import { undoWork } from './rollback.ts'
import type { GateRun, Run, StepRun } from './run.ts'

// works.ts: the commands and child runs that a state calls for.

/** Work that is under way whatever the run decides; only its end frees the way. */
export const runningWorks = (run: Run): readonly Work[] => [
  ...run.steps.flatMap((step) => stepWork(run, step)),
  ...Object.values(run.gates).flatMap((gate) => gateWork(gate)),
  ...undoWork(run),
]

/** Of these what the state calls for: a child that was told to end is waited for, and not called for any more. */
export const wantedWorks = (run: Run): readonly Work[] => runningWorks(run).filter((work) => !isToldToEnd(run, work))

export const isToldToEnd = (run: Run, work: Work): boolean =>
  work.kind === 'child' && findExecution(run, work.step, work.item).state?.timedOut !== undefined

export const stepWork = (run: Run, step: StepRun): readonly Work[] => {
  if (step.state !== 'running') return []
  const { items } = step
  return items === undefined
    ? executionWork(run, step.number, step)
    : items.runs.flatMap((item, index) => itemWork(run, step.number, item, index + 1))
}

/** The work of one item; `item` counts from 1. */
export const itemWork = (run: Run, step: number, state: ItemRun, item: number): readonly Work[] =>
  state.state === 'running' ? executionWork(run, step, state, item) : []

const executionWork = (
  run: Run,
  step: number,
  { attempt, verification, lost }: Pick<StepRun, 'attempt' | 'verification' | 'lost'>,
  item?: number,
): readonly Work[] => {
  if (verification === 'passed') return []
  const name = executionName(step, item)
  const rest = { step, attempt, ...(item !== undefined && { item }) }
  if (verification === 'running') {
    return [
      lost === undefined
        ? { id: `verify:${name}#${attempt}`, kind: 'verify', ...rest }
        : { id: `verify:${name}#${attempt}~${lost}`, kind: 'verify', ...rest, lost },
    ]
  }
  const kind = kindOf(run, step)
  if (kind === undefined) return []
  return kind === 'sop'
    ? [{ id: `child:${name}#${attempt}`, kind: 'child', ...rest }]
    : [{ id: `step:${name}#${attempt}`, kind: 'action', ...rest }]
}

/** What the engine carries out; a person and a timer do the others, of which only the check is work. */
const kindOf = (run: Run, number: number): Extract<Step['action']['kind'], 'shell' | 'http' | 'sop'> | undefined => {
  const kind = stepOf(run, number)?.action.kind
  return kind === 'shell' || kind === 'http' || kind === 'sop' ? kind : undefined
}

export const gateWork = ({ id, attempt, state }: GateRun): readonly Work[] =>
  state === 'verifying' ? [{ id: `gate:${id}#${attempt}`, kind: 'gate_command', gate: id, attempt }] : []
