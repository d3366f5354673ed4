import { addSketch, EMPTY_SKETCH, type Sketch, sketchOf } from './sketch.ts'

// meters.ts: what a process counts of its own doing since it began. What is known of runs comes from the record instead.

/** Most kinds that are told apart; what is beyond them counts as `other`. */
const MAX_KINDS = 200

export interface MetersView {
  /** What became of occurrences of triggers, by their source. */
  readonly deliveries: readonly { readonly source: string; readonly verdict: string; readonly count: number }[]
  /** From an event to its place on record. */
  readonly auditLag: Sketch
  readonly auditEvents: number
}

export interface Meters {
  delivered(source: string, verdict: string): void
  /** An event was made durable so long after it had happened, in milliseconds. */
  recorded(lagMs: number): void
  view(): MetersView
}

/** Meters that stand at nothing. */
export const createMeters = (): Meters => {
  const deliveries = new Map<string, { readonly source: string; readonly verdict: string; count: number }>()
  let auditLag: Sketch = EMPTY_SKETCH
  return {
    delivered: (from, verdict) => {
      const source = deliveries.size < MAX_KINDS || deliveries.has(`${from}|${verdict}`) ? from : 'other'
      const known = deliveries.get(`${source}|${verdict}`)
      if (known === undefined) deliveries.set(`${source}|${verdict}`, { source, verdict, count: 1 })
      else known.count += 1
    },
    recorded: (lagMs) => {
      auditLag = addSketch(auditLag, sketchOf(lagMs))
    },
    view: () => ({
      deliveries: [...deliveries.values()].map((each) => ({ ...each })),
      auditLag,
      auditEvents: auditLag.count,
    }),
  }
}
