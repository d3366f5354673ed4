// Control characters without tab, the marks that reorder text, and lone surrogates.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

/** Characters that reorder or hide text, and blanks that are none to a shell: a command may not do what it shows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u

/** The text with everything that could drive a terminal replaced by `�`. */
export const printable = (text: string): string => text.replace(UNSAFE, '\ufffd')

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u
const NO_WIDTH = /\p{Mark}|[\u200b\u200d\u2060\ufe0e\ufe0f]/u

/** Columns that a text takes on a terminal: emoji and East Asian letters take two, combining marks none. */
export const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}
