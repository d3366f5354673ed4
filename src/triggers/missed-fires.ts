import type { LookedSchedule } from '../client/schedule-store.ts'
import { formatDuration } from '../core/duration.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import type { Delivery, DeliveryStore } from '../core/trigger/delivery.ts'

// missed-fires.ts: puts on record that fires started nothing. Temporal counts them and keeps no more than the count, so what
// was told of stands in the last delivery of the schedule that has no action: the others tell of people who fired it.

export interface MissedFiresDeps {
  readonly deliveries: DeliveryStore
  readonly newId: () => string
  readonly now: () => number
}

/** Of how many a delivery told, all in all. */
const toldIn = ({ payload }: Delivery): number => {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return 0
  const told = (payload as { readonly inAll?: unknown }).inAll
  return typeof told === 'number' ? told : 0
}

/** Enough to find the last one of each schedule of an SOP. */
const RECENT = 1_000

/** Tells of the fires that were missed or passed over since it was told last. @returns the delivery, where there is one */
export const recordMissedFires = async (
  { deliveries, newId, now }: MissedFiresDeps,
  { id, sop, counts }: LookedSchedule,
  schedule: Pick<Schedule, 'catchUpMs' | 'overlap'> | undefined,
): Promise<Delivery | undefined> => {
  const inAll = counts.missed + counts.skipped + counts.dropped
  if (inAll === 0) return undefined
  const before = (await deliveries.list({ sop, source: 'cron', limit: RECENT })).find(
    ({ subject, action }) => subject === id && action === undefined,
  )
  const told = before === undefined ? 0 : toldIn(before)
  if (inAll <= told) return undefined
  const delivery: Delivery = {
    id: newId(),
    at: new Date(now()).toISOString(),
    source: 'cron',
    subject: id,
    sop,
    verdict: 'refused',
    code: 'unavailable',
    reason: reasonOf(inAll - told, counts, schedule),
    principal: `schedule:${id}`,
    payload: { fires: inAll - told, inAll, ...counts },
  }
  await deliveries.put(delivery)
  return delivery
}

const reasonOf = (
  fires: number,
  { missed, skipped }: LookedSchedule['counts'],
  schedule: Pick<Schedule, 'catchUpMs' | 'overlap'> | undefined,
): string => {
  const count = `${fires} ${fires === 1 ? 'fire' : 'fires'} started no run`
  const window =
    schedule === undefined ? 'its catch-up window' : `its catch-up window of ${formatDuration(schedule.catchUpMs)}`
  const late = missed > 0 ? [`Temporal was not there in time (${window})`] : []
  const policy =
    skipped > 0 ? [`its overlap policy "${schedule?.overlap ?? 'skip'}" passes over fires while a run is open`] : []
  const reasons = [...late, ...policy]
  return `${count}: ${reasons.length === 0 ? 'too many were waiting' : reasons.join('; ')}`
}
