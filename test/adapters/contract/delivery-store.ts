import { monotonicFactory } from 'ulid'
import { expect, test } from 'vitest'
import type { Delivery, DeliveryStore } from '../../../src/core/trigger/delivery.ts'

/** What a test gets: a fresh store, and the same one as another process opens it. */
export interface DeliveryRig {
  readonly deliveries: DeliveryStore
  readonly again: () => DeliveryStore
}

const factories = new Map<string, ReturnType<typeof monotonicFactory>>()

/** Of one instant they sort as they were made. */
const nextId = (at: string): string => {
  const factory = factories.get(at) ?? monotonicFactory()
  factories.set(at, factory)
  return factory(Date.parse(at))
}

export const deliveryOf = (at: string, rest: Partial<Delivery> = {}): Delivery => ({
  id: `del_${nextId(at).toLowerCase()}`,
  at,
  source: 'webhook',
  subject: '/hook',
  verdict: 'started',
  principal: 'webhook:/hook',
  ...rest,
})

const ids = async (store: DeliveryStore, filter = {}): Promise<readonly string[]> =>
  (await store.list(filter)).map(({ id }) => id)

/** The laws of every store of deliveries; each adapter's test file calls it with its own way to open one. */
export const describeDeliveryStore = (name: string, rig: () => Promise<DeliveryRig> | DeliveryRig): void => {
  test(`${name} keeps what it gets, for every process`, async () => {
    const { deliveries, again } = await rig()
    const whole = deliveryOf('2026-01-31T23:59:59.999Z', {
      action: 'POST',
      sop: 'deploy',
      trigger: 1,
      runId: 'sop_run_1',
      reason: 'Zeilen\nund "Zeichen" \u2028 é 😀',
      code: 'invalid',
      key: 'k',
      headers: { 'x-a': 'b' },
      payload: { b: [1, 2.5, null, true], a: { deep: 'x' }, back: '\\u0000' },
      redeliveryOf: 'del_0',
      redacted: 'secret',
    })
    await deliveries.put(whole)
    expect(await again().get(whole.id)).toEqual(whole)
    expect(await deliveries.list({})).toEqual([whole])
    expect(await deliveries.get('del_00000000000000000000000000')).toBeUndefined()
    for (const odd of ['', 'nope', 'del_', '../../etc/passwd', `del_${'z'.repeat(26)}`])
      expect(await deliveries.get(odd)).toBeUndefined()
  })

  test(`${name} takes a payload with any character`, async () => {
    const { deliveries } = await rig()
    const odd = deliveryOf('2026-01-01T00:00:00.000Z', { payload: 'a\u0000b\ud800' })
    await deliveries.put(odd)
    expect((await deliveries.get(odd.id))?.verdict).toBe('started')
  })

  test(`${name} lists the newest first, over the days, by what is asked for`, async () => {
    const { deliveries, again } = await rig()
    const a = deliveryOf('2026-01-01T10:00:00.000Z', { sop: 'a' })
    const b = deliveryOf('2026-01-02T10:00:00.000Z', { sop: 'b', source: 'event' })
    const c = deliveryOf('2026-01-02T10:00:00.000Z', { sop: 'a', verdict: 'refused' })
    const d = deliveryOf('2026-01-03T10:00:00.000Z')
    for (const each of [b, a, d, c]) await deliveries.put(each)
    expect(await ids(again())).toEqual([d.id, c.id, b.id, a.id])
    expect(await ids(deliveries, { sop: 'a' })).toEqual([c.id, a.id])
    expect(await ids(deliveries, { source: 'event' })).toEqual([b.id])
    expect(await ids(deliveries, { verdict: 'refused' })).toEqual([c.id])
    expect(await ids(deliveries, { limit: 2 })).toEqual([d.id, c.id])
    expect(await ids(deliveries, { before: c.id, limit: 5 })).toEqual([b.id, a.id])
    expect(await ids(deliveries, { sop: 'a', before: c.id })).toEqual([a.id])
    expect(await ids(deliveries, { sop: 'nope' })).toEqual([])
  })

  test(`${name} keeps many that come at once, in the order of their ids`, async () => {
    const { deliveries, again } = await rig()
    const many = Array.from({ length: 200 }, () => deliveryOf('2026-01-01T10:00:00.000Z'))
    await Promise.all(many.map((each) => deliveries.put(each)))
    expect(await ids(again(), { limit: 1000 })).toEqual(many.map(({ id }) => id).reverse())
    expect(await ids(deliveries)).toHaveLength(50)
  })

  test(`${name} forgets what is older than it is told`, async () => {
    const { deliveries } = await rig()
    const old = deliveryOf('2026-01-01T10:00:00.000Z')
    const young = deliveryOf('2026-01-03T00:00:00.000Z')
    await deliveries.put(old)
    await deliveries.put(young)
    await deliveries.prune('2026-01-03T00:00:00.000Z')
    expect(await ids(deliveries)).toEqual([young.id])
    expect(await deliveries.get(old.id)).toBeUndefined()
    await deliveries.prune('2026-01-01T00:00:00.000Z')
    expect(await ids(deliveries)).toEqual([young.id])
  })
}
