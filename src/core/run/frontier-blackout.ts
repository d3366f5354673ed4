import { hasBlackouts } from './admission.ts'
import { BLACKOUT_FACT } from './evolve-entry.ts'
import type { Run } from './run.ts'
import { emit, type Stage } from './stage.ts'

// frontier-blackout.ts: times in which no run begins. They are asked in an activity and recorded, since zones and calendars
// change under a replay; the answer says how long it holds, so that a run asks again only when that time is over.

/**
 * Refuses the run in a blackout, or has it wait for its end; free outside of one. `begin`: the run is about to begin, maybe
 * long after it arrived.
 */
export const blackout = (run: Run, phase: 'arrival' | 'begin', at: string): Stage => {
  const { definition } = run.seed.pinned
  if (run.startedAt !== undefined || run.seed.force === true || run.admitted.over === true) return undefined
  if (run.seed.rulesVersion < 4 || !hasBlackouts(definition)) return undefined
  const { calendar } = run
  if (calendar === undefined || (mayAskAnew(run, phase) && Date.parse(at) >= Date.parse(calendar.until)))
    return askCalendar(run)
  if (calendar.error !== undefined)
    return emit({
      eventType: 'run_refused',
      details: { reason: `Cannot find out whether it may begin: ${calendar.error}` },
    })
  if (calendar.because === undefined) return undefined
  const reason = `${calendar.because} lasts until ${calendar.until}`
  const details = { reason, notBefore: calendar.until }
  if (definition.blackoutPolicy !== 'wait') return emit({ eventType: 'run_refused', details })
  // It waits in the queue: on arrival that is where it goes anyway, and with a slot it gives that back.
  if (phase === 'arrival') return run.queued === undefined ? emit({ eventType: 'run_queued', details }) : undefined
  return emit({ eventType: 'run_queued', details: { ...details, again: true } })
}

/**
 * On arrival it is asked anew only where it would refuse the run: whatever goes on is asked before it begins. What a run waits
 * for must not change by the clock alone, since a question that time put there would count as asked, and nobody would ask it.
 */
const mayAskAnew = ({ seed, calendar }: Run, phase: 'arrival' | 'begin'): boolean =>
  phase === 'begin' ||
  seed.rulesVersion < 9 ||
  (calendar?.because !== undefined && seed.pinned.definition.blackoutPolicy !== 'wait')

/** An answer about blackouts counts only for the question that is open. */
export const isAskedNow = (run: Run, question: string): boolean =>
  !question.startsWith(`${BLACKOUT_FACT}:`) || question === questionOf(run)

const questionOf = ({ calendar }: Run): string => `${BLACKOUT_FACT}:${(calendar?.asked ?? 0) + 1}`

/** Each question is a new one: the answer to an old one does not count. */
const askCalendar = (run: Run): Stage => {
  const question = questionOf(run)
  return { works: [{ id: `facts:${question}`, kind: 'facts', question, names: [BLACKOUT_FACT] }] }
}
