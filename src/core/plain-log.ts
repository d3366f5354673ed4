/** Sequences that steer a terminal: colours, cursor, title. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g

/** A row of a log as it reads: without what steers a terminal, and of a line that was written over the last words. */
export const plainLog = (row: string): string => {
  const text = row.includes('\u001b') ? row.replace(STEERING, '') : row
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  return line.slice(line.lastIndexOf('\r') + 1)
}
