// secret-param.ts: what stands in a history, a record and a view where the value of a secret param would. The value
// itself is in the vault, under the name of the param, and with a version once it was changed.

const MARK = /^\[secret(?::([0-9A-Za-z]{1,40}))?\]$/

/** What everybody sees. */
export const HIDDEN = '[secret]'

/** The mark of a value; `version` (letters and digits) tells a changed value from the one before. */
export const secretMark = (version?: string): string => (version === undefined ? HIDDEN : `[secret:${version}]`)

export const isSecretMark = (value: unknown): boolean => typeof value === 'string' && MARK.test(value)

/** The name under which the vault keeps the value that the mark stands for. */
export const vaultName = (param: string, mark: unknown): string => {
  const version = typeof mark === 'string' ? MARK.exec(mark)?.[1] : undefined
  return version === undefined ? param : `${param}@${version}`
}
