// visible.ts: text from outside may hold characters that one cannot see and that change what one reads.

/** Sequences that steer a terminal: colours, cursor, title. */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
/** Control characters but tab and line feed; marks that turn the direction of text; invisible ones. */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** How much of one text a page shows at most; no reader misses the rest, and no page hangs on it. */
const MAX_SHOWN = 20_000

/** The text with colour codes left out, and other characters that nobody sees as `␛` or `\u202e`. */
export function visible(text: string, max = MAX_SHOWN): string {
  const shown = text.length > max ? `${text.slice(0, max)}… (${text.length - max} more characters)` : text
  return shown.replaceAll('\r\n', '\n').replace(ANSI, '').replace(UNSEEN, symbolOf)
}

const symbolOf = (char: string): string => {
  const code = char.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `\\u${code.toString(16).padStart(4, '0')}`
}
