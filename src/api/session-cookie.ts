// session-cookie.ts: the cookie of a signed-in browser, and what a request that comes with it has to show besides.

import type { Request, Response } from 'express'
import type { OpenedSession } from '../client/sessions.ts'
import { SopError } from '../core/errors.ts'

/**
 * Cookies are kept by host and not by port: on one machine each engine needs a name of its own, or signing in at one would
 * sign out of the other.
 */
const nameFor = ({ socket }: Request, publicUrl: string | undefined): string =>
  publicUrl === undefined ? `sop_session_${socket.localPort ?? 0}` : 'sop_session'

/** The value of the session's cookie, if the browser sent one. */
export function readSessionCookie(request: Request, publicUrl: string | undefined): string | undefined {
  const wanted = `${nameFor(request, publicUrl)}=`
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
  return found?.slice(wanted.length, wanted.length + 512)
}

/** Signs the browser in; without a session it signs it out. No script can read the cookie, and no other site can use it. */
export function setSessionCookie(
  request: Request,
  response: Response,
  publicUrl: string | undefined,
  session?: OpenedSession,
): void {
  const attributes = [
    `${nameFor(request, publicUrl)}=${session?.value ?? ''}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    ...(publicUrl?.startsWith('https:') === true || request.secure ? ['Secure'] : []),
    `Expires=${new Date(session?.expiresAt ?? 0).toUTCString()}`,
  ]
  response.append('Set-Cookie', attributes.join('; '))
}

/**
 * A request that a browser sends with the cookie has to come from our own page. Another site can neither set the header
 * nor hide where it is; another port of this host counts as another site.
 *
 * @throws SopError `forbidden`
 */
export function assertOwnPage(request: Request, publicUrl: string | undefined): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isOwnSite = site === undefined || site === 'same-origin' || (isRead && site === 'none')
  const isOwnOrigin = origin === undefined ? isRead || site !== undefined : isOwn(origin, request, publicUrl)
  const isMarked = isRead || request.headers['x-sop-client'] === 'web'
  if (isOwnSite && isOwnOrigin && isMarked) return
  throw new SopError(
    'forbidden',
    "Cannot take the request: it comes with a browser's session, but not from this engine's own page. Programs send " +
      '"Authorization: Bearer <token>"',
  )
}

function isOwn(origin: string, { headers }: Request, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const { host } = new URL(origin)
  return host === headers.host || (publicUrl !== undefined && host === new URL(publicUrl).host)
}
