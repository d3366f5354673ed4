import { expect, test } from 'vitest'
import type { LookedSchedule } from '../../src/client/schedule-store.ts'
import { type Delivery, type DeliveryFilter, isMeant } from '../../src/core/trigger/delivery.ts'
import { recordMissedFires } from '../../src/triggers/missed-fires.ts'

const setUp = () => {
  const kept: Delivery[] = []
  const deliveries = {
    put: async (delivery: Delivery) => void kept.unshift(delivery),
    get: async () => undefined,
    list: async (filter: DeliveryFilter) => kept.filter((each) => isMeant(filter, each)),
    prune: async () => {},
  }
  const deps = { deliveries, newId: () => `del_${kept.length}`, now: () => Date.parse('2026-11-21T12:00:00Z') }
  const tell = (missed: number, skipped = 0, id = 'sop_schedule_a_1') =>
    recordMissedFires(deps, { id, sop: 'a', counts: { fired: 3, missed, skipped, dropped: 0 } } as LookedSchedule, {
      catchUpMs: 86_400_000,
      overlap: 'skip',
    })
  return { kept, tell }
}

test('recordMissedFires() tells once of what was missed, and of what came since', async () => {
  const { kept, tell } = setUp()
  expect(await tell(0)).toBeUndefined()
  expect(await tell(2)).toMatchObject({
    source: 'cron',
    subject: 'sop_schedule_a_1',
    sop: 'a',
    verdict: 'refused',
    principal: 'schedule:sop_schedule_a_1',
    reason: '2 fires started no run: Temporal was not there in time (its catch-up window of 1d)',
    payload: { fires: 2, inAll: 2, missed: 2 },
  })
  expect(await tell(2)).toBeUndefined()
  expect(await tell(1, 0, 'sop_schedule_a_2')).toMatchObject({
    reason: expect.stringMatching(/^1 fire started/) as string,
  })
  expect(await tell(2, 1)).toMatchObject({
    payload: { fires: 1, inAll: 3 },
    reason: expect.stringContaining('overlap policy "skip"') as string,
  })
  expect(await tell(2, 1)).toBeUndefined()
  expect(kept).toHaveLength(3)
})
