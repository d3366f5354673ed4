// file-name.ts: file names for names that people and other programs choose (run ids may be any workflow id).

const SAFE = /^[A-Za-z0-9_-]$/
/** Longest name we write; file systems stop at 255 bytes, and suffixes such as `.forks.jsonl` come on top. */
const MAX_CHARS = 200

/**
 * A file name for any text: letters, digits, `_` and `-` stand for themselves, every other byte of its UTF-8 form is
 * `%XX`. Dots are encoded too, so that a suffix can never be taken for a part of the name.
 *
 * Reversible by {@link decodeFileName} up to 200 characters. Longer names end in `%~` and a 64-bit fingerprint; what
 * they stand for has to be read from the file itself.
 */
export const encodeFileName = (text: string): string => {
  let name = ''
  for (const char of text) name += SAFE.test(char) ? char : percent(char)
  if (name === '') return '%'
  return name.length <= MAX_CHARS ? name : `${name.slice(0, MAX_CHARS - 20).replace(/%.?$/, '')}%~${fingerprint(text)}`
}

/** The folder of an SOP: its name as it is, since SOP names are safe; anything else encoded. */
export const encodeFolderName = (name: string): string =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name) ? name : encodeFileName(name)

/** The text behind a name from {@link encodeFileName}; undefined where the name was cut or is not one of ours. */
export const decodeFileName = (name: string): string | undefined => {
  if (name === '%') return ''
  if (!/^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+$/.test(name)) return undefined
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}

const percent = (char: string): string =>
  Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

/** FNV-1a, 64 bits: it only has to keep two long ids apart, not to withstand anyone. */
const fingerprint = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
