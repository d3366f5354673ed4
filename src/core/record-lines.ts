import type { RecordedEvent } from './run/event.ts'

// record-lines.ts: the record of a run as lines of JSON.

export interface ParsedRecord {
  readonly events: readonly RecordedEvent[]
  /** Length of the file up to the end of its last whole line. */
  readonly wholeBytes: number
}

const LF = 10
const decoder = new TextDecoder()

/** Whole lines alone count; a last line that is whole but not JSON is a torn one too (blocks of zeros after a power loss). */
export const parseRecord = (bytes: Uint8Array): ParsedRecord => {
  const events: RecordedEvent[] = []
  let from = 0
  let wholeBytes = 0
  for (let to = bytes.indexOf(LF); to !== -1; to = bytes.indexOf(LF, from)) {
    const event = parseLine(decoder.decode(bytes.subarray(from, to)))
    from = to + 1
    if (event === undefined && from === bytes.length) break
    wholeBytes = from
    if (event !== undefined) events.push(event)
  }
  return { events, wholeBytes }
}

const parseLine = (line: string): RecordedEvent | undefined => {
  try {
    return JSON.parse(line) as RecordedEvent
  } catch {
    return undefined
  }
}
