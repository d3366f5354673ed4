import type { Queue, QueueEntry } from '../../client/queue-client.ts'
import { PRIORITY_KEYS } from '../../core/run/admission.ts'
import type { RunLook } from './run-view.ts'
import { renderTable } from './table.ts'
import { renderInstant } from './time.ts'

/** The queue as a table, each run with what it waits for; `long` shows who holds slots and locks below. */
export const renderQueue = ({ waiting, holders }: Queue, { colours, now, long }: RunLook): string => {
  const heads = (...names: readonly string[]): string[] => names.map((heading) => colours.dim(heading))
  const queue =
    waiting.length === 0
      ? 'Nothing waits for admission.'
      : renderTable(
          heads('#', 'RUN', 'SOP', 'PRIORITY', 'SINCE', 'WAITS FOR'),
          waiting.map((each) => [
            String(each.position),
            each.runId,
            each.sop,
            wordOf(each.priority),
            renderInstant(each.since, now, long),
            reasonsOf(each, long),
          ]),
        )
  if (!long || holders.length === 0) return queue
  const held = renderTable(
    heads('HOLDS', 'SOP', 'SLOT', 'LOCKS', 'SINCE'),
    holders.map(({ runId, sop, slot, locks, since }) => [
      runId,
      sop,
      slot ? 'yes' : 'given away at a gate',
      locks.join(', ') || '-',
      since === undefined ? '-' : renderInstant(since, now, long),
    ]),
  )
  return `${queue}\n\n${held}`
}

const wordOf = (priority: number): string =>
  Object.entries(PRIORITY_KEYS).find(([, key]) => key === priority)?.[0] ?? String(priority)

/** The first reason; `long` gives all. */
const reasonsOf = ({ waitsFor }: QueueEntry, long: boolean): string => {
  const texts = waitsFor.map(({ text }) => text)
  if (texts.length === 0) return 'gets in at any moment'
  return long || texts.length === 1 ? texts.join('; ') : `${texts[0]} (and ${texts.length - 1} more)`
}
