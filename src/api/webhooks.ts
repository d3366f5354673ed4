// webhooks.ts: requests at the paths that SOPs name. They come before the credential of the API: each webhook has its own.

import type { RequestHandler } from 'express'
import type { TokenStore } from '../client/tokens.ts'
import type { WebhookDoor } from '../client/webhook-door.ts'
import { acceptedOf, refusalOf } from '../core/trigger/accepted.ts'
import { RESERVED_PATHS } from '../core/compile/webhook-path.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { FlowLimit } from './flow-limit.ts'
import { nameRoute } from './prometheus/http-meters.ts'
import { readPayload } from './payload.ts'
import { TransportError } from './problem.ts'
import { acceptedAnswer, unprocessable } from './delivery-answer.ts'

export interface WebhookDeps {
  readonly webhooks: WebhookDoor
  readonly tokens: TokenStore
  readonly failures: FailureLimit
  readonly baseUrl: (host: string) => string
}

/** Where the flow of triggers comes in besides webhooks. */
const TRIGGER_ROUTES: readonly string[] = ['/api/v1/events', '/api/v1/messages']

/** Keeps the requests that are under way at the doors of triggers within their limits. */
export function limitFlow(flow: FlowLimit, webhooks: Pick<WebhookDoor, 'serves'>): RequestHandler {
  return async (request, response, next) => {
    const { method, path } = request
    if (isOwn(path) && !TRIGGER_ROUTES.includes(path)) return next()
    // Pages and streams are read by GET; a webhook may be as well.
    if (method === 'GET' && !(await webhooks.serves(method, path))) return next()
    if (response.closed) return
    const leave = flow.enter(request.socket.remoteAddress ?? '')
    if (leave === undefined) {
      response.setHeader('Connection', 'close')
      throw new TransportError(429, 'Cannot take the request: too many of this address are under way', {
        retryAfterSeconds: 1,
      })
    }
    response.on('close', leave)
    next()
  }
}

export function webhookHandler({ webhooks, tokens, failures, baseUrl }: WebhookDeps): RequestHandler {
  return async (request, response, next) => {
    const { method, path } = request
    if (isOwn(path) || !(await webhooks.serves(method, path))) return next()
    const address = request.socket.remoteAddress ?? ''
    nameRoute(response, 'webhook')
    const read = await readPayload(request)
    const token = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.headers.authorization ?? '')?.[1]
    const principal = token === undefined ? undefined : await tokens.principalOf(token)
    const deliveries = await webhooks.receive({
      method,
      path,
      headers: read.headers,
      query: Object.fromEntries(new URL(request.originalUrl, 'http://engine').searchParams),
      body: read.body,
      payload: read.payload,
      ...(principal !== undefined && { actor: { principal, via: 'http' } }),
    })
    const refusal = refusalOf(deliveries)
    if (refusal?.code === 'unauthenticated') {
      const retryAfterSeconds = failures.count(address)
      if (retryAfterSeconds !== undefined) {
        throw new TransportError(429, 'Cannot check the signature: too many wrong ones came from this address', {
          retryAfterSeconds,
        })
      }
    }
    if (refusal !== undefined) throw unprocessable(refusal)
    const { status, json, headers } = acceptedAnswer(acceptedOf(deliveries), baseUrl(request.headers.host ?? ''))
    response.status(status).set(headers).type('application/json').send(JSON.stringify(json))
  }
}

const isOwn = (path: string): boolean =>
  path === '/' || RESERVED_PATHS.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
