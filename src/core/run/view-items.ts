import { countItems, type ItemCounts, type ItemRun, type ItemState, type ItemsRun, itemText } from './items.ts'

/** The items of a step, as everybody sees them: counts, and of those that matter now the first ones. */
export interface ItemsView extends ItemCounts {
  readonly total: number
  /** Failed, unknown, running and skipped ones, at most `SHOWN` of each, in order. The record has all. */
  readonly shown: readonly ItemView[]
}

export interface ItemView {
  /** From 1. */
  readonly item: number
  /** Its value as text in one line, shortened. */
  readonly value: string
  readonly status: ItemState
  readonly attempt: number
  readonly startedAt?: string
  readonly exitCode?: number
  readonly error?: string
  readonly reason?: string
  /** Run id of the SOP that it runs. */
  readonly child?: string
}

/** Items of one state that a view shows: it stays small, however many there are. */
export const SHOWN = 20

/** Characters of an item's value. */
const VALUE_CHARS = 120

export const itemsView = (items: ItemsRun): ItemsView => {
  const counts = countItems(items)
  const left = {
    failed: SHOWN,
    unknown: SHOWN,
    running: SHOWN,
    skipped: SHOWN,
    success: 0,
    pending: SHOWN,
    rolled_back: 0,
  }
  const shown: ItemView[] = []
  for (const [index, item] of items.runs.entries()) {
    if (left[item.state] === 0) continue
    left[item.state] -= 1
    shown.push(itemView(items, item, index))
  }
  return { total: items.list.length, ...counts, shown }
}

const itemView = ({ list }: ItemsRun, item: ItemRun, index: number): ItemView => ({
  item: index + 1,
  value: itemText(list[index] ?? '', VALUE_CHARS),
  status: item.state,
  attempt: item.attempt,
  ...(item.startedAt !== undefined && { startedAt: item.startedAt }),
  ...(item.exitCode !== undefined && { exitCode: item.exitCode }),
  ...(item.error !== undefined && { error: item.error }),
  ...(item.reason !== undefined && { reason: item.reason }),
  ...(item.child !== undefined && { child: item.child }),
})
