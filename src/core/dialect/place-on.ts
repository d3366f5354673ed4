import type { Place } from '../diagnostic.ts'
import type { TextLine } from './markdown.ts'

/** The place of a span inside a line of text. */
export const placeOn = ({ place }: TextLine, offset: number, length: number): Place => ({
  file: place.file,
  line: place.line,
  column: place.column + offset,
  length: Math.max(1, length),
})
