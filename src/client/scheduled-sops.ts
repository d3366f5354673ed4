import { unsupported } from '../core/run/supported.ts'
import type { ScheduledSop, Standing } from '../core/schedule/plan.ts'
import { type Schedule, type ScheduleSettings, schedulesOf } from '../core/schedule/schedule.ts'
import type { SopDefinition } from '../core/definition.ts'
import type { CatalogEntry } from './catalog.ts'

/** What the catalog calls for. Kept by definition, since a thousand of them are asked for again and again. */
export type ScheduledSops = (entries: readonly CatalogEntry[]) => readonly ScheduledSop[]

/** What the engine knows of its schedules without asking Temporal; the source that keeps them in step fills it in. */
export interface ScheduleReport {
  pausedByUs: () => readonly Standing[]
}

/** Sentences for an SOP of which schedules stand paused since it cannot start. */
export const pausedNotices = (report: ScheduleReport | undefined, sop: string): readonly string[] =>
  (report?.pausedByUs() ?? [])
    .filter((each) => each.sop === sop || each.note.includes(`SOP "${sop}" `))
    .map(({ id }) => `Schedule "${id}" stands paused until the SOP can start again`)

export const createScheduledSops = (settings: ScheduleSettings, now: () => number): ScheduledSops => {
  let kept = new WeakMap<SopDefinition, { readonly path: string; readonly schedules: readonly Schedule[] }>()
  let year: number | undefined
  const schedulesFor = (definition: SopDefinition, path: string): readonly Schedule[] => {
    const before = kept.get(definition)
    if (before !== undefined && before.path === path) return before.schedules
    const schedules = schedulesOf(definition, path, settings, now())
    kept.set(definition, { path, schedules })
    return schedules
  }
  return (entries) => {
    const present = new Date(now()).getUTCFullYear()
    if (present !== year) kept = new WeakMap()
    year = present
    const byName = new Map<string, ScheduledSop>()
    for (const entry of entries) {
      const before = byName.get(entry.name)
      // Of several of one name, the one that can start is what runs.
      if (before === undefined || before.broken !== undefined) byName.set(entry.name, scheduledSop(entry, schedulesFor))
    }
    return [...byName.values()]
  }
}

const scheduledSop = (
  { name, path, compiled: { definition, diagnostics } }: CatalogEntry,
  schedulesFor: (definition: SopDefinition, path: string) => readonly Schedule[],
): ScheduledSop => {
  const error = diagnostics.find(({ severity }) => severity === 'error')
  if (definition === undefined || error !== undefined) {
    const where =
      error === undefined ? '' : `: ${error.place.file}:${error.place.line}:${error.place.column}: ${error.message}`
    return { name, path, schedules: [], broken: `SOP "${name}" no longer compiles${where}` }
  }
  const [blocker] = unsupported(definition)
  if (blocker !== undefined) return { name, path, schedules: [], broken: `SOP "${name}" cannot start: ${blocker}` }
  return { name, path, schedules: schedulesFor(definition, path) }
}
