import { useQuery } from '@tanstack/react-query'
import { useCallback, useRef } from 'react'
import type { WaitingList } from '../../core/run/waiting.ts'
import { useRunChanges, type RunsChanged } from './live.ts'
import { queryClient } from './query-client.ts'
import { request } from './request.ts'

const KEY = ['waiting'] as const

/** What waits for people, as the engine sorts it. */
export const useWaiting = () =>
  useQuery({ queryKey: KEY, queryFn: ({ signal }) => request<WaitingList>('/api/v1/waiting', { signal }) })

/** Asks before somebody wants to see it. */
export const prefetchWaiting = (): Promise<void> =>
  queryClient.prefetchQuery({ queryKey: KEY, queryFn: () => request<WaitingList>('/api/v1/waiting') })

/** Changes that come together are one question; the first is asked about at once. */
const TOGETHER_MS = 150

/** Asks again when something may have begun or ceased to wait. For one place of the page, which is always shown. */
export function useFreshWaiting(): void {
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined)
  const again = useRef(false)
  const refresh = useCallback(() => {
    if (pause.current !== undefined) {
      again.current = true
      return
    }
    void queryClient.invalidateQueries({ queryKey: KEY })
    pause.current = setTimeout(() => {
      pause.current = undefined
      if (!again.current) return
      again.current = false
      refresh()
    }, TOGETHER_MS)
  }, [])
  useRunChanges((changed) => {
    if (concerns(changed)) refresh()
  })
}

/** Whether a run waits now, or did when it was last asked about. */
function concerns({ runs, reset }: RunsChanged): boolean {
  if (reset === true) return true
  const known = new Set(queryClient.getQueryData<WaitingList>(KEY)?.items.map(({ runId }) => runId))
  return runs.some(
    ({ runId, status, openGates, openInputs }) =>
      known.has(runId) || status === 'paused' || openGates.length > 0 || openInputs !== undefined,
  )
}
