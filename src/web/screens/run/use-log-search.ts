import { useCallback, useEffect, useRef, useState } from 'react'
import type { LogMatches } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { addressOf, type LogChoice, pathOf } from './log-choice.ts'

/** Numbers of rows that are kept; beyond, there are "more than" so many. */
const MOST_MATCHES = 10_000
/** How long typing has to rest, in milliseconds. */
const REST_MS = 200

export interface LogSearch {
  /** As it was typed. */
  readonly typed: string
  /** What is looked for, in lower case; empty: nothing. */
  readonly text: string
  readonly matches: readonly number[]
  readonly isSearching: boolean
  readonly hasMore: boolean
  /** Which of the matches one is at, from 0. */
  readonly at: number
  readonly row: number | undefined
  /** Counts the moves, so that the same row can be gone to again. */
  readonly moves: number
  type(text: string): void
  move(by: 1 | -1): void
}

const NOTHING: readonly number[] = []

/** A search in a log: on the engine, from its begin, and in what is added. */
export function useLogSearch(runId: string, log: LogChoice, total: number, isKnown: boolean): LogSearch {
  const [typed, setTyped] = useState('')
  const [text, setText] = useState('')
  const [found, setFound] = useState({ matches: NOTHING, isSearching: false, hasMore: false, error: false })
  const [place, setPlace] = useState({ at: 0, moves: 0 })
  const searched = useRef({ key: '', upTo: 0 })
  const address = addressOf(log)
  useEffect(() => {
    const timer = setTimeout(() => setText(typed.toLowerCase()), typed === '' ? 0 : REST_MS)
    return () => clearTimeout(timer)
  }, [typed])
  useEffect(() => {
    const key = `${runId} ${address} ${text}`
    const isNew = searched.current.key !== key
    if (isNew) {
      searched.current = { key, upTo: 0 }
      setFound({ matches: NOTHING, isSearching: text !== '', hasMore: false, error: false })
      setPlace({ at: 0, moves: 0 })
    }
    if (text === '' || !isKnown) return
    const controller = new AbortController()
    const go = async (): Promise<void> => {
      // The last row may have grown since.
      let from: number | undefined = Math.max(0, searched.current.upTo - 1)
      while (from !== undefined && !controller.signal.aborted) {
        const query: string = `${address}&text=${encodeURIComponent(text)}&from=${from}`
        const { matches, next } = await request<LogMatches>(`${pathOf(runId)}/logs/search?${query}`, {
          signal: controller.signal,
        })
        const start: number = from
        setFound((before) => {
          const all = [...before.matches.filter((row) => row < start), ...matches]
          return {
            matches: all.slice(0, MOST_MATCHES),
            isSearching: next !== undefined && all.length < MOST_MATCHES,
            hasMore: all.length > MOST_MATCHES || (next !== undefined && all.length >= MOST_MATCHES),
            error: false,
          }
        })
        if (matches.length > 0 && isNew) setPlace((now) => (now.moves === 0 ? { at: 0, moves: 1 } : now))
        searched.current = { key, upTo: next ?? total }
        from = next
      }
    }
    go().catch(() => {
      if (!controller.signal.aborted) setFound((before) => ({ ...before, isSearching: false, error: true }))
    })
    return () => controller.abort()
  }, [runId, address, text, total, isKnown])
  const { length } = found.matches
  const move = useCallback(
    (by: 1 | -1) => {
      if (length > 0) setPlace(({ at, moves }) => ({ at: (at + by + length) % length, moves: moves + 1 }))
    },
    [length],
  )
  return {
    typed,
    text,
    ...found,
    at: place.at,
    row: text === '' || place.moves === 0 ? undefined : found.matches[place.at],
    moves: place.moves,
    type: setTyped,
    move,
  }
}
