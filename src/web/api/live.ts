// live.ts: the one stream of this page. It carries all that the page follows, resumes where it was cut, and is let go of
// while nobody looks. Whoever wants something of it says so, and hears what comes.

import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { LogSize } from '../../client/client.ts'
import type { RecordedEvent } from '../../core/run/event.ts'
import type { RunSummary } from '../../core/run/view.ts'
import { readEvents, type StreamEvent } from './event-stream.ts'
import { queryClient } from './query-client.ts'
import { noteSessionEnded } from './session.ts'

/** `resting`: the page is hidden, or nothing is followed. */
export type LiveState = 'resting' | 'connecting' | 'live' | 'lost'

export interface RunsChanged {
  readonly runs: readonly RunSummary[]
  /** The engine does not know any more where this page was: everything may have changed. */
  readonly reset?: boolean
}

/** What can be followed besides the list of runs: one run, one log. */
export interface RunFeed {
  readonly runId: string
  /** Sequence of the last event that one has. */
  readonly after: number
  readonly onEvent: (event: RecordedEvent) => void
}
export interface LogFeed {
  readonly runId: string
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
  /** It is that large now. */
  readonly onSize: (size: LogSize) => void
}

/** A connection that said nothing for so long is dead: the engine says every 15 s that it lives. */
const SILENCE_MS = 40_000
/** A hidden page lets go of its stream after so long. */
const HIDDEN_MS = 60_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000
/** A connection that held so long was a good one. */
const SETTLED_MS = 5_000

let state: LiveState = 'resting'
let runFeed: RunFeed | undefined
let logFeed: LogFeed | undefined
let followsRuns = false
let lastId: string | undefined
let connection: AbortController | undefined
let pauseMs = FIRST_PAUSE_MS
let hiddenTimer: ReturnType<typeof setTimeout> | undefined
let lastBytesAt = 0
let isQueued = false

const stateListeners = new Set<() => void>()
const runsListeners = new Set<(changed: RunsChanged) => void>()

const setState = (next: LiveState): void => {
  if (state === next) return
  state = next
  for (const listener of stateListeners) listener()
}

/** Whether what is shown is as it is now. */
export const useLiveState = (): LiveState =>
  useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    () => state,
  )

/** Begins to follow the runs, for as long as the page is open. */
export function startLive(): void {
  if (followsRuns) {
    if (connection === undefined && !document.hidden) reconnect()
    return
  }
  followsRuns = true
  document.addEventListener('visibilitychange', onVisibility)
  window.addEventListener('online', reconnect)
  setInterval(() => {
    if (state === 'live' && Date.now() - lastBytesAt > SILENCE_MS) reconnect()
  }, 5_000)
  reconnect()
}

/** Stops following, since nobody is signed in. */
export function stopLive(): void {
  connection?.abort()
  connection = undefined
  setState('resting')
}

/** Calls back with the runs that change. `reset`, or a run that one does not know, means to ask anew. */
export function useRunChanges(onChange: (changed: RunsChanged) => void): void {
  const last = useRef(onChange)
  useEffect(() => {
    last.current = onChange
  })
  useEffect(() => {
    const tell = (changed: RunsChanged): void => last.current(changed)
    runsListeners.add(tell)
    return () => {
      runsListeners.delete(tell)
    }
  }, [])
}

/** Follows the events of one run while the caller is shown; at most one run at a time. `undefined`: none. */
export function useRunFeed(feed: RunFeed | undefined): void {
  const { runId, after, onEvent } = feed ?? {}
  useEffect(() => {
    if (runId === undefined || after === undefined || onEvent === undefined) return
    const mine: RunFeed = { runId, after, onEvent }
    runFeed = mine
    forget('run', 'after')
    queueReconnect()
    return () => {
      if (runFeed !== mine) return
      runFeed = undefined
      queueReconnect()
    }
  }, [runId, after, onEvent])
}

/** Follows how large a log is while the caller is shown; at most one at a time. `undefined`: none. */
export function useLogFeed(feed: LogFeed | undefined): void {
  const { runId, step, attempt, source, item, onSize } = feed ?? {}
  useEffect(() => {
    if (runId === undefined || onSize === undefined) return
    const place = {
      ...(step !== undefined && { step }),
      ...(attempt !== undefined && { attempt }),
      ...(source !== undefined && { source }),
      ...(item !== undefined && { item }),
    }
    const mine: LogFeed = { runId, ...place, onSize }
    logFeed = mine
    forget('log', 'at')
    queueReconnect()
    return () => {
      if (logFeed !== mine) return
      logFeed = undefined
      queueReconnect()
    }
  }, [runId, step, attempt, source, item, onSize])
}

