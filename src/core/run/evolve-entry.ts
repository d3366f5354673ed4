import type { EventType, RunEvent } from './event.ts'
import type { Run } from './run.ts'

// evolve-entry.ts: what the answers of admission, and of the calendar, mean for a run.

type Of<T extends EventType> = RunEvent<T>

/** The fact that says whether a blackout lasts; `core/blackout.ts` works it out. */
export const BLACKOUT_FACT = 'blackout'

/** Later than any blackout. */
const ALWAYS = '9999-12-31T23:59:59.999Z'

export const queued = (run: Run, { details, timestamp }: Of<'run_queued'>): Run => ({
  ...run,
  ...(details.again === true && { admitted: withoutSlot(run) }),
  queued: { reason: details.reason, at: timestamp },
})

const withoutSlot = ({ admitted: { slot: _, ...admitted } }: Run): Run['admitted'] => admitted

export const letIn = (run: Run, { timestamp, details: { phase, overLimit } }: Of<'run_admitted'>): Run => {
  const { queued: _q, away: _a, ...rest } = run
  const counts = phase === 'slot' && run.seed.rulesVersion >= 4
  return {
    ...rest,
    ...(phase === 'slot' && calendarOver(run, timestamp)),
    admitted: { ...run.admitted, [phase]: true, ...(overLimit === true && { over: true as const }) },
    ...(counts && { slots: (run.slots ?? 0) + 1 }),
    facts: {},
  }
}

/**
 * Admission lets a run in only once its blackout is over, by the clock of its host. Where that of the run's is behind, the
 * calendar is asked anew: the run would give its slot back, and nobody would call for another.
 */
const calendarOver = ({ calendar, seed }: Run, at: string): Pick<Run, 'calendar'> =>
  calendar?.because === undefined || seed.rulesVersion < 8 || Date.parse(at) >= Date.parse(calendar.until)
    ? {}
    : { calendar: { ...calendar, until: at } }

export const slotGiven = (run: Run, { timestamp }: Of<'slot_released'>): Run => ({
  ...run,
  admitted: withoutSlot(run),
  away: { at: timestamp },
})

/** An answer that cannot be read counts as none: the run does not begin on a guess. */
export const calendarKnown = (run: Run, { details: { values, errors } }: Of<'facts_resolved'>): Run => {
  const asked = (run.calendar?.asked ?? 0) + 1
  const answer = values[BLACKOUT_FACT]
  const [until, because] = isTable(answer) ? [answer['until'], answer['because']] : []
  if (typeof until !== 'string' || Number.isNaN(Date.parse(until)))
    return { ...run, calendar: { asked, until: ALWAYS, error: errors?.[BLACKOUT_FACT] ?? 'nobody answered' } }
  return { ...run, calendar: { asked, until, ...(typeof because === 'string' && { because }) } }
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
