import { logNameOf } from '../core/log-name.ts'
import { createRowSplitter, type RowSplitter } from '../core/log-rows.ts'
import { plainLog } from '../core/plain-log.ts'
import type { EndCheck } from './read-log.ts'
import type { RecordedLog, Records } from './records.ts'
import type { LogMatches, LogRows } from './run-screen-client.ts'

// log-rows.ts: any part of a log by the numbers of its rows. Of each log that somebody looks at, the place of every 256th
// row is kept, and how far it was counted: logs only grow, so no byte is counted twice. A million lines cost 4,000 numbers.

type Logs = Records['logs']

const MARK_ROWS = 256
const CHUNK_BYTES = 256 * 1024
/** Bytes that one question counts at most; the answer then says that it goes on. */
const COUNT_BYTES = 192 * 1024 * 1024
/** Rows and bytes of one answer. */
const MAX_ROWS = 1_000
const MAX_TEXT_BYTES = 1024 * 1024
const MAX_MATCHES = 1_000
/** Bytes that one question searches at most. */
const SEARCH_BYTES = 32 * 1024 * 1024
/** Logs whose counts are kept. */
const KEPT_LOGS = 200

interface Counted {
  /** Offsets of the rows 0, 256, 512… */
  readonly marks: number[]
  readonly splitter: RowSplitter
  /** Rows that are whole. */
  rows: number
}

export interface LogRowReader {
  rows(log: RecordedLog, at: { readonly from?: number; readonly limit?: number }, hasEnded: EndCheck): Promise<LogRows>
  search(log: RecordedLog, at: { readonly text: string; readonly from?: number }): Promise<LogMatches>
}

export const createLogRowReader = (logs: Logs): LogRowReader => {
  const kept = new Map<string, Counted>()
  const turns = new Map<string, Promise<unknown>>()
  const countedOf = (log: RecordedLog): Counted => {
    const key = keyOf(log)
    const counted = kept.get(key) ?? { marks: [0], splitter: createRowSplitter(0), rows: 0 }
    // The newest last, so that the first is the one that was not asked for the longest.
    kept.delete(key)
    kept.set(key, counted)
    for (const old of kept.keys()) if (kept.size > KEPT_LOGS) kept.delete(old)
    return counted
  }
  /** Two readers of one log count one after the other. */
  const inTurn = async <T>(log: RecordedLog, work: () => Promise<T>): Promise<T> => {
    const key = keyOf(log)
    const turn = (turns.get(key) ?? Promise.resolve()).then(work, work)
    turns.set(key, turn)
    try {
      return await turn
    } finally {
      if (turns.get(key) === turn) turns.delete(key)
    }
  }
  return {
    rows: async (log, { from = 0, limit = MAX_ROWS }, hasEnded) => {
      const counted = countedOf(log)
      const size = await inTurn(log, () => count(logs, log, counted))
      const total = totalOf(counted)
      const first = from < 0 ? Math.max(0, total + from) : Math.min(from, total)
      const found = await readRows(logs, log, counted, first, Math.min(limit, MAX_ROWS))
      const isCounting = size.end > counted.splitter.position()
      const isOver = !isCounting && (size.isClosed || (await hasEnded(log)))
      return {
        runId: log.runId,
        ...logNameOf(log),
        from: first,
        ...found,
        total,
        bytes: size.end,
        complete: isOver,
        ...(size.cutBytes !== undefined && { truncated: true as const }),
        ...(size.heldSince !== undefined && { heldSince: size.heldSince }),
        ...(isCounting && { counting: true as const }),
      }
    },
    search: async (log, { text, from = 0 }) => {
      const counted = countedOf(log)
      await inTurn(log, () => count(logs, log, counted))
      return { runId: log.runId, ...logNameOf(log), ...(await search(logs, log, counted, text.toLowerCase(), from)) }
    },
  }
}

const keyOf = ({ runId, executableId, attempt }: RecordedLog): string => `${runId} ${executableId} ${attempt}`

/** With the row at the end that is not whole. */
const totalOf = ({ rows, splitter }: Counted): number => rows + (splitter.position() > splitter.rowStart() ? 1 : 0)

