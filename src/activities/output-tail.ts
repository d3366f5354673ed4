// output-tail.ts: the end of a stream as text, in bounded memory.

/** Keeps the last bytes of a stream. */
export interface OutputTail {
  push(bytes: Uint8Array): void
  /** The end of the stream as text. */
  text(): string
}

/** A tail whose text is at most `limitBytes` long in UTF-8. */
export const createTail = (limitBytes: number): OutputTail => {
  let chunks: Uint8Array[] = []
  let size = 0
  const compact = (): Buffer => {
    const all = Buffer.concat(chunks)
    const kept = all.subarray(Math.max(0, all.length - limitBytes))
    chunks = [kept]
    size = kept.length
    return kept
  }
  return {
    push: (bytes) => {
      chunks.push(bytes)
      size += bytes.length
      if (size > 4 * limitBytes) compact()
    },
    text: () => tailText(compact(), limitBytes),
  }
}

/**
 * The last `limitBytes` of the bytes as clean text: it never begins inside a character, broken bytes become U+FFFD,
 * and NUL, which databases and JSON readers choke on, is left out.
 */
export const tailText = (bytes: Uint8Array, limitBytes: number): string => {
  const text = decode(bytes.subarray(Math.max(0, bytes.length - limitBytes)))
  const encoded = Buffer.from(text)
  // U+FFFD takes three bytes where one stood, so the text may have grown past the limit.
  return encoded.length <= limitBytes ? text : decode(encoded.subarray(encoded.length - limitBytes))
}

const decode = (bytes: Uint8Array): string => {
  let from = 0
  while (from < 3 && from < bytes.length && ((bytes[from] as number) & 0xc0) === 0x80) from++
  return Buffer.from(bytes.subarray(from)).toString('utf8').replaceAll('\0', '')
}
