import { hasSlots } from './admission.ts'
import type { Timer, Work } from './effect.ts'
import type { EventType } from './event.ts'
import { gateTimers } from './frontier-gate.ts'
import { openGates } from './gates.ts'
import type { Run } from './run.ts'
import { emit, type Stage } from './stage.ts'
import { runningWorks } from './works.ts'

// frontier-slot.ts: a run with `release_slot_at_gate` gives its slot away while it only waits for people at gates, and asks
// for it again before it does anything more. Its locks it keeps: what stands half done behind a lock is nobody else's yet.

/** What makes a run need its slot again. All else is words. */
const NEEDS_SLOT: readonly EventType[] = ['step_started', 'verification_started']

/** The stage of a run on its way, with what its slot calls for. */
export const withSlot = (run: Run, stage: Stage): Stage => {
  if (run.away === undefined) return mayGive(run, stage) ? given(run) : stage
  if (stage === undefined) return undefined
  if (!('next' in stage)) return { ...stage, works: [...(stage.works ?? []), yieldOf(run)] }
  return NEEDS_SLOT.includes(stage.next.eventType) ? { works: [SLOT], timers: timersOf(run) } : stage
}

const SLOT: Work = { id: 'admission:slot', kind: 'admission', phase: 'slot' }

const yieldOf = ({ slots = 0 }: Run): Work => ({ id: `admission:yield#${slots}`, kind: 'admission', phase: 'yield' })

const mayGive = (run: Run, stage: Stage): boolean =>
  run.seed.pinned.definition.releaseSlotAtGate === true &&
  run.seed.rulesVersion >= 4 &&
  run.startedAt !== undefined &&
  run.admitted.slot === true &&
  run.pauseRequested === undefined &&
  hasSlots(run.seed) &&
  stage !== undefined &&
  !('next' in stage) &&
  (stage.works ?? []).length === 0 &&
  openGates(run).length > 0 &&
  runningWorks(run).length === 0 &&
  run.steps.every(({ state, then }) => state !== 'running' && state !== 'awaiting_input' && then !== 'retry')

const given = (run: Run): Stage =>
  emit({ eventType: 'slot_released', details: { gates: openGates(run).map(({ id }) => id) } })

/** Gates of other branches stay open meanwhile. */
const timersOf = (run: Run): readonly Timer[] => openGates(run).flatMap(gateTimers)
