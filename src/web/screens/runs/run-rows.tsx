import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { RunRow } from './run-row.tsx'
import type { RunListState } from './use-run-list.ts'
import { useNarrow } from './use-narrow.ts'

interface RunRowsProps {
  readonly list: RunListState
  readonly box: RefObject<HTMLUListElement | null>
}

/** Pixels that a row takes, side by side and one above the other. */
const HEIGHT = { wide: 54, narrow: 92 } as const
/** Rows before the end of what is loaded, at which the next ones are asked for. */
const AHEAD = 60

/** The rows that are in sight, of as many as there are. */
export function RunRows({ list, box }: RunRowsProps) {
  const { runs, hasNext, isLoadingNext, loadNext, left } = list
  const isNarrow = useNarrow()
  const [current, setCurrent] = useState(0)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => setOffset(box.current?.offsetTop ?? 0), [box])
  const height = isNarrow ? HEIGHT.narrow : HEIGHT.wide
  const virtual = useWindowVirtualizer({
    count: runs.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: offset,
    getItemKey: (index) => runs[index]?.runId ?? index,
  })
  useEffect(() => virtual.measure(), [virtual, height])

  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasNext && !isLoadingNext && last >= runs.length - AHEAD) loadNext()
  }, [hasNext, isLoadingNext, last, runs.length, loadNext])

  // The row that the keyboard went to may have yet to be drawn.
  const wanted = useRef<number>(undefined)
  useEffect(() => {
    if (wanted.current === undefined) return
    const link = box.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`)
    if (link === null || link === undefined) return
    wanted.current = undefined
    link.focus({ preventScroll: true })
  })
  const goTo = (index: number): void => {
    const next = Math.max(0, Math.min(runs.length - 1, index))
    wanted.current = next
    setCurrent(next)
    virtual.scrollToIndex(next, { align: 'auto' })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = STEPS[event.key]
    if (step === undefined) return
    event.preventDefault()
    goTo(step === 'first' ? 0 : step === 'last' ? runs.length - 1 : current + step)
  }
  const isDrawn = items.some(({ index }) => index === current)
  return (
    <ul
      ref={box}
      className="run-rows"
      aria-label="Runs"
      style={{ height: virtual.getTotalSize() }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const index = Number(event.target.dataset['index'] ?? Number.NaN)
        if (Number.isInteger(index)) setCurrent(index)
      }}
    >
      {items.map(({ index, key, start }) => {
        const run = runs[index]
        return run === undefined ? null : (
          <RunRow
            key={key}
            run={run}
            index={index}
            total={hasNext ? -1 : runs.length}
            isCurrent={isDrawn ? index === current : index === items[0]?.index}
            hasLeft={left.has(run.runId)}
            style={{ height, transform: `translateY(${start - offset}px)` }}
          />
        )
      })}
    </ul>
  )
}

const STEPS: Readonly<Record<string, number | 'first' | 'last'>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  j: 1,
  k: -1,
  PageDown: 10,
  PageUp: -10,
  Home: 'first',
  End: 'last',
}
