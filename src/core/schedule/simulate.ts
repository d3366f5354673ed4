import type { Json } from '../definition.ts'
import { parseCron } from './cron.ts'
import { fires } from './fires.ts'
import type { Schedule } from './schedule.ts'

/** One time at which a schedule is due. */
export interface DueFire {
  readonly at: string
  readonly schedule: string
  readonly sop: string
  readonly params: Readonly<Record<string, Json>>
  /** Where it is not to be so: why this fire starts no run. */
  readonly blocked?: string
}

/** The next times of a schedule, at or after `fromMs`. */
export const nextTimes = (
  { expression, timezone }: Pick<Schedule, 'expression' | 'timezone'>,
  fromMs: number,
  count: number,
): readonly string[] => {
  const found: string[] = []
  for (const at of fires(parseCron(expression), timezone, fromMs)) {
    if (found.length >= count) break
    found.push(new Date(at).toISOString())
  }
  return found
}

export interface Window {
  readonly fromMs: number
  readonly toMs: number
  /** At most so many fires, the first ones. */
  readonly limit: number
}

/** What all schedules would do in `[from, to)`, in the order of time; nothing is started. */
export const dueFires = (
  schedules: readonly Schedule[],
  { fromMs, toMs, limit }: Window,
  blockedBy: (schedule: Schedule, at: string) => string | undefined,
): readonly DueFire[] => {
  const heads = schedules.flatMap((schedule) => {
    const times = fires(parseCron(schedule.expression), schedule.timezone, fromMs)
    const first = times.next()
    return first.done === true || first.value >= toMs ? [] : [{ schedule, times, at: first.value }]
  })
  const found: DueFire[] = []
  while (heads.length > 0 && found.length < limit) {
    const head = heads.reduce((least, each) => (each.at < least.at ? each : least))
    const at = new Date(head.at).toISOString()
    const blocked = blockedBy(head.schedule, at)
    const { id, sop, params = {} } = head.schedule
    found.push({ at, schedule: id, sop, params, ...(blocked !== undefined && { blocked }) })
    const next = head.times.next()
    if (next.done === true || next.value >= toMs) heads.splice(heads.indexOf(head), 1)
    else head.at = next.value
  }
  return found
}