/** Whoever begins to follow says from where; how far another one came does not count. */
function forget(...keys: readonly string[]): void {
  if (lastId === undefined) return
  const places = new URLSearchParams(lastId)
  for (const key of keys) places.delete(key)
  lastId = places.toString()
}

/** Several wishes of one moment are one new connection. */
function queueReconnect(): void {
  if (isQueued) return
  isQueued = true
  queueMicrotask(() => {
    isQueued = false
    if (state !== 'resting') reconnect()
  })
}

function onVisibility(): void {
  clearTimeout(hiddenTimer)
  if (document.hidden) hiddenTimer = setTimeout(stopLive, HIDDEN_MS)
  // A device that slept may hold a connection that nobody is at the other end of.
  else if (connection === undefined || Date.now() - lastBytesAt > SILENCE_MS / 2) reconnect()
}

/** Opens the stream anew, where it was. */
export function reconnect(): void {
  connection?.abort()
  const mine = new AbortController()
  connection = mine
  if (state === 'resting') setState('connecting')
  void run(mine)
}

async function run(mine: AbortController): Promise<void> {
  const isMine = (): boolean => connection === mine
  while (isMine()) {
    const openedAt = Date.now()
    try {
      const response = await fetch(address(), {
        headers: {
          Accept: 'text/event-stream',
          'X-SOP-Client': 'web',
          ...(lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
        },
        signal: mine.signal,
      })
      if (response.status === 401) return ended(mine)
      // An id of another time, or of another engine: begin anew, and ask for everything.
      if (response.status === 400) lastId = undefined
      if (response.ok && response.body !== null) await listen(mine, response.body)
    } catch {
      // Whatever broke it: the next try says more.
    }
    if (!isMine()) return
    // One that breaks again at once is asked for less and less often.
    if (Date.now() - openedAt > SETTLED_MS) pauseMs = FIRST_PAUSE_MS
    setState('lost')
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.75 + Math.random() / 2)))
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

function ended(mine: AbortController): void {
  if (connection !== mine) return
  stopLive()
  noteSessionEnded()
}

async function listen(mine: AbortController, body: ReadableStream<Uint8Array>): Promise<void> {
  lastBytesAt = Date.now()
  const isResumed = lastId !== undefined
  for await (const event of readEvents(body, () => {
    lastBytesAt = Date.now()
  })) {
    if (connection !== mine) return
    if (event.event === 'failed' && breaksOff(mine, event.data)) return
    if (state !== 'live') {
      setState('live')
      askAgain(isResumed)
    }
    if (event.event === 'session_ended') return ended(mine)
    if (event.id !== undefined) lastId = event.id
    dispatch(event)
  }
}

/**
 * The engine cannot tell of one of the things for now, and will not by itself. Without the list of runs nothing that is shown
 * can be trusted, so the connection counts as lost; a run or a log alone is asked for again after a while.
 */
function breaksOff(mine: AbortController, data: string): boolean {
  const { of, code } = JSON.parse(data) as { readonly of?: string; readonly code?: string }
  if (code !== 'unavailable' && code !== 'internal') return false
  if (of === 'runs') return true
  setTimeout(() => connection === mine && reconnect(), LONGEST_PAUSE_MS)
  return false
}

/** A stream that was resumed tells what changed meanwhile. Before one that begins, something may have changed that nobody told of. */
function askAgain(isResumed: boolean): void {
  void queryClient.invalidateQueries({
    refetchType: 'active',
    predicate: ({ queryKey, state: { status, dataUpdatedAt } }) =>
      queryKey[0] !== 'session' && (status === 'error' || (!isResumed && dataUpdatedAt > 0)),
  })
}

function dispatch({ event, data }: StreamEvent): void {
  switch (event) {
    case 'runs': {
      const changed = JSON.parse(data) as RunsChanged
      for (const listener of runsListeners) listener(changed)
      return
    }
    case 'run_event': {
      const recorded = JSON.parse(data) as RecordedEvent
      if (recorded.runId === runFeed?.runId) runFeed.onEvent(recorded)
      return
    }
    case 'log_size': {
      const size = JSON.parse(data) as LogSize
      if (size.runId === logFeed?.runId) logFeed.onSize(size)
    }
  }
}

function address(): string {
  const query = new URLSearchParams({ runs: '1' })
  if (runFeed !== undefined) {
    query.set('run', runFeed.runId)
    query.set('after', String(runFeed.after))
  }
  if (logFeed !== undefined) {
    const { runId, step, attempt, source, item } = logFeed
    query.set('log', runId)
    query.set('sizes', '1')
    for (const [key, value] of Object.entries({ step, attempt, source, item })) {
      if (value !== undefined) query.set(key, String(value))
    }
  }
  return `/api/v1/stream?${query.toString()}`
}
