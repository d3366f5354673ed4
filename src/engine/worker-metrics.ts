import { createServer } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Exposition } from '../api/prometheus/exposition.ts'
import { SopError } from '../core/errors.ts'
import type { Log } from '../log.ts'

// worker-metrics.ts: `GET /metrics` of a worker without an API. It asks for no credential and tells no name of a run, an SOP or
// a person; it is off unless the config gives it an address.

export interface WorkerMetrics {
  /** Where it is; with the port that was free where 0 was asked for. */
  readonly url: string
  close(): Promise<void>
}

export interface WorkerMetricsOptions {
  /** `127.0.0.1:9465`, `[::1]:9465`. */
  readonly address: string
  readonly exposition: Exposition
  readonly log: Pick<Log, 'error'>
}

/** @throws SopError `conflict` where it cannot listen there */
export const serveWorkerMetrics = async ({
  address,
  exposition,
  log,
}: WorkerMetricsOptions): Promise<WorkerMetrics> => {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): void =>
      void response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : text)
    if (request.url?.split('?')[0] !== '/metrics') return answer(404, 'There is nothing here but /metrics\n')
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET is what there is\n')
    exposition.render().then(
      (text) => answer(200, text, exposition.contentType),
      (error: unknown) => {
        log.error('The metrics of the worker cannot be told', { error })
        answer(500, 'The metrics cannot be told; the log of the worker says why\n')
      },
    )
  })
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new SopError(
          'conflict',
          `Cannot serve the worker's metrics on ${address}: ${cause.message}. Set another SOP_METRICS_WORKER_ADDRESS`,
          {},
          cause,
        ),
      ),
    )
    server.listen({ host, port: Number(address.slice(colon + 1)) }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', (error) => log.error('The metrics of the worker cannot be served', { error }))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
