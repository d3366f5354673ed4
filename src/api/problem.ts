// problem.ts: every refusal as an RFC 9457 document. The one place that knows HTTP statuses of codes.

import type { Request, Response } from 'express'
import { SopError, type ErrorCode } from '../core/errors.ts'
import type { DecisionReply } from '../core/run/decision.ts'
import { sendAndLinger } from './linger.ts'

export const STATUSES: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
  internal: 500,
}

const TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid: 'The request is not valid',
  unauthenticated: 'A credential is needed',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  conflict: 'The state does not allow it',
  unavailable: 'Not available now',
  internal: 'The engine failed',
}

/** Refusals of the transport keep their own status, with code `invalid` (rulings 32). */
const TRANSPORT_TITLES: Readonly<Record<number, string>> = {
  408: 'The request took too long to arrive',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'The body cannot be processed',
  429: 'Too many requests',
  431: 'The headers are too large',
}

/** A refusal of the transport: its status stays, and the code is `invalid`. */
export class TransportError extends SopError {
  readonly status: number

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super('invalid', message, details)
    this.status = status
  }
}

/** The error that a refused decision is over HTTP: its code's status, with the run's answer as `reply`. */
export function refusal(reply: DecisionReply): SopError {
  const { code = 'conflict', reason = 'the run refused it', decidedBy, fields = [] } = reply
  return new SopError(code, reason, {
    reply,
    reason,
    ...(decidedBy === undefined ? {} : { decidedBy }),
    // As of a body that is not valid: what is wrong, by its place there.
    ...(fields.length > 0 && {
      errors: fields.map(({ name, reason: message }) => ({ path: `values.${name}`, message })),
    }),
  })
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly requestId: string
  readonly [member: string]: unknown
}

/** The document for any thrown value. Of a foreign error nothing is told but where to find it in the log. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = error instanceof SopError ? error : foreign(error, requestId)
  const own = {
    type: `/api/docs#${known.code}`,
    title: (known instanceof TransportError && TRANSPORT_TITLES[known.status]) || TITLES[known.code],
    status: known instanceof TransportError ? known.status : STATUSES[known.code],
    detail: known.message,
    code: known.code,
    requestId,
  }
  return { ...own, ...known.details, ...own }
}

/** Answers with the problem document, unless an answer is under way already. */
export function sendProblem(request: Request, response: Response, problem: Problem): void {
  if (response.headersSent) {
    response.end()
    return
  }
  if (problem.status === 401) {
    const hint = response.locals.tokenRefused === true ? ', error="invalid_token"' : ''
    response.setHeader('WWW-Authenticate', `Bearer realm="sop-engine"${hint}`)
  }
  if (typeof problem.retryAfterSeconds === 'number')
    response.setHeader('Retry-After', String(problem.retryAfterSeconds))
  response.status(problem.status).type('application/problem+json')
  sendAndLinger(request, response, JSON.stringify(problem))
}

function foreign(error: unknown, requestId: string): SopError {
  // Express itself throws this one, for a path like /api/v1/runs/%E0%A4%A.
  if (error instanceof URIError) return new SopError('invalid', 'Cannot read the path: its percent encoding is broken')
  return new SopError(
    'internal',
    `Cannot answer: the engine failed. Its log has the cause under request "${requestId}"`,
  )
}
