import { addTally, type GrowingTally, newTally, type Tally } from './tally.ts'
import type { Delta } from './open-run.ts'

// ledger.ts: the sums of what runs added: for each SOP and for each of its steps, by day, and since the beginning. What is
// taken back is summed up beside what was added, so that each of the two only ever grows: counters of Prometheus must.

/** How many days are kept one by one; the sums since the beginning know all of them. */
export const KEPT_DAYS = 400

export interface Cell {
  /** UTC day; `total` for the sum since the beginning, which is kept for SOPs and not for steps. */
  readonly day: string
  readonly sop: string
  /** Absent: all of the SOP, what happened to its steps included. */
  readonly step?: number
  readonly sign: 1 | -1
  readonly tally: Tally
}

export const TOTAL = 'total'

export interface Ledger {
  readonly size: number
  add(delta: Delta): void
  /** Puts a sum that was kept elsewhere. */
  put(cell: Cell): void
  cells(selection?: CellSelection): readonly Cell[]
  all(): readonly Cell[]
  /** Lets go of the days before this one. */
  prune(before: string): void
}

export interface CellSelection {
  /** This day and those after it; absent: the sums since the beginning. */
  readonly from?: string
  readonly sop?: string
}

interface Slot {
  readonly day: string
  readonly sop: string
  readonly step?: number
  readonly sign: 1 | -1
  readonly tally: GrowingTally
}

const keyOf = ({ day, sop, step, sign }: Omit<Cell, 'tally'>): string => `${day}|${step ?? ''}|${sign}|${sop}`

/** The cells that a delta belongs to. */
export const placesOf = ({ day, sop, step, sign }: Omit<Delta, 'tally'>): readonly Omit<Cell, 'tally'>[] => [
  { day, sop, sign },
  ...(step === undefined ? [] : [{ day, sop, step, sign }]),
  { day: TOTAL, sop, sign },
]

export const createLedger = (): Ledger => {
  const slots = new Map<string, Slot>()
  const put = (place: Omit<Cell, 'tally'>, tally: Tally): void => {
    const key = keyOf(place)
    let slot = slots.get(key)
    if (slot === undefined) slots.set(key, (slot = { ...place, tally: newTally() }))
    addTally(slot.tally, tally)
  }
  return {
    get size() {
      return slots.size
    },
    add: (delta) => {
      const { title: _, ...ofSop } = delta.tally
      for (const place of placesOf(delta)) put(place, place.step === undefined ? ofSop : delta.tally)
    },
    put: ({ tally, ...place }) => put(place, tally),
    cells: ({ from, sop } = {}) =>
      [...slots.values()].filter(
        (slot) =>
          (from === undefined ? slot.day === TOTAL : slot.day !== TOTAL && slot.day >= from) &&
          (sop === undefined || slot.sop === sop),
      ),
    all: () => [...slots.values()],
    prune: (before) => {
      for (const [key, { day }] of slots) if (day !== TOTAL && day < before) slots.delete(key)
    },
  }
}

/** The day that lies so many days before the one of an instant. */
export const dayBefore = (nowMs: number, days: number): string =>
  new Date(nowMs - days * 86_400_000).toISOString().slice(0, 10)
