import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { useCallback, useRef } from 'react'
import type { RunControls, RunNext, Timeline } from '../../../client/client.ts'
import type { RunView } from '../../../core/run/view.ts'
import { request } from '../../api/request.ts'
import { useRunEvents } from './live.ts'
import { pathOf } from './log-choice.ts'

/** Shortest time between two looks at a run of which much happens, in milliseconds. */
const PAUSE_MS = 250

/** Everything that the screen shows of a run but its logs and its record, anew with every event. */
export function useRun(ref: string) {
  const queryClient = useQueryClient()
  const part = <T>(name: string) => ({
    queryKey: ['run', ref, name],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      request<T>(name === 'view' ? pathOf(ref) : `${pathOf(ref)}/${name}`, { signal }),
  })
  const view = useQuery(part<RunView>('view'))
  const timeline = useQuery(part<Timeline>('timeline'))
  const controls = useQuery(part<RunControls>('controls'))
  const next = useQuery(part<RunNext>('next'))
  const refresh = useCallback(() => queryClient.invalidateQueries({ queryKey: ['run', ref] }), [queryClient, ref])
  const onEvent = useThrottled(refresh)
  useRunEvents(view.data?.runId, oldest(view, timeline), onEvent)
  return { view, timeline, controls, next, refresh }
}

/**
 * How far the part has come that is behind the other: the view is told by the run itself, the timeline by its record, which
 * comes after it. What lies between them would never be told again. Without a timeline every event counts.
 */
const oldest = (
  { data: view }: UseQueryResult<RunView>,
  { data: timeline, isError }: UseQueryResult<Timeline>,
): number | undefined => {
  if (view === undefined || (timeline === undefined && !isError)) return undefined
  return Math.min(view.sequence, timeline?.sequence ?? 0)
}

/** At once, and then not again before the pause is over and the work is done. */
function useThrottled(work: () => Promise<unknown>): () => void {
  const state = useRef({ isBusy: false, isWanted: false })
  return useCallback(() => {
    const go = async (): Promise<void> => {
      const { current } = state
      current.isWanted = true
      if (current.isBusy) return
      current.isBusy = true
      while (current.isWanted) {
        current.isWanted = false
        await Promise.all([work(), new Promise((resolve) => setTimeout(resolve, PAUSE_MS))])
      }
      current.isBusy = false
    }
    void go()
  }, [work])
}
