/** The seven codes that every refusal carries, on every face (product.md 7). Each face maps them once. */
export const ERROR_CODES = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'unavailable',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/**
 * A refusal that its receiver may read.
 *
 * The message follows one grammar: `Cannot <verb> <noun> "<value>": <reason>`, with a place and a way out where there is one.
 * `details` holds JSON-safe facts for programs, e.g. `{ decidedBy }` or `{ diagnostics }`.
 */
export class SopError extends Error {
  override readonly name = 'SopError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** The code of any thrown value; a foreign error is always `internal`, and its text is not for the caller. */
export const codeOf = (error: unknown): ErrorCode => (error instanceof SopError ? error.code : 'internal')
