import { QueryClient } from '@tanstack/react-query'
import { ApiProblem } from './problem.ts'

/** Refusals are answers; only what may pass by itself is asked again. */
const mayPass = (error: unknown): boolean =>
  error instanceof ApiProblem && (error.code === 'unavailable' || error.status === 429 || error.status === 408)

/** What the page knows. The stream says what changed, so nothing is asked again by time alone. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => failures < 3 && mayPass(error),
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 5_000),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
})
