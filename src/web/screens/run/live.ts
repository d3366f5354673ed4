import { useCallback, useEffect, useRef } from 'react'
import { startLive, useLogFeed, useRunChanges, useRunFeed } from '../../api/live.ts'
import type { LogChoice } from './log-choice.ts'

// live.ts: what of a run changes while somebody looks at it, from the page's one stream.

/** Tells of every event of the run after the sequence that was known first; `undefined` listens to nothing. */
export function useRunEvents(runId: string | undefined, known: number | undefined, tell: () => void): void {
  useEffect(startLive, [])
  const first = useRef(known)
  if (first.current === undefined) first.current = known
  const after = first.current
  useRunFeed(runId === undefined || after === undefined ? undefined : { runId, after, onEvent: tell })
  // The feed of a closed run is over; the list says when somebody opens it again.
  useRunChanges(({ runs, reset }) => {
    if (reset === true || runs.some((run) => run.runId === runId)) tell()
  })
}

/** Tells whenever the log grew. */
export function useLogSize(runId: string, log: LogChoice, tell: () => void): void {
  const last = useRef(tell)
  useEffect(() => {
    last.current = tell
  })
  const onSize = useCallback(() => last.current(), [])
  useLogFeed({ runId, ...log, onSize })
}
