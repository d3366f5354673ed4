import type { EffectiveMode, ExecutionMode, Priority } from '../definition.ts'
import type { RunSeed } from './run.ts'

/** Stricter modes ask for more approvals. */
export const STRICTNESS: Readonly<Record<EffectiveMode, number>> = { auto: 0, supervised: 1, step_by_step: 2 }

/** What a mode means for a priority: `priority_based` runs critical and high as auto, or, strict, step by step (product.md 4). */
export const effectiveMode = (mode: ExecutionMode, priority: Priority, strict: boolean): EffectiveMode => {
  if (mode !== 'priority_based') return mode
  const urgent = priority === 'critical' || priority === 'high'
  return urgent ? (strict ? 'step_by_step' : 'auto') : 'supervised'
}

/** The mode that a run has by its start request, its definition and the config, in this order. */
export const modeOfRun = ({ mode, pinned }: RunSeed): EffectiveMode => {
  const { definition, policy } = pinned
  return effectiveMode(mode ?? definition.mode ?? policy.defaultMode, definition.priority, policy.priorityBasedStrict)
}
