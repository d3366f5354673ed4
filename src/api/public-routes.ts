// public-routes.ts: what is answered without a credential. Nothing here tells of an SOP, a run or a person.

import type { Express, RequestHandler } from 'express'
import type { Health } from '../client/client.ts'
import { PAGE_POLICY } from './html.ts'
import type { OpenApiDocument, PublicRoute } from './openapi.ts'
import { docsPage, homePage } from './pages.ts'
import { alive, problem, readiness } from './schemas/health.ts'
import { signIn } from './schemas/session.ts'

export interface PublicDeps {
  readonly health: () => Promise<Health>
  readonly version: string
  readonly temporalUiUrl?: string | undefined
}

interface ServedRoute extends PublicRoute {
  readonly handler: (deps: PublicDeps & { readonly document: () => OpenApiDocument }) => RequestHandler
}

const HTML = { 200: { description: 'A page', types: ['text/html'] } }

export const publicRoutes: readonly ServedRoute[] = [
  {
    path: '/',
    operationId: 'getHome',
    summary: 'What this is, with links',
    replies: HTML,
    handler: ({ version, temporalUiUrl }) => sendPage(() => homePage(version, temporalUiUrl)),
  },
  {
    path: '/health',
    operationId: 'getLiveness',
    summary: 'Liveness: the process answers',
    replies: { 200: { description: 'Alive', schema: alive } },
    handler: () => (_request, response) => void response.json({ status: 'ok' }),
  },
  {
    path: '/ready',
    operationId: 'getReadiness',
    summary: 'Readiness: the engine can serve',
    replies: {
      200: { description: 'Ready', schema: readiness },
      503: { description: 'Not ready; checks says what is missing', schema: readiness },
    },
    handler: ready,
  },
  {
    path: '/api/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This document',
    replies: { 200: { description: 'OpenAPI 3.1', types: ['application/json'] } },
    handler:
      ({ document }) =>
      (_request, response) =>
        void response.type('application/json').send(JSON.stringify(document())),
  },
  {
    path: '/api/docs',
    operationId: 'getDocs',
    summary: 'This document as a page',
    replies: HTML,
    handler: ({ document }) => sendPage(() => docsPage(document())),
  },
]

/** Told of in the document, and served by `session.ts`. */
export const signInRoute: PublicRoute = {
  path: '/api/v1/session',
  method: 'post',
  operationId: 'createSession',
  summary: 'Sign a browser in, by a token or the code of a one-time link',
  body: signIn,
  replies: {
    204: { description: 'Signed in: a cookie that no script can read' },
    401: { description: 'The credential is wrong, spent or too old', schema: problem },
    403: { description: "Not asked by this engine's own page", schema: problem },
  },
}

export function mountPublic(
  app: Express,
  routes: readonly ServedRoute[],
  deps: PublicDeps & { readonly document: () => OpenApiDocument },
): void {
  for (const { path, handler } of routes) app.get(path, handler(deps))
}

const sendPage =
  (render: () => string): RequestHandler =>
  (_request, response) =>
    void response.set('Content-Security-Policy', PAGE_POLICY).type('text/html').send(render())

/** Says which checks fail and since when, not why: the details need a credential (`/api/v1/health`). */
function ready({ health }: PublicDeps): RequestHandler {
  return async (_request, response) => {
    const { status, checks } = await health()
    const bare = Object.fromEntries(
      Object.entries(checks).map(([name, { ok, since }]) => [name, { ok, ...(since !== undefined && { since }) }]),
    )
    response.status(status === 'down' ? 503 : 200).json({ status, checks: bare })
  }
}
