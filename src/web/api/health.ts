import { useQuery } from '@tanstack/react-query'
import type { Health } from '../../client/client.ts'
import { request } from './request.ts'

/** How often an open page asks; a hidden one does not. */
const EVERY_MS = 30_000

/** How the engine is: what does not work, since when, and the way out. */
export const useHealth = () =>
  useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => request<Health>('/api/v1/health', { signal }),
    refetchInterval: EVERY_MS,
    retry: false,
  })
