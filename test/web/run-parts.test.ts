import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Timeline } from '../../src/client/client.ts'
import { LogWindow, PAGE_ROWS, PAGES_HELD } from '../../src/web/screens/run/log-window.ts'
import { lengthOf, marksOf, scaleOf } from '../../src/web/screens/run/timeline-scale.ts'

const at = (seconds: number): string => new Date(Date.UTC(2026, 2, 1) + seconds * 1000).toISOString()
const ms = (seconds: number): number => Date.parse(at(seconds))

describe('scaleOf()', () => {
  const timeline: Timeline = {
    runId: 'r',
    status: 'completed',
    sequence: 9,
    from: at(0),
    to: at(1000),
    lanes: 1,
    spans: [],
    rows: [
      {
        kind: 'step',
        id: '1',
        title: 'One',
        stepNumber: 1,
        status: 'success',
        attempt: 1,
        lane: 0,
        spans: [
          { kind: 'gate', from: at(0), to: at(900), sequence: 2 },
          { kind: 'work', from: at(900), to: at(1000), sequence: 3 },
        ],
      },
    ],
  }

  test('is true to time', () => {
    const scale = scaleOf(timeline, 0, false)
    expect([0, 250, 1000].map((second) => scale.at(ms(second)))).toEqual([0, 0.25, 1])
  })

  test('gives waits a quarter of the width where they are shortened, and never turns the order around', () => {
    const scale = scaleOf(timeline, 0, true)
    expect(scale.at(ms(900))).toBeCloseTo(0.25)
    expect(scale.at(ms(950))).toBeCloseTo(0.625)
    const places = Array.from({ length: 1001 }, (_, second) => scale.at(ms(second)))
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  test('an open run ends now', () => {
    const { to: _, ...open } = timeline
    expect(scaleOf(open, ms(2000), false).at(ms(1000))).toBe(0.5)
  })

  test('has marks at round times, and no more than asked for', () => {
    expect(marksOf(scaleOf(timeline, 0, false), 6)).toEqual([0, 300_000, 600_000, 900_000])
  })
})

test('lengthOf() counts what lies above each other once, and what goes on up to now', () => {
  const span = (kind: 'work' | 'pool', from: number, to?: number) => ({
    kind,
    from: at(from),
    ...(to !== undefined && { to: at(to) }),
    sequence: 1,
  })
  expect(lengthOf([span('work', 0), span('pool', 10)], ms(100))).toBe(100_000)
  expect(lengthOf([span('work', 0, 10), span('work', 20, 25)], ms(100))).toBe(15_000)
  expect(lengthOf([], ms(100))).toBe(0)
})

describe('LogWindow', () => {
  afterEach(() => vi.unstubAllGlobals())

  /** An engine that has a log of so many rows, of which it gives at most `most` at once. */
  const serve = (log: { total: number; most?: number }) => {
    const asked: number[] = []
    vi.stubGlobal('fetch', async (path: string) => {
      const query = new URLSearchParams(path.split('?')[1])
      const from = Number(query.get('from'))
      const first = from < 0 ? Math.max(0, log.total + from) : from
      asked.push(first)
      const length = Math.max(0, Math.min(Number(query.get('limit')), log.most ?? 1000, log.total - first))
      const rows = Array.from({ length }, (_, index) => `row ${first + index}`)
      const answer = { from: first, rows, total: log.total, bytes: 0, complete: false }
      return new Response(JSON.stringify(answer), { headers: { 'Content-Type': 'application/json' } })
    })
    return asked
  }
  const seen = (is: () => void): Promise<void> => vi.waitFor(is, { timeout: 20_000, interval: 5 })
  const settled = (rows: LogWindow, number: number) => seen(() => expect(rows.row(number)).toBe(`row ${number}`))

  test('holds no more than some pages of a million rows, wherever one goes', async () => {
    serve({ total: 1_000_000 })
    const rows = new LogWindow('r', { step: 1 })
    rows.refresh()
    await settled(rows, 999_999)
    for (let first = 0; first < 1_000_000; first += 20_011) {
      rows.want(first, first + 60)
      await settled(rows, first)
      expect(rows.held()).toBeLessThanOrEqual(PAGES_HELD * PAGE_ROWS)
    }
    expect(rows.row(500)).toBeUndefined()
  })

  test('takes what is added at the end, though it came while it asked', async () => {
    const log = { total: 10 }
    serve(log)
    const rows = new LogWindow('r', { step: 1 })
    rows.refresh()
    log.total = 700
    rows.refresh()
    await seen(() => expect(rows.snapshot().total).toBe(700))
    rows.want(640, 700)
    await settled(rows, 699)
    expect(rows.row(9)).toBe('row 9')
  })

  test('shows nothing of one attempt as if it were of the next, whichever answer comes last', async () => {
    const logs = { attempt: 1, rows: ['begin', 'broken', 'by hand'] }
    let hold: Promise<void> = Promise.resolve()
    vi.stubGlobal('fetch', async () => {
      const { attempt, rows } = logs
      const answer = {
        stepNumber: 1,
        attempt,
        source: 'step',
        from: 0,
        rows,
        total: rows.length,
        bytes: 9,
        complete: true,
      }
      await hold
      return new Response(JSON.stringify(answer), { headers: { 'Content-Type': 'application/json' } })
    })
    const rows = new LogWindow('r', { step: 1 })
    rows.refresh()
    await seen(() => expect(rows.row(2)).toBe('by hand'))
    // A page of the first attempt is asked for, and comes after the end of the second.
    let release = (): void => {}
    hold = new Promise((resolve) => (release = resolve))
    rows.want(300, 301)
    rows.refresh()
    Object.assign(logs, { attempt: 2, rows: ['begin', 'well'] })
    rows.refresh()
    release()
    await seen(() => expect(rows.row(1)).toBe('well'))
    expect([rows.row(2), rows.snapshot().total]).toEqual([undefined, 2])
  })

  test('goes on where an answer was cut, and asks for nothing twice without end', async () => {
    const asked = serve({ total: 250, most: 100 })
    const rows = new LogWindow('r', { step: 1 })
    rows.subscribe(() => rows.want(0, 250))
    rows.refresh()
    await settled(rows, 249)
    const after = asked.length
    rows.want(0, 250)
    await Promise.resolve()
    expect(asked.length).toBe(after)
    expect(after).toBeLessThan(8)
  })
})
