import type { AdmissionRequest } from '../admission.ts'
import type { SopDefinition } from '../definition.ts'
import type { Run, RunSeed } from './run.ts'

// admission.ts: what a run asks of admission (core/admission.ts), and whether it has to ask at all.

type Asking = Pick<RunSeed, 'pinned' | 'rulesVersion' | 'parent'>

/** Whether the run visits admission at all; most do not (engine.md 1). */
export const needsAdmission = (seed: Asking): boolean => {
  const { definition, policy } = seed.pinned
  if (definition.cooldownMs > 0 || definition.maxConcurrent !== undefined) return true
  if (seed.rulesVersion < 4) return policy.maxConcurrentRuns !== undefined
  return countsAmongAll(seed) || locksOf(seed).length > 0 || waitsForBlackouts(definition)
}

/** A run that is a step of another is no run more: its parent has a slot for both, and would wait for it for ever. */
const countsAmongAll = ({ pinned, parent }: Asking): boolean =>
  pinned.policy.maxConcurrentRuns !== undefined && parent === undefined

/**
 * The locks that it takes: its own and those of all SOPs that it runs, at once. So no run ever waits for a lock while it has
 * one that others wait for.
 */
export const locksOf = ({ pinned }: Pick<RunSeed, 'pinned'>): readonly string[] => {
  const below = Object.values(pinned.children ?? {}).flatMap(({ definition }) => definition.locks ?? [])
  return [...new Set([...(pinned.definition.locks ?? []), ...below])].sort()
}

/** Whether there are times in which it does not begin. */
export const hasBlackouts = ({ blackout, holidays }: SopDefinition): boolean =>
  (blackout ?? []).length > 0 || (holidays ?? []).length > 0

const waitsForBlackouts = (definition: SopDefinition): boolean =>
  definition.blackoutPolicy === 'wait' && hasBlackouts(definition)

/** Whether a slot is one of a number, so that giving it away helps somebody. */
export const hasSlots = (seed: Asking): boolean =>
  seed.pinned.definition.maxConcurrent !== undefined || countsAmongAll(seed)

/** How urgent a run is for admission and for Temporal; 1 is first. */
export const PRIORITY_KEYS = { critical: 1, high: 2, normal: 3, low: 5 } as const

/** What Temporal goes by where workers are scarce: urgent runs first, and no SOP before all others. */
export const priorityOf = ({ name, priority }: SopDefinition) => ({
  priorityKey: PRIORITY_KEYS[priority],
  fairnessKey: name.slice(0, 64),
})

/** Which request for a slot the next one is. */
export const turnOf = (run: Run): number => (run.slots ?? 0) + 1

export const admissionRequest = (run: Run, phase: 'arrival' | 'slot'): AdmissionRequest => {
  const { runId, pinned, trigger, force, rulesVersion, parent } = run.seed
  const { definition, policy } = pinned
  const isNew = rulesVersion >= 4
  const isLimited = policy.maxConcurrentRuns !== undefined && (!isNew || countsAmongAll(run.seed))
  return {
    runId,
    sop: definition.name,
    phase,
    triggeredAt: trigger.scheduledAt ?? run.createdAt ?? '',
    priority: PRIORITY_KEYS[definition.priority],
    cooldownMs: definition.cooldownMs,
    ...(definition.maxConcurrent !== undefined && { maxConcurrent: definition.maxConcurrent }),
    ...(isLimited && { maxTotal: policy.maxConcurrentRuns }),
    admission: definition.admission,
    // A run that was opened again had its cooldown behind it when it began.
    ...((force === true || run.startedAt !== undefined) && { force: true }),
    ...(isNew && { form: 2 as const }),
    ...(isNew && parent !== undefined && { parent: parent.runId }),
    ...(isNew && phase === 'slot' && slotRequest(run)),
  }
}

const slotRequest = (run: Run): Partial<AdmissionRequest> => {
  const locks = locksOf(run.seed)
  const { calendar } = run
  return {
    turn: turnOf(run),
    ...(locks.length > 0 && { locks }),
    ...(run.startedAt !== undefined && { begun: true as const }),
    ...(run.startedAt === undefined &&
      run.seed.force !== true &&
      calendar?.because !== undefined && { notBefore: calendar.until, because: calendar.because }),
  }
}
