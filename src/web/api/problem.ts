import type { ErrorCode } from '../../core/errors.ts'

/** A refusal of the engine, as its problem document says it, or that no answer came (`unavailable`, status 0). */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: ErrorCode
  /** Every member of the document; `{}` where there was none. */
  readonly document: Readonly<Record<string, unknown>>

  constructor(status: number, code: ErrorCode, message: string, document: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'ApiProblem'
    this.status = status
    this.code = code
    this.document = document
  }

  /** How long to wait before the next try, in seconds, where the engine says so. */
  get retryAfterSeconds(): number | undefined {
    const { retryAfterSeconds } = this.document
    return typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined
  }
}

/** Any thrown value as a problem. */
export const problemOf = (error: unknown): ApiProblem =>
  error instanceof ApiProblem
    ? error
    : new ApiProblem(0, 'internal', `The page failed: ${error instanceof Error ? error.message : String(error)}`)