interface Size {
  readonly end: number
  readonly isClosed: boolean
  readonly cutBytes?: number
  readonly heldSince?: string
}

const count = async (logs: Logs, log: RecordedLog, counted: Counted): Promise<Size> => {
  const { splitter, marks } = counted
  for (let budget = COUNT_BYTES; ; ) {
    const piece = await logs.read(log, splitter.position(), CHUNK_BYTES)
    splitter.push(piece.bytes, (_start, end) => {
      counted.rows += 1
      if (counted.rows % MARK_ROWS === 0) marks.push(end)
    })
    budget -= piece.bytes.length
    if (piece.bytes.length > 0 && splitter.position() < piece.end && budget > 0) continue
    return {
      end: piece.end,
      isClosed: piece.isClosed === true,
      ...(piece.cutBytes !== undefined && { cutBytes: piece.cutBytes }),
      ...(piece.heldSince !== undefined && { heldSince: piece.heldSince }),
    }
  }
}

// A byte order mark is a part of what was printed.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Told of a row; `false` ends the reading. */
type Visit = (row: number, text: string, isWhole: boolean, bytes: number) => boolean

/** Reads the rows from one on, up to where the log was counted. */
const visitRows = async (
  logs: Logs,
  log: RecordedLog,
  { marks, splitter: { position } }: Counted,
  from: number,
  visit: Visit,
): Promise<void> => {
  const mark = Math.min(Math.floor(from / MARK_ROWS), marks.length - 1)
  const splitter = createRowSplitter(marks[mark] ?? 0)
  const end = position()
  let row = mark * MARK_ROWS
  let goesOn = true
  let rest: Uint8Array = new Uint8Array(0)
  while (goesOn && splitter.position() < end) {
    const { bytes } = await logs.read(log, splitter.position(), Math.min(CHUNK_BYTES, end - splitter.position()))
    if (bytes.length === 0) return
    const base = splitter.rowStart()
    const all = rest.length === 0 ? bytes : joined(rest, bytes)
    splitter.push(bytes, (start, stop) => {
      if (!goesOn) return
      if (row >= from) goesOn = visit(row, ...textOf(all.subarray(start - base, stop - base)), stop - start)
      row += 1
    })
    rest = all.slice(splitter.rowStart() - base)
  }
  if (goesOn && rest.length > 0 && row >= from) visit(row, decoder.decode(rest), false, rest.length)
}

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

const textOf = (bytes: Uint8Array): readonly [text: string, isWhole: boolean] => {
  const isWhole = bytes.at(-1) === 10
  return [decoder.decode(isWhole ? bytes.subarray(0, -1) : bytes), isWhole]
}

const readRows = async (
  logs: Logs,
  log: RecordedLog,
  counted: Counted,
  from: number,
  limit: number,
): Promise<Pick<LogRows, 'rows' | 'unfinished'>> => {
  const rows: string[] = []
  const unfinished: number[] = []
  let budget = MAX_TEXT_BYTES
  if (limit > 0) {
    await visitRows(logs, log, counted, from, (row, text, isWhole, bytes) => {
      rows.push(text)
      if (!isWhole && row < counted.rows) unfinished.push(row)
      budget -= bytes
      return rows.length < limit && budget > 0
    })
  }
  return { rows, ...(unfinished.length > 0 && { unfinished }) }
}

const search = async (
  logs: Logs,
  log: RecordedLog,
  counted: Counted,
  wanted: string,
  from: number,
): Promise<Pick<LogMatches, 'matches' | 'next'>> => {
  const matches: number[] = []
  let budget = SEARCH_BYTES
  let next: number | undefined
  await visitRows(logs, log, counted, from, (row, text, _isWhole, bytes) => {
    if (plainLog(text).toLowerCase().includes(wanted)) matches.push(row)
    budget -= bytes
    if (matches.length < MAX_MATCHES && budget > 0) return true
    next = row + 1
    return false
  })
  return { matches, ...(next !== undefined && next < totalOf(counted) && { next }) }
}
