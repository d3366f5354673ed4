import type { RequestHandler } from 'express'
import { SopError } from '../core/errors.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** Whether a server bound to this host can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/**
 * Refuses foreign `Host` headers on a loopback server: a page whose name was rebound to 127.0.0.1 sends its own name
 * (DNS rebinding). Elsewhere every name is let through, since a proxy may use any.
 */
export function checkHost(boundHost: string, publicUrl: string | undefined): RequestHandler {
  if (!isLoopback(boundHost)) return (_request, _response, next) => next()
  const allowed = new Set(LOOPBACK)
  if (publicUrl !== undefined) allowed.add(new URL(publicUrl).hostname.toLowerCase())
  if (/^127\./.test(boundHost)) allowed.add(boundHost)
  return (request, _response, next) => {
    const host = request.headers.host ?? ''
    if (allowed.has(host.replace(/:\d*$/, '').toLowerCase())) return next()
    throw new SopError(
      'forbidden',
      `Cannot answer as host "${host.slice(0, 200)}": this engine answers on loopback only. Set SOP_PUBLIC_URL for a proxy's name`,
    )
  }
}
