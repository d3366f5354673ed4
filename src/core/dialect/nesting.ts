/** Values nested deeper than this are refused before a parser sees them: some parsers end the whole process on them. */
export const MAX_NESTING = 100

/**
 * Offset where brackets are nested deeper than `MAX_NESTING`, or undefined. Quotes are not looked at, so brackets inside
 * text count too; no document that a person wrote comes near the limit.
 */
export const findDeepNesting = (text: string): number | undefined => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    if (depth > MAX_NESTING) return at
  }
  return undefined
}
