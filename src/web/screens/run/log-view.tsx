import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { problemOf } from '../../api/problem.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { Time } from '../../parts/time.tsx'
import { AnsiLine } from './ansi-line.tsx'
import { useLogSize } from './live.ts'
import { addressOf, type LogChoice } from './log-choice.ts'
import { LogTools } from './log-tools.tsx'
import { LogWindow } from './log-window.ts'
import { useLogSearch } from './use-log-search.ts'

/** Height of a row in pixels; the style sheet has the same. */
const ROW_PX = 19
/** Browsers draw nothing higher than some ten million pixels: beyond, a pixel of the bar is more than a pixel of rows. */
const MOST_PX = 8_000_000
const SPARE_ROWS = 12
const LOOK_AGAIN_MS = 3_000

interface LogViewProps {
  readonly runId: string
  readonly log: LogChoice
  /** What stands there before the first line. */
  readonly empty: string
}

/** A log: as it grows, by lines, searched on the engine. It holds the rows around what is looked at, however long the log. */
export function LogView({ runId, log, empty }: LogViewProps) {
  const address = addressOf(log)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address says all of the log
  const rows = useMemo(() => new LogWindow(runId, log), [runId, address])
  useEffect(() => () => rows.stop(), [rows])
  const state = useSyncExternalStore(rows.subscribe, rows.snapshot)
  useLogSize(runId, log, () => rows.refresh())
  useEffect(() => rows.refresh(), [rows])
  // Nothing tells that a store is back.
  const isHeld = state.heldSince !== undefined
  useEffect(() => {
    if (!isHeld) return
    const timer = setInterval(() => rows.refresh(), LOOK_AGAIN_MS)
    return () => clearInterval(timer)
  }, [rows, isHeld])
  const [follows, setFollows] = useState(true)
  const [seen, setSeen] = useState(0)
  const search = useLogSearch(runId, log, state.total, state.isKnown)
  const box = useRef<HTMLDivElement>(null)
  const view = useRows(box, state.total, follows)
  useEffect(() => rows.want(view.first, view.last), [rows, view.first, view.last, state.version])
  useEffect(() => {
    if (follows) setSeen(state.total)
  }, [follows, state.total])
  const goTo = useCallback(
    (row: number) => {
      setFollows(false)
      view.show(row)
    },
    [view.show],
  )
  useEffect(() => {
    if (search.row !== undefined) goTo(search.row)
  }, [search.row, search.moves, goTo])
  const isMissing = state.error !== undefined && problemOf(state.error).code === 'not_found'
  const isRemoved = isMissing && problemOf(state.error).document['removedAt'] !== undefined
  const isEmpty = state.total === 0 && (state.isKnown || isMissing)
  return (
    <div className="log" data-follows={follows} data-held={rows.held()}>
      <LogTools
        runId={runId}
        log={log}
        state={state}
        search={search}
        follows={follows}
        onFollow={(next) => {
          setFollows(next)
          if (next) view.show(state.total)
        }}
      />
      {state.error !== undefined && !(isMissing && !isRemoved) && (
        <ErrorBox
          title={isRemoved ? 'This log was removed' : 'The log cannot be shown'}
          error={state.error}
          {...(!isRemoved && { retry: () => rows.retry() })}
        />
      )}
      {state.heldSince !== undefined && (
        <p className="log-note" role="note">
          The log store takes nothing since <Time at={state.heldSince} as="both" />. What is printed is kept beside it,
          and brought there once it is back.
        </p>
      )}
      {state.truncated && (
        <p className="log-note" role="note">
          Output was left out: the log reached a limit of the engine. A line of it says how much is missing.
        </p>
      )}
      <div
        ref={box}
        className="log-box"
        // A scrolling region that takes the focus, so that it scrolls by keyboard.
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Output"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          const isAtEnd = scrollHeight - clientHeight - scrollTop < 2 * ROW_PX
          if (isAtEnd !== follows && view.isByHand()) setFollows(isAtEnd)
          view.onScroll()
        }}
      >
        {isEmpty ? (
          <p className="log-empty muted">
            {isMissing && !isRemoved ? empty : state.complete ? 'It printed nothing.' : empty}
          </p>
        ) : (
          <div className="log-space" style={{ height: view.height }}>
            <div className="log-rows" style={{ transform: `translateY(${view.top}px)` }}>
              {Array.from({ length: Math.max(0, view.last - view.first) }, (_, index) => {
                const number = view.first + index
                const text = rows.row(number)
                const isHit = search.row === number
                return (
                  <div key={number} className={isHit ? 'log-row log-row-hit' : 'log-row'}>
                    <span className="log-number" aria-hidden="true">
                      {number + 1}
                    </span>
                    <span className="log-text">
                      {text === undefined ? (
                        ''
                      ) : (
                        <AnsiLine row={text} {...(search.text !== '' && { marked: search.text })} />
                      )}
                    </span>
                  </div>
                )
              })}
            </div>
          </div>
        )}
      </div>
      {!follows && state.total > seen && (
        <button
          type="button"
          className="log-new"
          onClick={() => {
            setFollows(true)
            view.show(state.total)
          }}
        >
          {(state.total - seen).toLocaleString()} new {state.total - seen === 1 ? 'line' : 'lines'} ↓
        </button>
      )}
    </div>
  )
}

/** Which rows are in sight, and where they stand. */
function useRows(box: React.RefObject<HTMLDivElement | null>, total: number, follows: boolean) {
  const [place, setPlace] = useState({ top: 0, height: 400 })
  // Scrolling that the page did itself is no wish to stop following.
  const own = useRef(-1)
  const wished = useRef<number | undefined>(undefined)
  const height = Math.min(total * ROW_PX, MOST_PX)
  const most = Math.max(0, total * ROW_PX - place.height)
  const room = Math.max(1, height - place.height)
  // Where the space is shorter than the rows, the bar says a share of the way.
  const ratio = most / room
  const isScaled = total * ROW_PX > MOST_PX
  const offset = isScaled ? Math.min(place.top * ratio, most) : place.top
  const first = Math.max(0, Math.min(Math.floor(offset / ROW_PX), total) - SPARE_ROWS)
  const last = Math.min(total, Math.ceil((offset + place.height) / ROW_PX) + SPARE_ROWS)
  const measure = useCallback(() => {
    const element = box.current
    if (element !== null) setPlace({ top: element.scrollTop, height: element.clientHeight })
  }, [box])
  const scrollTo = useCallback(
    (top: number) => {
      const element = box.current
      if (element === null) return
      element.scrollTop = top
      own.current = element.scrollTop
      measure()
    },
    [box, measure],
  )
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [box, measure])
  useLayoutEffect(() => {
    if (follows) scrollTo(height)
  }, [follows, height, total, scrollTo])
  const show = useCallback(
    (row: number) => {
      wished.current = row
      const middle = Math.max(0, Math.min(row * ROW_PX - place.height / 2, most))
      scrollTo(isScaled ? middle / ratio : middle)
    },
    [place.height, most, isScaled, ratio, scrollTo],
  )
  return {
    first,
    last,
    height,
    top: isScaled ? place.top - (offset - first * ROW_PX) : first * ROW_PX,
    show,
    onScroll: measure,
    isByHand: () => box.current !== null && Math.abs(box.current.scrollTop - own.current) > 1,
  }
}
