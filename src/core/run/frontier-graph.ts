import type { Step } from '../definition.ts'
import type { Timer, Work } from './effect.ts'
import { isPassed, isStopped, gatesAfter } from './gates.ts'
import { needsOf } from './graph.ts'
import { hasRoom } from './room.ts'
import type { Run, StepRun } from './run.ts'
import type { Stage } from './stage.ts'

// frontier-graph.ts: what the steps call for where several can be under way at once. A step begins as soon as all that
// it needs is done. Order: what stops the run comes before what begins, so that nothing new begins after a failure.

type StageOf = (step: Step, state: StepRun) => Stage

/** The next event of any branch, or what all of them together wait for. */
export const branches = (run: Run, stageOf: StageOf): Stage => stopping(run, stageOf) ?? going(run, stageOf)

/** Failures, unknown outcomes and rejected gates: the first in document order that says what it leads to. */
const stopping = (run: Run, stageOf: StageOf): Stage => {
  const stopped = new Set(
    Object.values(run.gates)
      .filter((gate) => gate.stepNumber > 0 && isStopped(gate) && !isPassed(gate))
      .map((gate) => gate.stepNumber),
  )
  const { steps } = run.seed.pinned.definition
  for (const [index, step] of steps.entries()) {
    const state = run.steps[index]
    if (state === undefined) continue
    if (state.state !== 'failed' && state.state !== 'unknown' && !stopped.has(step.number)) continue
    const stage = stageOf(step, state)
    if (stage !== undefined && 'next' in stage && stage.next.eventType.startsWith('run_')) return stage
  }
  return undefined
}

const going = (run: Run, stageOf: StageOf): Stage => {
  const { definition } = run.seed.pinned
  const needs = needsOf(definition)
  const done = run.steps.map((state, index) => isDone(run, definition.steps[index], state))
  const works: Work[] = []
  const timers: Timer[] = []
  for (const [index, step] of definition.steps.entries()) {
    const state = run.steps[index]
    if (state === undefined || done[index] === true) continue
    if (isWaiting(state) && !(needs[index] ?? []).every((need) => done[need])) continue
    const stage = stageOf(step, state)
    if (stage === undefined) continue
    if (!('next' in stage)) {
      works.push(...(stage.works ?? []))
      timers.push(...(stage.timers ?? []))
    } else if (!isWaiting(state) || stage.next.eventType !== 'step_started' || hasRoom(run)) return stage
  }
  return done.every(Boolean) ? undefined : { works, timers }
}

const isWaiting = ({ state }: StepRun): boolean => state === 'pending' || state === 'awaiting_approval'

/** Settled, and let through by the gates behind it: what needs it may begin. */
const isDone = (run: Run, step: Step | undefined, state: StepRun): boolean => {
  switch (state.state) {
    case 'success':
      return step === undefined || gatesAfter(run, step).every(({ id }) => isPassed(run.gates[id]))
    case 'skipped':
    case 'rolled_back':
      return true
    case 'failed':
      return state.then === 'continue'
    default:
      return false
  }
}
