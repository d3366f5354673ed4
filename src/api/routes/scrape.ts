import type { RequestHandler } from 'express'
import { type MetricsAccess, mayScrape } from '../prometheus/access.ts'
import type { Exposition } from '../prometheus/exposition.ts'
import { route, type Route } from '../route.ts'

/** Answers those who may read the metrics without a token of the engine; everybody else is asked for one. */
export const openScrape =
  (access: MetricsAccess, exposition: Exposition): RequestHandler =>
  async (request, response, next) => {
    if (!mayScrape(request, access)) return next()
    response.type(exposition.contentType).send(await exposition.render())
  }

/** The same for tokens of the engine. */
export const scrapeRoute = (exposition: Exposition): Route =>
  route({
    method: 'get',
    path: '/metrics',
    operationId: 'scrapeMetrics',
    tag: 'Metrics',
    summary: 'What Prometheus reads',
    description: 'Counted from the record where it is about runs: the same after a restart, and from every process.',
    verb: 'getMetrics',
    replies: { 200: { description: 'Metrics in the text format of Prometheus', types: ['text/plain'] } },
    handle: async () => ({ status: 200, text: await exposition.render(), type: exposition.contentType }),
  })
