import { calendarOf, type Calendar, type FiledDay, holidayFiles, outlookAt } from '../core/blackout.ts'
import type { SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { hasBlackouts } from '../core/run/admission.ts'
import type { CatalogEntry } from './catalog.ts'

// scheduled-blackouts.ts: what blackouts and holidays would make of a fire, by the files as they stand now.

export interface BlackoutDeps {
  /** Of an SOP that names none. */
  readonly timezone: string
  /** The days of a calendar file of an SOP. @throws SopError where it cannot be read */
  readonly readHolidays: (sop: string, file: string) => Promise<readonly FiledDay[]>
}

/** Why a fire of the SOP at the instant starts no run then; undefined where one would begin. */
export type BlackoutAt = (sop: string, at: string) => string | undefined

type Known = { readonly calendar: Calendar; readonly waits: boolean } | { readonly problem: string }

export const readBlackouts = async (entries: readonly CatalogEntry[], deps: BlackoutDeps): Promise<BlackoutAt> => {
  const known = new Map<string, Known>()
  for (const { compiled } of entries) {
    const { definition } = compiled
    if (definition === undefined || !hasBlackouts(definition)) continue
    known.set(definition.name, await readCalendar(definition, deps))
  }
  return (sop, at) => {
    const found = known.get(sop)
    if (found === undefined) return undefined
    if ('problem' in found) return found.problem
    const { because, until } = outlookAt(found.calendar, at)
    if (because === undefined) return undefined
    return found.waits ? `${because}: the run waits until ${until}` : `${because}: the run is refused, until ${until}`
  }
}

const readCalendar = async (definition: SopDefinition, { timezone, readHolidays }: BlackoutDeps): Promise<Known> => {
  try {
    const filed: FiledDay[] = []
    for (const file of holidayFiles(definition.holidays)) filed.push(...(await readHolidays(definition.name, file)))
    const calendar = calendarOf(definition, definition.timezone ?? timezone, filed)
    return { calendar, waits: definition.blackoutPolicy === 'wait' }
  } catch (error) {
    // As at the fire itself: a calendar that cannot be read refuses the run.
    if (!(error instanceof SopError)) throw error
    return { problem: error.message }
  }
}
