import { mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { SopError } from '../core/errors.ts'
import type { Log } from '../log.ts'
import { prepareDb, recordDb } from './db-version.ts'
import { findFreePort, probePort } from './ports.ts'
import type { ServerPorts } from './server-flags.ts'
import { type LaunchOptions, launchServer, logPathOf, rotateLog } from './server-launch.ts'
import type { ServerProcess } from './server-process.ts'
import type { TemporalTarget } from './temporal-address.ts'

export interface DevServerOptions extends LaunchOptions {
  /** 0 picks a free one. */
  readonly port: number
  /** 0 picks a free one; undefined: no Web UI. */
  readonly uiPort?: number
  readonly log: Log
}

/** A running server that is started again when it ends by itself. */
export interface DevServer {
  readonly target: TemporalTarget
  /** Of the present process; it changes with a restart. */
  pid(): number | undefined
  stop(): Promise<void>
}

/**
 * Starts the embedded Temporal server and waits until the namespace can be used.
 * @throws SopError `conflict` when a port is taken or the database belongs to another version; `unavailable` when the
 * server does not come up, with the last lines of its log
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { folder, binary } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await rotateLog(logPathOf(folder))
  if (options.inMemory !== true) {
    const backup = await prepareDb(folder, binary.serverVersion, new Date())
    if (backup !== undefined)
      options.progress.note(`Copied Temporal's database to ${backup} before this version opens it`)
  }
  const { ports, server } = await launchFirst(options)
  try {
    if (options.inMemory !== true) await recordDb(folder, binary.serverVersion)
  } catch (error) {
    await server.stop()
    throw error
  }
  return supervise(server, ports, options)
}

/** A port that we picked may be gone when the server wants it, as may those that it picks itself: three attempts. */
async function launchFirst(options: DevServerOptions): Promise<{ ports: ServerPorts; server: ServerProcess }> {
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(options)
    const launched = await launchServer(ports, options)
    if (launched.ok) return { ports, server: launched.server }
    if (attempt === 3 || !PORT_LOST.test(launched.reason)) throw notStarted(launched.reason, options)
  }
}

const PORT_LOST = /address already in use|bind:/i

async function choosePorts(options: DevServerOptions): Promise<ServerPorts> {
  const port = await usePort(options.port, 'Temporal', 'SOP_TEMPORAL_PORT')
  if (options.uiPort === undefined) return { port }
  // Whoever lets the server's port be picked runs several engines: the UI's usual port is then a wish.
  const isWish = options.port === 0 && 'code' in (await probePort(options.uiPort))
  const uiPort = isWish ? 0 : options.uiPort
  return { port, uiPort: await usePort(uiPort, "Temporal's Web UI", 'SOP_TEMPORAL_UI_PORT') }
}

async function usePort(port: number, what: string, variable: string): Promise<number> {
  if (port === 0) return await findFreePort()
  const probed = await probePort(port)
  if ('port' in probed) return port
  const reason = probed.code === 'EADDRINUSE' ? 'another program uses it' : `the system refuses it (${probed.code})`
  const existing =
    variable === 'SOP_TEMPORAL_PORT'
      ? `, or set TEMPORAL_ADDRESS=127.0.0.1:${port} if a Temporal server runs there that you want to use`
      : ''
  throw new SopError(
    'conflict',
    `Cannot start ${what} on port ${port}: ${reason}. Set ${variable} to another port (0 picks a free one)${existing}`,
    { port },
  )
}

function notStarted(reason: string, { folder, binary }: DevServerOptions): SopError {
  return new SopError(
    'unavailable',
    `Cannot start Temporal "${binary.path}" ${binary.cliVersion}: ${reason}. Its log is ${logPathOf(folder)}`,
    { log: logPathOf(folder) },
  )
}

/** Starts the server again, on the same ports, whenever it ends without being told to: its clients reconnect. */
function supervise(first: ServerProcess, ports: ServerPorts, options: DevServerOptions): DevServer {
  const stopping = new AbortController()
  let server: ServerProcess | undefined = first
  const watch = async (): Promise<void> => {
    while (server !== undefined) {
      const how = await server.exited
      if (stopping.signal.aborted) return
      server = undefined
      options.log.error(`Temporal ended unexpectedly: ${how}. Starting it again`, { log: logPathOf(options.folder) })
      server = await relaunch(ports, options, stopping.signal)
    }
  }
  const watching = watch()
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('the engine stops'))
    await server?.stop()
    await watching
    await server?.stop()
  }
  const address = `127.0.0.1:${ports.port}`
  const uiUrl = ports.uiPort === undefined ? {} : { uiUrl: `http://127.0.0.1:${ports.uiPort}` }
  const target = { address, namespace: options.namespace, connectionOptions: { address }, embedded: true, ...uiUrl }
  return { target, pid: () => server?.pid, stop }
}

/** Tries until it runs or the engine stops: after half a second, then ever longer, at most half a minute. */
async function relaunch(
  ports: ServerPorts,
  options: DevServerOptions,
  signal: AbortSignal,
): Promise<ServerProcess | undefined> {
  for (let delayMs = 500; ; delayMs = Math.min(delayMs * 2, 30_000)) {
    try {
      await sleep(delayMs, undefined, { signal })
      const launched = await launchServer(ports, { ...options, signal })
      if (launched.ok) {
        options.log.info('Temporal runs again', { pid: launched.server.pid })
        return launched.server
      }
      options.log.error(`Cannot start Temporal again: ${launched.reason}`)
    } catch (error) {
      if (signal.aborted) return undefined
      options.log.error(`Cannot start Temporal again: ${(error as Error).message}`)
    }
  }
}
