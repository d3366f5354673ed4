import { createReadStream } from 'node:fs'

/** One line of a file. */
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

/** The lines of a file, however large, one after the other; none where there is no file. */
export async function* linesOf(path: string): AsyncGenerator<TextLine> {
  let [number, endsAt] = [0, 0]
  let rest: Buffer[] = []
  let held: Omit<TextLine, 'isLast'> | undefined
  const lineOf = (bytes: Buffer, isWhole: boolean): Omit<TextLine, 'isLast'> => {
    endsAt += bytes.length + (isWhole ? 1 : 0)
    return { number: ++number, text: bytes.toString('utf8'), isWhole, endsAt }
  }
  for await (const chunk of chunksOf(path)) {
    let from = 0
    for (let to = chunk.indexOf(LF); to !== -1; to = chunk.indexOf(LF, from)) {
      if (held !== undefined) yield { ...held, isLast: false }
      held = lineOf(Buffer.concat([...rest, chunk.subarray(from, to)]), true)
      rest = []
      from = to + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  if (rest.length > 0) {
    if (held !== undefined) yield { ...held, isLast: false }
    held = lineOf(Buffer.concat(rest), false)
  }
  if (held !== undefined) yield { ...held, isLast: true }
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
