import type { Work } from './effect.ts'
import { undoWork } from './rollback.ts'
import type { GateRun, Run, StepRun } from './run.ts'

// works.ts: the commands that a state calls for.

/** Work that is under way whatever the run decides; only its end frees the way. */
export const runningWorks = (run: Run): readonly Work[] => [
  ...run.steps.flatMap((step) => stepWork(run, step)),
  ...Object.values(run.gates).flatMap((gate) => gateWork(gate)),
  ...undoWork(run),
]

export const stepWork = (run: Run, step: StepRun): readonly Work[] => {
  if (step.state !== 'running') return []
  const kind = run.seed.pinned.definition.steps.find((each) => each.number === step.number)?.action.kind
  if (kind !== 'shell' && kind !== 'http') return []
  const { number, attempt, lost } = step
  return step.verification === 'running'
    ? [
        lost === undefined
          ? { id: `verify:${number}#${attempt}`, kind: 'verify', step: number, attempt }
          : { id: `verify:${number}#${attempt}~${lost}`, kind: 'verify', step: number, attempt, lost },
      ]
    : step.verification === 'passed'
      ? []
      : [{ id: `step:${number}#${attempt}`, kind: 'action', step: number, attempt }]
}

export const gateWork = ({ id, attempt, state }: GateRun): readonly Work[] =>
  state === 'verifying' ? [{ id: `gate:${id}#${attempt}`, kind: 'gate_command', gate: id, attempt }] : []
