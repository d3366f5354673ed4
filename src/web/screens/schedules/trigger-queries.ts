import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { SopClient } from '../../../client/client.ts'
import { request } from '../../api/request.ts'

// trigger-queries.ts: what is asked about schedules, triggers and deliveries.

type Listed<Method extends keyof SopClient> = SopClient[Method] extends (
  ...args: never
) => Promise<readonly (infer T)[]>
  ? T
  : never
export type Schedule = Listed<'listSchedules'>
export type Fire = Listed<'listUpcoming'>
export type Trigger = Listed<'listTriggers'>
export type Delivery = Listed<'listDeliveries'>
export type TestResult = Listed<'testTrigger'>

const ANEW = { refetchOnMount: 'always', refetchOnWindowFocus: true } as const

export const useSchedules = () =>
  useQuery({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => request<{ readonly schedules: readonly Schedule[] }>('/api/v1/schedules', { signal }),
    ...ANEW,
  })

/** Most fires that are asked for. */
export const MOST_FIRES = 1000

/** What is to be started between two instants. */
export const useUpcoming = (from: string, to: string) =>
  useQuery({
    queryKey: ['upcoming', from, to],
    queryFn: ({ signal }) =>
      request<{ readonly fires: readonly Fire[] }>(
        `/api/v1/schedules/upcoming?${new URLSearchParams({ from, to, limit: String(MOST_FIRES) }).toString()}`,
        { signal },
      ),
    ...ANEW,
  })

export const useTriggers = () =>
  useQuery({
    queryKey: ['triggers'],
    queryFn: ({ signal }) => request<{ readonly triggers: readonly Trigger[] }>('/api/v1/triggers', { signal }),
    ...ANEW,
  })

const PAGE = 50
export type DeliveryKey = 'sop' | 'source' | 'verdict'

/** Deliveries, newest first, page by page. */
export const useDeliveries = (filter: Readonly<Partial<Record<DeliveryKey, string>>>) =>
  useInfiniteQuery({
    queryKey: ['deliveries', filter],
    queryFn: async ({ pageParam, signal }) => {
      const search = new URLSearchParams({ ...filter, limit: String(PAGE) })
      if (pageParam !== undefined) search.set('before', pageParam)
      const { deliveries } = await request<{ readonly deliveries: readonly Delivery[] }>(
        `/api/v1/deliveries?${search.toString()}`,
        { signal },
      )
      return deliveries
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: readonly Delivery[]) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    ...ANEW,
  })
