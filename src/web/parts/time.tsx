import { useSyncExternalStore } from 'react'
import { absolute, relative, utc } from './time-text.ts'

/** One clock for all relative times of the page: they tick together, once a second, and rest while the page is hidden. */
const ticking = (() => {
  const listeners = new Set<() => void>()
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const tick = () => {
    now = Date.now()
    for (const listener of listeners) listener()
  }
  const look = () => {
    const wanted = listeners.size > 0 && !document.hidden
    if (wanted && timer === undefined) {
      timer = setInterval(tick, 1_000)
      now = Date.now()
    } else if (!wanted && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
  }
  document.addEventListener('visibilitychange', () => {
    look()
    if (!document.hidden) tick()
  })
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      look()
      return () => {
        listeners.delete(listener)
        look()
      }
    },
    now: () => now,
  }
})()

/** The time now in milliseconds, anew every second. */
export const useNow = (): number => useSyncExternalStore(ticking.subscribe, ticking.now)

interface TimeProps {
  /** ISO-8601, UTC. */
  readonly at: string
  /** `relative` ("3 min ago", ticks), `absolute` (the viewer's zone) or both. Default `relative`. */
  readonly as?: 'relative' | 'absolute' | 'both'
}

/** An instant in the viewer's zone; hovering says it in UTC. */
export function Time({ at, as = 'relative' }: TimeProps) {
  return (
    <time dateTime={at} title={utc(at)} className="time">
      {as !== 'relative' && absolute(at)}
      {as === 'both' && ' · '}
      {as !== 'absolute' && <Relative at={at} />}
    </time>
  )
}

function Relative({ at }: { readonly at: string }) {
  return <span className="tabular">{relative(at, useNow())}</span>
}
