import { type QueryKey, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { RunSummary } from '../../core/run/view.ts'
import { useRunChanges } from '../api/live.ts'

/** Changes that come within this time cost one question. */
const GATHER_MS = 1_000

/** Asks anew for what a caller shows when runs change that concern it. */
export function useRefreshByRuns(queryKeys: readonly QueryKey[], concerns: (run: RunSummary) => boolean): void {
  const client = useQueryClient()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const keys = useRef(queryKeys)
  useEffect(() => {
    keys.current = queryKeys
  })
  useEffect(() => () => clearTimeout(timer.current), [])
  useRunChanges(({ runs, reset }) => {
    if (timer.current !== undefined || (reset !== true && !runs.some(concerns))) return
    timer.current = setTimeout(() => {
      timer.current = undefined
      for (const queryKey of keys.current) void client.invalidateQueries({ queryKey })
    }, GATHER_MS)
  })
}
