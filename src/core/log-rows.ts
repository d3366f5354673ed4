// log-rows.ts: a log as rows of bounded length, so that any part of it can be shown without reading the rest. A row is a
// line, or a piece of a line that is longer than `ROW_BYTES`. The rule depends on the bytes alone, never on how they came.

/** A line longer than this, in bytes, is shown as several rows. */
export const ROW_BYTES = 8 * 1024

const LF = 10

/** Told of each row: its first byte and the one after its last (its line feed included). */
export type OnRow = (start: number, end: number) => void

export interface RowSplitter {
  /** The next bytes of the log. */
  push(bytes: Uint8Array, onRow: OnRow): void
  /** Offset at which the row begins that is not whole yet. */
  rowStart(): number
  /** Offset up to which it has read. */
  position(): number
}

/** A byte within a character, not at its begin. */
const isWithin = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Splits from an offset on at which a row begins. */
export const createRowSplitter = (from: number): RowSplitter => {
  let start = from
  let base = from
  return {
    rowStart: () => start,
    position: () => base,
    push: (bytes, onRow) => {
      const end = (at: number): void => {
        onRow(start, base + at)
        start = base + at
      }
      for (;;) {
        const lineFeed = bytes.indexOf(LF, Math.max(0, start - base))
        const most = start + ROW_BYTES - base
        let cut = Math.max(0, most)
        // A character is not cut in two; what is no text is cut anyway.
        while (cut < most + 3 && isWithin(bytes[cut])) cut += 1
        if (lineFeed !== -1 && lineFeed <= cut) end(lineFeed + 1)
        else if (cut < bytes.length) end(cut)
        else break
      }
      base += bytes.length
    },
  }
}
