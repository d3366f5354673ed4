import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Config } from '../config.ts'
import { SopError } from '../core/errors.ts'
import { createApp, type AppDeps } from './app.ts'
import { isLoopback } from './host-check.ts'
import { createStreams } from './streams.ts'
import { problemOf, TransportError, type Problem } from './problem.ts'

export interface ApiOptions extends Omit<AppDeps, 'host' | 'publicUrl' | 'agentsMayCreate' | 'streams'> {
  readonly config: Pick<Config, 'api' | 'agentsMayCreate'>
  /** How long a request may take to arrive, in milliseconds: past it the answer is 408. */
  readonly requestTimeoutMs?: number
}

export interface RunningApi {
  /** Where programs on this machine reach it. */
  readonly url: string
  readonly port: number
  /** Takes no more requests, lets those under way finish for 5 s, and frees the port. */
  stop(): Promise<void>
}

const STOP_GRACE_MS = 5_000

/**
 * Serves the API on the configured host and port; port 0 picks a free one.
 *
 * @throws SopError `conflict` when the port is taken, `forbidden` when it is not ours to take, `invalid` for a bad host.
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { host, port: wantedPort, publicUrl } = options.config.api
  const streams = createStreams(options.streamBeatMs === undefined ? {} : { beatMs: options.streamBeatMs })
  const { app } = createApp({ ...options, host, publicUrl, agentsMayCreate: options.config.agentsMayCreate, streams })
  const server = createServer(serverLimits(options.requestTimeoutMs ?? 30_000), app)
  server.maxHeadersCount = 200
  server.on('clientError', answerBrokenRequest)
  await listen(server, host, wantedPort)
  const { port } = server.address() as AddressInfo
  if (!isLoopback(host) && publicUrl?.startsWith('https:') !== true) {
    options.log.warn(
      'the API is reachable from other machines without TLS: put a proxy before it and set SOP_PUBLIC_URL',
      { host },
    )
  }
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    streams.stop()
    server.closeIdleConnections()
    const force = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS)
    await closed
    clearTimeout(force)
  }
  let stopping: Promise<void> | undefined
  return { url: `http://${reachable(host)}:${port}`, port, stop: () => (stopping ??= stop()) }
}

/** Against clients that send their request drop by drop, and against those that never end it. */
const serverLimits = (requestTimeoutMs: number) => ({
  maxHeaderSize: 16 * 1024,
  headersTimeout: Math.min(10_000, requestTimeoutMs),
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
})

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => resolve())
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): SopError {
  const at = `Cannot serve the API on ${host}:${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new SopError(
        'conflict',
        `${at}: the port is taken. Stop what uses it, or set SOP_API_PORT (0 picks a free one)`,
        { port },
        error,
      )
    case 'EACCES':
      return new SopError(
        'forbidden',
        `${at}: this user may not open that port. Set SOP_API_PORT to one above 1023`,
        { port },
        error,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new SopError(
        'invalid',
        `${at}: this machine has no such address. Set the API's host to one that it has`,
        { host },
        error,
      )
    default:
      return new SopError('unavailable', `${at}: ${error.message}`, { host, port }, error)
  }
}

/** A request that Node itself could not read: nothing of ours has seen it. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(brokenRequest(error.code), 'none')
  const body = JSON.stringify(problem)
  const head = `HTTP/1.1 ${problem.status} ${phrase(problem)}\r\nContent-Type: application/problem+json\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
}

function brokenRequest(code: string | undefined): SopError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new TransportError(408, 'Cannot read the request: it took too long to arrive')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new TransportError(431, 'Cannot read the request: its headers are larger than 16 KiB')
  return new SopError('invalid', 'Cannot read the request: it is not HTTP/1.1')
}

const PHRASES: Readonly<Record<number, string>> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }
const phrase = ({ status }: Problem): string => PHRASES[status] ?? 'Bad Request'

/** A wildcard address is for binding; it is reached by loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  if (host === '::' || host === '[::]') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
