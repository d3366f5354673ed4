import { evaluate } from '../condition/evaluate.ts'
import { ask } from './ask.ts'
import { gate } from './frontier-gate.ts'
import { startGate } from './gates.ts'
import type { Run } from './run.ts'
import { emit, firstOf, type Stage } from './stage.ts'
import { needsAdmission } from './supported.ts'

// frontier-entry.ts: what comes before the first step: preconditions, the approval to begin, a slot (rulings 24).

/** Preconditions and cooldown; a false one refuses the run (rulings 24). */
export const arrival = (run: Run): Stage => {
  if (run.startedAt !== undefined) return undefined
  const problem = run.seed.problems?.join('; ')
  if (problem !== undefined && problem !== '') return emit({ eventType: 'run_refused', details: { reason: problem } })
  if (run.admitted.arrival === true || run.seed.force === true) return undefined
  const { conditions, cooldownMs } = run.seed.pinned.definition
  const asksAdmission = needsAdmission(run.seed.pinned) && cooldownMs > 0
  if (conditions === undefined && run.seed.triggerCondition === undefined && !asksAdmission) return undefined
  return firstOf(
    () => preconditions(run, 'arrival'),
    () => (asksAdmission ? { works: [{ id: 'admission:arrival', kind: 'admission', phase: 'arrival' }] } : undefined),
  )
}

const preconditions = (run: Run, phase: 'arrival' | 'slot'): Stage => {
  const { conditions } = run.seed.pinned.definition
  const all = [
    ...(run.seed.triggerCondition ? [run.seed.triggerCondition] : []),
    ...(conditions?.requires ?? []),
    ...(conditions?.expression ? [conditions.expression] : []),
  ]
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
  const done = phase === 'arrival' && !(needsAdmission(run.seed.pinned) && run.seed.pinned.definition.cooldownMs > 0)
  return done ? emit({ eventType: 'run_admitted', details: { phase } }) : undefined
}

export const start = (run: Run, at: string): Stage => {
  const spec = startGate(run)
  if (spec === undefined) return undefined
  // Of a run that began, only changed params open it again.
  const state = run.gates[spec.id]?.state
  return run.startedAt !== undefined && (state === undefined || state === 'passed') ? undefined : gate(run, spec, at)
}

/** Whether a run that began and was opened again has yet to get its slot back; its preconditions held when it began. */
export const awaitsSlot = (run: Run): boolean =>
  run.reopened !== undefined && run.admitted.slot !== true && needsAdmission(run.seed.pinned)

/** The slot, and before it the preconditions once more: a start gate may have stood open for days. */
export const slot = (run: Run): Stage => {
  if (run.admitted.slot === true || !needsAdmission(run.seed.pinned)) return undefined
  if (run.startedAt !== undefined && !awaitsSlot(run)) return undefined
  return firstOf(
    () => (run.startedAt === undefined ? preconditions(run, 'slot') : undefined),
    () => ({ works: [{ id: 'admission:slot', kind: 'admission', phase: 'slot' }] }),
  )
}

export const begin = (run: Run): Stage =>
  emit({ eventType: 'run_started', details: { totalSteps: run.seed.pinned.definition.steps.length } })
