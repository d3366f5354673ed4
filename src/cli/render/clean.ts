// Text that comes from SOPs, params, steps and people is shown, never obeyed: whatever could move the cursor, retitle
// the window, reorder a line or hide a part of it is written out instead.

// C0 and C1 controls but tab and newline, DEL, and the marks that change the direction of text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const escapeCharacter = (character: string): string => {
  const code = character.charCodeAt(0)
  if (character === '\r') return '\\r'
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}

/** The same text with its unsafe characters written out, e.g. `\x1b`. Newlines and tabs stay; CRLF becomes a newline. */
export const cleanText = (text: string): string => text.replace(/\r\n/g, '\n').replace(UNSAFE, escapeCharacter)

/** The same value with every string in it (keys too) made safe to show. */
export const cleanDeep = <T>(value: T): T => cleanAny(value) as T

const cleanAny = (value: unknown): unknown => {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanAny)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [cleanText(key), cleanAny(each)]))
}

/** JSON for programs that is also safe on a terminal: JSON itself leaves C1 controls and direction marks as they are. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

// An escape sequence that sets colours and weights, and nothing else.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the escape character that starts one.
const COLOURS = /(\u001b\[[0-9;:]*m)/
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const UNFINISHED = /(?:\r|\u001b(?:\[[0-9;:]*)?)$/

/**
 * Cleans a log that arrives in pieces. Colours stay where `colour` holds and are dropped elsewhere; a progress bar's lone
 * carriage return becomes a newline. A sequence that is cut by the end of a piece waits for the next one.
 */
export const createLogCleaner = (colour: boolean): { push(piece: string): string; end(): string } => {
  let rest = ''
  const clean = (text: string): string =>
    text
      .replace(/\r\n?/g, '\n')
      .split(COLOURS)
      .map((part, index) => (index % 2 === 1 ? (colour ? part : '') : cleanText(part)))
      .join('')
  return {
    push(piece) {
      const text = rest + piece
      rest = UNFINISHED.exec(text)?.[0] ?? ''
      return clean(text.slice(0, text.length - rest.length))
    },
    end() {
      const text = clean(rest)
      rest = ''
      return text
    },
  }
}
