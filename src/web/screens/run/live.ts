import { useEffect, useRef } from 'react'
import type { LogSize } from '../../../client/client.ts'
import { addressOf, type LogChoice } from './log-choice.ts'

// live.ts: what of a run changes while somebody looks at it.

/** Tells of every event of the run after `after`; `undefined` listens to nothing. */
export function useRunEvents(runId: string | undefined, after: number | undefined, tell: () => void): void {
  const last = useLatest(tell)
  const from = useRef(after)
  if (from.current === undefined) from.current = after
  const isReady = runId !== undefined && after !== undefined
  useEffect(() => {
    if (!isReady) return
    const source = new EventSource(`/api/v1/runs/${encodeURIComponent(runId)}/events?after=${from.current ?? 0}`)
    source.addEventListener('run_event', () => last.current())
    source.addEventListener('end', () => source.close())
    return () => source.close()
  }, [runId, isReady, last])
}

/** Tells how large the log is, whenever it grew. */
export function useLogSize(runId: string, log: LogChoice | undefined, tell: (size: LogSize) => void): void {
  const last = useLatest(tell)
  const query = log === undefined ? undefined : addressOf(log)
  useEffect(() => {
    if (query === undefined) return
    const source = new EventSource(`/api/v1/runs/${encodeURIComponent(runId)}/logs/size?${query}`)
    source.addEventListener('log_size', (event: MessageEvent<string>) =>
      last.current(JSON.parse(event.data) as LogSize),
    )
    source.addEventListener('end', () => source.close())
    return () => source.close()
  }, [runId, query, last])
}

function useLatest<T>(value: T): { readonly current: T } {
  const ref = useRef(value)
  useEffect(() => {
    ref.current = value
  })
  return ref
}
