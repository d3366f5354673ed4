import { useEffect, useRef } from 'react'
import type { RunSummary } from '../../../core/run/view.ts'

/** Tells of runs that change while the screen is open; `isAll` where some may have been missed. */
export function useRunChanges(tell: (runs: readonly RunSummary[], isAll: boolean) => void): void {
  const last = useRef(tell)
  useEffect(() => {
    last.current = tell
  })
  useEffect(() => {
    const source = new EventSource('/api/v1/events')
    source.addEventListener('runs', (event: MessageEvent<string>) => {
      const { runs, reset } = JSON.parse(event.data) as { readonly runs: readonly RunSummary[]; readonly reset?: true }
      if (runs.length > 0 || reset === true) last.current(runs, reset === true)
    })
    return () => source.close()
  }, [])
}
