/** A word as a shell takes it, quoted where it must be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** A `sop` command to copy. */
export const sopCommand = (...words: readonly string[]): string => ['sop', ...words].map(shellWord).join(' ')
