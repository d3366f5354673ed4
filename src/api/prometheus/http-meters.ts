import type { RequestHandler, Response } from 'express'
import { Counter, Histogram, type Registry } from 'prom-client'
import { QUICK_BUCKETS } from './families.ts'

/** Requests of this process, by the template of their route and never by their path. */
export interface HttpMeters {
  readonly middleware: RequestHandler
  addTo(registry: Registry): void
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What answers without a route of its own says so here. */
export const nameRoute = (response: Response, name: string): void => {
  response.locals.routeName = name
}

export const createHttpMeters = (): HttpMeters => {
  const requests = new Counter({
    name: 'sop_http_requests_total',
    help: 'Requests that were answered',
    labelNames: ['method', 'route', 'status'],
    registers: [],
  })
  const durations = new Histogram({
    name: 'sop_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer; streams are not in it',
    labelNames: ['method', 'route'],
    buckets: [...QUICK_BUCKETS],
    registers: [],
  })
  return {
    middleware: (request, response, next) => {
      const startedAt = performance.now()
      response.on('close', () => {
        const method = METHODS.includes(request.method) ? request.method : 'other'
        const { routeName } = response.locals as { readonly routeName?: string }
        const { path } = (request.route ?? {}) as { readonly path?: unknown }
        const route = routeName ?? (typeof path === 'string' ? path : 'none')
        requests.inc({ method, route, status: String(response.statusCode) })
        const isStream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream')
        if (!isStream) durations.observe({ method, route }, (performance.now() - startedAt) / 1000)
      })
      next()
    },
    addTo: (registry) => {
      registry.registerMetric(requests)
      registry.registerMetric(durations)
    },
  }
}
