import { createReadStream } from 'node:fs'
import { splitLines, type TextLine } from '../../core/split-lines.ts'

/** The lines of a file, however large, one after the other; none where there is no file. */
export const linesOf = (path: string): AsyncIterable<TextLine> => splitLines(chunksOf(path))

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
