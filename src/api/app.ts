// app.ts: the HTTP face. Order of a request: its id and headers, the host, public pages, the credential, the route's role,
// its query and body, its handler. Whatever throws on the way becomes a problem document at the end.

import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { Health, SopClient } from '../client/client.ts'
import type { WorkerDoor } from '../client/worker-door.ts'
import type { Sessions } from '../client/sessions.ts'
import type { Scrape } from '../client/scrape.ts'
import type { TokenStore } from '../client/tokens.ts'
import type { WebhookDoor } from '../client/webhook-door.ts'
import type { Actor } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import { authenticate } from './auth.ts'
import { createFailureLimit } from './failure-limit.ts'
import { createFlowLimit } from './flow-limit.ts'
import { checkHost } from './host-check.ts'
import type { ApiLog } from './log.ts'
import { openApiDocument, type OpenApiDocument } from './openapi.ts'
import { problemOf, sendProblem, TransportError } from './problem.ts'
import { mountAssets, pageHandler, type PageFiles } from './page-files.ts'
import { mountPublic, publicRoutes, signInRoute } from './public-routes.ts'
import { mount, type Route } from './route.ts'
import { decisionRoutes } from './routes/decisions.ts'
import { healthRoutes } from './routes/health.ts'
import { logRoutes } from './routes/logs.ts'
import { type MetricsAccess } from './prometheus/access.ts'
import { createExposition, type Exposition } from './prometheus/exposition.ts'
import { createHttpMeters } from './prometheus/http-meters.ts'
import { openScrape, scrapeRoute } from './routes/scrape.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { runScreenRoutes } from './routes/run-screen.ts'
import { runRoutes } from './routes/runs.ts'
import { seedRoutes } from './routes/seeds.ts'
import { sopRoutes } from './routes/sops.ts'
import { eventRoutes } from './routes/events.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { sessionRoutes, signInHandler } from './session.ts'
import { createStreams, type Streams } from './streams.ts'
import { streamRoutes } from './routes/stream.ts'
import { waitingRoutes } from './routes/waiting.ts'
import { queueRoutes } from './routes/queue.ts'
import { triggerRoutes } from './routes/triggers.ts'
import { verifyRoutes } from './routes/verify.ts'
import { workerRoutes } from './routes/workers.ts'
import { limitFlow, webhookHandler } from './webhooks.ts'

export interface AppDeps {
  /** A client that acts as this principal; it applies the rules of gates and runs itself. */
  readonly clientFor: (actor: Actor) => SopClient
  readonly tokens: TokenStore
  /** Signed-in browsers. */
  readonly sessions: Sessions
  /** What workers of pools get and bring. */
  readonly workers: WorkerDoor
  /** Requests at the paths that SOPs name. */
  readonly webhooks: WebhookDoor
  /** Whether the engine can serve; asked by `/ready` without a credential. */
  readonly health: () => Promise<Health>
  readonly log: ApiLog
  readonly version: string
  /** The host that the server is bound to: on loopback, foreign Host headers are refused. */
  readonly host: string
  readonly publicUrl?: string | undefined
  readonly temporalUiUrl?: string | undefined
  /** Config `agentsMayCreate`. Default false. */
  readonly agentsMayCreate?: boolean
  /** Wrong tokens that one address may send in a minute before it gets 429. Default 100. */
  readonly authFailuresPerMinute?: number
  /** How long a handler may take, in milliseconds, before the answer is 503. Default 60,000. */
  readonly handlerTimeoutMs?: number
  readonly streams?: Streams
  /** How often a stream says that it lives, in milliseconds. Default 15,000. */
  readonly streamBeatMs?: number
  /** What monitoring is told; without it there is no `/metrics`. */
  readonly monitoring?: Monitoring | undefined
  /** The page that browsers get; without it `/` says what this is. */
  readonly page?: PageFiles | undefined
}

/** What `/metrics` needs. */
export interface Monitoring extends MetricsAccess {
  readonly scrape: () => Promise<Scrape>
  /** SOPs that get series of their own. */
  readonly maxSops: number
}

const MAX_HEADERS = 100

