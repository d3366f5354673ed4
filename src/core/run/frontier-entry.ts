import { evaluate } from '../condition/evaluate.ts'
import type { Condition } from '../definition.ts'
import { hasBlackouts, needsAdmission } from './admission.ts'
import { ask } from './ask.ts'
import { blackout } from './frontier-blackout.ts'
import { gate } from './frontier-gate.ts'
import { startGate } from './gates.ts'
import type { Run } from './run.ts'
import { emit, firstOf, type Stage } from './stage.ts'

// frontier-entry.ts: what comes before the first step: preconditions, the approval to begin, a slot (rulings 24).

/** Preconditions, blackouts and cooldown; each may refuse the run (rulings 24). */
export const arrival = (run: Run, at: string): Stage => {
  if (run.startedAt !== undefined) return undefined
  const problem = run.seed.problems?.join('; ')
  if (problem !== undefined && problem !== '') return emit({ eventType: 'run_refused', details: { reason: problem } })
  if (run.admitted.arrival === true || run.seed.force === true) return undefined
  const { definition } = run.seed.pinned
  const cools = definition.cooldownMs > 0
  const isChecked = conditionsOf(run).length > 0 || hasBlackouts(definition)
  if (!isChecked && !cools) return undefined
  return firstOf(
    () => preconditions(run, 'arrival'),
    () => blackout(run, 'arrival', at),
    () =>
      cools
        ? { works: [{ id: 'admission:arrival', kind: 'admission', phase: 'arrival' }] }
        : emit({ eventType: 'run_admitted', details: { phase: 'arrival' } }),
  )
}

const conditionsOf = ({ seed }: Run): readonly Condition[] => {
  const { conditions } = seed.pinned.definition
  return [
    ...(seed.triggerCondition ? [seed.triggerCondition] : []),
    ...(conditions?.requires ?? []),
    ...(conditions?.expression ? [conditions.expression] : []),
  ]
}

const preconditions = (run: Run, phase: 'arrival' | 'slot'): Stage => {
  const all = conditionsOf(run)
  if (all.length === 0 || run.seed.force === true) return undefined
  const asked = ask(run, phase, all)
  if (asked.kind === 'wait') return { works: [asked.work] }
  for (const condition of all) {
    const result = evaluate(condition, asked.scope)
    const reason = !result.ok
      ? `Cannot evaluate condition "${condition.text}": ${result.error}`
      : result.value
        ? undefined
        : `condition "${condition.text}" is not met`
    if (reason !== undefined) return emit({ eventType: 'run_refused', details: { reason } })
  }
  return undefined
}

export const start = (run: Run, at: string): Stage => {
  const spec = startGate(run)
  if (spec === undefined) return undefined
  // Of a run that began, only changed params open it again.
  const state = run.gates[spec.id]?.state
  return run.startedAt !== undefined && (state === undefined || state === 'passed') ? undefined : gate(run, spec, at)
}

/** Whether a run that began has yet to get a slot back: it was opened again, or gave it away at a gate. */
export const awaitsSlot = (run: Run): boolean =>
  (run.reopened !== undefined || run.away !== undefined) && run.admitted.slot !== true && needsAdmission(run.seed)

/** The slot, and before it the preconditions once more: a start gate may have stood open for days. */
export const slot = (run: Run): Stage => {
  if (run.admitted.slot === true || !needsAdmission(run.seed)) return undefined
  // The preconditions of a run that began held then; one that is at a gate asks when it goes on.
  if (run.startedAt !== undefined && (run.away !== undefined || !awaitsSlot(run))) return undefined
  return firstOf(
    () => (run.startedAt === undefined ? preconditions(run, 'slot') : undefined),
    () => ({ works: [{ id: 'admission:slot', kind: 'admission', phase: 'slot' }] }),
  )
}

export const begin = (run: Run): Stage =>
  emit({ eventType: 'run_started', details: { totalSteps: run.seed.pinned.definition.steps.length } })
