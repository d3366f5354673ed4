import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { isLoopback } from '../host-check.ts'

/** Who may read `/metrics` besides those with the role viewer. */
export interface MetricsAccess {
  /** A token that is good for nothing else. */
  readonly token?: string | undefined
  /** Whoever asks from this machine, and not through a proxy, needs no credential. */
  readonly openOnLoopback: boolean
}

/** Whether the request may read the metrics without a token of the engine. */
export const mayScrape = (request: Request, { token, openOnLoopback }: MetricsAccess): boolean => {
  const sent = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token !== undefined && sent !== undefined && isSame(sent, token)) return true
  return openOnLoopback && isFromHere(request)
}

const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Headers that proxies add: what comes through one comes from elsewhere, however near the proxy is. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

const isFromHere = (request: Request): boolean => {
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const host = (request.headers.host ?? '').replace(/:\d*$/, '').toLowerCase()
  return (
    isLoopback(address) && isLoopback(host) && PROXY_HEADERS.every((header) => request.headers[header] === undefined)
  )
}
