import { monotonicFactory } from 'ulid'

/** Makes ids of deliveries, which sort by time; `at` in milliseconds. Those of one maker are never equal. */
export const createDeliveryIds = (): ((at?: number) => string) => {
  const next = monotonicFactory()
  return (at) => `del_${next(at).toLowerCase()}`
}
