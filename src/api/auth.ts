import type { RequestHandler } from 'express'
import type { TokenStore } from '../client/tokens.ts'
import type { Actor } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import type { Surface } from '../core/run/principal.ts'
import type { FailureLimit } from './failure-limit.ts'
import { TransportError } from './problem.ts'

const CLIENTS = ['cli', 'js', 'mcp', 'web'] as const satisfies readonly Surface[]

/** No token that we make is longer; longer ones are not worth a hash. */
const MAX_TOKEN_LENGTH = 512

/**
 * Puts the actor into `response.locals.actor`, or refuses with 401; nothing is read or changed before it. Wrong tokens
 * count against the address they come from: past the limit they get 429. A right token always passes.
 */
export function authenticate(tokens: TokenStore, failures: FailureLimit): RequestHandler {
  return async (request, response, next) => {
    const header = request.headers.authorization
    if (header === undefined) throw new SopError('unauthenticated', NO_TOKEN)
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1]
    if (token === undefined) {
      throw new SopError('unauthenticated', 'Cannot read the credential: expected "Authorization: Bearer <token>"')
    }
    const principal = token.length > MAX_TOKEN_LENGTH ? undefined : await tokens.principalOf(token)
    if (principal === undefined) {
      response.locals.tokenRefused = true
      const retryAfterSeconds = failures.count(request.socket.remoteAddress ?? '')
      if (retryAfterSeconds === undefined) throw new SopError('unauthenticated', WRONG_TOKEN)
      throw new TransportError(429, 'Cannot check the token: too many wrong ones came from this address', {
        retryAfterSeconds,
      })
    }
    response.locals.actor = { principal, via: surfaceOf(request.headers['x-sop-client']) } satisfies Actor
    next()
  }
}

// What the client says of itself is metadata for the record, never identity.
const surfaceOf = (client: string | string[] | undefined): Surface => CLIENTS.find((name) => name === client) ?? 'http'

const NO_TOKEN =
  'Cannot answer without a credential: send "Authorization: Bearer <token>". The local token is in the file "token" of the ' +
  'data directory; "sop token create" makes others'
const WRONG_TOKEN = 'Cannot accept the token: it is unknown or revoked'
