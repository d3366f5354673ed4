import { SopError } from '../../core/errors.ts'

// failures.ts: what errors of the driver mean: trouble that passes, a mistake in the settings, or a bug of ours.

const codeOf = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** In few words, without what a password could stand in. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof SopError) return reasonOf(error.cause ?? error.message)
  const { message = '' } = (error ?? {}) as { readonly message?: string }
  // Where a name has several addresses, each with its error, the text is empty.
  const [first] = (error as { readonly errors?: readonly unknown[] } | null)?.errors ?? []
  return message !== '' ? message : first === undefined ? codeOf(error) || String(error) : reasonOf(first)
}

/** The server starts or stops: SQLSTATE 57P01 to 57P03. */
export const isStarting = (error: unknown): boolean => /^57P0[1-3]$/.test(codeOf(error))

/**
 * Whether trying again is of no use: the server understood and refused. Class 22 data, 23 constraint, 28 login,
 * 3D no such database, 3F no such schema, 42 rights and names, 0A not supported; and a host that does not exist.
 */
export const isLasting = (error: unknown): boolean => {
  if (error instanceof SopError) return error.cause === undefined || isLasting(error.cause)
  return /^(22|23|28|3D|3F|42|0A)\w{3}$/.test(codeOf(error)) || codeOf(error) === 'ENOTFOUND'
}

/** The error as callers see it. */
export const unavailable = (error: unknown): SopError => {
  if (error instanceof SopError) return error
  const code = codeOf(error)
  const refuse = (kind: 'invalid' | 'unauthenticated' | 'forbidden', wayOut: string): SopError =>
    new SopError(kind, `Cannot use the database of SOP_DATABASE_URL: ${reasonOf(error)}. ${wayOut}`, {}, error)
  if (code.startsWith('28')) return refuse('unauthenticated', 'Check its user, and SOP_DATABASE_PASSWORD')
  if (code === '3D000') return refuse('invalid', 'Create it: createdb --encoding=UTF8 NAME')
  if (code === '42501')
    return refuse('forbidden', 'Give its user the right to create tables there, or make it the owner')
  if (code === '3F000') return refuse('invalid', 'Create the schema that search_path names')
  if (isLasting(error) && code !== 'ENOTFOUND') {
    return new SopError(
      'internal',
      `Cannot use the records: the database refuses a statement (${reasonOf(error)})`,
      {},
      error,
    )
  }
  return new SopError(
    'unavailable',
    `Cannot reach the records: the database does not answer (${reasonOf(error)}). Try again in a moment`,
    {},
    error,
  )
}