/** The Express application, and the table of routes that it serves. */
export function createApp(deps: AppDeps): { readonly app: Express; readonly document: () => OpenApiDocument } {
  const http = createHttpMeters()
  const streams = deps.streams ?? createStreams()
  const exposition = deps.monitoring && createExposition({ ...deps.monitoring, http, streamsOpen: () => streams.size })
  const routes = allRoutes(deps, streams, exposition)
  // Made when somebody first asks for it: the engine starts without.
  let made: OpenApiDocument | undefined
  const document = () =>
    (made ??= openApiDocument({
      routes,
      publicRoutes: [...publicRoutes, signInRoute],
      version: deps.version,
      publicUrl: deps.publicUrl,
    }))
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.use(identify(deps.log), http.middleware, secure, limitHeaders, checkHost(deps.host, deps.publicUrl))
  if (deps.page !== undefined) mountAssets(app, deps.page)
  if (deps.page !== undefined) app.get(['/', '/login'], pageHandler(deps.page))
  mountPublic(app, publicRoutes, { ...deps, document })
  const failures = createFailureLimit(deps.authFailuresPerMinute ?? 100)
  if (deps.monitoring && exposition) app.get('/metrics', openScrape(deps.monitoring, exposition))
  app.use(limitFlow(createFlowLimit(), deps.webhooks))
  app.use(webhookHandler({ ...deps, failures, baseUrl: baseUrlOf(deps) }))
  if (deps.page !== undefined) app.use(pageHandler(deps.page))
  app.post('/api/v1/session', signInHandler({ ...deps, failures }))
  app.use(authenticate({ ...deps, failures }))
  for (const spec of routes) mount(app, spec, deps.clientFor, deps.handlerTimeoutMs ?? 60_000)
  app.use(unknownRoute)
  app.use(answerErrors(deps.log))
  return { app, document }
}

function allRoutes(deps: AppDeps, streams: Streams, exposition: Exposition | undefined): readonly Route[] {
  const baseUrl = baseUrlOf(deps)
  return [
    ...sopRoutes({ agentsMayCreate: deps.agentsMayCreate === true }),
    ...runRoutes,
    ...runScreenRoutes(streams),
    ...logRoutes(streams),
    ...eventRoutes(streams),
    ...verifyRoutes(streams),
    ...streamRoutes(streams),
    ...waitingRoutes,
    ...decisionRoutes,
    ...scheduleRoutes,
    ...sessionRoutes({ ...deps, baseUrl }),
    ...tokenRoutes(deps.tokens),
    ...workerRoutes(deps.workers),
    ...healthRoutes,
    ...metricsRoutes,
    ...(exposition === undefined ? [] : [scrapeRoute(exposition)]),
    ...triggerRoutes(baseUrl),
    ...queueRoutes,
    ...seedRoutes(baseUrl),
  ]
}

const baseUrlOf =
  ({ publicUrl }: AppDeps) =>
  (host: string): string =>
    publicUrl?.replace(/\/+$/, '') ?? `http://${host}`

/** Gives the request its id, and writes one line about it when it is over. */
function identify(log: ApiLog): RequestHandler {
  return (request, response, next) => {
    const asked = request.headers['x-request-id']
    const requestId = typeof asked === 'string' && /^[\w.-]{1,64}$/.test(asked) ? asked : randomUUID()
    const startedAt = performance.now()
    response.locals.requestId = requestId
    response.setHeader('X-Request-Id', requestId)
    response.on('close', () => {
      const actor = response.locals.actor as Actor | undefined
      const isFault = response.statusCode >= 500
      log[isFault ? 'warn' : 'debug']('request', {
        requestId,
        method: request.method,
        path: request.path,
        status: response.statusCode,
        durationMs: Math.round(performance.now() - startedAt),
        remote: request.socket.remoteAddress,
        ...(actor === undefined ? {} : { principal: actor.principal.id, via: actor.via }),
        ...(response.writableFinished ? {} : { aborted: true }),
      })
    })
    next()
  }
}

const secure: RequestHandler = (_request, response, next) => {
  response.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  })
  next()
}

// Node drops the headers past its maximum without a word, and the credential may be among them.
const limitHeaders: RequestHandler = (request, _response, next) => {
  if (request.rawHeaders.length / 2 <= MAX_HEADERS) return next()
  throw new TransportError(431, `Cannot read the request: it has more than ${MAX_HEADERS} headers`)
}

const unknownRoute: RequestHandler = (request) => {
  const path = request.path.slice(0, 200)
  throw new SopError('not_found', `Cannot find "${request.method} ${path}": there is no such route. See /api/docs`)
}

function answerErrors(log: ApiLog): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const requestId = String(response.locals.requestId)
    const problem = problemOf(error, requestId)
    if (problem.status >= 500) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
      log.error('request failed', {
        requestId,
        method: request.method,
        path: request.path,
        code: problem.code,
        error: stack,
      })
    }
    sendProblem(request, response, problem)
  }
}
