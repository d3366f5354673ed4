/** One line of a text that comes in pieces. */
export interface TextLine {
  /** From 1. */
  readonly number: number
  /** Without its end. */
  readonly text: string
  /** It has its line feed. */
  readonly isWhole: boolean
  /** Nothing follows it. */
  readonly isLast: boolean
  /** Byte after the line and its line feed. */
  readonly endsAt: number
}

const LF = 10

/** The lines of a UTF-8 text, however long it is. Only a line feed ends one. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let [number, endsAt] = [0, 0]
  let rest: Uint8Array[] = []
  let held: Omit<TextLine, 'isLast'> | undefined
  const lineOf = (parts: readonly Uint8Array[], isWhole: boolean): Omit<TextLine, 'isLast'> => {
    const bytes = joined(parts)
    endsAt += bytes.length + (isWhole ? 1 : 0)
    return { number: ++number, text: decoder.decode(bytes), isWhole, endsAt }
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let to = chunk.indexOf(LF); to !== -1; to = chunk.indexOf(LF, from)) {
      if (held !== undefined) yield { ...held, isLast: false }
      held = lineOf([...rest, chunk.subarray(from, to)], true)
      rest = []
      from = to + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  if (rest.length > 0) {
    if (held !== undefined) yield { ...held, isLast: false }
    held = lineOf(rest, false)
  }
  if (held !== undefined) yield { ...held, isLast: true }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
