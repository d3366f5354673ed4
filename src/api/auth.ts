import type { Request, RequestHandler, Response } from 'express'
import type { Sessions } from '../client/sessions.ts'
import type { TokenStore } from '../client/tokens.ts'
import type { Actor } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import type { Surface } from '../core/run/principal.ts'
import type { FailureLimit } from './failure-limit.ts'
import { TransportError } from './problem.ts'
import { assertOwnPage, readSessionCookie } from './session-cookie.ts'

const CLIENTS = ['cli', 'js', 'mcp', 'web'] as const satisfies readonly Surface[]

/** No token that we make is longer; longer ones are not worth a hash. */
const MAX_TOKEN_LENGTH = 512

export interface AuthDeps {
  readonly tokens: Pick<TokenStore, 'identify'>
  readonly sessions: Pick<Sessions, 'read'>
  readonly failures: FailureLimit
  readonly publicUrl?: string | undefined
}

/**
 * Puts the actor into `response.locals.actor`, or refuses with 401; nothing is read or changed before it. Wrong tokens
 * count against the address they come from: past the limit they get 429. A right token always passes. A browser comes with
 * the cookie of its session instead; a token, where there is one, wins.
 */
export function authenticate(deps: AuthDeps): RequestHandler {
  return async (request, response, next) => {
    const header = request.headers.authorization
    if (header === undefined) await byCookie(request, response, deps)
    else await byToken(header, request, response, deps)
    next()
  }
}

async function byToken(header: string, request: Request, response: Response, deps: AuthDeps): Promise<void> {
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1]
  if (token === undefined) {
    throw new SopError('unauthenticated', 'Cannot read the credential: expected "Authorization: Bearer <token>"')
  }
  const found = token.length > MAX_TOKEN_LENGTH ? undefined : await deps.tokens.identify(token)
  if (found === undefined) {
    response.locals.tokenRefused = true
    const retryAfterSeconds = deps.failures.count(request.socket.remoteAddress ?? '')
    if (retryAfterSeconds === undefined) throw new SopError('unauthenticated', WRONG_TOKEN)
    throw new TransportError(429, 'Cannot check the token: too many wrong ones came from this address', {
      retryAfterSeconds,
    })
  }
  response.locals.identity = found.identity
  response.locals.actor = {
    principal: found.principal,
    via: surfaceOf(request.headers['x-sop-client']),
  } satisfies Actor
}

async function byCookie(request: Request, response: Response, deps: AuthDeps): Promise<void> {
  const value = readSessionCookie(request, deps.publicUrl)
  if (value === undefined) throw new SopError('unauthenticated', NO_TOKEN)
  const session = await deps.sessions.read(value)
  if (session === undefined) throw new SopError('unauthenticated', ENDED_SESSION)
  assertOwnPage(request, deps.publicUrl)
  response.locals.identity = session.identity
  response.locals.sessionEndsAt = session.expiresAt
  // Asked again by what lasts longer than one answer.
  response.locals.isSessionOpen = async () => (await deps.sessions.read(value)) !== undefined
  response.locals.actor = { principal: session.principal, via: 'web' } satisfies Actor
}

// What the client says of itself is metadata for the record, never identity.
const surfaceOf = (client: string | string[] | undefined): Surface => CLIENTS.find((name) => name === client) ?? 'http'

const NO_TOKEN =
  'Cannot answer without a credential: send "Authorization: Bearer <token>". The local token is in the file "token" of the ' +
  'data directory; "sop token create" makes others'
const ENDED_SESSION = 'Cannot go on: this session has ended. Sign in again: "sop open" makes a link'
const WRONG_TOKEN = 'Cannot accept the token: it is unknown or revoked'
