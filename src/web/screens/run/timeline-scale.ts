import type { Timeline, TimelineSpan } from '../../../client/client.ts'

// timeline-scale.ts: where an instant stands on the width of a timeline. Pure.

/** From an instant in milliseconds to a share of the width, 0 to 1. */
export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  at(ms: number): number
}

const WAITS: ReadonlySet<TimelineSpan['kind']> = new Set(['gate', 'input', 'paused', 'queue', 'pool', 'wait', 'retry'])

/** The share of the width that all waits together get at most where they are shortened. */
const WAITS_SHARE = 0.25

/** True to scale; with `shortWaits` stretches in which nothing was done take little room, however long they were. */
export function scaleOf(timeline: Timeline, nowMs: number, shortWaits: boolean): Scale {
  const fromMs = Date.parse(timeline.from)
  const toMs = Math.max(timeline.to === undefined ? nowMs : Date.parse(timeline.to), fromMs + 1)
  const whole = toMs - fromMs
  const true_ = (ms: number): number => clamp((ms - fromMs) / whole)
  if (!shortWaits) return { fromMs, toMs, at: true_ }
  const busy = busyParts(timeline, fromMs, toMs)
  const busyMs = busy.reduce((sum, [from, to]) => sum + to - from, 0)
  const idleMs = whole - busyMs
  if (busyMs === 0 || idleMs / whole <= WAITS_SHARE) return { fromMs, toMs, at: true_ }
  const busyRate = (1 - WAITS_SHARE) / busyMs
  const idleRate = WAITS_SHARE / idleMs
  return {
    fromMs,
    toMs,
    at: (ms) => {
      const elapsed = Math.min(Math.max(ms, fromMs), toMs) - fromMs
      const done = busy.reduce((sum, [from, to]) => sum + Math.min(Math.max(ms - from, 0), to - from), 0)
      return clamp(done * busyRate + (elapsed - done) * idleRate)
    },
  }
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share))

/** The stretches in which something was done, in order and apart from each other. */
const busyParts = ({ rows }: Timeline, fromMs: number, toMs: number): readonly Part[] =>
  partsOf(
    rows.flatMap(({ spans }) => spans).filter(({ kind }) => !WAITS.has(kind)),
    fromMs,
    toMs,
  )

type Part = readonly [from: number, to: number]

/** How long something was the case, in milliseconds; what lies above each other (work that waits for a worker) counts once. */
export const lengthOf = (spans: readonly TimelineSpan[], nowMs: number): number =>
  partsOf(spans, 0, nowMs).reduce((sum, [from, to]) => sum + to - from, 0)

function partsOf(spans: readonly TimelineSpan[], fromMs: number, toMs: number): readonly Part[] {
  const parts = spans
    .map(({ from, to }): [number, number] => [
      Math.max(Date.parse(from), fromMs),
      to === undefined ? toMs : Date.parse(to),
    ])
    .sort(([a], [b]) => a - b)
  const merged: [number, number][] = []
  for (const [from, to] of parts) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  1_209_600_000, 2_592_000_000,
]

/** Lengths of time since the begin at which a mark stands, at most `most` of them. */
export function marksOf({ fromMs, toMs }: Scale, most: number): readonly number[] {
  const whole = toMs - fromMs
  const step = STEPS_MS.find((each) => whole / each <= most) ?? whole
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step)
}
