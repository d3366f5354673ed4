// session.ts: how a browser signs in and out.

import type { RequestHandler } from 'express'
import type { Sessions } from '../client/sessions.ts'
import { SopError } from '../core/errors.ts'
import { readJsonBody } from './body.ts'
import { check } from './check.ts'
import type { FailureLimit } from './failure-limit.ts'
import { TransportError } from './problem.ts'
import { route, type Route } from './route.ts'
import { session, sessionLink, signIn } from './schemas/session.ts'
import { assertOwnPage, setSessionCookie } from './session-cookie.ts'

export interface SessionDeps {
  readonly sessions: Sessions
  readonly failures: FailureLimit
  readonly publicUrl?: string | undefined
}

/** `POST /api/v1/session`: needs no credential, since it brings one. */
export function signInHandler({ sessions, failures, publicUrl }: SessionDeps): RequestHandler {
  return async (request, response) => {
    // Otherwise another site could sign a browser in as somebody else.
    assertOwnPage(request, publicUrl)
    const { token, code } = check('the body', signIn, await readJsonBody(request))
    if ((token === undefined) === (code === undefined)) {
      throw new SopError('invalid', 'Cannot sign in: expected either "token" or "code"')
    }
    const opened = token === undefined ? await sessions.redeem(code ?? '') : await sessions.open(token)
    if (opened === undefined) {
      const retryAfterSeconds = failures.count(request.socket.remoteAddress ?? '')
      if (retryAfterSeconds !== undefined) {
        throw new TransportError(429, 'Cannot sign in: too many wrong credentials came from this address', {
          retryAfterSeconds,
        })
      }
      throw new SopError('unauthenticated', token === undefined ? SPENT : WRONG)
    }
    setSessionCookie(request, response, publicUrl, opened)
    response.status(204).end()
  }
}

const SPENT =
  'Cannot sign in with this link: it was used already, is older than ten minutes, or the engine was started anew since. ' +
  'Make another one: sop open'
const WRONG = 'Cannot sign in: the token is unknown or revoked'

export interface SessionRouteDeps extends Omit<SessionDeps, 'failures'> {
  readonly baseUrl: (host: string) => string
  readonly version: string
  readonly temporalUiUrl?: string | undefined
}

export const sessionRoutes = (deps: SessionRouteDeps): readonly Route[] => [
  route({
    method: 'get',
    path: '/api/v1/session',
    operationId: 'getSession',
    tag: 'Session',
    summary: 'Who you are',
    verb: 'getRunStatus',
    replies: { 200: { description: 'The principal of the credential', schema: session } },
    handle: async ({ actor, response }) => ({
      status: 200,
      json: {
        principal: actor.principal,
        version: deps.version,
        ...(typeof response.locals.sessionEndsAt === 'string' && { expiresAt: response.locals.sessionEndsAt }),
        ...(deps.temporalUiUrl !== undefined && { temporalUiUrl: deps.temporalUiUrl }),
      },
    }),
  }),
  route({
    method: 'delete',
    path: '/api/v1/session',
    operationId: 'endSession',
    tag: 'Session',
    summary: 'Sign out',
    description: 'This browser forgets its session. A session ends everywhere with its token.',
    verb: 'getRunStatus',
    replies: { 204: { description: 'Signed out' } },
    handle: async ({ request, response }) => {
      setSessionCookie(request, response, deps.publicUrl)
      return { status: 204 }
    },
  }),
  route({
    method: 'post',
    path: '/api/v1/session/links',
    operationId: 'createSessionLink',
    tag: 'Session',
    summary: 'Make a link that signs a browser in',
    description:
      'Good once and for ten minutes, at the process that made it. The code is in the fragment of the address, which no server and no ' +
      'log sees; the page exchanges it by POST, so that programs that look at links do not spend it.',
    verb: 'getRunStatus',
    replies: { 201: { description: 'Made', schema: sessionLink } },
    handle: async ({ request, response }) => {
      const { code, expiresAt } = deps.sessions.link(String(response.locals.identity))
      const url = linkUrl(deps.baseUrl(request.headers.host ?? ''), code)
      return { status: 201, json: { url, code, expiresAt } }
    },
  }),
]

/** The address that signs a browser in. */
export const linkUrl = (baseUrl: string, code: string): string => `${baseUrl}/login#code=${code}`
